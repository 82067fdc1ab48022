"""Segments by value (A, B, C) and bands of risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

A_SHARE = 0.80
"""Customers who make the first 80 % of all value are A."""
B_SHARE = 0.95
"""Those who make the next 15 % are B."""
HIGH_ODDS = 2.0
"""From twice the odds of the base rate on, risk is high; below the odds of the base rate it is low."""
BANDS = ("low", "medium", "high")
"""The bands of risk, rising."""
_ALMOST = 1e-6


def abc(value: pd.Series) -> pd.Series:
    """Return the segment of every customer by its share in all positive value.

    Parameters
    ----------
    value : Series of float, index customer_id, shape (n_customers,)
        Customer value [currency]; missing counts as no value.

    Returns
    -------
    Series of "A", "B" or "C", index as given
        Customers in falling order of value, ties by customer_id: A until 80 % are reached, B until 95 %.
        Whoever crosses a line belongs to the upper class; without positive value a customer is C.

    Notes
    -----
    Source: the ABC analysis of materials management (Dickie, 1951), on customer value.

    Examples
    --------
    >>> abc(pd.Series({"a": 70.0, "b": 20.0, "c": 9.0, "d": 1.0, "e": -5.0})).tolist()
    ['A', 'A', 'B', 'C', 'C']
    """
    amount = value.fillna(0.0).to_numpy(dtype=np.float64).clip(min=0.0)
    order = np.lexsort((_ranks(value.index), -amount))
    falling = amount[order]
    reached_before = np.concatenate(([0.0], np.cumsum(falling)[:-1]))
    total = falling.sum()
    segment = np.full(len(amount), "C", dtype=object)
    segment[order[(reached_before < B_SHARE * total) & (falling > 0)]] = "B"
    segment[order[(reached_before < A_SHARE * total) & (falling > 0)]] = "A"
    return pd.Series(segment, index=value.index, name="segment", dtype="str")


COSTLY, PROMISING = "costs_more_than_it_brings", "small_but_promising"
"""Standings worth a name; all others have none."""


def standing(worth: pd.DataFrame) -> pd.Series:
    """Return what a customer is beyond A, B, C: costs more than it brings, small but promising, or nothing of these.

    Parameters
    ----------
    worth : DataFrame
        ``value``, ``turnover``, ``expected_margin`` and ``cost_to_serve`` [currency]; missing says nothing.

    Returns
    -------
    Series of str, index as given
        Costly: serving costs more than the margin expected. Promising: in the lower half by turnover, in the upper half
        by value. Empty for all others.

    Examples
    --------
    >>> rows = {"value": [9, 0, 5.0], "turnover": [1, 5, 9.0], "expected_margin": [3, 1, 4.0]}
    >>> standing(pd.DataFrame(rows).assign(cost_to_serve=2.0)).tolist()
    ['small_but_promising', 'costs_more_than_it_brings', '']
    """
    is_costly = worth["cost_to_serve"] > worth["expected_margin"].clip(lower=0)
    is_small = worth["turnover"].rank(pct=True, method="average") <= 0.5
    is_dear = (worth["value"].rank(pct=True, method="average") > 0.5) & (worth["value"] > 0)
    named = np.select([is_costly, is_small & is_dear & worth["expected_margin"].notna()], [COSTLY, PROMISING], "")
    return pd.Series(named, index=worth.index, name="standing", dtype="str")


def risk_bands(
    probability: pd.Series, *, base_rate: float, before: pd.Series | None = None, hold: float = 1.0
) -> pd.Series:
    """Return the band of risk of every customer: its odds against the odds of the base rate.

    Parameters
    ----------
    probability : Series of float in [0, 1], shape (n_customers,)
        Calibrated chance of being lost.
    base_rate : float in [0, 1]
        Share of the cohort that is lost; 0 and 1 count as almost 0 and almost 1.
    before : Series of str, index as ``probability``, optional
        Bands at the run before, missing where unknown.
    hold : float in (0, 1]
        A band once reached is left only below this share of its line, so that nobody flutters between two.

    Returns
    -------
    Series of "high", "medium" or "low", index as given
        high: at least twice the odds; low: below the base rate; medium: between.

    Raises
    ------
    ValueError
        If a probability or the base rate is missing or outside [0, 1].

    Notes
    -----
    A multiple of the *rate* says nothing where many leave (twice 0.5 is certainty); a fixed line says nothing
    where few do. Odds work at both ends: high starts at 0.095 for a base rate of 0.05, at 0.57 for 0.4.

    Examples
    --------
    >>> risk_bands(pd.Series([0.6, 0.45, 0.3]), base_rate=0.4).tolist()
    ['high', 'medium', 'low']
    >>> risk_bands(pd.Series([0.38, 0.38]), base_rate=0.4, before=pd.Series(["medium", "low"]), hold=0.7).tolist()
    ['medium', 'low']
    """
    chance = probability.to_numpy(dtype=np.float64)
    if not (0 <= base_rate <= 1) or not np.all((chance >= 0) & (chance <= 1)):
        raise ValueError(f"expected probabilities and a base rate in [0, 1], got base rate {base_rate}; check scores")
    level = _level(chance, base_rate, hold=1.0)
    if before is not None:
        reached = before.map({band: number for number, band in enumerate(BANDS)}).fillna(0).to_numpy(np.int64)
        level = np.maximum(level, np.minimum(reached, _level(chance, base_rate, hold=hold)))
    return pd.Series(np.array(BANDS, dtype=object)[level], index=probability.index, name="risk_band", dtype="str")


def _level(chance: np.ndarray, base_rate: float, *, hold: float) -> np.ndarray:
    """Return how many of the two lines, moved down to ``hold`` times their odds, each chance has reached."""
    lines = (chance_at(1.0 * hold, base_rate=base_rate), chance_at(HIGH_ODDS * hold, base_rate=base_rate))
    return np.asarray(sum((chance >= line).astype(np.int64) for line in lines))


def chance_at(odds: float, *, base_rate: float) -> float:
    """Return the probability whose odds are ``odds`` times those of the base rate.

    Examples
    --------
    >>> round(chance_at(2.0, base_rate=0.4), 3)
    0.571
    """
    base = _inside(base_rate)
    return base if odds == 1 else odds * base / (1 - base + odds * base)


def odds_ratio(probability: NDArray[np.float64], *, base_rate: float) -> NDArray[np.float64]:
    """Return the odds of every probability over the odds of the base rate; missing stays missing.

    Examples
    --------
    >>> odds_ratio(np.array([0.5, 0.2]), base_rate=0.2).round(6).tolist()
    [4.0, 1.0]
    """
    chance, base = np.clip(probability, _ALMOST, 1 - _ALMOST), _inside(base_rate)
    return np.asarray(chance / (1 - chance) * ((1 - base) / base), dtype=np.float64)


def _inside(base_rate: float) -> float:
    return min(max(base_rate, _ALMOST), 1 - _ALMOST)


def _ranks(index: pd.Index) -> np.ndarray:
    """Return the place of every label in sorted order, for breaking ties."""
    ranks = np.empty(len(index), dtype=np.int64)
    ranks[np.asarray(index.argsort())] = np.arange(len(index))
    return ranks
