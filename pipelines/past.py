"""The rows of one customer as events: orders, complaints, contacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa

from features.expressions import literal
from features.intake import Tables
from retention.customer.drawing import MOST_DAYS
from retention.customer.view import Complaint, Contact, Order, Past
from retention.texts import Purpose

# ruff: noqa: S608 - the SQL is put together from constants, a date and an escaped id


def past_of(
    tables: Tables,
    customer_id: str,
    *,
    cutoff: date,
    scores: Sequence[tuple[date, float, Purpose]] = (),
    states: Sequence[tuple[date, str]] = (),
) -> Past:
    """Return the events of the last ``MOST_DAYS`` days before ``cutoff``, oldest first.

    Parameters
    ----------
    tables : Tables
        Rows known before ``cutoff``.
    customer_id : str
    cutoff : date
    scores : sequence of (cutoff, probability, purpose)
        What was said at earlier cutoffs and at this one.
    states : sequence of (cutoff, state)
        Cutoffs at which the state on the early-warning list changed, see :mod:`retention.watch`.
    """
    first = cutoff - timedelta(days=MOST_DAYS)
    days = f"occurred_on >= DATE '{first}' and occurred_on < DATE '{cutoff}'"
    return Past(
        orders=_orders(tables, customer_id, days),
        complaints=_complaints(tables, customer_id, cutoff, f"occurred_on < DATE '{cutoff}'"),
        contacts=_contacts(tables, customer_id, days),
        scores=tuple(scores),
        states=tuple(states),
    )


def _orders(tables: Tables, customer_id: str, days: str) -> tuple[Order, ...]:
    rows = tables.query(
        f"select min(occurred_on) as day, sum(amount) as amount from orders where customer_id = {literal(customer_id)}"
        f" and {days} group by order_id order by 1, order_id"
    )
    return tuple(Order(day=row["day"], amount=row["amount"]) for row in rows.to_pylist())


def _complaints(tables: Tables, customer_id: str, cutoff: date, days: str) -> tuple[Complaint, ...]:
    if "complaints" not in tables.names:
        return ()
    rows = _rows(tables, "complaints", ("closed_on", "category"), customer_id, days, "complaint_id")
    return tuple(
        Complaint(day=row["occurred_on"], closed=_before(row["closed_on"], cutoff), category=row["category"] or "")
        for row in rows.to_pylist()
    )


def _before(closed: date | None, cutoff: date) -> date | None:
    return closed if closed is not None and closed < cutoff else None


def _contacts(tables: Tables, customer_id: str, days: str) -> tuple[Contact, ...]:
    if "contacts" not in tables.names:
        return ()
    names = ("direction", "channel", "agent")
    rows = _rows(tables, "contacts", names, customer_id, days, "contact_id")
    return tuple(
        Contact(day=row["occurred_on"], **{name: row[name] or "" for name in names}) for row in rows.to_pylist()
    )


def _rows(tables: Tables, table: str, names: tuple[str, ...], customer_id: str, days: str, key: str) -> pa.Table:
    there = [name if tables.has(table, name) else f"null as {name}" for name in names]
    return tables.query(
        f"select occurred_on, {', '.join(there)} from {table} where customer_id = {literal(customer_id)} and {days}"
        f" order by occurred_on, {key}"
    )
