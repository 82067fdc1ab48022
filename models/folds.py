"""Folds ordered in time: what is tested lies a whole lead and horizon after all that was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.timeline import learnable_before

LEAST_OUTCOMES = 5
"""Fewer snapshots than that of either outcome teach nothing: the rhythm speaks as it comes."""

YEAR_DAYS, SEASON_DAYS = 364, 15
"""A year of whole weeks, and how far from it still counts as the same season [days]."""

_MOST_FOLDS = 3


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One test cutoff with the cutoffs that may be learned from, purged."""

    test: date
    learn: tuple[date, ...]


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


def _usable(cutoffs: Sequence[date], churn: Churn) -> tuple[Fold, ...]:
    folds = (Fold(test=cutoff, learn=learnable_before(cutoffs, cutoff, churn)) for cutoff in cutoffs)
    return tuple(fold for fold in folds if fold.learn)


def split(rows: pd.DataFrame, fold: Fold) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the snapshots to learn from and those to test on."""
    return rows.loc[rows["cutoff"].isin(fold.learn)], rows.loc[rows["cutoff"] == fold.test]


def teaches(label: NDArray[np.int8]) -> bool:
    """Return whether both outcomes are there often enough to learn or to test."""
    return bool(min(label.sum(), (1 - label).sum()) >= LEAST_OUTCOMES)
