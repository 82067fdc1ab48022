"""Small random companies as plain rows: what a CRM would hold, with everything that makes time difficult.

A company is ``{table: [row, …]}``; every row is a dict with the columns of the contract. Amounts have whole cents.
Orders carry instants in UTC close to midnight, the other tables carry days. ``known_at`` may be missing (known when it
happened) or late. Nothing here knows how features are computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from features.intake import Tables, take_in_frames

Row = dict[str, Any]
Company = Mapping[str, list[Row]]

TIMEZONE = "Europe/Berlin"
FIRST, LAST = date(2022, 1, 1), date(2025, 1, 31)
ALWAYS = date(1900, 1, 1)
DIFFICULT_DAYS = tuple(
    date.fromisoformat(day)
    for day in (
        "2024-02-29 2024-02-28 2024-03-01 2022-12-31 2023-01-01 2023-12-31 2024-01-01 2024-12-31 2025-01-01"
        " 2023-03-26 2023-10-29 2024-03-30 2024-03-31 2024-04-01 2024-10-26 2024-10-27 2024-10-28"
    ).split()
)
"""Leap day, year ends, and the days on which clocks are changed in Berlin, with their neighbours."""

COLUMNS = {
    "orders": (
        "order_id", "customer_id", "occurred_on", "amount", "margin", "quantity", "product_id", "category",
        "discount_share", "due_on", "paid_on", "known_at",
    ),
    "complaints": (
        "complaint_id", "customer_id", "occurred_on", "closed_on", "category", "severity", "goodwill_amount",
        "satisfied", "known_at",
    ),
    "contacts": ("contact_id", "customer_id", "occurred_on", "channel", "direction", "agent", "sentiment", "known_at"),
    "feedback": ("customer_id", "occurred_on", "kind", "score", "known_at"),
    "contracts": (
        "customer_id", "starts_on", "ends_on", "agreed_until", "cancelled_on", "notice_days", "product",
        "recurring_amount", "known_at",
    ),
    "losses": ("customer_id", "occurred_on", "reason", "winnable", "source", "known_at"),
    "customers": (
        "customer_id", "email", "phone", "type", "industry", "size", "preferred_channel", "since", "birthday",
        "postcode", "known_at",
    ),
}  # fmt: skip


def company(random: Random, *, customers: int = 12) -> Company:
    """Return a company of so many customers; some never order, some have only contracts or only old ones."""
    tables: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    for number in range(customers):
        customer = f"K{number:03d}"
        busy = random.choice((0, 1, 2, 4, 12, 40)) if number else 12
        tables["orders"] += [row for _ in range(busy) for row in _order(random, customer)]
        tables["complaints"] += [_complaint(random, customer) for _ in range(random.choice((0, 0, 1, 3, 6)))]
        tables["contacts"] += [_contact(random, customer) for _ in range(random.choice((0, 1, 2, 6, 25)))]
        tables["feedback"] += [_answer(random, customer) for _ in range(random.choice((0, 1, 4, 15)))]
        tables["contracts"] += [_contract(random, customer) for _ in range(random.choice((0, 0, 1, 3)))]
        tables["losses"] += _losses(customer)
        tables["customers"] += [_master(random, customer) for _ in range(random.choice((0, 1, 1, 1)))]
    for name, rows in tables.items():
        own = Random("losses") if name == "losses" else random
        own.shuffle(rows)
        _number(own, name, rows)
    return tables


def new_rows(random: Random, table: str, customer: str) -> list[Row]:
    """Return one more row of ``customer``, or all lines of an order."""
    if table == "orders":
        return _order(random, customer)
    make = {
        "complaints": _complaint, "contacts": _contact, "feedback": _answer, "contracts": _contract,
        "customers": _master, "losses": _loss,
    }[table]  # fmt: skip
    rows = [make(random, customer)]
    _number(random, table, rows)
    return rows


def day_of(table: str, row: Row) -> date:
    """Return the day on which a row happened; rows of customers are there when they are known, else always."""
    if table == "customers":
        return row["known_at"] or ALWAYS
    happened = row["starts_on" if table == "contracts" else "occurred_on"]
    return local_day(happened) if isinstance(happened, datetime) else happened


def known_of(table: str, row: Row) -> date:
    """Return the day on which a row became known."""
    known: date = row["known_at"] or day_of(table, row)
    return known


def some_day(random: Random) -> date:
    """Return a day of the company's life; every third one is a difficult one."""
    if random.random() < 0.33:
        return random.choice(DIFFICULT_DAYS)
    return FIRST + timedelta(days=random.randrange((LAST - FIRST).days))


