"""Early outcomes: what half a horizon shows of snapshots whose whole horizon is not over yet.

The newest finished horizon began a whole lead and horizon ago. Since then lie snapshots of which half the horizon is
known, and who is silent (or gone) by then foreshadows who is by its end. Trees and the regression learn from them
beside the finished ones, each kind from its own level; tests and calibration know finished horizons only. Measured:
decision 0020.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.matrix import EARLY_LABEL, feature_names
from models.folds import teaches


@dataclass(frozen=True, kw_only=True, eq=False)
class Early:
    """Snapshots with half a horizon: their features, shape (n_rows, n_columns), and what it showed, shape (n_rows,)."""

    features: pd.DataFrame
    label: NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """What a candidate learns from: snapshots with whole horizons, and early ones where these teach anything."""

    features: pd.DataFrame
    label: NDArray[np.int8]
    early: Early | None


def finished(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Return the snapshots with a whole horizon, renumbered."""
    return snapshots.loc[snapshots["label"].notna()].reset_index(drop=True)


def speaks_early(snapshots: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which snapshots have only half a horizon behind them: an early label in place of the label."""
    if EARLY_LABEL not in snapshots.columns:
        return np.zeros(len(snapshots), dtype=np.bool_)
    told = snapshots["label"].isna() & snapshots[EARLY_LABEL].notna()
    return told.to_numpy(dtype=np.bool_)


def cutoffs_by_definition(snapshots: pd.DataFrame, churn: Churn) -> Iterator[tuple[date, Churn]]:
    """Yield every cutoff, oldest first, with the definition by which its snapshots speak: the whole horizon or half."""
    sooner = speaks_early(snapshots)
    for rows, definition in ((snapshots.loc[~sooner], churn), (snapshots.loc[sooner], churn.early)):
        yield from ((day, definition) for day in sorted(set(rows["cutoff"])))


def mute(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Return the snapshots with neither label: nothing is known of what became of them."""
    return snapshots.loc[snapshots["label"].isna().to_numpy(dtype=bool) & ~speaks_early(snapshots)]


def lesson_of(learn: pd.DataFrame) -> Lesson:
    """Return what is learned from snapshots in one total order; those without a label speak by the early one."""
    columns, is_whole = list(feature_names(learn)), learn["label"].notna().to_numpy(dtype=bool)
    whole, rest = learn.loc[is_whole], learn.loc[~is_whole]
    early = _early(rest, columns) if len(rest) else None
    return Lesson(features=whole[columns], label=whole["label"].to_numpy(np.int8), early=early)


def _early(rest: pd.DataFrame, columns: list[str]) -> Early | None:
    label = rest[EARLY_LABEL].to_numpy(np.int8)
    return Early(features=rest[columns], label=label) if teaches(label) else None
