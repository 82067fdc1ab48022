from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.boosting import BoostingSettings
from models.runs import fold_runs, trial_runs
from models.tune import Journal, Trial, trials_in, tuned


def some_folds() -> pd.DataFrame:
    draw = np.random.default_rng(2)
    parts = []
    for day in (date(2025, 2, 1), date(2025, 1, 1)):
        for name in ("rhythm", "lightgbm"):
            chance = draw.uniform(0.1, 0.9, 60)
            part = {
                "test": day,
                "customer_id": [f"c{at}" for at in range(60)],
                "candidate": name,
                "probability": chance,
            }
            label = (draw.uniform(size=60) < chance).astype(np.int8)
            parts.append(pd.DataFrame({**part, "label": label, "log_odds": np.log(chance / (1 - chance))}))
    return pd.concat(parts, ignore_index=True)


def test_every_tested_cutoff_is_a_run_with_the_metrics_of_every_candidate() -> None:
    first, second = fold_runs(some_folds())
    assert (first.name, second.name) == ("fold 2025-01-01", "fold 2025-02-01")
    assert {"rhythm.auc", "lightgbm.auc", "lightgbm.calibration_error"} <= set(first.metrics)
    assert first.metrics["rhythm.n"] == 60


def test_without_a_test_there_is_no_run() -> None:
    assert fold_runs(some_folds().head(0)) == ()


def test_noted_trials_come_back_with_their_settings_and_loss(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "tuning.jsonl", name="churn-1")
    assert trials_in(journal) == ()
    tuned(lambda settings: settings.leaves / 100, trials=2, seed=3, journal=journal)
    first, second = trials_in(journal)
    assert (first.number, second.number) == (0, 1)
    assert first.settings == BoostingSettings()
    assert second.loss == pytest.approx(second.settings.leaves / 100)
    assert trials_in(Journal(path=journal.path, name="another")) == ()


def test_a_trial_is_a_run_with_its_settings() -> None:
    (run,) = trial_runs([Trial(number=4, settings=BoostingSettings(), loss=0.5)])
    assert (run.name, run.kind, run.metrics) == ("trial 4", "trial", {"log_loss": 0.5})
    assert run.parameters["leaves"] == BoostingSettings().leaves
