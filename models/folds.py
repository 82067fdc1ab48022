"""Folds ordered in time: what is tested lies a whole lead and horizon after all that was learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.errors import LeakageError
from features.matrix import EARLY_LABEL
from features.timeline import learnable_before

LEAST_OUTCOMES = 5
"""Fewer snapshots than that of either outcome teach nothing but a level: the rhythm speaks."""

YEAR_DAYS, SEASON_DAYS = 364, 15
"""A year of whole weeks, and how far from it still counts as the same season [days]."""

_MOST_FOLDS = 3
_THIRDS = 3


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One test cutoff with the cutoffs that may be learned from, purged; of ``early`` ones only by half the horizon."""

    test: date
    learn: tuple[date, ...]
    early: tuple[date, ...] = ()


def folds_of(cutoffs: Sequence[date], churn: Churn) -> tuple[Fold, ...]:
    """Return up to three folds, oldest first, testing on the newest cutoffs that leave something to learn from."""
    return _usable(cutoffs, churn)[-_MOST_FOLDS:]


def level_cutoff(cutoffs: Sequence[date], cutoff: date) -> date:
    """Return the training cutoff whose level of outcomes a model of ``cutoff`` takes: the same season, else the newest.

    Where shops are busy before Christmas and quiet in summer, the level of losses a year ago says more about the next
    horizon than that of the last one. The same season is 364 days ago, give or take 15.
    """
    wanted = cutoff - timedelta(days=YEAR_DAYS)
    near = [each for each in cutoffs if abs((each - wanted).days) <= SEASON_DAYS]
    return min(near, key=lambda each: (abs((each - wanted).days), each), default=max(cutoffs))


def days_with_a_level(rows: pd.DataFrame) -> list[date]:
    """Return the cutoffs whose share of outcomes may be that of another day, oldest first.

    Contracts that end on a few days of the year leave cutoffs between them at which nobody is lost. Left out are
    cutoffs without one of the outcomes where ``LEAST_OUTCOMES`` of it were to be expected; all, where that leaves none.
    """
    found = rows.groupby("cutoff")["label"].agg(["sum", "count"]).astype(np.float64)
    share = found["sum"].sum() / found["count"].sum()
    nobody = (found["sum"] == 0) & (found["count"] * share >= LEAST_OUTCOMES)
    everybody = (found["sum"] == found["count"]) & (found["count"] * (1 - share) >= LEAST_OUTCOMES)
    return sorted(found.index[~(nobody | everybody)]) or sorted(found.index)


def _usable(cutoffs: Sequence[date], churn: Churn) -> tuple[Fold, ...]:
    folds = (_fold(cutoffs, cutoff, churn) for cutoff in cutoffs)
    return tuple(fold for fold in folds if fold.learn)


def _fold(cutoffs: Sequence[date], test: date, churn: Churn) -> Fold:
    learn, sooner = (learnable_before(cutoffs, test, each) for each in (churn, churn.early))
    return Fold(test=test, learn=learn, early=tuple(day for day in sooner if day not in learn))


def split(rows: pd.DataFrame, fold: Fold) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the snapshots to learn from and those to test on.

    Of the early cutoffs the label was not known on the test's morning: it is missing, and the early one speaks.
    """
    learn, test = (rows.loc[rows["cutoff"].isin(days)] for days in (fold.learn, (fold.test,)))
    if EARLY_LABEL not in rows.columns or not fold.early:
        return learn, test
    early = rows.loc[rows["cutoff"].isin(fold.early) & rows[EARLY_LABEL].notna()]
    return pd.concat([learn, early.assign(label=pd.Series(pd.NA, index=early.index, dtype="Int8"))]), test


def left_out(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield, for each third of the customers, the snapshots of all others and theirs at the newest telling cutoff.

    The thirds go by the order of customer ids, in turn: the same customers, the same thirds. Snapshots without a label
    are learned from (``models.early``) and never tested.
    """
    if rows.empty:
        return
    ids, code = np.unique(rows["customer_id"].to_numpy(str), return_inverse=True)
    newest = (rows["cutoff"] == newest_telling(rows)).to_numpy()
    for third in range(min(_THIRDS, len(ids))):
        theirs = code % _THIRDS == third
        if (theirs & newest).any():
            yield rows.loc[~theirs], rows.loc[theirs & newest]


