"""What if: the history of customers as it would be had the company acted on the day before the cutoff.

An act changes rows (a contact more, a complaint closed) and nothing else. The features are then built by the functions
that built them before, so that whatever hangs together changes together.
"""

# ruff: noqa: S608 - the SQL is put together from constants and a date

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.history import History
from features.intake import Tables
from features.ledger import Column
from features.ledgers import READINGS
from features.ledgers.rows import Rows
from features.matrix import feature_columns
from features.norms import Norms

Codes = NDArray[np.int64]
Way = Literal["is_visit", "is_call", "is_written"]
Act = Callable[[History, Codes, int], History]
"""Takes a history, the codes of customers (ascending) and the cutoff; returns the history after the act."""


def features_if(
    history: History, customers: Codes, act: Act | None, *, cutoff: int, churn: Churn, norms: Norms
) -> pd.DataFrame:
    """Return the features that ``customers`` would show at ``cutoff`` after ``act``; as they are without one.

    Parameters
    ----------
    history : History
        At least the rows of ``customers`` that were known before ``cutoff``.
    customers : array of int
        Codes, ascending.
    act : Act, optional
        It is done for every one of ``customers``.
    cutoff : int
        Day number.
    churn : Churn
    norms : Norms
        What is usual in the company, as it is: one customer's act moves no norm.

    Returns
    -------
    DataFrame of float64, one row per customer, in their order
    """
    theirs = history.of(customers)
    changed = theirs if act is None else act(theirs, customers, cutoff)
    return feature_columns(changed.at(cutoff), customers, churn=churn, norms=norms)


def settled(history: History, customers: Codes, cutoff: int, *, goodwill_cents: int = 0) -> History:
    """Return the history in which every open complaint was settled on the day before ``cutoff``.

    ``goodwill_cents`` is granted for each of them. Whether the customer is satisfied is not noted: that is not ours.
    """
    rows = dict(history.rows["complaints"].items())
    is_open = (rows["closed"] >= cutoff) & np.isin(rows["customer"], customers)
    rows["closed"] = np.where(is_open, np.maximum(cutoff - 1, rows["day"]), rows["closed"])
    if "goodwill_amount" in history.columns["complaints"]:
        rows["goodwill"] = np.where(is_open, rows["goodwill"] + goodwill_cents, rows["goodwill"])
    return _with_rows(history, "complaints", rows)


def contacted(history: History, customers: Codes, cutoff: int, *, way: Way) -> History:
    """Return the history in which we contacted each customer on the day before ``cutoff``.

    The person who last spoke for us does; where nobody was noted and persons are noted at all, a person does who has
    not spoken to the customer before. No mood is noted.
    """
    rows, columns = history.rows["contacts"], history.columns["contacts"]
    said = {name: np.zeros(len(customers), dtype=np.int64) for name in rows}
    said |= {
        "customer": customers,
        "day": np.full(len(customers), cutoff - 1),
        "known": np.full(len(customers), cutoff - 1),
    }
    said["place"] = np.full(len(customers), _most(rows["place"]) + 1)
    if "direction" in columns:
        said["is_outbound"] = np.ones(len(customers), dtype=np.int64)
    if "channel" in columns:
        said |= {name: np.ones(len(customers), dtype=np.int64) for name in (way, "has_channel")}
    if "agent" in columns:
        said["agent"] = _last_agents(rows, customers)
    return _with_rows(history, "contacts", {name: np.r_[rows[name], said[name]] for name in rows})


def open_complaints(history: History, customers: Codes, cutoff: int) -> Column:
    """Return how many complaints of each customer are not settled [count]; 0 where that is not noted."""
    return _left(history, customers, cutoff, "settlements", needs={"complaints": ("closed_on",)})


def unanswered_complaints(history: History, customers: Codes, cutoff: int) -> Column:
    """Return after how many open complaints of each customer we have not made contact [count]; 0 if not noted."""
    needs = {"complaints": ("closed_on",), "contacts": ("direction",)}
    return _left(history, customers, cutoff, "first_steps", needs=needs)


def days_silent(history: History, customers: Codes, cutoff: int) -> Column:
    """Return the days since our last contact with each customer; infinite without one, 0 where that is not noted."""
    if not _has(history, {"contacts": ("direction",)}):
        return np.zeros(len(customers))
    since: Column = history.ledgers["outbound"].at(customers, cutoff).recency_days
    return np.where(np.isnan(since), np.inf, since)


def days_without_person(history: History, customers: Codes, cutoff: int) -> Column:
    """Return the days since a named person spoke for us; infinite without one, 0 where persons are not noted."""
    if not _has(history, {"contacts": ("agent",)}):
        return np.zeros(len(customers))
    rows = history.rows["contacts"]
    named = (rows["agent"] > 0) & (rows["day"] < cutoff)
    last = np.full(int(customers.max(initial=-1)) + 1, -np.inf)
    inside = named & (rows["customer"] < len(last))
    np.maximum.at(last, rows["customer"][inside], rows["day"][inside].astype(np.float64))
    days: Column = cutoff - last[customers]
    return days


def usual_goodwill_cents(tables: Tables, cutoff: date) -> int:
    """Return the median of the goodwill granted in settlements before ``cutoff`` [cents]; 0 when none is known."""
    if not tables.has("complaints", "closed_on", "goodwill_amount"):
        return 0
    settled_before = f"closed_on < DATE '{cutoff.isoformat()}' and goodwill_amount > 0"
    found = tables.query(f"select median(goodwill_amount) as amount from complaints where {settled_before}")
    return round(100 * (found["amount"][0].as_py() or 0))


def _left(
    history: History, customers: Codes, cutoff: int, done: str, *, needs: Mapping[str, tuple[str, ...]]
) -> Column:
    if not _has(history, needs):
        return np.zeros(len(customers))
    raised, dealt_with = (history.ledgers[name].at(customers, cutoff).count() for name in ("complaints", done))
    return raised - dealt_with


def _has(history: History, needs: Mapping[str, tuple[str, ...]]) -> bool:
    return all(table in history.rows and set(names) <= history.columns[table] for table, names in needs.items())


def _with_rows(history: History, table: str, rows: Rows) -> History:
    return replace(history, rows={**history.rows, **READINGS[table].in_order(rows)})


def _last_agents(rows: Rows, customers: Codes) -> NDArray[np.int64]:
    """Return the code of the person who last spoke for us to each customer; a code of nobody's without one."""
    named = rows["agent"] > 0
    codes, agents = rows["customer"][named], rows["agent"][named]
    last = np.searchsorted(codes, customers, side="right") - 1
    theirs = (last >= 0) & (codes[np.maximum(last, 0)] == customers) if len(codes) else np.zeros(len(customers), bool)
    return np.where(theirs, agents[np.maximum(last, 0)] if len(codes) else 1, 1)


def _most(values: NDArray[np.int64]) -> int:
    return int(values.max(initial=0))
