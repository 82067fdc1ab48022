"""What the last contracts of lapsed customers amounted to: what the value of a return under contract starts from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.cohort import Cohort
from features.definition import Churn
from features.history import History, Seen
from features.ledger import Column
from features.ledgers.rows import NEVER

CENT = 0.01

LAST_AMOUNT = "last_recurring_amount"
"""Monthly amount of the contracts that ran on the last day under contract [currency per month]; never a feature."""

LAST_CONTRACT = (LAST_AMOUNT,)
"""Columns of the matrix that say what lapsed customers last had; never features."""


def last_amounts_of(seen: Seen, cohort: Cohort, *, churn: Churn) -> pd.DataFrame:
    """Return the columns ``LAST_CONTRACT`` of the active (for whom they are missing), then of the lapsed.

    Parameters
    ----------
    seen : Seen
        What could be seen on the morning of the cutoff: contracts known by then that had begun and ended.
    cohort : Cohort
        Who was active and lapsed at the cutoff.
    churn : Churn
        Under another definition than ``contract``, or where contracts carry no amount, the column is missing.
    """
    found = np.full(len(cohort.active) + len(cohort.lapsed), np.nan)
    has_amounts = "recurring_amount" in seen.history.columns.get("contracts", ())
    if churn.definition == "contract" and has_amounts:
        amounts = seen.column(cohort.lapsed, lambda known, asked: _last_amounts(known, asked, cutoff=seen.cutoff))
        found[len(cohort.active) :] = amounts
    return pd.DataFrame({LAST_AMOUNT: found})


def _last_amounts(known: History, customers: NDArray[np.int64], *, cutoff: int) -> Column:
    """Return the sum over the contracts that ended last, all of them on one day; 0 for who never had one."""
    contracts, count = known.rows["contracts"], len(known.customer_ids)
    owner, ends = contracts["customer"], contracts["ends"]
    over = (contracts["day"] < cutoff) & (ends < cutoff)
    last = np.full(count, -NEVER, dtype=np.int64)
    np.maximum.at(last, owner[over], ends[over])
    chosen = over & (ends == last[owner])
    amounts = np.bincount(owner[chosen], weights=contracts["recurring"][chosen], minlength=count)
    return np.asarray(amounts[customers] * CENT, dtype=np.float64)
