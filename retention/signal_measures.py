"""What each signal is worth on the company's own past: coverage, lift, lead time, false alarms.

Everything is counted on labelled snapshots of active customers, earlier cutoffs whose whole horizon has passed. A loss
is an unbroken row of snapshots of one customer labelled 1; it is certain on the day after the horizon of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.errors import LeakageError
from features.timeline import day_number, horizon_of

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Verdict = Literal["lift", "none", "few", "unmeasured", "absent"]
"""lift: fires where losses follow; none: nothing to be seen; few: too few fired customers; unmeasured: no labelled
past; absent: the company does not have the features."""

FEW_FIRED = 20
"""Below so many fired customers nothing is said about lift."""
LEVEL = 0.99
"""Level of the interval: with two dozen rules, one in a hundred by chance is all that can be afforded."""
REPLICATES, GROUPS = 2000, 2000
SEED = 7


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Labelled snapshots in the order of customer and cutoff, by numbers: who, the place of the cutoff, lost or not."""

    who: NDArray[np.int64]
    at: NDArray[np.int64]
    lost: Flags
    order: NDArray[np.int64]
    cutoffs: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def base(self) -> Numbers:
        """Share lost at the cutoff of each snapshot."""
        share = np.bincount(self.at, self.lost) / np.bincount(self.at)
        return np.asarray(share[self.at], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One rule's figures; NaN where there is nothing to reckon from.

    Attributes
    ----------
    snapshots, firings, fired_customers, losses : int
        Labelled snapshots; those the rule fires on; customers among these; losses in all.
    coverage : share of the snapshots on which it fires
    base_share : share of all snapshots that were lost
    precision : share of the firings followed by loss
    lift, lift_low, lift_high : losses after firings over those to be expected from the base rate of the same cutoffs
        Interval of level ``LEVEL`` by resampling customers.
    false_alarm_share, false_alarm_customers_share : share of firings, and of fired customers, never followed by loss
    announced_share : share of the losses on which it fired before they were certain
    lead_days : median days from the first firing of the unbroken row to the day the loss was certain
    """

    verdict: Verdict
    snapshots: int = 0
    firings: int = 0
    fired_customers: int = 0
    losses: int = 0
    coverage: float = np.nan
    base_share: float = np.nan
    precision: float = np.nan
    lift: float = np.nan
    lift_low: float = np.nan
    lift_high: float = np.nan
    false_alarm_share: float = np.nan
    false_alarm_customers_share: float = np.nan
    announced_share: float = np.nan
    lead_days: float = np.nan


COLUMNS = tuple(Measured.__dataclass_fields__)
"""The figures of a rule, in their order."""


def measured(snapshots: pd.DataFrame, fires: pd.DataFrame, *, known_until: date, churn: Churn) -> pd.DataFrame:
    """Return the figures of every rule.

    Parameters
    ----------
    snapshots : DataFrame
        customer_id, cutoff, label of active customers; label known (0 or 1) throughout.
    fires : DataFrame of bool, same rows
        One column per rule; see `retention.signals.firings`.
    known_until : date
        First day that was not known.
    churn : Churn
        Lead and horizon.

    Returns
    -------
    DataFrame, index the rules' names, columns ``COLUMNS``

    Raises
    ------
    LeakageError
        If the horizon of a snapshot is not finished.
    """
    _require_finished(snapshots, known_until, churn)
    if snapshots.empty:
        return table({name: Measured(verdict="unmeasured") for name in fires.columns})
    past = _past(snapshots, churn)
    loss = _losses(past)
    weights = _weights(int(past.who.max()) + 1)
    return table(
        {name: _one(past, fires[name].to_numpy(dtype=bool)[past.order], loss, weights) for name in fires.columns}
    )


def table(figures: dict[str, Measured]) -> pd.DataFrame:
    """Return figures by rule as a table."""
    rows = [asdict(each) for each in figures.values()]
    return pd.DataFrame(rows, index=pd.Index(list(figures), dtype="str", name="rule"), columns=list(COLUMNS))


def _require_finished(snapshots: pd.DataFrame, known_until: date, churn: Churn) -> None:
    for day in sorted(set(snapshots["cutoff"])):
        end = horizon_of(day, churn).end
        if end > known_until:
            raise LeakageError(
                f"signals cannot be measured on the snapshots of {day}: their horizon ends before {end}, rows are known"
                f" before {known_until}; leave them out"
            )
    if snapshots["label"].isna().any():
        raise LeakageError("signals can only be measured on snapshots with a label; leave the others out")


def _past(snapshots: pd.DataFrame, churn: Churn) -> Snapshots:
    days = sorted(set(snapshots["cutoff"]))
    who = np.unique(snapshots["customer_id"].to_numpy(dtype=object).astype(str), return_inverse=True)[1]
    at = snapshots["cutoff"].map({day: place for place, day in enumerate(days)}).to_numpy(dtype=np.int64)
    order = np.lexsort((at, who))
    return Snapshots(
        who=who[order].astype(np.int64),
        at=at[order],
        lost=(snapshots["label"].to_numpy(dtype=np.int64) == 1)[order],
        order=order.astype(np.int64),
        cutoffs=np.array([day_number(day) for day in days]),
        ends=np.array([day_number(horizon_of(day, churn).end) for day in days]),
    )


def _begins(past: Snapshots, flags: Flags) -> Flags:
    """Return where an unbroken row of ``flags`` begins: same customer, cutoff after cutoff."""
    goes_on = np.zeros(len(flags), dtype=bool)
    follows = (past.who[1:] == past.who[:-1]) & (past.at[1:] == past.at[:-1] + 1)
    goes_on[1:] = flags[1:] & flags[:-1] & follows
    return flags & ~goes_on


def _losses(past: Snapshots) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the loss that each snapshot belongs to (-1: none), and the day each loss was certain."""
    first = _begins(past, past.lost)
    number = np.where(past.lost, np.cumsum(first) - 1, -1)
    return number, past.ends[past.at[first]]


def _one(
    past: Snapshots, fires: Flags, loss: tuple[NDArray[np.int64], NDArray[np.int64]], weights: Numbers
) -> Measured:
    number, certain = loss
    hits, fired = fires & past.lost, int(fires.sum())
    found = Measured(
        verdict="few",
        snapshots=len(fires),
        firings=fired,
        fired_customers=len(np.unique(past.who[fires])),
        losses=len(certain),
        coverage=fired / len(fires),
        base_share=float(past.lost.mean()),
    )
    if fired == 0:
        return found
    lead = _lead_days(past, fires, number, certain)
    expected = float(past.base[fires].sum())
    followed = len(np.unique(past.who[hits]))
    found = replace(
        found,
        precision=float(hits.sum() / fired),
        lift=float(hits.sum() / expected) if expected else np.nan,
        false_alarm_share=float(1 - hits.sum() / fired),
        false_alarm_customers_share=1 - followed / found.fired_customers,
        announced_share=len(lead) / len(certain) if len(certain) else np.nan,
        lead_days=float(np.median(lead)) if len(lead) else np.nan,
    )
    if found.fired_customers < FEW_FIRED or not expected:
        return found
    low, high = _interval(past, fires, weights)
    return replace(found, lift_low=low, lift_high=high, verdict="lift" if low > 1 else "none")


def _lead_days(past: Snapshots, fires: Flags, number: NDArray[np.int64], certain: NDArray[np.int64]) -> Numbers:
    """Return days from first firing to certainty for every loss on which the rule fired before it was certain.

    The first firing is that of the unbroken row of firings which reaches the loss.
    """
    begins = _begins(past, fires)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(fires)), 0))
    day = past.cutoffs[past.at]
    timely = np.flatnonzero(fires & (number >= 0))
    timely = timely[day[timely] < certain[number[timely]]]
    losses, first = np.unique(number[timely], return_index=True)
    return np.asarray(certain[losses] - day[start[timely[first]]], dtype=np.float64)


