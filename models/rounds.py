"""How many rounds of boosting: read off on the folds from one member grown to the end.

A large base bears more trees before it is learned by heart. Each fold is grown once; its loss after each step costs a
mere prediction. The folds may ask for more rounds than the proven number, never for fewer: their models learn from less
time than the final one does, so their own best number is too small for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.boosting import Boosted, BoostingSettings
from models.calibrate import fit_calibration
from models.early import Early, lesson_of
from models.folds import Fold, split, teaches
from models.metrics import log_losses

STEPS = (BoostingSettings().rounds, 100, 150, 200, 300)
"""Rounds that are looked at, from the proven number to where large bases level off."""


class FitBoosted(Protocol):
    """``models.boosting.fit_boosted`` with everything but rows and settings given."""

    def __call__(
        self, features: pd.DataFrame, label: NDArray[np.int8], early: Early | None, *, settings: BoostingSettings
    ) -> Boosted:
        """Fit on rows in total order."""


def best_rounds(rows: pd.DataFrame, folds: Sequence[Fold], fit: FitBoosted) -> int:
    """Return the proven number of rounds, or the best larger step where the folds clearly ask for it.

    Clearly: the mean log loss of the proven number lies more than one standard error (over customers) above the best.
    Each step is calibrated on each fold itself, alike for all. Folds with too few outcomes do not count.
    """
    proven = STEPS[0]
    parts = [part for fold in folds if (part := _losses(rows, fold, fit)) is not None]
    if not parts:
        return proven
    losses = pd.concat(parts).groupby("customer_id", sort=True).mean()
    best = STEPS[int(np.argmin(losses.mean().to_numpy()))]
    behind = losses[proven] - losses[best]
    return best if behind.mean() > behind.std(ddof=1) / np.sqrt(len(behind)) else proven


def _losses(rows: pd.DataFrame, fold: Fold, fit: FitBoosted) -> pd.DataFrame | None:
    """Log loss of each tested snapshot after each step: one column per step, and customer_id."""
    learn, test = split(rows, fold)
    known, truth = lesson_of(learn), test["label"].to_numpy(np.int8)
    if not (teaches(known.label) and teaches(truth)):
        return None
    asked = test[list(known.features.columns)]
    grown = fit(known.features, known.label, known.early, settings=BoostingSettings(rounds=STEPS[-1]))
    losses = {rounds: _calibrated_losses(grown.log_odds_after(asked, rounds), truth) for rounds in STEPS}
    return pd.DataFrame(losses).assign(customer_id=test["customer_id"].to_numpy())


def _calibrated_losses(log_odds: NDArray[np.float64], truth: NDArray[np.int8]) -> NDArray[np.float64]:
    calibrated = fit_calibration(log_odds, truth, n_customers=len(truth)).log_odds(log_odds)
    return log_losses(truth, 1 / (1 + np.exp(-calibrated)))
