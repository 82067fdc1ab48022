"""Folds ordered in time: what is tested lies a whole lead and horizon after all that was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.timeline import learnable_before

LEAST_OUTCOMES = 5
"""Fewer snapshots than that of either outcome teach nothing: the rhythm speaks as it comes."""

_MOST_FOLDS = 3


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One test cutoff with the cutoffs that may be learned from, purged."""

    test: date
    learn: tuple[date, ...]


def folds_of(cutoffs: Sequence[date], churn: Churn) -> tuple[Fold, ...]:
    """Return up to three folds, oldest first, testing on the newest cutoffs that leave something to learn from."""
    folds = (Fold(test=cutoff, learn=learnable_before(cutoffs, cutoff, churn)) for cutoff in cutoffs)
    return tuple(fold for fold in folds if fold.learn)[-_MOST_FOLDS:]


def split(rows: pd.DataFrame, fold: Fold) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the snapshots to learn from and those to test on."""
    return rows.loc[rows["cutoff"].isin(fold.learn)], rows.loc[rows["cutoff"] == fold.test]


def teaches(label: NDArray[np.int8]) -> bool:
    """Return whether both outcomes are there often enough to learn or to test."""
    return bool(min(label.sum(), (1 - label).sum()) >= LEAST_OUTCOMES)
