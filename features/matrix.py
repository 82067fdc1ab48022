"""The matrix: one row per snapshot, one float64 column per feature, the same path for training and for scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Feature, available
from features.cohort import Cohort, cohort_of
from features.definition import Churn
from features.errors import ContractError
from features.history import History
from features.labels import labels_of
from features.ledger import Column, Past
from features.rhythm import Rhythm, RhythmParameters, fit_rhythm
from features.timeline import day_number, horizon_of

KEYS = ("customer_id", "cutoff", "cohort", "label")
"""Columns of the matrix that are no features."""


def build_matrix(history: History, *, cutoff: date, churn: Churn, known_until: date) -> pd.DataFrame:
    """Return the snapshots of ``cutoff`` with every available feature and, when finished, their labels.

    Parameters
    ----------
    history : History
        All rows known before ``known_until``; those known on or after ``cutoff`` count for the label only.
    cutoff : date
        The day of the snapshots.
    churn : Churn
        Definition of the cohort, the label and the horizon.
    known_until : date
        First day that is not known.

    Returns
    -------
    DataFrame, one row per customer of the cohort, ordered by cohort ("active", "lapsed") and customer_id
        Columns ``KEYS`` (label: 1 lost or returned, 0 not, missing while the horizon is unfinished), then one float64
        column per feature.

    Raises
    ------
    ContractError
        If nobody had bought (or signed) before ``cutoff``.
    """
    seen = history.known_before(day_number(cutoff))
    cohort = cohort_of(seen, cutoff=day_number(cutoff), churn=churn)
    if not len(cohort.active) and not len(cohort.lapsed):
        raise ContractError(
            f"no customer is active or lapsed on {cutoff}: check churn.active_within_days and the cutoff"
        )
    keys = _keys(history, cohort, cutoff=cutoff)
    keys["label"] = _labels(history, cohort, cutoff=cutoff, churn=churn, known_until=known_until)
    features = feature_columns(seen, np.r_[cohort.active, cohort.lapsed], cutoff=cutoff, churn=churn)
    return pd.concat([keys, features], axis=1)


def feature_columns(history: History, customers: NDArray[np.int64], *, cutoff: date, churn: Churn) -> pd.DataFrame:
    """Return every available feature of ``customers`` at ``cutoff``; ``history`` must be cut to what was known."""
    inputs = Inputs(history, customers, cutoff=day_number(cutoff), churn=churn)
    columns = {feature.name: inputs.compute(feature) for feature in available_features(history)}
    return pd.DataFrame(columns, dtype=np.float64)


def available_features(history: History) -> tuple[Feature, ...]:
    """Return the features whose tables and columns this history has."""
    return available(history.columns)


class Inputs:
    """What feature functions may name as parameters: the pasts of all ledgers, and the rhythm."""

    def __init__(self, history: History, customers: NDArray[np.int64], *, cutoff: int, churn: Churn):
        self._history = history
        self._customers = customers
        self._cutoff = cutoff
        self._churn = churn
        self._pasts: dict[str, Past] = {}

    def compute(self, feature: Feature) -> Column:
        """Return the feature's column, shape (n_customers,)."""
        arguments: dict[str, Any] = {name: self._input(name) for name in feature.inputs}
        return feature.compute(**arguments, **({} if feature.days is None else {"days": feature.days}))

    def _input(self, name: str) -> Past | Rhythm:
        return self._rhythm if name == "rhythm" else self._past(name)

    def _past(self, name: str) -> Past:
        if name not in self._pasts:
            self._pasts[name] = self._history.ledgers[name].at(self._customers, self._cutoff)
        return self._pasts[name]

    @cached_property
    def _rhythm(self) -> Rhythm:
        return Rhythm(purchases=self._past("purchases"), parameters=self.rhythm_parameters, churn=self._churn)

    @cached_property
    def rhythm_parameters(self) -> RhythmParameters:
        """The company's rhythm, fitted on all customers known at the cutoff."""
        count = len(self._history.customer_ids)
        return fit_rhythm(self._history.ledgers["purchases"], n_customers=count, cutoff=self._cutoff)


def feature_names(matrix: pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the feature columns, in order."""
    return tuple(name for name in matrix.columns if name not in KEYS)


def of_cohort(matrix: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """Return the snapshots of one cohort ("active" or "lapsed"), renumbered."""
    return matrix.loc[matrix["cohort"] == cohort].reset_index(drop=True)


def stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the snapshots of several cutoffs as one matrix, ordered by cutoff, then as they were."""
    return pd.concat(parts, ignore_index=True)


def _keys(history: History, cohort: Cohort, *, cutoff: date) -> pd.DataFrame:
    codes = np.r_[cohort.active, cohort.lapsed]
    names = np.repeat(["active", "lapsed"], [len(cohort.active), len(cohort.lapsed)])
    columns: Mapping[str, Any] = {
        "customer_id": pd.Series(history.customer_ids[codes], dtype="str"),
        "cutoff": pd.Series([cutoff] * len(codes), dtype=object),
        "cohort": pd.Series(names, dtype="str"),
    }
    return pd.DataFrame(columns)


def _labels(history: History, cohort: Cohort, *, cutoff: date, churn: Churn, known_until: date) -> pd.Series[int]:
    count = len(cohort.active) + len(cohort.lapsed)
    if horizon_of(cutoff, churn).end > known_until:
        return pd.Series([pd.NA] * count, dtype="Int8")
    lost, returned = labels_of(history, cohort, cutoff=cutoff, churn=churn, known_until=known_until)
    return pd.Series(np.r_[lost, returned], dtype="Int8")
