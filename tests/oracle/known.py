"""What the naive oracle knows: one customer at one cutoff as plain rows, and the small words of its features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Value = int | float | None

YEAR, QUARTER = 364, 91
ALWAYS = date(1900, 1, 1)
"""When a row that names no day was known."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was known of one customer on the morning of ``cutoff``: rows with their ``day``, oldest first.

    ``norms`` are those of the company (``naive_norms``).
    """

    cutoff: date
    bookings: Sequence[Row]
    purchases: Sequence[Row]
    lines: Sequence[Row]
    complaints: Sequence[Row]
    settlements: Sequence[Row]
    contacts: Sequence[Row]
    feedback: Sequence[Row]
    contracts: Sequence[Row]
    losses: Sequence[Row]
    customer: Row | None
    norms: Any = None

    def age(self, row: Row) -> int:
        """Return the age of a row [days]; always at least 1."""
        happened: date = row["day"]
        return (self.cutoff - happened).days


FEATURES: dict[str, Callable[[Snapshot], Value]] = {}
"""Every naive feature by its name in the catalogue."""


def naive(group: str, *windows: int) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register the decorated function under its name, once per window."""

    def register(compute: Callable[..., Value]) -> Callable[..., Value]:
        name = f"{group}__{compute.__name__.removeprefix(group + '_')}"
        if not windows:
            FEATURES[name] = compute
        for days in windows:
            FEATURES[f"{name}_{days}d"] = partial(compute, days=days)
        return compute

    return register


# --- What was known -------------------------------------------------------------------------------------------------


def snapshot_of(tables: Mapping[str, list[Row]], customer: str, cutoff: date, *, timezone: str) -> Snapshot:
    """Return what the tables hold of ``customer`` as it stood on the morning of ``cutoff``."""
    own = {
        name: [_known_row(row, cutoff, timezone=timezone) for row in rows if row["customer_id"] == customer]
        for name, rows in tables.items()
    }
    past = {name: [row for row in rows if row is not None] for name, rows in own.items()}
    bookings = _bookings(past.get("orders", []))
    complaints = sorted(past.get("complaints", []), key=lambda row: (row["day"], row["complaint_id"]))
    return Snapshot(
        cutoff=cutoff,
        bookings=bookings,
        purchases=_purchases(bookings),
        lines=past.get("orders", []),
        complaints=complaints,
        settlements=_settlements(complaints, cutoff),
        contacts=sorted(past.get("contacts", []), key=lambda row: (row["day"], row["contact_id"])),
        feedback=sorted(past.get("feedback", []), key=lambda row: row["day"]),
        contracts=sorted(past.get("contracts", []), key=lambda row: row["day"]),
        losses=sorted(past.get("losses", []), key=lambda row: row["day"]),
        customer=next(iter(past.get("customers", [])), None),
    )


def _known_row(row: Row, cutoff: date, *, timezone: str) -> Row | None:
    happened = row.get("occurred_on") or row.get("starts_on") or row["known_at"] or ALWAYS
    day = happened.astimezone(ZoneInfo(timezone)).date() if isinstance(happened, datetime) else happened
    known = row.get("known_at") or day
    return {**row, "day": day, "known": known} if known < cutoff and day < cutoff else None


def cents(amount: float) -> int:
    return round(amount * 100)


def _bookings(lines: list[Row]) -> list[Row]:
    """Lines of one order that happened and became known together are one booking; its sign is that of their sum."""
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    for line in lines:
        grouped.setdefault((line["day"], line["order_id"], line["known"]), []).append(line)
    return [
        {
            "day": day,
            "order_id": order_id,
            "known": known,
            "amount": sum(cents(line["amount"]) for line in own),
            "margin": sum(cents(line["margin"]) for line in own if line["margin"] is not None),
            "margin_base": sum(cents(line["amount"]) for line in own if line["margin"] is not None),
            "quantity": sum(Fraction(line["quantity"] or 0) for line in own),
            "lines": len(own),
            **_priced(own),
            **_billed(own),
        }
        for (day, order_id, known), own in sorted(grouped.items())
    ]


def _priced(lines: list[Row]) -> Row:
    """List price of what was sold with a known discount below 100 %, and the discount on it, in cents."""
    listed, given = 0, 0
    for line in lines:
        discount = None if line["discount_share"] is None else Fraction(round(line["discount_share"] * 1000), 1000)
        if line["amount"] > 0 and discount is not None and discount < 1:
            off = math.floor(cents(line["amount"]) * discount / (1 - discount) + Fraction(1, 2))
            listed, given = listed + cents(line["amount"]) + off, given + off
    return {"listed": listed, "given": given}


def _billed(lines: list[Row]) -> Row:
    """What is sold with a due day, due with the first of its lines; paid with the last, None while one is not."""
    sold = [line for line in lines if line["amount"] > 0 and line["due_on"] is not None]
    paid = [line["paid_on"] for line in sold]
    return {
        "billed": sum(cents(line["amount"]) for line in sold),
        "due": min((line["due_on"] for line in sold), default=None),
        "paid": None if None in paid or not paid else max(paid),
    }


def _purchases(bookings: list[Row]) -> list[Row]:
    """Of every order the positive booking that became known first (of several the earliest): the purchase itself."""
    first: dict[str, Row] = {}
    for booking in bookings:
        if booking["amount"] > 0:
            held = first.get(booking["order_id"])
            if held is None or (booking["known"], booking["day"]) < (held["known"], held["day"]):
                first[booking["order_id"]] = booking
    return sorted(first.values(), key=lambda row: row["day"])


def _settlements(complaints: list[Row], cutoff: date) -> list[Row]:
    """Complaints closed before the cutoff; their day is the one on which both could be known."""
    return [
        {**row, "opened": row["day"], "day": max(row["closed_on"], row["known"])}
        for row in complaints
        if row["closed_on"] is not None and row["closed_on"] < cutoff
    ]


# --- Small words ----------------------------------------------------------------------------------------------------


def within(snapshot: Snapshot, rows: Sequence[Row], days: int, *, ago: int = 0) -> list[Row]:
    """Return the rows aged ``ago + 1`` to ``ago + days`` days."""
    return [row for row in rows if ago + 1 <= snapshot.age(row) <= ago + days]


def total(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def money(cents: int) -> float:
    return cents / 100


def ratio(above: Fraction | float | None, below: Fraction | float | None) -> float | None:
    return None if above is None or not below else float(above / below)


def mean(values: Sequence[Any]) -> float | None:
    return float(sum(Fraction(value) for value in values) / len(values)) if values else None


def log_change(now: float, before: float, *, floor: float) -> float | None:
    if now == 0 and before == 0:
        return None
    return math.log(max(now, 0) + floor) - math.log(max(before, 0) + floor)


def distinct_days(rows: Sequence[Row]) -> list[date]:
    return sorted({row["day"] for row in rows})


def gaps(days: Sequence[date]) -> list[int]:
    return [(later - earlier).days for earlier, later in itertools.pairwise(days)]


def age_of_last(snapshot: Snapshot, rows: Sequence[Row]) -> int | None:
    return min((snapshot.age(row) for row in rows), default=None)
