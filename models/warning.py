"""How well a list that is made again and again warns: how early, how often not at all, how often for nothing.

Words, all by the company's own definition of churn:

- A **loss** begins at the first snapshot of an unbroken row of snapshots labelled lost. Its day is the last day of that
  snapshot's horizon: the day on which the definition calls the customer lost. Losses that had begun before the first
  cutoff do not count.
- It was **warned of** when the customer was listed at a cutoff from its first snapshot to its day; the **lead** is the
  time from the first cutoff of that unbroken listing to the day of the loss.
- An **alarm** is a customer who comes on the list after the first cutoff; it is real when that snapshot is labelled
  lost, false when it is labelled not lost, and does not count while its horizon is unfinished.
- **Turnover** is who came and who left, over the lengths of both lists, from one cutoff to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.timeline import horizon_of

COLUMNS = ("customer_id", "cutoff", "label", "is_listed")
REPEAT_DAYS = 28
"""An alarm repeats when its customer left the list at most so many days before."""

_UNKNOWN = -1
Grid = NDArray[np.int8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class WarningFigures:
    """How well a list warned.

    Attributes
    ----------
    losses : int
    never_warned_share : float in [0, 1]
    lead_days : float
        Median over the losses warned of [days], with ``lead_days_low`` and ``lead_days_high`` as quartiles.
    alarms : int
        Alarms whose outcome is known.
    false_per_real : float
        False alarms for each real one; infinite when none is real.
    repeated_share : float in [0, 1]
        Alarms whose customer had left the list at most ``REPEAT_DAYS`` before, of all alarms.
    turnover_share : float in [0, 1]
    listed : float
        Mean length of the list [customers].

    A share or median of nothing is NaN.
    """

    losses: int
    never_warned_share: float
    lead_days: float
    lead_days_low: float
    lead_days_high: float
    alarms: int
    false_per_real: float
    repeated_share: float
    turnover_share: float
    listed: float

    @property
    def balance(self) -> float:
        """Harmonic mean of the share of losses warned of and the share of alarms that are real; 0 at the worst."""
        warned, real = 1 - self.never_warned_share, 1 / (1 + self.false_per_real)
        return 2 * warned * real / (warned + real) if warned + real > 0 else 0.0


def warning_figures(lists: pd.DataFrame, churn: Churn) -> WarningFigures:
    """Return how well the lists of many cutoffs warned.

    Parameters
    ----------
    lists : DataFrame with ``COLUMNS``
        One row per active customer and cutoff: label 1 lost, 0 not, missing while the horizon is unfinished.
    churn : Churn
        Lead and horizon.

    Examples
    --------
    >>> days = [date(2026, 1, 1), date(2026, 1, 8), date(2026, 1, 15)]
    >>> rows = {"customer_id": "a", "cutoff": days, "label": [0, 1, 1], "is_listed": [False, False, True]}
    >>> warning_figures(pd.DataFrame(rows), Churn(lead_days=0, horizon_days=30)).lead_days
    22.0
    """
    cutoffs = sorted(set(lists["cutoff"]))
    label = _grid(lists, lists["label"].astype("Int8").fillna(_UNKNOWN), cutoffs)
    listed = _grid(lists, lists["is_listed"].astype(np.int8), cutoffs) == 1
    leads, losses = _leads(label, listed, cutoffs, churn)
    came, alarms = _came(listed), _outcomes(label, listed)
    real = int((alarms == 1).sum())
    return WarningFigures(
        losses=losses,
        never_warned_share=1 - len(leads) / losses if losses else float("nan"),
        **_quartiles(leads),
        alarms=len(alarms),
        false_per_real=(len(alarms) - real) / real if real else float("inf" if len(alarms) else "nan"),
        repeated_share=float(_repeated(listed, cutoffs) / came.sum()) if came.any() else float("nan"),
        turnover_share=_turnover(listed),
        listed=float(listed.sum(axis=0).mean()) if listed.size else 0.0,
    )


def _grid(lists: pd.DataFrame, values: pd.Series, cutoffs: Sequence[date]) -> Grid:
    """Return one row per customer and one column per cutoff; unknown where there is no snapshot."""
    rows, customers = pd.factorize(lists["customer_id"], sort=True)
    place = {cutoff: number for number, cutoff in enumerate(cutoffs)}
    columns = [place[cutoff] for cutoff in lists["cutoff"]]
    grid = np.full((len(customers), len(cutoffs)), _UNKNOWN, dtype=np.int8)
    grid[rows, columns] = values.to_numpy(np.int8)
    return grid


def _leads(label: Grid, listed: Mask, cutoffs: Sequence[date], churn: Churn) -> tuple[list[int], int]:
    """Return the lead of every loss warned of [days], and the number of losses."""
    begins = label[:, 1:] == 1
    begins &= label[:, :-1] != 1
    days = [horizon_of(cutoff, churn).last for cutoff in cutoffs]
    losses = [(row, place + 1) for row, place in np.argwhere(begins).tolist()]
    warned = [_first_listing(listed[row], cutoffs, begun, days[begun]) for row, begun in losses]
    leads = [(days[begun] - first).days for (_, begun), first in zip(losses, warned, strict=True) if first is not None]
    return leads, len(losses)


def _first_listing(listed: Mask, cutoffs: Sequence[date], begun: int, until: date) -> date | None:
    """Return the first cutoff of the unbroken listing that warned of a loss; None when nothing did."""
    for place in range(begun, len(cutoffs)):
        if cutoffs[place] > until:
            return None
        if listed[place]:
            while place > 0 and listed[place - 1]:
                place -= 1  # noqa: PLW2901
            return cutoffs[place]
    return None


def _came(listed: Mask) -> Mask:
    came: Mask = listed[:, 1:] & ~listed[:, :-1]
    return came


def _outcomes(label: Grid, listed: Mask) -> Grid:
    """Return the label of every alarm whose outcome is known."""
    labels: Grid = label[:, 1:][_came(listed)]
    known: Grid = labels[labels != _UNKNOWN]
    return known


def _repeated(listed: Mask, cutoffs: Sequence[date]) -> int:
    """Return how many alarms came at most ``REPEAT_DAYS`` after the customer had left the list."""
    left = np.argwhere(listed[:, :-1] & ~listed[:, 1:]).tolist()
    came = {(row, place + 1) for row, place in np.argwhere(_came(listed)).tolist()}
    again = 0
    for row, before in left:
        place = before + 1
        until = cutoffs[place] + timedelta(days=REPEAT_DAYS)
        later = [other for other in range(place + 1, len(cutoffs)) if cutoffs[other] <= until]
        again += any((row, other) in came for other in later)
    return again


def _turnover(listed: Mask) -> float:
    changed = (listed[:, 1:] != listed[:, :-1]).sum()
    lengths = listed.sum(axis=0)
    both = int((lengths[1:] + lengths[:-1]).sum())
    return float(changed / both) if both else float("nan")


def _quartiles(leads: Sequence[int]) -> dict[str, float]:
    low, middle, high = np.percentile(leads, [25, 50, 75]) if leads else [float("nan")] * 3
    return {"lead_days": float(middle), "lead_days_low": float(low), "lead_days_high": float(high)}
