"""Tuning: trying out settings of the trees on the same folds that choose the candidate, bounded by trials and time.

Source: Akiba et al. (2019), Optuna; Bergstra et al. (2011), tree-structured Parzen estimator.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.boosting import BoostingSettings

if TYPE_CHECKING:
    import optuna

FEWEST_ROWS = 20
"""Rows a leaf holds at least under any setting tried."""


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Where trials are noted as they end: a file of lines of JSON, and the name of what they are about.

    Only trials under the same name count as done: another matrix, another name.
    """

    path: Path
    name: str


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Settings that were tried, and their loss."""

    number: int
    settings: BoostingSettings
    loss: float


def trials_in(journal: Journal) -> tuple[Trial, ...]:
    """Return the finished trials noted under the journal's name, in order; none where nothing was noted."""
    if not journal.path.is_file():
        return ()
    import optuna

    storage = _storage(journal)
    if journal.name not in optuna.get_all_study_names(storage):
        return ()
    return tuple(
        Trial(number=trial.number, settings=BoostingSettings(**trial.params), loss=float(trial.value or 0.0))
        for trial in _finished(optuna.load_study(study_name=journal.name, storage=storage))
    )


def _storage(journal: Journal) -> optuna.storages.JournalStorage:
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    return JournalStorage(JournalFileBackend(str(journal.path)))


def tuned(
    loss: Callable[[BoostingSettings], float],
    *,
    trials: int,
    seed: int,
    minutes: float = float("inf"),
    journal: Journal | None = None,
) -> BoostingSettings:
    """Return the settings with the smallest loss among the proven ones and ``trials - 1`` others.

    Parameters
    ----------
    loss : callable
        Mean log loss on folds ordered in time [nats]; lower is better.
    trials : int
        How many settings are tried; 0 returns the proven ones untried.
    seed : int
        The same seed tries the same settings, interrupted or not.
    minutes : float
        No trial begins later than this; the first always runs.
    journal : Journal, optional
        Trials noted there count as done; without it an interrupted search begins anew.
    """
    if trials == 0:
        return BoostingSettings()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _study(journal)
    done, end = len(_finished(study)), time.monotonic() + 60 * minutes
    if not done:
        proven = asdict(BoostingSettings())
        study.enqueue_trial({name: proven[name] for name in _RANGES})
    for number in range(done, trials):
        if number and time.monotonic() > end:
            break
        study.sampler = optuna.samplers.TPESampler(seed=seed + number)
        trial = study.ask()
        study.tell(trial, loss(_suggested(trial)))
    return BoostingSettings(**study.best_params)


def _study(journal: Journal | None) -> optuna.Study:
    """Return the search to go on with; what was being tried when it was interrupted counts as failed."""
    import optuna

    if journal is None:
        return optuna.create_study()
    journal.path.parent.mkdir(parents=True, exist_ok=True)
    _cut_torn_line(journal.path)
    storage = _storage(journal)
    study = optuna.create_study(storage=storage, study_name=journal.name, load_if_exists=True)
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING, optuna.trial.TrialState.WAITING)):
        storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.FAIL)
    return study


def _cut_torn_line(path: Path) -> None:
    """Remove what follows the last whole line: a machine that went off while writing must not end the search."""
    if path.is_file():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    import optuna

    return study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))


_RANGES = ("rounds", "leaves", "least_rows", "column_share", "ridge")


def _suggested(trial: optuna.Trial) -> BoostingSettings:
    return BoostingSettings(
        rounds=trial.suggest_int("rounds", 25, 300, log=True),
        leaves=trial.suggest_int("leaves", 3, 31, log=True),
        least_rows=trial.suggest_int("least_rows", FEWEST_ROWS, 200, log=True),
        column_share=trial.suggest_float("column_share", 0.2, 0.9),
        ridge=trial.suggest_float("ridge", 0.5, 50.0, log=True),
    )
