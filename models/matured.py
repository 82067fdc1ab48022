"""Calibration checked again: what was promised at earlier cutoffs against what has become of those customers.

Drift is told from chance by tests that count a customer with all snapshots as one draw, and that allow for what the
promise itself left open (its 90 % intervals). Sources: Cox (1958), Biometrika 45, for intercept and slope on the
log-odds; Liang, Zeger (1986), Biometrika 73, for errors of rows that belong together; Wilson (1927), J. American
Statistical Association 22, for shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from models.linear import linear
from models.metrics import bins_of, calibration_error
from models.resample import ranks_of, weighted_auc

Column = NDArray[np.float64]
Labels = NDArray[np.int8]

MOST_CUTOFFS = 6
"""The newest matured cutoffs that are looked at: older ones speak of older models."""
LEAST_OUTCOMES = 10
"""Of the rarer outcome, promised or come true; below it nothing is said about the level."""
LEAST_FOR_SLOPE = 20
"""Of the rarer outcome come true; below it no slope is fitted."""
LEAST_LEVEL = 0.1
"""Intercept [log-odds] from which a level that differs beyond chance matters: odds 10 % off."""
SOUND_SLOPE = (0.8, 1.25)
"""Slopes between which a difference beyond chance does not matter."""

_Z90, _Z99 = 1.6448536269514722, 2.5758293035489004
_EDGE = 1e-6
_MOST_SLOPE_SPREAD = 0.3
"""Standard error that a calibration leaves its slope at most: that of its prior."""


@dataclass(frozen=True, kw_only=True)
class Matured:
    """What was promised at one cutoff (or at several together: ``cutoff`` None) and what came true.

    Attributes
    ----------
    snapshots, customers, outcomes : int
        Promises; customers they were made about; how many came true.
    promised, promised_low, promised_high : share
        Mean probability, and the mean of its bounds: where the share was promised to lie with 90 % confidence.
    share, share_low, share_high : share
        What came true, with the 90 % interval that chance leaves open.
    calibration_error, error_by_chance : share
        Mean gap over ten equally filled bins; how large chance alone makes it where every promise is true.
    intercept, slope : float
        Of the outcome on the promised log-odds, each with 90 % bounds. Intercept: with slope 1; above 0 more came true
        than was promised. Slope: below 1 the promises lay too far apart. NaN where outcomes are too few.
    auc : float
        Chance that of two customers with different outcomes the right one was given the higher probability.
    is_told : bool
        Whether there are outcomes enough to tell drift from chance.
    level_drifts, slope_drifts : bool
        Whether the level, the slope, differ from the promise beyond chance (99 %) and by more than is of no account.
    """

    cutoff: date | None
    snapshots: int
    customers: int
    outcomes: int
    promised: float
    promised_low: float
    promised_high: float
    share: float
    share_low: float
    share_high: float
    calibration_error: float
    error_by_chance: float
    intercept: float
    intercept_low: float
    intercept_high: float
    slope: float
    slope_low: float
    slope_high: float
    auc: float
    is_told: bool
    level_drifts: bool
    slope_drifts: bool

    @property
    def drifts(self) -> bool:
        """Whether calibration has drifted beyond chance."""
        return self.level_drifts or self.slope_drifts


@dataclass(frozen=True, kw_only=True)
class Recheck:
    """The matured cutoffs one by one, oldest first, and together (None: nothing has matured)."""

    by_cutoff: tuple[Matured, ...]
    pooled: Matured | None

    def to_frame(self) -> pd.DataFrame:
        """Return one row per cutoff and, last, the one of all together, whose cutoff is missing."""
        rows = [*self.by_cutoff, *([] if self.pooled is None else [self.pooled])]
        frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(Matured)])
        return frame.astype({field.name: _KINDS[str(field.type)] for field in fields(Matured)})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Recheck:
        """Return what ``to_frame`` gave."""
        rows = [_row(values) for values in frame[[field.name for field in fields(Matured)]].to_dict("records")]
        return cls(by_cutoff=tuple(rows[:-1]), pooled=rows[-1] if rows else None)


_KINDS = {"date | None": "object", "int": "int64", "float": "float64", "bool": "bool"}


def recheck(outcomes: pd.DataFrame) -> Recheck:
    """Check what was promised at each cutoff of ``outcomes``, and at all of them together.

    Parameters
    ----------
    outcomes : DataFrame
        One row per promise: cutoff, customer_id, probability, probability_low, probability_high and label (0 or 1),
        what became of the customer. Only finished horizons; empty is allowed.

    Returns
    -------
    Recheck
        Of the ``MOST_CUTOFFS`` newest cutoffs; the order of rows does not matter.
    """
    days = sorted(set(outcomes["cutoff"]))[-MOST_CUTOFFS:]
    rows = outcomes[outcomes["cutoff"].isin(days)].sort_values(["cutoff", "customer_id"], ignore_index=True)
    if rows.empty:
        return Recheck(by_cutoff=(), pooled=None)
    parts = tuple(matured(rows[(rows["cutoff"] == day).to_numpy(dtype=bool)], cutoff=day) for day in days)
    return Recheck(by_cutoff=parts, pooled=matured(rows, cutoff=None))


def matured(rows: pd.DataFrame, *, cutoff: date | None) -> Matured:
    """Return what became of some promises; columns as in :func:`recheck`, at least one row."""
    label, said = rows["label"].to_numpy(np.int8), rows["probability"].to_numpy(np.float64)
    low, high = (rows[f"probability_{side}"].to_numpy(np.float64) for side in ("low", "high"))
    customer = pd.factorize(rows["customer_id"], sort=True)[0]
    log_odds, spread = _log_odds(said), (_log_odds(high) - _log_odds(low)) / (2 * _Z90)
    is_told = _rarer(said) >= LEAST_OUTCOMES or _rarer(label) >= LEAST_OUTCOMES
    intercept = _intercept(log_odds, label, customer)
    slope = _slope(log_odds, label, customer)
    share_low, share_high = _share_interval(label, customer)
    return Matured(
        cutoff=cutoff,
        snapshots=len(rows),
        customers=int(customer.max()) + 1,
        outcomes=int(label.sum()),
        promised=float(said.mean()),
        promised_low=float(low.mean()),
        promised_high=float(high.mean()),
        share=float(label.mean()),
        share_low=share_low,
        share_high=share_high,
        calibration_error=calibration_error(label, said),
        error_by_chance=_error_by_chance(said),
        **_told("intercept", intercept),
        **_told("slope", slope),
        auc=weighted_auc(label, ranks_of(said), np.ones(len(rows))),
        is_told=is_told,
        level_drifts=is_told and _level_drifts(said, (high - low) / (2 * _Z90), label, customer, intercept[0]),
        slope_drifts=is_told and _slope_drifts(slope, log_odds, spread),
    )


def _level_drifts(said: Column, open_: Column, label: Labels, customer: NDArray[np.intp], intercept: float) -> bool:
    """Score test of the level, its error never below that of independent promises, plus what the promise left open."""
    gap = label - said
    chance = max(float((_by_customer(gap, customer) ** 2).sum()), float((said * (1 - said)).sum()))
    error = np.sqrt(chance + open_.sum() ** 2)
    matters = not abs(intercept) < LEAST_LEVEL  # NaN: all outcomes are alike, no intercept could bring them together
    return bool(matters and abs(gap.sum()) > _Z99 * error)


def _slope_drifts(slope: tuple[float, float], log_odds: Column, spread: Column) -> bool:
    """Wald test of the slope, plus what the promise left open about it; False where no slope could be fitted."""
    found, error = slope
    if not np.isfinite(found) or SOUND_SLOPE[0] <= found <= SOUND_SLOPE[1]:
        return False
    return bool(abs(found - 1) > _Z99 * np.hypot(error, _slope_left_open(log_odds, spread)))


def _slope_left_open(log_odds: Column, spread: Column) -> float:
    """Standard error of the promised slope: a calibration's variance is a parabola of the log-odds it promises."""
    unit = max(float(np.ptp(log_odds)), _EDGE)
    powers = np.vander((log_odds - log_odds.mean()) / unit, 3)
    inverse = np.asarray(np.linalg.pinv(_products(powers, np.ones(len(powers)))), dtype=np.float64)
    curvature = float(linear(inverse, linear(powers.T, spread**2))[0]) / unit**2
    return float(np.sqrt(np.clip(curvature, 0.0, _MOST_SLOPE_SPREAD**2)))


