"""Remarks on the tables taken in: what is missing and what that costs, refusals, orphans, repeated lines."""

# ruff: noqa: S608 - names are quoted, texts escaped, configured expressions parsed and restricted

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from features.coercion import quoted
from features.contract import TABLES

if TYPE_CHECKING:
    from features.intake import Tables

COST = {
    "customers": "no names, owners, types or consent: lists cannot say who acts nor through which allowed channel,"
    " and nobody may be called or e-mailed; no features from how long and how well a customer is known",
    "complaints": "no features or reasons from complaints (number, open, handling)",
    "contacts": "no features or reasons from contacts (frequency, silence, mood, contact person), nor from how fast"
    " complaints are answered",
    "feedback": "no features or reasons from feedback (NPS, CSAT, visits)",
    "contracts": "no features or reasons from contracts, and the definition `contract` cannot be used",
    "losses": "no check of the reasons against what lost customers said; win-back knows neither told reasons nor who is"
    " said to be winnable",
    "treatments": "no measured effects: measures are ranked by assumed effects",
}
"""Per optional table: what falls away without it."""

COLUMN_COST = {
    ("orders", "margin"): "value uses the assumed margin share instead of booked margins; no margin features",
    ("orders", "paid_on"): "no features or reasons from payment behaviour",
    ("complaints", "closed_on"): "every complaint counts as open; no features from complaint handling",
    ("contacts", "sentiment"): "no features or reasons from mood",
    ("contacts", "agent"): "no features or reasons from changes of the contact person",
    ("contacts", "direction"): "inbound and outbound contacts cannot be told apart, nor complaints be seen as answered",
    ("contacts", "channel"): "visits, calls and letters cannot be told apart",
    ("customers", "type"): "every customer is treated as a consumer where consent matters",
    ("customers", "owner"): "lists cannot be split by account manager",
    ("customers", "known_at"): "nobody can tell since when facts about customers stand there, so how many are filled"
    " in is no feature",
}
"""Per optional column: what falls away without it, where its table is there."""

MUCH_REFUSED = 0.1
"""Share of refused rows from which a note says so."""


def notes_on(tables: Tables) -> tuple[str, ...]:
    """Return the remarks, the costliest first."""
    missing = missing_from({name: tables.mapped(name) for name in tables.names})
    return (*_refused(tables), *missing, *_orphans(tables), *_repeated_lines(tables))


def missing_from(columns: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return what is missing and what that costs; ``columns`` names those of each table that is there."""
    tables = (f"table {name} is missing: {cost}" for name, cost in COST.items() if name not in columns)
    names = (
        f"column {name}.{column} is missing: {cost}"
        for (name, column), cost in COLUMN_COST.items()
        if name in columns and column not in columns[name]
    )
    return (*tables, *names)


def _refused(tables: Tables) -> list[str]:
    return [
        f"{each.table}: {each.quarantined} of {each.read} rows were refused"
        f" ({each.quarantined / each.read:.0%}), {_commonest(tables, each.table)}; see quarantine/{each.table}.parquet"
        for each in tables.balances
        if each.read and each.quarantined > MUCH_REFUSED * each.read
    ]


def _commonest(tables: Tables, name: str) -> str:
    found = tables.query(
        f'select rule, "column", count(*) as n from {quoted("quarantine_" + name)}'
        " group by all order by n desc, rule, 2 limit 1"
    ).to_pylist()[0]
    return f"most by `{found['rule']}`" + (f" in {found['column']}" if found["column"] else "")


def _orphans(tables: Tables) -> list[str]:
    if not tables.has("customers"):
        return []
    notes = []
    for name in (each for each in TABLES if each != "customers" and tables.has(each)):
        found = tables.query(
            f"select count(*) as n, count(distinct customer_id) as who from {quoted(name)}"
            " where customer_id not in (select customer_id from customers)"
        ).to_pylist()[0]
        if found["n"]:
            notes.append(f"{name}: {found['n']} rows of {found['who']} customers who are not in customers; kept")
    return notes


def _repeated_lines(tables: Tables) -> list[str]:
    columns = ", ".join(quoted(each) for each in tables.columns("orders"))
    found = tables.query(f"select count(*) - count(distinct hash({columns})) as n from orders")["n"][0].as_py()
    return [f"orders: {found} rows are exactly like another one; kept, as order lines may repeat"] if found else []
