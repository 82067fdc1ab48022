"""What a training tried, as runs beside its own: each test on later time, each setting of the trees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from models.ladder import measured_at
from models.tune import Trial


@dataclass(frozen=True, kw_only=True)
class Child:
    """A run below the training's: one fold or one trial."""

    name: str
    kind: Literal["fold", "trial"]
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]


_LOGGED = ("n", "auc", "average_precision", "log_loss", "calibration_error", "lift_at_10")
"""Metrics of a fold's run; each costs a row in MLflow's database."""


def fold_runs(tested: pd.DataFrame) -> tuple[Child, ...]:
    """Return one run per tested cutoff with the metrics of every candidate (``lightgbm.auc``); NaN are left out.

    Parameters
    ----------
    tested : DataFrame
        One row per tested snapshot and candidate, as ``models.ladder.train`` gives it; may be empty.
    """
    return tuple(_fold_run(str(day), test) for day, test in tested.groupby("test", sort=True))


def _fold_run(day: str, test: pd.DataFrame) -> Child:
    found = {
        f"{candidate}.{metric}": value
        for candidate, part in test.groupby("candidate", sort=True)
        for metric, value in measured_at(part).items()
        if metric in _LOGGED and value == value
    }
    return Child(name=f"fold {day}", kind="fold", parameters={"test": day}, metrics=found)


def trial_runs(trials: Iterable[Trial]) -> tuple[Child, ...]:
    """Return one run per trial of tuning with its settings and its mean log loss on the folds [nats]."""
    return tuple(
        Child(
            name=f"trial {trial.number}",
            kind="trial",
            parameters=asdict(trial.settings),
            metrics={"log_loss": trial.loss},
        )
        for trial in trials
    )
