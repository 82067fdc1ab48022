"""Derived facts: the few comparison numbers a sentence needs and the matrix does not hold.

Texts may name these beside the features. A fact is missing where one of its inputs is, or where the customer's
history does not reach back far enough for a fair comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class DerivedFact:
    """One derived fact: the columns it is made of, how, what it says, and the feature it is another form of."""

    inputs: tuple[str, ...]
    make: Callable[[pd.DataFrame], pd.Series]
    meaning: str
    form_of: str | None = None


def with_derived_facts(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return ``matrix`` with every derived fact whose inputs it has.

    Parameters
    ----------
    matrix : DataFrame, one row per customer
        Features, and ``cutoff`` for facts that are dates.

    Returns
    -------
    DataFrame, index as given
        Numbers as float64, dates as datetime64; see ``DERIVED_FACTS`` for names and meanings.
    """
    made = {
        name: fact.make(matrix)
        for name, fact in DERIVED_FACTS.items()
        if set(fact.inputs) <= set(matrix.columns) and name not in matrix.columns
    }
    return matrix.assign(**made)


def _before(measure: str, days: int) -> DerivedFact:
    """Describe the same measure in the window of equal length just before, for customers older than both."""
    recent, both = f"sales__{measure}_{days}d", f"sales__{measure}_{2 * days}d"

    def make(matrix: pd.DataFrame) -> pd.Series:
        return (matrix[both] - matrix[recent]).where(matrix["sales__tenure_days"] >= 2 * days)

    meaning = f"{measure} of the {days} days before the last {days} days"
    return DerivedFact(inputs=(recent, both, "sales__tenure_days"), make=make, meaning=meaning)


def _usual(measure: str) -> DerivedFact:
    """Describe the mean of 28 days over the last 364 days, for customers at least that old."""
    year = f"sales__{measure}_364d"

    def make(matrix: pd.DataFrame) -> pd.Series:
        return (matrix[year] / 13).where(matrix["sales__tenure_days"] >= 364)

    meaning = f"{measure} in 28 days, mean of the last 364 days"
    return DerivedFact(inputs=(year, "sales__tenure_days"), make=make, meaning=meaning)


def _day(feature: str, meaning: str) -> DerivedFact:
    """Describe the day that lies ``feature`` days before the cutoff."""

    def make(matrix: pd.DataFrame) -> pd.Series:
        cutoff = pd.to_datetime(matrix["cutoff"])
        return cutoff - pd.to_timedelta(matrix[feature].astype("float64").round(), unit="D")

    return DerivedFact(inputs=(feature, "cutoff"), make=make, meaning=meaning, form_of=feature)


DERIVED_FACTS: Mapping[str, DerivedFact] = {
    "orders_before_91d": _before("orders", 91),
    "orders_before_364d": _before("orders", 364),
    "turnover_before_91d": _before("turnover", 91),
    "turnover_before_364d": _before("turnover", 364),
    "orders_usual_28d": _usual("orders"),
    "turnover_usual_28d": _usual("turnover"),
    "last_order_on": _day("sales__recency_days", "day of the last order"),
    "first_order_on": _day("sales__tenure_days", "day of the first known order"),
    "last_complaint_on": _day("complaints__recency_days", "day of the last complaint"),
    "oldest_open_since": _day("complaints__oldest_open_days", "day of the oldest open complaint"),
    "last_contact_on": _day("contacts__recency_days", "day of the last contact"),
    "first_contract_on": _day("relationship__contract_days", "first day of the first contract"),
}
"""Every derived fact by the name texts use."""