def some_cutoffs(random: Random, made: Company, *, count: int) -> list[date]:
    """Return cutoffs: any day, a difficult day, the day of an order or the day after."""
    days = [some_day(random) for _ in range(count)]
    ordered = [local_day(random.choice(made["orders"])["occurred_on"]) for _ in range(count)]
    choices = zip(days, ordered, strict=True)
    return sorted({random.choice((day, order, order + timedelta(days=1))) for day, order in choices})


def local_day(instant: datetime) -> date:
    """Return the day of an instant in the company's zone."""
    return instant.astimezone(ZoneInfo(TIMEZONE)).date()


def taken_in(made: Company, *, cutoff: date | None = None, without: frozenset[str] = frozenset()) -> Tables:
    """Take the company in as a user's frames would be; ``without`` names tables or ``table.column`` to leave out."""
    frames = {}
    for name, rows in made.items():
        columns = [each for each in COLUMNS[name] if f"{name}.{each}" not in without]
        if name not in without:
            frames[name] = pd.DataFrame(
                [{each: row.get(each) for each in columns} for row in rows], columns=columns, dtype=object
            )
    return take_in_frames(frames, cutoff=cutoff, timezone=TIMEZONE)


def _instant(random: Random, day: date) -> datetime:
    """Return an instant of ``day`` in Berlin, most of them within the two hours around midnight, in UTC."""
    hour, minute = random.choice((0, 1, 2, 3, 12, 22, 23)), random.choice((0, 30, 59))
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)


def _known(random: Random, day: date, *, late: float = 0.15) -> date | None:
    if random.random() >= late:
        return None
    return day + timedelta(days=random.choice((0, 1, 5, 40, 200)))


def _order(random: Random, customer: str) -> list[Row]:
    """One order of one to four lines: sometimes delivered in parts, recorded late, or with returns of its own."""
    day, order_id = some_day(random), f"A{random.randrange(10**9):09d}"
    rows: list[Row] = []
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        line_day = day if random.random() < 0.85 else day + timedelta(days=random.choice((-3, 1, 30)))
        cents = random.randrange(-30_000, 0) if random.random() < 0.2 else random.randrange(1, 200_000)
        rows.append(
            {
                "order_id": order_id,
                "customer_id": customer,
                "occurred_on": _instant(random, line_day),
                "amount": cents / 100,
                "margin": None if random.random() < 0.3 else round(cents * random.uniform(-0.2, 0.6)) / 100,
                **_terms(Random(f"{order_id} {len(rows)}"), line_day),
                **_article(Random(f"{customer} {order_id} {len(rows)}"), customer, cents),
                "known_at": _known(random, line_day),
            }
        )
    if random.random() < 0.1:
        return [*rows, {**random.choice(rows), "amount": -rows[0]["amount"] if rows[0]["amount"] > 0 else -1.0}]
    return rows


def _terms(random: Random, day: date) -> Row:
    """Discount and payment of a line: paid before it is due or even ordered, on the day, late, or never."""
    due = None if random.random() < 0.2 else day + timedelta(days=random.choice((0, 14, 30)))
    waited = random.choice((-40, -5, 0, 0, 1, 13, 14, 15, 60, 400, None))
    return {
        "discount_share": random.choice((None, 0.0, 0.0, 0.1, 0.155, 1 / 3, 0.999, 1.0)),
        "due_on": due,
        "paid_on": None if waited is None else (due or day) + timedelta(days=waited),
    }


def _article(random: Random, customer: str, cents: int) -> Row:
    """What a line is about: few things or many by customer; unknown ones, odd spellings, half pieces, no quantity."""
    number = random.randrange(1 + sum(customer.encode()) % 5 * 4)
    return {
        "quantity": random.choice((None, 1.0, 2.5, 12.0)) if cents > 0 else -1.0,
        "product_id": random.choice((f"P{number}", f"p{number} ", f" P{number}", None)),
        "category": None
        if random.random() < 0.2
        else random.choice(("Ölfilter", "ölfilter ", "Bohrer", "Säge"))
        if number % 3
        else "Farbe",
    }