def _intercept(log_odds: Column, label: Labels, customer: NDArray[np.intp]) -> tuple[float, float]:
    """Intercept with slope 1, and its standard error [log-odds]; NaN where all outcomes are alike."""
    if not 0 < label.sum() < len(label):
        return float("nan"), float("nan")

    def surplus(intercept: float) -> float:
        return float((special.expit(intercept + log_odds) - label).sum())

    found = float(optimize.brentq(surplus, -40.0, 40.0))
    chance = special.expit(found + log_odds)
    meat = (_by_customer(label - chance, customer) ** 2).sum()
    return found, float(np.sqrt(meat) / (chance * (1 - chance)).sum())


def _slope(log_odds: Column, label: Labels, customer: NDArray[np.intp]) -> tuple[float, float]:
    """Slope with an intercept of its own, and its standard error; NaN where outcomes are too few or promises alike."""
    unknown = float("nan"), float("nan")
    if _rarer(label) < LEAST_FOR_SLOPE or np.ptp(log_odds) < _EDGE:
        return unknown
    centre = log_odds.mean()
    design = np.column_stack([np.ones(len(label)), log_odds - centre])

    def loss(theta: Column) -> float:
        z = linear(design, theta)
        return float((np.logaddexp(0, z) - label * z).mean())

    def gradient(theta: Column) -> Column:
        return linear(design.T, special.expit(linear(design, theta)) - label) / len(label)

    def curvature(theta: Column) -> Column:
        chance = special.expit(linear(design, theta))
        return _products(design, chance * (1 - chance)) / len(label)

    start = np.array([centre, 1.0])
    theta = optimize.minimize(loss, start, jac=gradient, hess=curvature, method="trust-exact", tol=1e-10).x
    gaps = (label - special.expit(linear(design, theta)))[:, None] * design
    sums = np.column_stack([_by_customer(each, customer) for each in gaps.T])
    bread = np.linalg.pinv(curvature(theta) * len(label))
    influence = linear(sums, np.asarray(bread[:, 1], dtype=np.float64))
    return float(theta[1]), float(np.sqrt((influence**2).sum()))