def _weights(customers: int) -> Numbers:
    """Return how often each group of customers is drawn, shape (replicates, groups).

    Up to ``GROUPS`` customers each is a group of its own; more are dealt out in turn, which keeps the resampling honest
    (groups are as independent as customers) and its cost the same.
    """
    groups = min(customers, GROUPS)
    draws = np.random.default_rng(SEED).multinomial(groups, np.full(groups, 1 / groups), size=REPLICATES)
    return draws.astype(np.float64)


def _interval(past: Snapshots, fires: Flags, weights: Numbers) -> tuple[float, float]:
    """Return the bootstrap interval of the lift, customers with all their snapshots being drawn."""
    group, places = past.who % weights.shape[1], len(past.cutoffs)

    def drawn(flags: Flags) -> Numbers:
        sums = np.bincount(group * places + past.at, flags, minlength=weights.shape[1] * places)
        return np.asarray(weights @ sums.reshape(-1, places))

    everyone, lost, fired = drawn(np.ones_like(fires)), drawn(past.lost), drawn(fires)
    hits = drawn(fires & past.lost).sum(axis=1)
    expected = (fired * lost / np.maximum(everyone, 1)).sum(axis=1)
    lifts = hits[expected > 0] / expected[expected > 0]
    if not len(lifts):
        return 0.0, np.inf
    low, high = np.quantile(lifts, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def worthwhile(rules: pd.DataFrame, *, with_unproven: Sequence[Verdict] = ()) -> pd.Series:
    """Return the lift of the rules that speak on lists, best first: with lift, or of a verdict in ``with_unproven``."""
    speaks = rules["verdict"].isin(["lift", *with_unproven])
    lift = rules.loc[speaks, "lift"].fillna(0.0)
    return lift.sort_values(ascending=False, kind="stable")
