"""The matrix: one row per snapshot, one float64 column per feature, the same path for training and for scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
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


def rhythm_at(history: History, *, cutoff: date) -> RhythmParameters:
    """Return the company's rhythm at ``cutoff``, fitted on every customer known by then."""
    seen = history.known_before(day_number(cutoff))
    purchases, count = seen.ledgers["purchases"], len(seen.customer_ids)
    return fit_rhythm(purchases, n_customers=count, cutoff=day_number(cutoff))


def build_matrix(
    history: History, *, cutoff: date, churn: Churn, known_until: date, rhythm: RhythmParameters | None = None
) -> pd.DataFrame:
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
    rhythm : RhythmParameters, optional
        As ``rhythm_at`` gives it, where it is at hand already.

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
    everyone = np.r_[cohort.active, cohort.lapsed]
    rhythm = rhythm or rhythm_at(seen, cutoff=cutoff)
    features = feature_columns(seen, everyone, cutoff=cutoff, churn=churn, rhythm=rhythm)
    return pd.concat([keys, features], axis=1)


def feature_columns(
    history: History, customers: NDArray[np.int64], *, cutoff: date, churn: Churn, rhythm: RhythmParameters
) -> pd.DataFrame:
    """Return every available feature of ``customers`` at ``cutoff``; ``history`` must be cut to what was known."""
    inputs = Inputs(history, customers, cutoff=day_number(cutoff), churn=churn, rhythm=rhythm)
    columns = {feature.name: inputs.compute(feature) for feature in available_features(history)}
    return pd.DataFrame(columns, dtype=np.float64)


def available_features(history: History) -> tuple[Feature, ...]:
    """Return the features whose tables and columns this history has."""
    return available(history.columns)


class Inputs:
    """What feature functions may name as parameters: the past of every ledger, and the rhythm."""

    def __init__(
        self, history: History, customers: NDArray[np.int64], *, cutoff: int, churn: Churn, rhythm: RhythmParameters
    ):
        self._ledgers = history.ledgers
        self._customers = customers
        self._cutoff = cutoff
        self._made: dict[str, Past | Rhythm] = {}
        self._made["rhythm"] = Rhythm(purchases=self._past("purchases"), parameters=rhythm, churn=churn)

    def compute(self, feature: Feature) -> Column:
        """Return the feature's column, shape (n_customers,)."""
        arguments: dict[str, Any] = {name: self._made.get(name) or self._past(name) for name in feature.inputs}
        return feature.compute(**arguments, **({} if feature.days is None else {"days": feature.days}))

    def _past(self, name: str) -> Past:
        past = self._ledgers[name].at(self._customers, self._cutoff)
        self._made[name] = past
        return past


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


def _labels(history: History, cohort: Cohort, *, cutoff: date, churn: Churn, known_until: date) -> pd.Series[Any]:
    count = len(cohort.active) + len(cohort.lapsed)
    if horizon_of(cutoff, churn).end > known_until:
        return pd.Series([pd.NA] * count, dtype="Int8")
    lost, returned = labels_of(history, cohort, cutoff=cutoff, churn=churn, known_until=known_until)
    return pd.Series(np.r_[lost, returned], dtype="Int8")
