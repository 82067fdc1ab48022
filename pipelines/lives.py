"""How long every customer has been one: first and last day, and the day on which the loss was certain."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.intake import Tables
from features.timeline import LEAST_HISTORY_DAYS
from pipelines.check import open_tables
from pipelines.settings import Settings

# ruff: noqa: S608 - the SQL is put together from constants

BEFORE = "before"
"""Cohort of those who were there when the data begin: their real beginning is not known."""
_PURCHASES = "select customer_id, occurred_on as first, occurred_on as last from orders where amount > 0"
_CONTRACTS = "select customer_id, starts_on as first, {end} as last from contracts"


def lives_of(settings: Settings, cutoff: date) -> pd.DataFrame:
    """Return one row per customer known before ``cutoff``, sorted by customer_id.

    Returns
    -------
    DataFrame
        customer_id; first_on, last_on (first and last purchase, or begin and end of contracts; last_on is missing while
        one runs); lost_on: the day from which the customer counted as lost, missing for who is none; followed_days:
        from first_on to lost_on, else to the cutoff [days]; cohort: year of first_on, ``before`` within the first
        60 days of the data.

    Notes
    -----
    A silent customer is lost on the first day on which the last purchase is older than ``active_within_days``, not on
    the day of that purchase: only then could it be known, so nobody is followed past what is known.
    """
    is_contract = settings.churn.definition == "contract"
    with open_tables(settings, cutoff) as tables:
        rows, begin = _rows(tables, is_contract=is_contract), tables.first_known
    grace = 0 if is_contract else settings.churn.active_within_days
    lost_on = rows["last_on"] + pd.Timedelta(days=grace + 1)
    today = pd.Timestamp(cutoff)
    is_lost = (lost_on <= today).fillna(False)
    followed = lost_on.where(is_lost, today) - rows["first_on"]
    early = rows["first_on"] < pd.Timestamp(begin + timedelta(days=LEAST_HISTORY_DAYS))
    cohort = np.where(early, BEFORE, rows["first_on"].dt.year.astype("str"))
    return rows.assign(
        lost_on=lost_on.where(is_lost),
        followed_days=followed.dt.days.clip(lower=0).astype("float64"),
        cohort=pd.Series(cohort, index=rows.index, dtype="str"),
    )


def _rows(tables: Tables, *, is_contract: bool) -> pd.DataFrame:
    end = "ends_on" if tables.has("contracts", "ends_on") else "cast(null as date)"
    source = _CONTRACTS.format(end=end) if is_contract else _PURCHASES
    found = tables.query(
        "select customer_id, cast(min(first) as date) as first_on,"
        " case when count(last) < count(*) then null else cast(max(last) as date) end as last_on"
        f" from ({source}) group by customer_id order by customer_id"
    )
    kinds = {"customer_id": "str", "first_on": "datetime64[s]", "last_on": "datetime64[s]"}
    return pd.DataFrame(found.to_pandas()).astype(kinds)
