"""Choosing a step of the ladder on folds that are ordered in time, and training it.

Rule: each candidate is judged on snapshots whose cutoff lies at least a whole lead and horizon after everything it
learned from; the blend speaks unless another is better by more than one standard error (``models.choice``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from features.definition import Churn
from features.errors import LeakageError
from features.matrix import feature_names
from features.timeline import require_finished
from models.blend import BLENDED, FitBlend
from models.boosting import MEMBERS, BoostingSettings, fit_boosted
from models.calibrate import Calibration, at_level_of, fit_calibration, uncalibrated, untested_on_later_time
from models.candidates import LADDER, Candidate, Fit, fit_logistic_regression, fit_rhythm, fit_rule, untrained_rhythm
from models.churn_model import ChurnModel, Purpose
from models.decisive import decisive_tests
from models.directions import directions
from models.early import cutoffs_by_definition, finished, lesson_of, mute
from models.folds import folds_of, split, teaches
from models.horizons import Horizons, fit_horizons
from models.metrics import calibration_error, evaluate
from models.rivals import rivals
from models.settings import Training
from models.tested import tested_by
from models.trees import settings_of_trees
from models.verdict import against_rivals

_TRIED_MEMBERS = 2
"""Members of an ensemble on trial: enough to choose by, and a fold costs two fifths; delivered are all."""


def ladder(
    purpose: Purpose, training: Training, settings: BoostingSettings | None = None, *, members: int = MEMBERS
) -> Mapping[str, Fit]:
    """Return the candidates from the simplest to the most able, ready to fit; ensembles of trees have ``members``."""
    lost, seed, threads = purpose == "churn", training.seed, training.threads
    known = directions(lost=lost)
    boosted = partial(fit_boosted, lost=lost, seed=seed, threads=threads, settings=settings, members=members)
    alone: Mapping[str, Fit] = {
        "rule": partial(fit_rule, lost=lost),
        "rhythm": partial(fit_rhythm, lost=lost),
        "logistic": partial(fit_logistic_regression, directions=known),
        "monotone": partial(boosted, directions=known),
        "lightgbm": boosted,
    }
    every: Mapping[str, Fit] = {**alone, "blend": FitBlend(fits={name: alone[name] for name in BLENDED})}
    return {name: every[name] for name in LADDER}


def train(
    snapshots: pd.DataFrame,
    *,
    purpose: Purpose,
    cutoff: date,
    churn: Churn,
    training: Training,
    journal: Path | None = None,
) -> tuple[ChurnModel, pd.DataFrame]:
    """Choose and fit a model for one cohort.

    Parameters
    ----------
    snapshots : DataFrame
        Labelled snapshots of one cohort at all training cutoffs, as ``features.matrix`` gives them. Snapshots without
        a label count by their early one (``models.early``).
    purpose : {"churn", "return"}
        What label 1 means: lost, or returned.
    cutoff : date
        The day the model is for; every horizon in ``snapshots``, or its half, ends on or before it.
    churn, training : sections of the configuration
    journal : Path, optional
        File in which tuning notes its trials: an interrupted search goes on where it stopped.

    Returns
    -------
    model : ChurnModel
    folds : DataFrame
        One row per tested snapshot and candidate: test (cutoff), customer_id, candidate, label, log_odds, probability.
        Empty when the history is too short for a test. The probability is calibrated on its own fold, alike for all
        candidates: it compares them, but says nothing about the level; ``expit(log_odds)`` is what was known before.

    Raises
    ------
    LeakageError
        If a horizon reaches past ``cutoff`` or a snapshot has neither a label nor an early one.
    """
    ground = _ground_of(snapshots, purpose=purpose, cutoff=cutoff, churn=churn, training=training, journal=journal)
    return ground.deliver(ground.chosen), ground.tested


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Every step of the ladder as it would be delivered, by name, and which of them was chosen."""

    chosen: str
    models: Mapping[str, ChurnModel]


