from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from models.boosting import BoostingSettings, fit_boosted
from models.folds import Fold, folds_of
from models.rounds import PROVEN, SIZES, STEPS, best_size
from tests.unit.models.snapshots import CHURN, NOISE, cutoffs, snapshots

FOLDS = folds_of(cutoffs(6), CHURN)
RISING = (0.2, 0.4, 0.8, 1.2, 1.6)
"""Truth that small trees have found after each step: they still improve at the last one."""


class Grown:
    """Stands for trees whose score holds this much of the truth after so many rounds; the truth is column 0."""

    def __init__(self, truths: Sequence[float], seed: int):
        self.truth_after, self.seed = dict(zip(STEPS, truths, strict=True)), seed

    def log_odds_after(self, features: pd.DataFrame, rounds: int) -> np.ndarray:
        noise = np.random.default_rng(self.seed).normal(size=len(features))
        return np.asarray(self.truth_after[rounds] * (2 * features["truth"].to_numpy() - 1) + noise)


class Spy:
    """Fits and notes the leaves it was asked for."""

    def __init__(self, fit: Any):
        self.fit, self.asked = fit, list[int]()

    def __call__(self, *told: Any, settings: BoostingSettings) -> Any:
        self.asked.append(settings.leaves)
        assert settings.rounds == STEPS[-1]
        return self.fit(*told, settings=settings)


def taken(
    *sizes: Sequence[float],
    folds: tuple[Fold, ...] = FOLDS,
    level: float = -0.4,
    seeds: Mapping[int, int] | None = None,
) -> tuple[int, int, list[int]]:
    """Leaves and rounds that were taken, and the sizes that were grown; one row of truths per size."""
    rows = snapshots(1, level=level)
    rows = rows.assign(truth=rows["label"].astype(float))
    truths = dict(zip(SIZES, sizes, strict=False))
    spy = Spy(lambda *_, settings: Grown(truths[settings.leaves], (seeds or {}).get(settings.leaves, 1)))
    found = best_size(rows, folds, spy)
    return found.leaves, found.rounds, list(dict.fromkeys(spy.asked))


def test_more_rounds_are_taken_where_the_folds_clearly_ask_for_them() -> None:
    assert taken((0.2, 0.4, 1.5, 0.8, 0.4)) == (PROVEN.leaves, STEPS[2], [PROVEN.leaves])


@pytest.mark.parametrize("truths", [(1.0, 1.0, 1.0, 1.0, 1.0), (1.5, 1.0, 0.5, 0.2, 0.1)])
def test_the_proven_number_stays_where_more_do_not_clearly_help(truths: tuple[float, ...]) -> None:
    assert taken(truths) == (PROVEN.leaves, STEPS[0], [PROVEN.leaves])


def test_without_a_fold_or_with_too_few_outcomes_the_proven_trees_stay() -> None:
    assert taken(RISING, folds=()) == (PROVEN.leaves, STEPS[0], [])
    assert taken(RISING, level=-40.0) == (PROVEN.leaves, STEPS[0], [])


def test_larger_trees_are_taken_as_long_as_each_is_clearly_better_than_the_one_before() -> None:
    more, most = tuple(1.5 * truth for truth in RISING), tuple(2.0 * truth for truth in RISING)
    assert taken(RISING, more, most) == (SIZES[2], STEPS[-1], list(SIZES))
    assert taken(RISING, more, RISING) == (SIZES[1], STEPS[-1], list(SIZES))
    assert taken(RISING, RISING) == (SIZES[0], STEPS[-1], list(SIZES[:2]))


def test_trees_that_level_off_before_the_last_step_ask_for_no_larger_ones() -> None:
    assert taken(RISING, (0.5, 1.0, 2.5, 2.0, 1.5)) == (SIZES[1], STEPS[2], list(SIZES[:2]))


def test_what_differs_by_chance_alone_seldom_makes_trees_larger() -> None:
    """One standard error lets one in six through; here both sizes have found the same truth, each with its noise."""
    grown = [taken(RISING, RISING, (0.0,) * 5, folds=FOLDS[-1:], seeds={7: k, 15: 99 + k})[0] for k in range(18)]
    assert 0 < sum(leaves > PROVEN.leaves for leaves in grown) <= 6


@pytest.mark.parametrize("coins", [False, True])
def test_a_small_base_keeps_the_proven_trees_and_no_larger_ones_are_grown(coins: bool) -> None:
    rows = snapshots(1)
    if coins:
        rows = rows.assign(label=np.random.default_rng(3).permutation(rows["label"]))
    spy = Spy(partial(fit_boosted, lost=True, seed=7, threads=1, members=1))
    assert best_size(rows, FOLDS, spy) == BoostingSettings()
    assert spy.asked == [PROVEN.leaves] * len(FOLDS)


def test_a_large_base_whose_features_speak_together_gets_larger_trees() -> None:
    rows = snapshots(1, customers=3_000)
    third = [np.digitize(rows[name].fillna(0.0), [-0.4, 0.4]) for name in NOISE]
    chance = special.expit(np.random.default_rng(2).normal(scale=2.5, size=(3, 3, 3, 3))[tuple(third)])
    rows = rows.assign(label=(np.random.default_rng(3).random(len(rows)) < chance).astype(np.int8))
    spy = Spy(partial(fit_boosted, lost=True, seed=7, threads=1, members=1))
    found = best_size(rows, FOLDS[-1:], spy)
    assert found.leaves > PROVEN.leaves
    assert spy.asked == [size for size in SIZES if size <= max(spy.asked)]