def _complaint(random: Random, customer: str) -> Row:
    day = some_day(random)
    return {
        "customer_id": customer,
        "occurred_on": day,
        "closed_on": None if random.random() < 0.3 else day + timedelta(days=random.choice((0, 1, 7, 30, 300))),
        "category": random.choice(("Lieferung", "lieferung ", "Qualität", None)),
        "severity": None if random.random() < 0.2 else float(random.randrange(1, 6)),
        "goodwill_amount": None if random.random() < 0.5 else random.randrange(20_000) / 100,
        "satisfied": random.choice((True, False, None)),
        "known_at": _known(random, day, late=0.4),
    }


def _contact(random: Random, customer: str) -> Row:
    day = some_day(random) if random.random() < 0.7 else random.choice(DIFFICULT_DAYS[:2])
    return {
        "customer_id": customer,
        "occurred_on": day,
        "channel": random.choice(("visit", "Phone", "email", "letter", "fax", None)),
        "direction": random.choice(("in", "out", None)),
        "agent": random.choice(("Ayşe", "Bernd", "Zoë", None)),
        "sentiment": None if random.random() < 0.3 else random.randrange(-1000, 1001) / 1000,
        "known_at": _known(random, day),
    }


def _contract(random: Random, customer: str) -> Row:
    starts = some_day(random) if random.random() < 0.85 else date(1962, 5, 17) + timedelta(days=random.randrange(9000))
    ends = None if random.random() < 0.4 else starts + timedelta(days=random.choice((0, 30, 364, 729)))
    early = None if random.random() < 0.8 else starts - timedelta(days=30)
    return {
        "customer_id": customer,
        "starts_on": starts,
        "ends_on": ends,
        "agreed_until": None if random.random() < 0.3 else starts + timedelta(days=random.choice((90, 364, 729))),
        "cancelled_on": None if ends is None or random.random() < 0.5 else ends - timedelta(days=15),
        "notice_days": random.choice((None, 0, 30, 90)),
        "product": random.choice(("Wartung", "wartung", "Miete", None)),
        "recurring_amount": None if random.random() < 0.2 else random.randrange(100_000) / 100,
        "known_at": early or _known(random, starts),
    }


def _answer(random: Random, customer: str) -> Row:
    day = some_day(random) if random.random() < 0.7 else random.choice(DIFFICULT_DAYS[:2])
    kind = random.choice(("nps", "nps", "csat", "visit", None))
    score = random.randrange(0, 11) if kind == "nps" else random.choice((1, 2, 3, 4.5, 5))
    return {
        "customer_id": customer,
        "occurred_on": day,
        "kind": kind,
        "score": None if random.random() < 0.3 else float(score),
        "known_at": _known(random, day),
    }


def _losses(customer: str) -> list[Row]:
    """Some losses, from a stream of their own, so that the other tables stay what they were without them."""
    random = Random(f"losses of {customer}")
    return [_loss(random, customer) for _ in range(random.choice((0, 1, 1, 4)))]


def _loss(random: Random, customer: str) -> Row:
    day = some_day(random)
    return {
        "customer_id": customer,
        "occurred_on": day,
        "reason": random.choice(("price", "price", "delivery", "Competitor", "we moved", None)),
        "winnable": random.choice((True, False, None)),
        "source": random.choice(("interview", "inferred", None)),
        "known_at": _known(random, day, late=0.6),
    }


def _master(random: Random, customer: str) -> Row:
    """The customer's own row: known from a day on, or nobody says since when."""

    def maybe(value: Any) -> Any:
        return None if random.random() < 0.4 else value

    return {
        "customer_id": customer,
        "email": maybe("post@kunde.example"),
        "phone": maybe("0123"),
        "type": random.choice(("b2b", "b2c", None)),
        "industry": maybe(("Bau", "Handel ", "bau")[int(customer[1:]) % 3]),
        "size": maybe("10-49"),
        "preferred_channel": maybe("visit"),
        "since": maybe(some_day(random) - timedelta(days=random.choice((0, 0, 400, 9000)))),
        "birthday": maybe(date(1970, 2, 28)),
        "postcode": ("10115", "10999", "80331", "", None)[int(customer[1:]) % 5],
        "known_at": maybe(some_day(random)),
    }


def _number(random: Random, name: str, rows: list[Row]) -> None:
    """Give complaints and contacts ids in random order, so that order within a day is not that of the file."""
    key = {"complaints": "complaint_id", "contacts": "contact_id"}.get(name)
    numbers = random.sample(range(10**9), len(rows))
    for row, number in zip(rows, numbers, strict=True):
        if key:
            row[key] = f"N{number}"
