"""What became of a cohort inside the horizon: 1 for lost (active) or returned (lapsed), 0 for not."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.cohort import Cohort, covered_until, same_days_a_year_before
from features.definition import Churn
from features.history import History
from features.timeline import day_number, require_finished

Labels = NDArray[np.int8]


def labels_of(
    history: History, cohort: Cohort, *, cutoff: date, churn: Churn, known_until: date
) -> tuple[Labels, Labels]:
    """Return the labels of the active (churned) and of the lapsed (returned).

    Parameters
    ----------
    history : History
        All that is known before ``known_until``.
    cohort : Cohort
        Who was active and lapsed at ``cutoff``.
    cutoff : date
        The cutoff whose horizon is looked at.
    churn : Churn
        Definition, lead and horizon.
    known_until : date
        First day not known; the whole horizon must lie before it.

    Raises
    ------
    LeakageError
        If the horizon is not finished.
    """
    horizon = require_finished(cutoff, churn, known_until=known_until)
    first, end = day_number(horizon.first), day_number(horizon.end)
    if churn.definition == "contract":
        return _contract_labels(history, cohort, end=end)
    bought = _bought(history, cohort, first=first, end=end)
    if churn.definition == "decline":
        return _decline_labels(history, cohort, cutoff=day_number(cutoff), end=end, churn=churn), bought[1]
    return (1 - bought[0]).astype(np.int8), bought[1]


def _bought(history: History, cohort: Cohort, *, first: int, end: int) -> tuple[Labels, Labels]:
    """1 for every customer with a purchase in ``[first, end)``."""
    purchases = history.ledgers["purchases"]
    active, lapsed = (
        (purchases.at(customers, end).count(end - first) > 0).astype(np.int8)
        for customers in (cohort.active, cohort.lapsed)
    )
    return active, lapsed


def _decline_labels(history: History, cohort: Cohort, *, cutoff: int, end: int, churn: Churn) -> Labels:
    bookings = history.ledgers["bookings"]
    now = bookings.at(cohort.active, end).total("amount", churn.horizon_days)
    base = same_days_a_year_before(bookings, cohort.active, cutoff=cutoff, churn=churn)
    return (now <= (1 - churn.decline_share) * base).astype(np.int8)


def _contract_labels(history: History, cohort: Cohort, *, end: int) -> tuple[Labels, Labels]:
    """Lost: no contract covers the last day of the horizon. Returned: one does.

    The day after is not asked: a contract that begins on it may not be known yet, and every contract that is renewed
    on the first of the month would look lost.
    """
    contracts, count = history.rows["contracts"], len(history.customer_ids)
    is_covered = covered_until(contracts, n_customers=count, cutoff=end) >= end
    return (~is_covered[cohort.active]).astype(np.int8), is_covered[cohort.lapsed].astype(np.int8)
