"""Tuning: trying out settings of the trees on the same folds that choose the candidate, bounded by trials.

Source: Akiba et al. (2019), Optuna; Bergstra et al. (2011), tree-structured Parzen estimator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from models.boosting import BoostingSettings

if TYPE_CHECKING:
    import optuna


def tuned(loss: Callable[[BoostingSettings], float], *, trials: int, seed: int) -> BoostingSettings:
    """Return the settings with the smallest loss among the proven ones and ``trials - 1`` others.

    Parameters
    ----------
    loss : callable
        Mean log loss on folds ordered in time [nats]; lower is better.
    trials : int
        How many settings are tried; 0 returns the proven ones untried.
    seed : int
        The same seed tries the same settings.
    """
    if trials == 0:
        return BoostingSettings()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    proven = asdict(BoostingSettings())
    study.enqueue_trial({name: proven[name] for name in _RANGES})
    study.optimize(lambda trial: loss(_suggested(trial)), n_trials=trials)
    return BoostingSettings(**study.best_params)


_RANGES = ("rounds", "leaves", "least_rows", "column_share", "ridge")


def _suggested(trial: optuna.Trial) -> BoostingSettings:
    return BoostingSettings(
        rounds=trial.suggest_int("rounds", 25, 300, log=True),
        leaves=trial.suggest_int("leaves", 3, 31, log=True),
        least_rows=trial.suggest_int("least_rows", 20, 200, log=True),
        column_share=trial.suggest_float("column_share", 0.2, 0.9),
        ridge=trial.suggest_float("ridge", 0.5, 50.0, log=True),
    )
