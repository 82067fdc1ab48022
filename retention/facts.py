"""Derived facts: the few comparison numbers a sentence needs and the matrix does not hold.

Texts may name these beside the features. A fact is missing where one of its inputs is, or where the customer's
history does not reach back far enough for a fair comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
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
    return pd.concat([matrix, pd.DataFrame(made, index=matrix.index)], axis=1)


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


def _day(feature: str, meaning: str, *, ahead: bool = False) -> DerivedFact:
    """Describe the day that lies ``feature`` days before the cutoff, or after it."""

    def make(matrix: pd.DataFrame) -> pd.Series:
        days = pd.to_timedelta(matrix[feature].astype("float64").round(), unit="D")
        return pd.to_datetime(matrix["cutoff"]) + (days if ahead else -days)

    return DerivedFact(inputs=(feature, "cutoff"), make=make, meaning=meaning, form_of=feature)


def _compared(feature: str, difference: str, meaning: str) -> DerivedFact:
    """Describe what ``feature`` is compared with, given how much it lies above."""

    def make(matrix: pd.DataFrame) -> pd.Series:
        return matrix[feature] - matrix[difference]

    return DerivedFact(inputs=(feature, difference), make=make, meaning=meaning)


def _opposite(feature: str, meaning: str) -> DerivedFact:
    """Describe the chance of the opposite of ``feature``, a chance itself."""

    def make(matrix: pd.DataFrame) -> pd.Series:
        return 1 - matrix[feature]

    return DerivedFact(inputs=(feature,), make=make, meaning=meaning, form_of=feature)


def _contacts_usual(matrix: pd.DataFrame) -> pd.Series:
    before = matrix["contacts__count_364d"] - matrix["contacts__count_28d"]
    return (before / 12).where(matrix["sales__tenure_days"] >= 364)


def _against(amount: str, trend: str, meaning: str) -> DerivedFact:
    """Describe the amount that ``amount`` is compared with, given the logarithm of their ratio (floor 1)."""

    def make(matrix: pd.DataFrame) -> pd.Series:
        before: pd.Series = ((matrix[amount].clip(lower=0) + 1) / np.exp(matrix[trend]) - 1).clip(lower=0).round(2)
        return before

    return DerivedFact(inputs=(amount, trend), make=make, meaning=meaning)


def _fall(matrix: pd.DataFrame) -> pd.Series:
    return -matrix["sales__turnover_slope_364d"]


DERIVED_FACTS: Mapping[str, DerivedFact] = {
    "orders_before_91d": _before("orders", 91),
    "orders_before_364d": _before("orders", 364),
    "turnover_before_91d": _before("turnover", 91),
    "turnover_before_364d": _before("turnover", 364),
    "turnover_before_28d": _against(
        "sales__turnover_28d", "sales__turnover_trend_28d", "turnover of the 28 days before the last 28 days"
    ),
    "quantity_before_364d": _before("quantity", 364),
    "margin_before_364d": _before("margin", 364),
    "season_expected_91d": _against(
        "sales__turnover_91d", "sales__season_level_91d", "turnover to be expected of 91 days at this time of year"
    ),
    "turnover_fall": DerivedFact(
        inputs=("sales__turnover_slope_364d",),
        make=_fall,
        meaning="mean fall of turnover from four weeks to the next, over their mean",
        form_of="sales__turnover_slope_364d",
    ),
    "last_return_on": _day("sales__return_days", "day of the last return"),
    "newest_product_on": _day("assortment__new_product_days", "day of the last purchase of a product new to them"),
    "newest_category_on": _day("assortment__new_category_days", "day of the last purchase from a category new to them"),
    "orders_usual_28d": _usual("orders"),
    "turnover_usual_28d": _usual("turnover"),
    "last_order_on": _day("sales__recency_days", "day of the last order"),
    "first_order_on": _day("sales__tenure_days", "day of the first known order"),
    "discount_before_182d": _compared(
        "prices__discount_182d", "prices__discount_trend_182d", "discount of the 182 days before the last 182 days"
    ),
    "company_discount": _compared("prices__discount_364d", "prices__discount_excess_364d", "discount in the company"),
    "usual_discount_364d": _compared(
        "prices__last_discount", "prices__last_discount_excess_364d", "discount of the last 364 days"
    ),
    "days_late_before_91d": _compared(
        "payments__days_late_91d", "payments__days_late_trend_91d", "days late in the rest of the year before"
    ),
    "company_days_late": _compared(
        "payments__days_late_364d", "payments__days_late_excess_364d", "days late in the company"
    ),
    "oldest_overdue_since": _day("payments__oldest_overdue_days", "due day of the oldest overdue invoice"),
    "last_complaint_on": _day("complaints__recency_days", "day of the last complaint"),
    "oldest_open_since": _day("complaints__oldest_open_days", "day of the oldest open complaint"),
    "last_contact_on": _day("contacts__recency_days", "day of the last contact"),
    "first_contract_on": _day("relationship__contract_days", "first day of the first contract"),
    "company_close_days": _compared(
        "complaints__days_to_close_364d", "complaints__close_excess_days_364d", "days to settlement in the company"
    ),
    "company_answer_days": _compared(
        "complaints__days_to_answer_364d", "complaints__answer_excess_days_364d", "days to first contact in the company"
    ),
    "contacts_usual_28d": DerivedFact(
        inputs=("contacts__count_28d", "contacts__count_364d", "sales__tenure_days"),
        make=_contacts_usual,
        meaning="contacts in 28 days, mean of the 336 days before",
    ),
    "class_contacts_364d": _compared(
        "contacts__count_364d", "contacts__class_excess_364d", "mean contacts of customers of the same class"
    ),
    "our_last_contact_on": _day("contacts__our_silence_days", "day on which we last contacted the customer"),
    "their_last_contact_on": _day("contacts__their_silence_days", "day on which the customer last contacted us"),
    "agent_since": _day("contacts__agent_days", "day of the last change of the contact person"),
    "nps_before": _compared("feedback__nps", "feedback__nps_change", "NPS before the last"),
    "csat_before": _compared("feedback__csat", "feedback__csat_change", "CSAT before the last"),
    "visit_mood_before": _compared(
        "feedback__visit_mood", "feedback__visit_mood_change", "mood after the visit before the last"
    ),
    "last_reply_on": _day("feedback__recency_days", "day of the last answer"),
    "recurring_before_364d": _against(
        "relationship__recurring_amount",
        "relationship__recurring_trend_364d",
        "monthly amount of the contracts that ran 364 days before",
    ),
    "term_ends_on": _day("relationship__term_days", "next end of the agreed term of a contract", ahead=True),
    "notice_until": _day("relationship__notice_days_left", "last day to give notice of a contract", ahead=True),
    "customer_since": _day("relationship__since_days", "first day as customer, as noted"),
    "rhythm_order_chance": _opposite("rhythm__silent_chance", "chance of an order in the horizon, by the rhythm"),
    "rhythm_gone_chance": _opposite("rhythm__alive_chance", "chance that the customer has gone, by the rhythm"),
    "regular_order_chance": _opposite("rhythm__regular_silent_chance", "chance of an order, by regularity"),
    "anniversary_on": _day("relationship__anniversary_days", "next anniversary of the relationship", ahead=True),
}
"""Every derived fact by the name texts use."""
