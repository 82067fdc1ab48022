"""How long customers stay: a chance of loss that falls for those who stay (shifted beta-geometric).

Each customer's chance of being lost in one horizon is Beta distributed around the calibrated one; who is still there
was likelier one of those who stay. Source: Fader, Hardie (2007), How to Project Customer Retention, Journal of
Interactive Marketing 21(1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from features.definition import Churn

Column = NDArray[np.float64]

YEAR_DAYS = 365.25
_LEAST_LOST = 20
"""Fewer lost customers than that say nothing about the years after; the configured assumptions hold."""
_LEAST, _MOST = 0.05, 500.0


@dataclass(frozen=True, kw_only=True)
class Staying:
    """What a company's past says about staying.

    ``return_share`` of those who were lost in a horizon bought again later. ``concentration`` is alpha + beta of the
    Beta distribution: small where customers differ much, so that the chance of loss falls fast for those who stay.
    ``is_measured`` says whether the past told it.
    """

    return_share: float
    concentration: float
    is_measured: bool = False


def survival(probability: Column, horizons: Column, staying: Staying) -> NDArray[np.float64]:
    """Return the chance of still being a customer after so many horizons, shape (n_customers, n_times).

    Parameters
    ----------
    probability : array in [0, 1], shape (n_customers,)
        Calibrated chance of being lost within one lead and horizon.
    horizons : array, shape (n_times,)
        Times after the cutoff in whole leads and horizons; parts count.

    Examples
    --------
    >>> steady = Staying(return_share=0.0, concentration=2.0)
    >>> survival(np.array([0.5]), np.array([0.0, 1.0, 2.0]), steady).round(3).tolist()
    [[1.0, 0.5, 0.333]]
    """
    gone = np.clip(probability * (1 - staying.return_share), 1e-9, 1 - 1e-9)
    beta = ((1 - gone) * staying.concentration)[:, None]
    whole, times = staying.concentration, horizons[None, :]
    logs = special.gammaln(beta + times) - special.gammaln(beta)
    logs += special.gammaln(whole) - special.gammaln(whole + times)
    stays = np.exp(np.minimum(logs, 0))
    return np.where((probability >= 1)[:, None] & (times > 0) & (staying.return_share == 0), 0.0, stays)


def fit_staying(snapshots: pd.DataFrame, *, churn: Churn, otherwise: Staying) -> Staying:
    """Return what labelled snapshots of all cohorts and cutoffs say about staying; ``otherwise`` where they are mute.

    Hazards of loss are counted over successive horizons among those who were active at the first and stayed in each
    before; returns among those lost, a year and more before the newest cutoff.
    """
    cutoffs = sorted(set(snapshots["cutoff"]))
    counts = np.sum([list(_kept_and_lost(snapshots, each)) for each in _chains(cutoffs, churn)] or [[]], axis=0)
    returned, lost = _returns(snapshots, cutoffs, churn)
    is_told = counts.ndim == 2 and len(counts) >= 2 and counts[:, 1].sum() >= _LEAST_LOST
    share = returned / lost if lost >= _LEAST_LOST else otherwise.return_share
    concentration = _concentration(counts) if is_told else otherwise.concentration
    return Staying(
        return_share=float(min(share, 0.95)),
        concentration=float(concentration),
        is_measured=bool(is_told and lost >= _LEAST_LOST),
    )


def _chains(cutoffs: Sequence[date], churn: Churn) -> Iterator[tuple[date, ...]]:
    """Yield runs of cutoffs a whole lead and horizon apart, all as long as the longest from the oldest cutoffs."""
    whole = timedelta(days=churn.lead_days + churn.horizon_days)
    known = set(cutoffs)
    runs = []
    for first in (day for day in cutoffs if day - whole not in known):
        run = [first]
        while run[-1] + whole in known:
            run.append(run[-1] + whole)
        runs.append(tuple(run))
    longest = max((len(run) for run in runs), default=0)
    yield from (run for run in runs if len(run) == longest and longest >= 2)


def _kept_and_lost(snapshots: pd.DataFrame, run: Sequence[date]) -> Iterator[tuple[float, float]]:
    """Yield how many of those active at the first cutoff stayed in each horizon, and how many were lost in it."""
    still: pd.Index | None = None
    for day in run:
        active = snapshots.loc[(snapshots["cutoff"] == day) & (snapshots["cohort"] == "active")]
        label = active.set_index("customer_id")["label"].astype(float)
        label = label if still is None else label.reindex(still.intersection(label.index))
        still = label.index[(label == 0).to_numpy(dtype=bool)]
        yield float(len(still)), float((label == 1).sum())


def _returns(snapshots: pd.DataFrame, cutoffs: Sequence[date], churn: Churn) -> tuple[float, float]:
    """Return how many lost customers were active again later, and how many lost were followed for a year."""
    if not cutoffs:
        return 0.0, 0.0
    whole = timedelta(days=churn.lead_days + churn.horizon_days)
    active = snapshots.loc[snapshots["cohort"] == "active", ["customer_id", "cutoff", "label"]]
    last = active.groupby("customer_id")["cutoff"].max()
    early = active.loc[[day + timedelta(days=365) <= cutoffs[-1] for day in active["cutoff"]]]
    lost = early.loc[(early["label"] == 1).to_numpy(dtype=bool)]
    again = [last[who] > day + whole for who, day in zip(lost["customer_id"], lost["cutoff"], strict=True)]
    return float(sum(again)), float(len(again))


def _concentration(counts: NDArray[np.float64]) -> float:
    """Return alpha + beta that make the counts of stayed and lost likeliest, alpha / (alpha + beta) being free."""

    def loss(theta: NDArray[np.float64]) -> float:
        alpha, beta = np.exp(theta)
        hazard = alpha / (alpha + beta + np.arange(len(counts)))
        likely = counts[:, 0] * np.log1p(-hazard) + counts[:, 1] * np.log(hazard)
        return float(-likely.sum() + 0.5 * ((theta - np.log([0.7, 2.0])) ** 2).sum())

    found = optimize.minimize(loss, np.log([0.7, 2.0]), method="Nelder-Mead")
    return float(np.clip(np.exp(found.x).sum(), _LEAST, _MOST))