def _products(rows: NDArray[np.float64], weight: Column) -> NDArray[np.float64]:
    """Weighted sums of the products of columns, shape (n_columns, n_columns), the same on any number of threads."""
    return np.asarray(np.einsum("ij,i,ik->jk", rows, weight, rows), dtype=np.float64)


def _share_interval(label: Labels, customer: NDArray[np.intp]) -> tuple[float, float]:
    """Bounds of a share at 90 % by Wilson, for as many rows as customers with several of them are worth."""
    share, n = float(label.mean()), float(len(label))
    centred = np.asarray(label - share, dtype=np.float64)
    alone = float((centred**2).sum())
    together = float((_by_customer(centred, customer) ** 2).sum())
    n /= max(1.0, together / alone) if alone > 0 else n / (int(customer.max()) + 1)
    middle = (share + _Z90**2 / (2 * n)) / (1 + _Z90**2 / n)
    half = _Z90 * np.sqrt(share * (1 - share) / n + _Z90**2 / (4 * n * n)) / (1 + _Z90**2 / n)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _error_by_chance(said: Column) -> float:
    """Calibration error to be expected where every promise is true: the mean size of a normal deviation in each bin."""
    variance = np.bincount(bins_of(said), weights=said * (1 - said), minlength=10)
    return float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / len(said))


def _by_customer(each: Column, customer: NDArray[np.intp]) -> Column:
    return np.asarray(np.bincount(customer, weights=each), dtype=np.float64)


def _rarer(chance: Column | Labels) -> float:
    return float(min(chance.sum(), len(chance) - chance.sum()))


def _log_odds(probability: Column) -> Column:
    return np.asarray(special.logit(probability.clip(_EDGE, 1 - _EDGE)), dtype=np.float64)


def _told(name: str, found: tuple[float, float]) -> dict[str, float]:
    value, error = found
    return {name: value, f"{name}_low": value - _Z90 * error, f"{name}_high": value + _Z90 * error}


def _row(values: dict[Any, Any]) -> Matured:
    day = values["cutoff"]
    return Matured(**{**{str(name): value for name, value in values.items()}, "cutoff": day if day == day else None})


def newest(days: Sequence[date]) -> tuple[date, ...]:
    """Return the cutoffs that are looked at of those that have matured, oldest first."""
    return tuple(sorted(days)[-MOST_CUTOFFS:])
