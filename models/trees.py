"""The settings of the trees for one training: the proven ones, more and larger trees, or the best of those tried."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from models.boosting import Binned, BoostingSettings, binned, fit_boosted, half_rhythm, telling, with_start
from models.calibrate import fit_calibration
from models.churn_model import Purpose
from models.early import finished, lesson_of
from models.folds import Fold, folds_of, split, teaches
from models.metrics import log_losses
from models.rounds import best_size
from models.settings import Training
from models.tune import FEWEST_ROWS, Journal, Trial, trials_in, tuned


def settings_of_trees(
    rows: pd.DataFrame, folds: Sequence[Fold], *, purpose: Purpose, training: Training, journal: Path | None = None
) -> BoostingSettings:
    """Return the settings of the trees that do best on the folds; the proven ones where nothing can be tested.

    Parameters
    ----------
    rows : DataFrame
        Labelled snapshots in order of cutoff and customer.
    folds : sequence of Fold
        Those that choose the candidate.
    purpose : {"churn", "return"}
    training : Training
        ``tune.trials`` and ``tune.minutes`` bound the search; without trials only rounds and leaves are looked at.
    journal : Path, optional
        File in which trials are noted, so that an interrupted search goes on where it stopped.
    """
    if not folds:
        return BoostingSettings()
    if training.tune.trials == 0:
        fit = partial(fit_boosted, lost=purpose == "churn", seed=training.seed, threads=training.threads, members=1)
        return best_size(rows, folds, fit)
    return tuned(
        loss_on(rows, folds, purpose=purpose, training=training),
        trials=training.tune.trials,
        seed=training.seed,
        minutes=training.tune.minutes,
        journal=None if journal is None else Journal(path=journal, name=_name(rows, folds, purpose, training.seed)),
    )


def trials_on(snapshots: pd.DataFrame, *, purpose: Purpose, churn: Churn, seed: int, path: Path) -> tuple[Trial, ...]:
    """Return the trials noted in ``path`` for exactly these snapshots, as training noted them."""
    if not path.is_file():
        return ()
    rows = finished(snapshots.sort_values(["cutoff", "customer_id"]))
    folds = folds_of(sorted(set(rows["cutoff"])), churn)
    return trials_in(Journal(path=path, name=_name(rows, folds, purpose, seed)))


def loss_on(
    rows: pd.DataFrame, folds: Sequence[Fold], *, purpose: Purpose, training: Training
) -> Callable[[BoostingSettings], float]:
    """Return the mean log loss over customers of any settings on the folds; each fold is cut into bins once.

    Every fold is calibrated on itself, as where the candidate is chosen. Folds with too few outcomes do not count.
    """
    found = [part for fold in folds if (part := _cut(rows, fold, purpose, training)) is not None]

    def loss(settings: BoostingSettings) -> float:
        parts = [fold.losses(settings, seed=training.seed) for fold in found]
        return float(pd.concat(parts).groupby(level=0).mean().mean()) if parts else 0.0

    return loss


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cut:
    """One fold, ready for any settings."""

    learn: Binned
    features: pd.DataFrame
    truth: NDArray[np.int8]
    customers: pd.Series[str]

    def losses(self, settings: BoostingSettings, *, seed: int) -> pd.Series[float]:
        """Log loss of each tested snapshot, by customer."""
        log_odds = self.learn.grow(settings, seed=seed).log_odds(self.features)
        calibrated = fit_calibration(log_odds, self.truth, n_customers=len(self.truth)).log_odds(log_odds)
        return pd.Series(log_losses(self.truth, 1 / (1 + np.exp(-calibrated))), index=self.customers)


def _cut(rows: pd.DataFrame, fold: Fold, purpose: Purpose, training: Training) -> _Cut | None:
    learn, test = split(rows, fold)
    known, truth, lost = lesson_of(learn), test["label"].to_numpy(np.int8), purpose == "churn"
    if not (teaches(known.label) and teaches(truth)):
        return None
    features = telling(known.features)
    start, early = half_rhythm(features, known.label, lost=lost), with_start(known.early, lost=lost)
    cut = binned(features, known.label, start=start, early=early, threads=training.threads, least_rows=FEWEST_ROWS)
    return _Cut(learn=cut, features=test[list(features.columns)], truth=truth, customers=test["customer_id"])


def _name(rows: pd.DataFrame, folds: Sequence[Fold], purpose: Purpose, seed: int) -> str:
    """Return what a search is about: the purpose and a hash of all that its losses depend on."""
    content = pd.util.hash_pandas_object(rows.assign(cutoff=rows["cutoff"].astype(str)), index=False).to_numpy()
    said = repr((list(rows.columns), folds, BoostingSettings(), seed))
    return f"{purpose}-{hashlib.sha256(content.tobytes() + said.encode()).hexdigest()[:16]}"
