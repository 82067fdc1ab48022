"""On which day a customer was lost, so that a chance can be told for any number of days: 30, 60, …, 365.

A customer is lost on the day that completes an absence: a silence of a whole horizon (inactivity), or the first day
without a contract (contract). Only an absence counts that reaches the end of the label's horizon or comes after it; so
lost within ``lead + horizon`` days is the label, and lost within more days is never less.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.cohort import Cohort, covered_until
from features.definition import Churn
from features.history import History
from features.ledger import Column, Ledger
from features.ledgers.rows import NEVER

LOST_AFTER = "lost_after_days"
"""Within how many days after the cutoff an active customer was lost; missing where not, as far as is known."""

FOLLOWED = "followed_days"
"""How many days after the cutoff are known; missing where the label's horizon is not finished."""

LOSS_DAY = (LOST_AFTER, FOLLOWED)
"""Columns of the matrix that say when a customer was lost; never features."""


def loss_days_of(history: History, cohort: Cohort, *, cutoff: int, churn: Churn, known_until: int) -> pd.DataFrame:
    """Return the columns ``LOSS_DAY`` of the active, then of the lapsed (for whom both are missing).

    Parameters
    ----------
    history : History
        All that is known before ``known_until``.
    cohort : Cohort
        Who was active and lapsed at ``cutoff``.
    cutoff, known_until : int
        Day numbers; what is known ends before ``known_until``.
    churn : Churn
        Definition, lead and horizon.

    Returns
    -------
    DataFrame of float64 [days], one row per customer
        "Lost within t days" is ``lost_after_days <= t``, for every t up to ``followed_days``. A silence that was a
        whole horizon long before the cutoff gives 0 or less. Both are missing while the label is, and where a loss has
        no day: a decline is seen in the turnover of a period.
    """
    followed = known_until - cutoff
    columns = {name: np.full(len(cohort.active) + len(cohort.lapsed), np.nan) for name in LOSS_DAY}
    if churn.definition != "decline" and followed >= churn.lead_days + churn.horizon_days:
        own = _by_contract if churn.definition == "contract" else _by_silence
        columns[LOST_AFTER][: len(cohort.active)] = own(history, cohort.active, cutoff, churn, known_until) - cutoff
        columns[FOLLOWED][: len(cohort.active)] = followed
    return pd.DataFrame(columns)


def _by_silence(history: History, customers: NDArray[np.int64], cutoff: int, churn: Churn, known_until: int) -> Column:
    """Day on whose morning the silence is a whole horizon long: the last purchase before it, plus 1, plus the horizon.

    It is the silence that the label sees, else the first whole one after a purchase on or after its first day.
    """
    purchases, first = history.ledgers["purchases"], cutoff + churn.lead_days
    day, until = purchases.day, _silent_until(purchases, known_until)
    whole = np.flatnonzero(until - day > churn.horizon_days)
    past = purchases.at(customers, first)
    last = past.end - 1
    seen = until[last] - first >= churn.horizon_days
    later = np.r_[whole, len(day)][np.searchsorted(whole, past.end)]
    own = np.r_[purchases.customer, -1][later] == customers
    begun = np.where(seen, day[last], np.where(own, np.r_[day, 0][later], np.nan))
    return np.asarray(begun + 1 + churn.horizon_days, dtype=np.float64)


def _silent_until(purchases: Ledger, known_until: int) -> NDArray[np.int64]:
    """Day of the customer's next purchase after each, or the first that is not known."""
    is_last = np.append(purchases.customer[1:] != purchases.customer[:-1], True)
    following = np.append(purchases.day[1:], known_until)
    return np.asarray(np.minimum(np.where(is_last, known_until, following), known_until), dtype=np.int64)


def _by_contract(history: History, customers: NDArray[np.int64], cutoff: int, churn: Churn, known_until: int) -> Column:
    """Day after the first one without a contract: before the horizon's last day for whom the label calls lost."""
    contracts, count = history.rows["contracts"], len(history.customer_ids)
    end = cutoff + churn.lead_days + churn.horizon_days
    seen = covered_until(contracts, n_customers=count, cutoff=end)
    ends = np.where(contracts["ends"] < known_until, contracts["ends"] + 1, NEVER)
    free = np.where(seen < end, seen, end - 1.0)
    for _ in range(len(ends) + 1):  # each turn follows one contract more
        running = (contracts["day"] <= free[contracts["customer"]]) & (ends > free[contracts["customer"]])
        running &= seen[contracts["customer"]] >= end
        if not running.any():
            break
        np.maximum.at(free, contracts["customer"][running], ends[running].astype(np.float64))
    return np.asarray(np.where(free < known_until, free + 1, np.nan)[customers], dtype=np.float64)
