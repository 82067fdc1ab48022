"""The matrix: one row per snapshot, one float64 column per feature, the same path for training and for scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Feature
from features.cohort import Cohort, cohort_of
from features.definition import Churn
from features.errors import ContractError
from features.history import History, Seen
from features.labels import labels_of
from features.last_contract import LAST_CONTRACT, last_amounts_of
from features.ledger import Column, Past
from features.loss_day import LOSS_DAY, loss_days_of
from features.norms import Norms, norms_at
from features.outcomes import OUTCOMES, outcomes_of
from features.rhythm import Rhythm
from features.timeline import day_number, horizon_of
from features.vetting import vetted_column

EARLY_LABEL = "early_label"
"""Column of what had become of a customer by half the horizon; missing while that is unfinished."""

KEYS = ("customer_id", "cutoff", "cohort", "label", EARLY_LABEL, *OUTCOMES, *LOSS_DAY, *LAST_CONTRACT)
"""Columns of the matrix that are no features."""


def build_matrix(
    history: History, *, cutoff: date, churn: Churn, known_until: date, norms: Norms | None = None
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
    norms : Norms, optional
        What is usual in the company; needed where ``history`` is only a part of it, else found from it.

    Returns
    -------
    DataFrame, one row per customer of the cohorts, ordered by customer_id
        Columns ``KEYS`` (cohort: "active" or "lapsed"; label: 1 lost or returned, 0 not, missing while the horizon is
        unfinished; early_label: the same by half the horizon; what they brought afterwards, see `features.outcomes`;
        when they were lost, see `features.loss_day`; what their last contracts amounted to, see
        `features.last_contract`), then one float64 column per feature.

    Raises
    ------
    ContractError
        If nobody had bought (or signed) before ``cutoff``.
    """
    matrix = block_of_matrix(
        history, cutoff=cutoff, churn=churn, known_until=known_until, norms=norms or norms_at(history, cutoff=cutoff)
    )
    require_somebody(len(matrix), cutoff)
    return matrix


def require_somebody(count: int, cutoff: date) -> None:
    """Raise a ContractError when the cohorts of ``cutoff`` are empty."""
    if not count:
        raise ContractError(
            f"no customer is active or lapsed on {cutoff}: check churn.active_within_days and the cutoff"
        )


def block_of_matrix(history: History, *, cutoff: date, churn: Churn, known_until: date, norms: Norms) -> pd.DataFrame:
    """Return the snapshots of one part of the history, as `build_matrix` does; possibly none."""
    seen = history.at(day_number(cutoff))
    cohort = cohort_of(seen, churn=churn)
    everyone = np.r_[cohort.active, cohort.lapsed]
    order = np.argsort(everyone)
    keys = _keys(history, cohort, cutoff=cutoff)
    for name, asked in (("label", churn), (EARLY_LABEL, churn.early)):
        keys[name] = _labels(history, cohort, cutoff=cutoff, churn=asked, known_until=known_until)
    until = day_number(known_until)
    brought = outcomes_of(history, everyone, cutoff=seen.cutoff, known_until=until)
    lost = loss_days_of(history, cohort, cutoff=seen.cutoff, churn=churn, known_until=until)
    amounts = last_amounts_of(seen, cohort, churn=churn)
    keys = pd.concat([keys, brought, lost, amounts], axis=1)
    features = feature_columns(seen, everyone[order], churn=churn, norms=norms)
    return pd.concat([keys.iloc[order].reset_index(drop=True), features], axis=1)


def feature_columns(
    seen: Seen,
    customers: NDArray[np.int64],
    *,
    churn: Churn,
    norms: Norms,
    features: Sequence[Feature] | None = None,
) -> pd.DataFrame:
    """Return every available feature of ``customers`` (codes ascending) on the morning seen, or only ``features``.

    Raises
    ------
    FeatureError
        If a feature of the company's own fails or gives no finite float64 column with one value per customer.
    """
    asked_for = available_features(seen.history) if features is None else features
    own = {group.name for group in seen.history.catalogue.own_groups}

    def compute(known: History, asked: NDArray[np.int64]) -> list[Column]:
        inputs = Inputs(known, asked, cutoff=seen.cutoff, churn=churn, norms=norms)
        return [
            vetted_column(feature, partial(inputs.compute, feature), count=len(asked))
            if feature.group in own
            else inputs.compute(feature)
            for feature in asked_for
        ]

    columns = np.array(seen.columns(customers, compute), dtype=np.float64).reshape(len(asked_for), len(customers))
    return pd.DataFrame(columns.T, columns=[feature.name for feature in asked_for], copy=False)


def available_features(history: History) -> tuple[Feature, ...]:
    """Return the features whose tables and columns this history has."""
    return history.catalogue.available(history.columns)


class Inputs:
    """What feature functions may name as parameters: the past of every ledger, ``rhythm`` and ``norms``."""

    def __init__(self, history: History, customers: NDArray[np.int64], *, cutoff: int, churn: Churn, norms: Norms):
        self._ledgers = history.ledgers
        self._customers = customers
        self._cutoff = cutoff
        self._made: dict[str, Past | Rhythm | Norms] = {"norms": norms}
        self._made["rhythm"] = Rhythm(purchases=self._past("purchases"), parameters=norms.rhythm, churn=churn)

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
