"""How large the trees grow, in rounds and leaves: read off on the folds from one member grown to the end.

A large base bears more and larger trees before it is learned by heart. Each fold is grown once for a size; its loss
after each step of rounds costs a mere prediction. The folds may ask for more than the proven trees, never for less:
their models learn from less time than the final one does, so their own best size is too small for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.boosting import Boosted, BoostingSettings
from models.calibrate import fit_calibration
from models.early import Early, lesson_of
from models.folds import Fold, split, teaches
from models.metrics import log_losses

PROVEN = BoostingSettings()
"""The trees of a small base."""

STEPS = (PROVEN.rounds, 100, 150, 200, 300)
"""Rounds that are looked at, from the proven number to where trees that still improve are too small."""

SIZES = (PROVEN.leaves, 15, 31)
"""Leaves that are looked at, from the proven number to what reasons for every customer allow; decision 0021."""


class FitBoosted(Protocol):
    """``models.boosting.fit_boosted`` with everything but rows and settings given."""

    def __call__(
        self, features: pd.DataFrame, label: NDArray[np.int8], early: Early | None, *, settings: BoostingSettings
    ) -> Boosted:
        """Fit on rows in total order."""


def best_size(rows: pd.DataFrame, folds: Sequence[Fold], fit: FitBoosted) -> BoostingSettings:
    """Return the proven trees, or more of them and then larger ones as long as the folds clearly ask for them.

    Clearly: the mean log loss of the trees taken so far lies more than one standard error (over customers) above that
    of the best step. Larger trees are only grown where the ones before still improve at the last step. Each step is
    calibrated on each fold itself, alike for all. Folds with too few outcomes do not count.
    """
    taken, so_far = PROVEN, None
    for leaves in SIZES:
        losses = _losses_on(rows, folds, fit, settings=replace(PROVEN, leaves=leaves, rounds=STEPS[-1]))
        if losses is None:
            break
        best = STEPS[int(np.argmin(losses.mean().to_numpy()))]
        if not _clearly_better(losses[best], losses[STEPS[0]] if so_far is None else so_far):
            break
        taken, so_far = replace(PROVEN, leaves=leaves, rounds=best), losses[best]
        if best != STEPS[-1]:
            break
    return taken


def _clearly_better(losses: pd.Series[float], others: pd.Series[float]) -> bool:
    behind = others - losses
    return bool(behind.mean() > behind.std(ddof=1) / np.sqrt(len(behind)))


def _losses_on(
    rows: pd.DataFrame, folds: Sequence[Fold], fit: FitBoosted, *, settings: BoostingSettings
) -> pd.DataFrame | None:
    """Mean log loss of each customer over the folds, one column per step; None where no fold can be tested."""
    parts = [part for fold in folds if (part := _losses(rows, fold, fit, settings)) is not None]
    return pd.concat(parts).groupby("customer_id", sort=True).mean() if parts else None


def _losses(rows: pd.DataFrame, fold: Fold, fit: FitBoosted, settings: BoostingSettings) -> pd.DataFrame | None:
    """Log loss of each tested snapshot after each step: one column per step, and customer_id."""
    learn, test = split(rows, fold)
    known, truth = lesson_of(learn), test["label"].to_numpy(np.int8)
    if not (teaches(known.label) and teaches(truth)):
        return None
    asked = test[list(known.features.columns)]
    grown = fit(known.features, known.label, known.early, settings=settings)
    losses = {rounds: _calibrated_losses(grown.log_odds_after(asked, rounds), truth) for rounds in STEPS}
    return pd.DataFrame(losses).assign(customer_id=test["customer_id"].to_numpy())


def _calibrated_losses(log_odds: NDArray[np.float64], truth: NDArray[np.int8]) -> NDArray[np.float64]:
    calibrated = fit_calibration(log_odds, truth, n_customers=len(truth)).log_odds(log_odds)
    return log_losses(truth, 1 / (1 + np.exp(-calibrated)))
