"""The benchmark of training time: its data can be learned, and its ratios say who was quicker at equal quality."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import training
from models.boosting import MEMBERS, BoostingSettings


@pytest.mark.parametrize("fit", [training.treue_plain, training.lightgbm_plain, training.hist_gradient_boosting])
def test_contenders_learn_what_the_features_say(fit: training.Fit) -> None:
    (x, y), (held, truth) = training.rows(3_000, seed=1), training.rows(2_000, seed=2)
    score, trees = fit(x, y)
    assert trees == training.TREES
    assert roc_auc_score(truth, score(held)) > 0.7
    guessed, _ = fit(x, np.random.default_rng(0).permutation(y))
    assert roc_auc_score(truth, guessed(held)) < 0.6


def test_as_shipped_takes_the_size_that_training_asks_for() -> None:
    x, y = training.rows(4_000, seed=1)
    size = training.size_asked_for(x, y)
    assert size != BoostingSettings()
    assert training.size_asked_for(x, np.random.default_rng(0).permutation(y)) == BoostingSettings()
    assert training.treue_shipped(x, y)[1] == MEMBERS * size.rounds


def test_a_rival_is_equal_only_within_the_tolerance_and_ratios_are_its_time_over_ours() -> None:
    ours = {"seconds": 10.0, "per_100_trees": 2.0, "auc": 0.8}
    figures = {
        "treue": ours,
        "slow": {"seconds": 20.0, "per_100_trees": 20.0, "auc": 0.8 - training.TOLERANCE / 2},
        "worse": {"seconds": 5.0, "per_100_trees": 5.0, "auc": 0.8 - 2 * training.TOLERANCE},
    }
    found = training.ratios(figures, "treue")
    assert set(found) == {"slow", "worse"}
    assert (found["slow"]["seconds"], found["slow"]["per_100_trees"]) == (2.0, 10.0)
    assert found["slow"]["equal_quality"]
    assert not found["worse"]["equal_quality"]


def test_a_rival_that_is_not_installed_is_told_from_one_that_is() -> None:
    assert training.installed("sklearn")
    assert not training.installed("no_such_rival")
