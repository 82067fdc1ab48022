from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from models.boosting import BoostingSettings, fit_boosted
from models.calibrate import fit_calibration
from models.folds import Fold, folds_of, split
from models.ladder import train
from models.settings import Training, Tune
from models.trees import loss_on, settings_of_trees
from models.tune import Journal, tuned
from tests.unit.models.snapshots import CHURN, CUTOFF, TRAINING, cutoffs, learned, snapshots

PROVEN = BoostingSettings()


def by_ridge(settings: BoostingSettings) -> float:
    return abs(settings.ridge - 40.0)


def run(
    loss: Callable[[BoostingSettings], float], *, trials: int, seed: int = 7, **more: Any
) -> tuple[list[BoostingSettings], BoostingSettings]:
    tried: list[BoostingSettings] = []

    def seen(settings: BoostingSettings) -> float:
        tried.append(settings)
        return loss(settings)

    taken = tuned(seen, trials=trials, seed=seed, **more)
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

    def refused(_: object, *, trials: int, **__: object) -> BoostingSettings:
        asked.append(trials)
        return PROVEN

    monkeypatch.setattr("models.trees.tuned", refused)
    one_cutoff = snapshots(11, customers=60, days=(date(2025, 2, 1),))
    training = Training(threads=1, tune=Tune(trials=9))
    train(one_cutoff, purpose="churn", cutoff=CUTOFF, churn=CHURN, training=training)
    assert not any(asked)


class PowerCut(Exception):
    """Stands for whatever ends a search."""


@pytest.mark.parametrize("after", [0, 1, 5])
def test_an_interrupted_search_goes_on_and_ends_as_if_it_had_never_stopped(tmp_path: Path, after: int) -> None:
    whole, taken = run(by_ridge, trials=14)
    first: list[BoostingSettings] = []

    def cut(settings: BoostingSettings) -> float:
        if len(first) == after:
            raise PowerCut("dark")
        first.append(settings)
        return by_ridge(settings)

    journal = Journal(path=tmp_path / "out" / "tuning.jsonl", name="churn-1")
    with pytest.raises(PowerCut, match="dark"):
        tuned(cut, trials=14, seed=7, journal=journal)
    rest, again = run(by_ridge, trials=14, journal=journal)
    assert (first + rest, again) == (whole, taken)
    assert run(by_ridge, trials=14, journal=journal) == ([], taken)


def test_a_line_torn_while_it_was_written_is_dropped(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "tuning.jsonl", name="churn-1")
    taken = run(by_ridge, trials=3, journal=journal)[1]
    with journal.path.open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    assert run(by_ridge, trials=3, journal=journal) == ([], taken)
    assert len(run(by_ridge, trials=5, journal=journal)[0]) == 2


def test_trials_about_something_else_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "tuning.jsonl"
    assert len(run(by_ridge, trials=3, journal=Journal(path=path, name="churn-1"))[0]) == 3
    assert len(run(by_ridge, trials=3, journal=Journal(path=path, name="churn-2"))[0]) == 3


def test_no_trial_begins_after_the_minutes_are_over_but_the_first_always_runs() -> None:
    assert run(by_ridge, trials=50, minutes=1e-9) == ([PROVEN], PROVEN)


def test_the_loss_on_folds_cut_once_is_that_of_trees_fitted_for_themselves() -> None:
    frame = snapshots(11, customers=80)
    folds = folds_of(cutoffs(6), CHURN)
    loss = loss_on(frame, folds, purpose="churn", training=TRAINING)
    first = loss(PROVEN)
    other = loss(BoostingSettings(leaves=15, least_rows=25, rounds=40))
    assert loss(PROVEN) == first != other
    fit = train_loss(frame, folds)
    assert first == pytest.approx(fit, abs=1e-9)


def train_loss(frame: pd.DataFrame, folds: tuple[Fold, ...]) -> float:
    """Mean over customers of the calibrated log loss of the proven settings, each fold fitted for itself."""
    parts = []
    for fold in folds:
        (x, known), (asked, truth) = (learned(part) for part in split(frame, fold))
        score = fit_boosted(x, known, lost=True, seed=TRAINING.seed, threads=1).log_odds(asked)
        chance = special.expit(fit_calibration(score, truth, n_customers=len(truth)).log_odds(score))
        loss = -np.log(np.where(truth == 1, chance, 1 - chance))
        parts.append(pd.Series(loss, index=split(frame, fold)[1]["customer_id"]))
    return float(pd.concat(parts).groupby(level=0).mean().mean())


def test_the_search_is_noted_by_what_it_is_about(tmp_path: Path) -> None:
    frame, journal = snapshots(11, customers=40), tmp_path / "tuning.jsonl"
    training = Training(threads=1, tune=Tune(trials=2))
    folds = folds_of(cutoffs(6), CHURN)
    once = settings_of_trees(frame, folds, purpose="churn", training=training, journal=journal)
    size = journal.stat().st_size
    assert settings_of_trees(frame, folds, purpose="churn", training=training, journal=journal) == once
    assert journal.stat().st_size - size < 300
    changed = frame.assign(label=frame["label"].mask(frame.index == 7, 1 - frame["label"]))
    settings_of_trees(changed, folds, purpose="churn", training=training, journal=journal)
    assert journal.stat().st_size > 1.5 * size
