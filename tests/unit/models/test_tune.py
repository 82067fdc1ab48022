from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from models.boosting import BoostingSettings
from models.ladder import train
from models.settings import Training, Tune
from models.tune import tuned
from tests.unit.models.snapshots import CHURN, CUTOFF, snapshots

PROVEN = BoostingSettings()


def by_ridge(settings: BoostingSettings) -> float:
    return abs(settings.ridge - 40.0)


def run(
    loss: Callable[[BoostingSettings], float], *, trials: int, seed: int = 7
) -> tuple[list[BoostingSettings], BoostingSettings]:
    tried: list[BoostingSettings] = []

    def seen(settings: BoostingSettings) -> float:
        tried.append(settings)
        return loss(settings)

    taken = tuned(seen, trials=trials, seed=seed)
    return tried, taken


def test_no_trials_are_the_proven_settings_untried() -> None:
    assert run(by_ridge, trials=0) == ([], PROVEN)


def test_the_proven_settings_are_always_the_first_tried() -> None:
    for trials in (1, 5):
        tried, _ = run(by_ridge, trials=trials)
        assert tried[0] == PROVEN
        assert len(tried) == trials


def test_the_best_of_those_tried_is_taken() -> None:
    tried, taken = run(by_ridge, trials=12)
    assert taken == min(tried, key=by_ridge) != PROVEN


def test_proven_settings_that_nothing_beats_are_kept() -> None:
    assert run(lambda settings: float(settings != PROVEN), trials=8)[1] == PROVEN
    assert run(lambda _: 0.5, trials=8)[1] == PROVEN


def test_the_same_seed_tries_the_same_settings_and_another_seed_others() -> None:
    first = run(by_ridge, trials=6)
    assert run(by_ridge, trials=6) == first
    assert run(by_ridge, trials=6, seed=8)[0][1:] != first[0][1:]


def test_training_with_trials_takes_settings_that_do_no_worse_on_the_folds() -> None:
    frame = snapshots(11, customers=60)

    def loss(trials: int) -> float:
        training = Training(threads=1, tune=Tune(trials=trials))
        model, _ = train(frame, purpose="churn", cutoff=CUTOFF, churn=CHURN, training=training)
        return float(model.evidence["metrics"]["lightgbm"]["log_loss"])

    assert loss(4) <= loss(1)


def test_nothing_is_tried_where_nothing_can_be_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refused(_: object, *, trials: int, seed: int) -> BoostingSettings:
        asked.append(trials)
        return PROVEN

    monkeypatch.setattr("models.ladder.tuned", refused)
    one_cutoff = snapshots(11, customers=60, days=(date(2025, 2, 1),))
    training = Training(threads=1, tune=Tune(trials=9))
    train(one_cutoff, purpose="churn", cutoff=CUTOFF, churn=CHURN, training=training)
    assert not any(asked)
