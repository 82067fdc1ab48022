"""Who is at risk at a cutoff (active) and who may be won back (lapsed)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.definition import YEAR_DAYS, Churn
from features.history import History, Seen
from features.ledger import Column, Ledger
from features.ledgers.rows import NEVER, Rows


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Codes of the customers of one cutoff, ascending."""

    active: NDArray[np.int64]
    lapsed: NDArray[np.int64]


def cohort_of(seen: Seen, *, churn: Churn) -> Cohort:
    """Return the cohort of the morning seen, by the company's definition of churn.

    A customer with neither a purchase nor a contract in reach is in neither.
    """
    everyone = np.arange(len(seen.history.customer_ids))
    if churn.definition == "contract":
        since_end = seen.cutoff - seen.column(everyone, lambda known, asked: _covered(known, asked, seen.cutoff))
        return _by_age(since_end, active_within=-1, lapsed_within=churn.lapsed_within_days)
    recency = seen.column(everyone, lambda known, asked: _recency(known, asked, seen.cutoff))
    found = _by_age(recency, active_within=churn.active_within_days, lapsed_within=churn.lapsed_within_days)
    if churn.definition == "decline":
        base = seen.column(found.active, lambda known, asked: _base(known, asked, cutoff=seen.cutoff, churn=churn))
        return Cohort(active=found.active[base > 0], lapsed=found.lapsed)
    return found


def _recency(known: History, customers: NDArray[np.int64], cutoff: int) -> Column:
    return known.ledgers["purchases"].at(customers, cutoff).recency_days


def _covered(known: History, customers: NDArray[np.int64], cutoff: int) -> Column:
    return covered_until(known.rows["contracts"], n_customers=len(known.customer_ids), cutoff=cutoff)[customers]


def _base(known: History, customers: NDArray[np.int64], *, cutoff: int, churn: Churn) -> Column:
    return same_days_a_year_before(known.ledgers["bookings"], customers, cutoff=cutoff, churn=churn)


def covered_until(contracts: Rows, *, n_customers: int, cutoff: int) -> NDArray[np.float64]:
    """First day without a contract, per customer, as known on the morning of ``cutoff`` [day number].

    Contracts that began before the cutoff count; an end or notice on or after the cutoff is not known yet, so such a
    contract runs on (open end). -inf for customers who never had one.
    """
    begun = contracts["day"] < cutoff
    end = np.where(contracts["ends"] < cutoff, contracts["ends"] + 1, NEVER).astype(np.float64)
    last = np.full(n_customers, -np.inf)
    np.maximum.at(last, contracts["customer"][begun], end[begun])
    return last


def same_days_a_year_before(
    bookings: Ledger, customers: NDArray[np.int64], *, cutoff: int, churn: Churn
) -> NDArray[np.float64]:
    """Turnover of the horizon's days 364 days earlier [cents]: what a decline is measured against."""
    past = bookings.at(customers, cutoff)
    return past.total("amount", churn.horizon_days, ago=YEAR_DAYS - churn.lead_days - churn.horizon_days)


def _by_age(age: NDArray[np.float64], *, active_within: int, lapsed_within: int) -> Cohort:
    active = np.flatnonzero(age <= active_within)
    lapsed = np.flatnonzero((age > active_within) & (age <= lapsed_within))
    return Cohort(active=active, lapsed=lapsed)
