"""The history of every customer as sorted arrays, loaded once, and the ledgers made from it.

Rows are loaded in one total order. A row that became known later than it happened (``known > day``) is left out of
every cutoff on or before the day it became known; ledgers are made after that, so gaps, changes and "first of its
order" are those that could be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.intake import Tables
from features.ledger import Ledger

Rows = Mapping[str, NDArray[np.int64]]
"""Columns of one table, all int64: customer, day, known and what the ledgers need."""

NEVER = 1 << 20
"""Day number (the year 4840) for what has not happened; the selects below say it as ``1 << 20``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """All rows known before the run's cutoff, by table, with the customers they belong to.

    Attributes
    ----------
    customer_ids : array of str, shape (n_customers,)
        Ids in ascending order; a customer's code is the position.
    rows : mapping of table name to Rows
        Tables that are not configured are absent.
    columns : mapping of table name to the canonical columns that are really there
    """

    customer_ids: NDArray[np.object_]
    rows: Mapping[str, Rows]
    columns: Mapping[str, frozenset[str]]

    def known_before(self, cutoff: int) -> History:
        """Return the history without the rows that became known on or after ``cutoff`` (itself when there are none)."""
        late = {name: (rows["known"] >= cutoff) & (rows["day"] < cutoff) for name, rows in self.rows.items()}
        if not any(mask.any() for mask in late.values()):
            return self
        kept = {name: {k: v[~late[name]] for k, v in rows.items()} for name, rows in self.rows.items()}
        return replace(self, rows=kept)

    @cached_property
    def ledgers(self) -> Mapping[str, Ledger]:
        """The ledgers by name; those of missing tables are absent."""
        made: dict[str, Ledger] = {}
        for name, make in _LEDGERS.items():
            made |= make(self.rows[name]) if name in self.rows else {}
        return made


def load_history(tables: Tables) -> History:
    """Load the accepted rows of the tables that features read, numbered by customer and sorted."""
    coded = _CODED_WITH_CONTRACTS if "contracts" in tables.names else _CODED
    ids = tables.query(f"{coded} {_IDS}")
    found = {name: tables.query(f"{coded} {_SELECT[name]}") for name in _SELECT if name in tables.names}
    columns = {name: frozenset(tables.columns(name)) for name in tables.names}
    return History(
        customer_ids=ids.column(0).to_numpy(zero_copy_only=False),
        rows={name: _whole_numbers(table) for name, table in found.items()},
        columns=columns,
    )


def _whole_numbers(table: pa.Table) -> Rows:
    return {field: table.column(field).to_numpy(zero_copy_only=False).astype(np.int64) for field in table.column_names}


# The SQL is constant. A column that is not there reads as NULL: UNION ALL BY NAME with an empty select adds it.

_CODED = """
WITH coded AS (
    SELECT customer_id, row_number() OVER (ORDER BY customer_id) - 1 AS code
    FROM (SELECT DISTINCT customer_id FROM orders)
)"""

_CODED_WITH_CONTRACTS = """
WITH coded AS (
    SELECT customer_id, row_number() OVER (ORDER BY customer_id) - 1 AS code
    FROM (SELECT customer_id FROM orders UNION SELECT customer_id FROM contracts)
)"""

_IDS = "SELECT customer_id FROM coded ORDER BY code"