def newest_telling(rows: pd.DataFrame) -> date:
    """Return the newest cutoff with enough of both outcomes to test three thirds of it; without one the newest.

    Contracts that end on a few days of the year leave cutoffs between them at which nobody is lost.
    """
    lost = rows.groupby("cutoff")["label"].agg(["sum", "count"]).astype(np.int64)
    rarer = lost["sum"].clip(upper=lost["count"] - lost["sum"])
    telling = rarer.index[rarer >= _THIRDS * LEAST_OUTCOMES]
    labelled = rarer.index[lost["count"] > 0]
    day: date = max(telling, default=max(labelled, default=max(rarer.index)))
    return day


def teaches(label: NDArray[np.int8]) -> bool:
    """Return whether both outcomes are there often enough to learn or to test."""
    return bool(min(label.sum(), (1 - label).sum()) >= LEAST_OUTCOMES)


class PurgedTimeSplit:
    """Folds ordered in time for scikit-learn: a test cutoff, and only rows whose outcome was known on its morning.

    Parameters
    ----------
    n_splits : int
        At most so many folds; the newest cutoffs that leave something to learn from are tested.
    lead_days, horizon_days : int
        As in ``churn``: a row of cutoff ``c`` is learned from only if ``c + lead + horizon`` lies on or before the
        tested cutoff. That gap is the purge.

    Notes
    -----
    ``split`` needs ``groups``: the cutoff of each row (dates, timestamps or ISO texts). Rows between the purge and the
    test are in neither part.

    Examples
    --------
    >>> cutoffs = ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"]
    >>> splitter = PurgedTimeSplit(n_splits=2, lead_days=7, horizon_days=30)
    >>> [(train.tolist(), test.tolist()) for train, test in splitter.split(cutoffs, groups=cutoffs)]
    [([0], [2]), ([0, 1], [3])]
    """

    def __init__(self, n_splits: int = _MOST_FOLDS, *, lead_days: int = 14, horizon_days: int = 90) -> None:
        self.n_splits, self.lead_days, self.horizon_days = n_splits, lead_days, horizon_days

    def split(
        self,
        X: Any,  # noqa: N803 (scikit-learn's name)
        y: Any = None,
        groups: Any = None,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the positions to learn from and those to test on, the oldest test first.

        Raises
        ------
        LeakageError
            If ``groups`` is missing, is not one cutoff per row, or no cutoff has a finished horizon before another.
        """
        del y
        days = _cutoffs_of(groups, len(X))
        for fold in self._folds(days):
            yield np.flatnonzero(np.isin(days, np.array(fold.learn, dtype=object))), np.flatnonzero(days == fold.test)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803
        """Return the number of folds that ``groups`` allow; without them the most there can be."""
        del X, y
        return self.n_splits if groups is None else len(self._folds(_cutoffs_of(groups, len(groups))))

    def _folds(self, days: NDArray[np.object_]) -> tuple[Fold, ...]:
        churn = Churn(lead_days=self.lead_days, horizon_days=self.horizon_days)
        cutoffs = sorted(set(days))
        folds = _usable(cutoffs, churn)[-self.n_splits :]
        if not folds:
            raise LeakageError(
                f"no test ordered in time: of {len(cutoffs)} cutoffs none lies lead and horizon"
                f" ({self.lead_days + self.horizon_days} days) after another; bring older cutoffs"
            )
        return folds


def _cutoffs_of(groups: Any, n_rows: int) -> NDArray[np.object_]:
    if groups is None:
        raise LeakageError("PurgedTimeSplit needs the cutoff of every row: pass groups=<cutoffs>")
    days = np.array([pd.Timestamp(each).date() for each in groups], dtype=object)
    if len(days) != n_rows:
        raise LeakageError(f"groups: expected one cutoff per row ({n_rows}), got {len(days)}")
    return days