def train_each(snapshots: pd.DataFrame, *, purpose: Purpose, cutoff: date, churn: Churn, training: Training) -> Trained:
    """Fit and calibrate every candidate as ``train`` does the chosen one; for comparisons, at the price of all fits.

    Parameters and errors are those of ``train``. Without enough outcomes to learn from there is the rhythm alone.
    """
    ground = _ground_of(snapshots, purpose=purpose, cutoff=cutoff, churn=churn, training=training)
    names = list(ground.steps) if teaches(ground.label) else [ground.chosen]
    return Trained(chosen=ground.chosen, models={name: ground.deliver(name) for name in names})


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What every candidate of one training stands on: the snapshots in order, the steps, and how the folds went.

    ``rows`` have whole horizons; ``learn`` has those and the early ones.
    """

    rows: pd.DataFrame
    learn: pd.DataFrame
    level: pd.DataFrame
    steps: Mapping[str, Fit]
    tested: pd.DataFrame
    decisive: pd.DataFrame
    chosen: str
    evidence: Mapping[str, Any]
    horizons: Horizons | None
    purpose: Purpose
    cutoff: date

    @property
    def label(self) -> NDArray[np.int8]:
        """Outcomes of all snapshots."""
        return self.rows["label"].to_numpy(np.int8)

    def deliver(self, name: str) -> ChurnModel:
        """Fit a candidate on all snapshots and calibrate it."""
        names, known, lost = feature_names(self.rows), lesson_of(self.learn), self.purpose == "churn"
        learned = teaches(known.label)
        fitted = self.steps[name](known.features, known.label, known.early) if learned else untrained_rhythm(lost=lost)
        return ChurnModel(
            purpose=self.purpose,
            candidate=fitted,
            calibration=self._calibration(name, fitted),
            features=names,
            cutoff=self.cutoff,
            evidence=self.evidence,
            horizons=self.horizons,
        )

    def _calibration(self, name: str, fitted: Candidate) -> Calibration:
        if not teaches(self.label):
            return untested_on_later_time(_at_level(uncalibrated(), self.level, fitted))
        if self.decisive.empty:
            return uncalibrated()
        own = self.decisive.loc[self.decisive["candidate"] == name]
        customers = int(own["customer_id"].nunique())
        spread = fit_calibration(own["log_odds"].to_numpy(), own["label"].to_numpy(), n_customers=customers)
        found = _at_level(spread, self.level, fitted)
        return found if len(self.tested) else untested_on_later_time(found)


def _ground_of(
    snapshots: pd.DataFrame,
    *,
    purpose: Purpose,
    cutoff: date,
    churn: Churn,
    training: Training,
    journal: Path | None = None,
) -> _Ground:
    _require_labels(snapshots, churn, cutoff=cutoff)
    learn = snapshots.sort_values(["cutoff", "customer_id"], ignore_index=True)
    rows = finished(learn)
    cutoffs = sorted(set(rows["cutoff"]))
    folds = folds_of(cutoffs, churn)
    settings = settings_of_trees(rows, folds, purpose=purpose, training=training, journal=journal)
    steps, on_trial = ladder(purpose, training, settings), ladder(purpose, training, settings, members=_TRIED_MEMBERS)
    tested = tested_by(on_trial, (split(rows, fold) for fold in folds))
    ways = rivals(feature_names(rows), churn, lost=purpose == "churn")
    others = tested_by(ways, (split(rows, fold) for fold in folds))
    decisive = decisive_tests(learn, on_trial, tested=tested, churn=churn)
    chosen, choice = decisive.choose(rows["label"].to_numpy(np.int8), steps)
    level = decisive.level_of(rows, cutoff)
    stated = _evidence(learn, tested, others, chosen=chosen, remark=decisive.remark(choice, tested=tested))
    return _Ground(
        rows=rows,
        learn=learn,
        level=level,
        steps=steps,
        tested=tested,
        decisive=decisive.tests,
        chosen=chosen,
        evidence={**stated, "level_of": _only_day(level)},
        horizons=fit_horizons(rows, cutoff=cutoff, churn=churn) if purpose == "churn" else None,
        purpose=purpose,
        cutoff=cutoff,
    )


def _require_labels(snapshots: pd.DataFrame, churn: Churn, *, cutoff: date) -> None:
    for day, definition in cutoffs_by_definition(snapshots, churn):
        require_finished(day, definition, known_until=cutoff)
    unlabelled = mute(snapshots)
    if len(unlabelled):
        customer, day = unlabelled[["customer_id", "cutoff"]].iloc[0]
        raise LeakageError(
            f"expected a label for every snapshot, got none for customer {customer} on {day} ({len(unlabelled)});"
            " what became of them is not known yet: leave their cutoff out"
        )


def _at_level(spread: Calibration, level: pd.DataFrame, fitted: Candidate) -> Calibration:
    """Give the candidate in use the level of one slice; the slope comes from what it said on later time."""
    score, truth = fitted.log_odds(level[list(feature_names(level))]), level["label"].to_numpy(np.int8)
    return at_level_of(spread, score, truth, n_customers=len(level))


def _only_day(level: pd.DataFrame) -> str | None:
    return None if level.empty else str(level["cutoff"].iloc[0])


def _measured(part: pd.DataFrame) -> Mapping[str, float]:
    """Metrics of one candidate: each test cutoff for itself, then their mean, weighted by snapshots.

    Pooled, the level that calibration found on each fold would count as a ranking between folds.
    """
    tests = pd.DataFrame([measured_at(test) for _, test in part.groupby("test", sort=True)])
    mean = {str(key): round(float(np.average(tests[key], weights=tests["n"])), 6) for key in tests.columns}
    return {**mean, "n": float(len(part))}


def measured_at(test: pd.DataFrame) -> Mapping[str, float]:
    """Metrics at one test cutoff; ``calibration_error_as_learned`` is that of raw scores, which knew no fold."""
    label, as_learned = test["label"].to_numpy(), special.expit(test["log_odds"].to_numpy())
    found = evaluate(label, test["probability"].to_numpy())
    return {**found, "calibration_error_as_learned": calibration_error(label, as_learned)}


def _evidence(
    learn: pd.DataFrame, tested: pd.DataFrame, others: pd.DataFrame, *, chosen: str, remark: str
) -> Mapping[str, Any]:
    rows, teaches_early = finished(learn), lesson_of(learn).early is not None
    early = learn.loc[learn["label"].isna() & teaches_early]
    metrics, rival_metrics = (
        {str(name): _measured(part) for name, part in each.groupby("candidate", sort=True)} for each in (tested, others)
    )
    verdict = against_rivals(tested.loc[tested["candidate"] == chosen], others)
    return {
        "chosen": chosen,
        "remark": remark,
        "metrics": metrics,
        "rivals": rival_metrics,
        **verdict.facts(),
        "tests": sorted(str(day) for day in set(tested["test"])),
        "training_cutoffs": [str(day) for day in sorted(set(rows["cutoff"]))],
        "early_cutoffs": [str(day) for day in sorted(set(early["cutoff"]))],
        "snapshots": len(rows),
        "early_snapshots": len(early),
        "customers": int(rows["customer_id"].nunique()),
        "base_rate": round(float(rows["label"].astype(float).mean()), 6) if len(rows) else None,
    }