_SELECT = {
    "orders": """
        SELECT code AS customer, occurred_on - DATE '1970-01-01' AS day, known_at - DATE '1970-01-01' AS known,
               dense_rank() OVER (ORDER BY code, order_id) AS "order",
               sum(round(amount * 100)::BIGINT)::BIGINT AS amount,
               coalesce(sum(round(margin * 100)::BIGINT), 0)::BIGINT AS margin,
               coalesce(sum(round(amount * 100)::BIGINT) FILTER (margin IS NOT NULL), 0)::BIGINT AS margin_base,
               count(*) AS lines
        FROM (FROM orders UNION ALL BY NAME SELECT NULL::DOUBLE AS margin WHERE false) JOIN coded USING (customer_id)
        GROUP BY code, order_id, occurred_on, known_at ORDER BY code, day, order_id, known""",
    "complaints": """
        SELECT code AS customer, occurred_on - DATE '1970-01-01' AS day, known_at - DATE '1970-01-01' AS known,
               coalesce(closed_on - DATE '1970-01-01', 1 << 20) AS closed,
               coalesce(round(severity * 1000)::BIGINT, 0) AS severity, (severity IS NOT NULL)::BIGINT AS is_rated,
               coalesce(round(goodwill_amount * 100)::BIGINT, 0) AS goodwill,
               coalesce(NOT satisfied, false)::BIGINT AS is_unsatisfied
        FROM (FROM complaints UNION ALL BY NAME SELECT NULL::DATE AS closed_on, NULL::DOUBLE AS severity,
              NULL::DOUBLE AS goodwill_amount, NULL::BOOLEAN AS satisfied WHERE false)
        JOIN coded USING (customer_id) ORDER BY code, day, complaint_id""",
    "contacts": """
        SELECT code AS customer, occurred_on - DATE '1970-01-01' AS day, known_at - DATE '1970-01-01' AS known,
               coalesce(direction = 'in', false)::BIGINT AS is_inbound,
               coalesce(direction = 'out', false)::BIGINT AS is_outbound,
               dense_rank() OVER (ORDER BY agent) * (agent IS NOT NULL)::BIGINT AS agent,
               coalesce(round(sentiment * 1000)::BIGINT, 0) AS mood, (sentiment IS NOT NULL)::BIGINT AS has_mood
        FROM (FROM contacts UNION ALL BY NAME SELECT NULL::VARCHAR AS direction, NULL::VARCHAR AS agent,
              NULL::DOUBLE AS sentiment WHERE false)
        JOIN coded USING (customer_id) ORDER BY code, day, contact_id""",
    "contracts": """
        SELECT code AS customer, starts_on - DATE '1970-01-01' AS day, known_at - DATE '1970-01-01' AS known,
               coalesce(ends_on - DATE '1970-01-01', 1 << 20) AS ends,
               coalesce(round(recurring_amount * 100)::BIGINT, 0) AS recurring
        FROM (FROM contracts UNION ALL BY NAME SELECT NULL::DATE AS ends_on, NULL::DOUBLE AS recurring_amount
              WHERE false)
        JOIN coded USING (customer_id) ORDER BY code, day, ends, recurring""",
}


def _booking_ledgers(rows: Rows) -> Mapping[str, Ledger]:
    """``bookings`` (orders and returns as booked) and ``purchases`` (one row per customer and day of purchase)."""
    amount = rows["amount"]
    sold = np.maximum(amount, 0)
    is_purchase = _first_of_order(rows)
    bookings = Ledger(
        customer=rows["customer"],
        day=rows["day"],
        values={
            "is_order": is_purchase.astype(np.int64),
            "amount": amount,
            "returned": np.where(amount < 0, -amount, 0),
            "is_return": (amount < 0).astype(np.int64),
            "sold": sold,
            "margin": rows["margin"],
            "margin_base": rows["margin_base"],
            "lines": np.where(is_purchase, rows["lines"], 0),
        },
    )
    return {"bookings": bookings, "purchases": _purchase_days(rows, is_purchase, sold)}


def _first_of_order(rows: Rows) -> NDArray[np.bool_]:
    """True on the part of each order with a positive amount that became known first: the purchase itself."""
    positive = np.flatnonzero(rows["amount"] > 0)
    by_knowledge = np.lexsort((rows["day"][positive], rows["known"][positive], rows["order"][positive]))
    order = rows["order"][positive][by_knowledge]
    first = np.r_[True, order[1:] != order[:-1]] if len(order) else np.zeros(0, dtype=bool)
    chosen = np.zeros(len(rows["amount"]), dtype=bool)
    chosen[positive[by_knowledge[first]]] = True
    return chosen


