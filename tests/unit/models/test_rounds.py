from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.folds import Fold, folds_of
from models.rounds import STEPS, best_rounds
from tests.unit.models.snapshots import CHURN, cutoffs, snapshots

FOLDS = folds_of(cutoffs(6), CHURN)


class Grown:
    """Stands for trees whose score holds this much of the truth after so many rounds; the truth is column 0."""

    def __init__(self, truth_after: dict[int, float]):
        self.truth_after = truth_after

    def log_odds_after(self, features: pd.DataFrame, rounds: int) -> np.ndarray:
        noise = np.random.default_rng(1).normal(size=len(features))
        return np.asarray(self.truth_after[rounds] * (2 * features["truth"].to_numpy() - 1) + noise)


def taken(truth_after: dict[int, float], *, folds: tuple[Fold, ...] = FOLDS, level: float = -0.4) -> int:
    rows = snapshots(1, level=level)
    rows = rows.assign(truth=rows["label"].astype(float))

    def fit(features: pd.DataFrame, label: np.ndarray, early: None, *, settings: object) -> Any:
        return Grown(truth_after)

    return best_rounds(rows, folds, fit)


def by_step(*truths: float) -> dict[int, float]:
    return dict(zip(STEPS, truths, strict=True))


def test_more_rounds_are_taken_where_the_folds_clearly_ask_for_them() -> None:
    assert taken(by_step(0.2, 0.4, 1.5, 0.8, 0.4)) == STEPS[2]


@pytest.mark.parametrize("truths", [(1.0, 1.0, 1.0, 1.0, 1.0), (1.5, 1.0, 0.5, 0.2, 0.1)])
def test_the_proven_number_stays_where_more_do_not_clearly_help(truths: tuple[float, ...]) -> None:
    assert taken(by_step(*truths)) == STEPS[0]


def test_without_a_fold_or_with_too_few_outcomes_the_proven_number_stays() -> None:
    rising = by_step(0.2, 0.4, 0.8, 1.6, 3.2)
    assert taken(rising, folds=()) == STEPS[0]
    assert taken(rising, level=-40.0) == STEPS[0]
