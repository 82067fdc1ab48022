"""A trained model: one candidate, its calibration and what is known about both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from features.errors import ModelError
from models.calibrate import Calibration, probability_interval
from models.candidates import Candidate, candidate_from
from models.digest import InFiles
from models.horizons import LOST_COLUMNS, Horizons
from models.structure import FORMAT, MANIFEST, checked_manifest

Purpose = Literal["churn", "return"]

COHORTS: Mapping[Purpose, str] = {"churn": "active", "return": "lapsed"}
"""Whose snapshots a model learns from and scores."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ChurnModel(InFiles):
    """What scores a matrix and explains every score.

    Attributes
    ----------
    purpose : {"churn", "return"}
        Chance to be lost (active customers) or to come back (lapsed customers) inside the horizon.
    candidate : Candidate
        The step of the ladder that was chosen.
    calibration : Calibration
        Affine on the log-odds.
    features : tuple of str
        Columns of the matrix it was trained on.
    cutoff : date
        The day it was trained for: it knows nothing from that day on.
    evidence : mapping
        What the choice rests on: folds, metrics per candidate, sizes, remarks.
    horizons : Horizons, optional
        When customers are lost, by number of days; None where a loss has no day, and for returns.
    """

    purpose: Purpose
    candidate: Candidate
    calibration: Calibration
    features: tuple[str, ...]
    cutoff: date
    evidence: Mapping[str, Any] = field(default_factory=dict)
    horizons: Horizons | None = None

    def score(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return score, probability and its 90 % interval for each snapshot.

        Parameters
        ----------
        matrix : DataFrame, shape (n_snapshots, ≥ n_features)
            As ``features.matrix.build_matrix`` gives it.

        Returns
        -------
        DataFrame with the index of ``matrix``
            ``score`` (raw log-odds), ``probability`` and its bounds ``probability_low``, ``probability_high``.

        Raises
        ------
        ModelError
            If a feature the model was trained on is missing.
        """
        features = self._features(matrix)
        raw = self.candidate.log_odds(features)
        log_odds = self.calibration.log_odds(raw)
        members = self.calibration.slope * self.candidate.spread(features)
        low, high = probability_interval(log_odds, np.hypot(self.calibration.spread(raw), members))
        columns = {
            "score": raw,
            "probability": special.expit(log_odds),
            "probability_low": low,
            "probability_high": high,
        }
        return pd.DataFrame(columns, index=matrix.index)

    def lost_within(self, matrix: pd.DataFrame, probability: pd.Series[float]) -> pd.DataFrame:
        """Return the chance to be lost within 30 to 365 days, by which day half of the printed one falls due.

        Parameters
        ----------
        matrix : DataFrame, shape (n_snapshots, ≥ n_features)
        probability : Series
            What :meth:`score` says of the same rows; the curve goes through it at lead + horizon.

        Returns
        -------
        DataFrame with the index of ``matrix``
            ``models.horizons.LOST_COLUMNS``, missing where the model has no ``horizons``.
        """
        if self.horizons is None:
            return pd.DataFrame(np.nan, index=matrix.index, columns=list(LOST_COLUMNS))
        told = self.horizons.of(matrix, np.asarray(probability, dtype=np.float64))
        return told.reindex(columns=list(LOST_COLUMNS))

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return what each feature adds to the calibrated log-odds, and the ``base`` common to all.

        For every row ``base`` plus all features is ``logit(probability)``: the calibration's slope multiplies the
        contributions (TreeSHAP for LightGBM), its intercept belongs to the base.
        """
        base, parts = self.candidate.contributions(self._features(matrix))
        told = np.zeros((len(parts), len(self.features) + 1), order="F")
        told[:, [self.features.index(name) for name in parts.columns]] = parts.to_numpy() * self.calibration.slope
        told[:, -1] = self.calibration.intercept + self.calibration.slope * base
        return pd.DataFrame(told, columns=[*self.features, "base"], index=parts.index)

    @property
    def explained_by(self) -> str:
        """How contributions are found: ``linear``, ``treeshap`` or LightGBM's slow ``pred_contrib``."""
        return self.candidate.explained_by

    @cached_property
    def _files(self) -> dict[str, bytes]:
        content = {
            "format": FORMAT,
            "purpose": self.purpose,
            "candidate": self.candidate.name,
            "facts": self.candidate.facts(),
            "calibration": asdict(self.calibration),
            "features": list(self.features),
            "cutoff": self.cutoff.isoformat(),
            "evidence": self.evidence,
            "horizons": None if self.horizons is None else self.horizons.to_facts(),
        }
        text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False)
        return {MANIFEST: text.encode(), **self.candidate.to_files()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> ChurnModel:
        """Return the model stored by ``to_files``; the caller must have verified the files' digests before.

        Raises
        ------
        ModelError
            If a file is missing, added or not what Treue writes.
        """
        content = checked_manifest(files)
        covariance = tuple(tuple(row) for row in content["calibration"]["covariance"])
        return cls(
            purpose=content["purpose"],
            candidate=candidate_from(content["candidate"], content["facts"], files),
            calibration=Calibration(**{**content["calibration"], "covariance": covariance}),
            features=tuple(content["features"]),
            cutoff=date.fromisoformat(content["cutoff"]),
            evidence=content["evidence"],
            horizons=Horizons.from_facts(content["horizons"]) if content.get("horizons") else None,
        )

    def _features(self, matrix: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.features if name not in matrix.columns]
        if missing:
            raise ModelError(
                f"the matrix lacks {missing[0]} ({len(missing)} in all), which model {self.version} was trained on;"
                " a table or column has fallen away: bring it back or train again"
            )
        return matrix[list(self.features)]