def _purchase_days(rows: Rows, is_purchase: NDArray[np.bool_], sold: NDArray[np.int64]) -> Ledger:
    """Days of purchase with all that was sold on them and the gap to the one before (first: gap 0, ``has_gap`` 0)."""
    same_day = (following(rows["customer"]) > 0) & (gaps(rows["customer"], rows["day"]) == 0)
    starts = np.flatnonzero(~same_day)
    bought = np.logical_or.reduceat(is_purchase, starts)
    customer, day = rows["customer"][starts][bought], rows["day"][starts][bought]
    gap = gaps(customer, day)
    values = {
        "sold": np.add.reduceat(sold, starts)[bought],
        "gap": gap,
        "gap_squared": gap * gap,
        "has_gap": (gap > 0).astype(np.int64),
        "longest_gap": running_most(customer, gap),
    }
    return Ledger(customer=customer, day=day, values=values)


def _complaint_ledgers(rows: Rows) -> Mapping[str, Ledger]:
    """``complaints`` by the day they were raised and ``settlements`` by the day they were closed."""
    opened = Ledger(
        customer=rows["customer"], day=rows["day"], values={k: rows[k] for k in ("closed", "severity", "is_rated")}
    )
    closed = np.flatnonzero(rows["closed"] < NEVER)
    settled = np.maximum(rows["closed"], rows["known"])
    closed = closed[np.lexsort((closed, settled[closed], rows["customer"][closed]))]
    values = {k: rows[k][closed] for k in ("goodwill", "is_unsatisfied")}
    days_open = (rows["closed"] - rows["day"])[closed]
    settlements = Ledger(
        customer=rows["customer"][closed], day=settled[closed], values=values | {"days_open": days_open}
    )
    return {"complaints": opened, "settlements": settlements}


def _contact_ledgers(rows: Rows) -> Mapping[str, Ledger]:
    """``contacts`` with gaps, mood and whether the person who spoke for us changed."""
    gap = gaps(rows["customer"], rows["day"])
    known_agent = rows["agent"] > 0
    values = {k: rows[k] for k in ("is_inbound", "is_outbound", "mood", "has_mood")}
    values |= {"gap": gap, "has_gap": following(rows["customer"]), "is_change": np.zeros(len(gap), dtype=np.int64)}
    customer, agent = rows["customer"][known_agent], rows["agent"][known_agent]
    changed = (following(customer) > 0) & np.r_[False, agent[1:] != agent[:-1]][: len(agent)]
    values["is_change"][np.flatnonzero(known_agent)[changed]] = 1
    return {"contacts": Ledger(customer=rows["customer"], day=rows["day"], values=values)}


def _contract_ledgers(rows: Rows) -> Mapping[str, Ledger]:
    """``contracts`` by the day they begin."""
    values = {"recurring": rows["recurring"], "ends": rows["ends"]}
    return {"contracts": Ledger(customer=rows["customer"], day=rows["day"], values=values)}


_LEDGERS = {
    "orders": _booking_ledgers,
    "complaints": _complaint_ledgers,
    "contacts": _contact_ledgers,
    "contracts": _contract_ledgers,
}


def following(customer: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 where the row before belongs to the same customer, else 0."""
    repeats: NDArray[np.int64] = np.r_[0, customer[1:] == customer[:-1]][: len(customer)].astype(np.int64)
    return repeats


def gaps(customer: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days since the customer's row before; 0 on the first."""
    gap: NDArray[np.int64] = following(customer) * np.r_[0, day[1:] - day[:-1]][: len(day)].astype(np.int64)
    return gap


def running_most(customer: NDArray[np.int64], value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Largest ``value`` of the customer so far (values are not negative)."""
    lift = customer * (int(value.max(initial=0)) + 1)
    most: NDArray[np.int64] = np.maximum.accumulate(value + lift) - lift
    return most
