"""A made-up company of any size, written as Parquet files that fit the contract of input.

Four years of orders, complaints and contacts. Rates are skewed, a quarter of the customers buys regularly, a third
stops for good, nobody buys on Sundays, and one row in a hundred is recorded 1 to 60 days late. Rows lie in the order
in which a merchandise system would have recorded them: roughly by time, not by customer.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

Ints = NDArray[np.int64]
FIRST_DAY = date(2021, 1, 1)
DAYS = 1461
"""Days of history; the last cutoff is the first day after them."""
PERIODS = 52
ROW_GROUP = 1_000_000
LATE_SHARE = 0.01
VERSION = 1
"""Part of the cache's name: raise it when what is written changes."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many rows of orders and how many customers."""

    orders: int
    customers: int


SIZES = {
    "tiny": Size(orders=6_000, customers=200),
    "small": Size(orders=300_000, customers=10_000),
    "million": Size(orders=1_000_000, customers=40_000),
    "full": Size(orders=10_000_000, customers=200_000),
    "huge": Size(orders=50_000_000, customers=1_000_000),
}
SHARES = {"orders": 1.0, "complaints": 0.02, "contacts": 0.2}
"""Rows of each table per order."""


def company(size: str, *, seed: int = 7) -> Path:
    """Return the folder with the company's Parquet files; they are written once and kept among temporary files."""
    folder = Path(tempfile.gettempdir()) / "treue-benchmarks" / f"company-{size}-seed{seed}-v{VERSION}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
        write(unfinished, SIZES[size], seed=seed)
        try:
            unfinished.rename(folder)
        except OSError:  # somebody else was faster
            shutil.rmtree(unfinished)
    return folder


def cutoffs(count: int) -> list[date]:
    """Return ``count`` cutoffs 28 days apart, oldest first; the last is the first day after the data."""
    last = FIRST_DAY + timedelta(days=DAYS)
    return [last - timedelta(days=28 * back) for back in reversed(range(count))]


def write(folder: Path, size: Size, *, seed: int) -> None:
    """Write ``orders``, ``complaints`` and ``contacts``; the same seed gives the same rows."""
    people = _people(size, np.random.default_rng(seed))
    for stream, (name, share) in enumerate(SHARES.items(), start=1):
        draw = np.random.default_rng([seed, stream])
        rows = max(round(size.orders * share), PERIODS)
        _write_table(folder / f"{name}.parquet", _periods(people, rows, draw, name=name))


def _write_table(path: Path, periods: Iterator[pa.Table]) -> None:
    """Write the periods in row groups of about a million rows."""
    held: list[pa.Table] = []
    writer: pq.ParquetWriter | None = None
    for table in periods:
        writer = writer or pq.ParquetWriter(path, table.schema)
        held.append(table)
        if sum(map(len, held)) >= ROW_GROUP:
            writer.write_table(pa.concat_tables(held), row_group_size=2 * ROW_GROUP)
            held = []
    if writer is not None:
        if held:
            writer.write_table(pa.concat_tables(held), row_group_size=2 * ROW_GROUP)
        writer.close()


# --- Who buys when --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class People:
    """The customers: ids, first and last day (exclusive), orders per day, regularity and usual amount."""

    ids: pa.Array
    first: Ints
    end: Ints
    rate: NDArray[np.float64]
    is_regular: NDArray[np.bool_]
    level: NDArray[np.float64]


def _people(size: Size, draw: np.random.Generator) -> People:
    n = size.customers
    first = np.where(draw.random(n) < 0.6, 0, draw.integers(0, DAYS - 30, n))
    stops = draw.random(n) < 0.35
    end = np.where(stops, first + 1 + (draw.random(n) * (DAYS - first - 1)).astype(np.int64), DAYS)
    rate = draw.lognormal(0, 1.2, n)
    rate *= size.orders / (rate * (end - first)).sum()
    return People(
        ids=_numbered("C", np.arange(n), width=7),
        first=first,
        end=end,
        rate=rate,
        is_regular=draw.random(n) < 0.25,
        level=draw.lognormal(4.5, 0.7, n),
    )


def _periods(people: People, rows: int, draw: np.random.Generator, *, name: str) -> Iterator[pa.Table]:
    """Yield the rows of a table, period by period, in the order in which they were recorded."""
    edges = np.linspace(0, DAYS, PERIODS + 1).astype(np.int64)
    season = 1 + 0.25 * np.cos(2 * math.pi * (edges[1:] - 330) / 365.25)
    weight = np.array([_weights(people, *edge).sum() for edge in pairwise(edges)]) * season
    ends = np.round(np.cumsum(weight) / weight.sum() * rows).astype(np.int64)
    for period, (begin, end) in enumerate(pairwise(np.r_[0, ends])):
        low, high = edges[period], edges[period + 1]
        customer, day = _events(people, low, high, int(end - begin), draw, share=SHARES[name])
        late = draw.random(len(day)) < LATE_SHARE
        known = day + np.where(late, draw.integers(1, 61, len(day)), 0)
        recorded = np.argsort(known, kind="stable")
        customer, day, known = customer[recorded], day[recorded], known[recorded]
        columns = {
            f"{name[:-1]}_id": _numbered(name[0].upper(), np.arange(begin, end), width=9),
            "customer_id": people.ids.take(pa.array(customer)),
            "occurred_on": _dates(day),
            **_DETAILS[name](people, customer, day, draw),
            "known_at": _dates(known),
        }
        yield pa.table(columns)


def _weights(people: People, low: int, high: int) -> NDArray[np.float64]:
    """Orders to be expected of each customer in ``[low, high)``."""
    days = np.minimum(people.end, high) - np.maximum(people.first, low)
    return np.maximum(days, 0) * people.rate


def _events(
    people: People, low: int, high: int, rows: int, draw: np.random.Generator, *, share: float
) -> tuple[Ints, Ints]:
    """Return customer and day of ``rows`` events in ``[low, high)``: regular ones first, chance fills up."""
    customer, day = _regular(people, low, high, draw, share=share)
    customer, day = customer[:rows], day[:rows]
    chance = np.cumsum(np.where(people.is_regular, 0, _weights(people, low, high)))
    drawn = np.searchsorted(chance, draw.random(rows - len(day)) * chance[-1], side="right")
    begin, end = np.maximum(people.first[drawn], low), np.minimum(people.end[drawn], high)
    when = begin + (draw.random(len(drawn)) * (end - begin)).astype(np.int64)
    customer, day = np.r_[customer, drawn], np.r_[day, when]
    is_sunday = (day + FIRST_DAY.weekday()) % 7 == 6
    return customer, np.where(is_sunday & (day > 0), day - 1, day)


def _regular(people: People, low: int, high: int, draw: np.random.Generator, *, share: float) -> tuple[Ints, Ints]:
    """Return the events of the regular customers: one every so many days, give or take one."""
    gap = 1 / (people.rate * share)
    phase = people.first + gap * (np.arange(len(gap)) * 0.618 % 1)
    begin, end = np.maximum(people.first, low), np.minimum(people.end, high)
    reached = np.floor((begin - phase) / gap)
    count = np.where(people.is_regular & (end > begin), np.floor((end - phase) / gap) - reached, 0)
    count = count.astype(np.int64)
    customer = np.repeat(np.arange(len(gap)), count)
    nth = np.arange(len(customer)) - np.repeat(np.cumsum(count) - count, count) + 1
    day = np.floor(phase[customer] + (reached[customer] + nth) * gap[customer]).astype(np.int64)
    day += draw.integers(-1, 2, len(day))
    return customer, np.clip(day, begin[customer], end[customer] - 1)


# --- What the rows say ----------------------------------------------------------------------------------------------


def _order_details(people: People, customer: Ints, day: Ints, draw: np.random.Generator) -> Mapping[str, pa.Array]:
    """Amounts in cents (4 % returns, 0.3 % free of charge), margins (1 % unknown), products, dates of payment."""
    n = len(customer)
    kind = draw.random(n)
    sign = np.where(kind < 0.04, -1, np.where(kind < 0.043, 0, 1))
    amount = np.round(people.level[customer] * draw.lognormal(0, 0.6, n), 2) * sign
    product = (draw.random(n) ** 3 * 2000).astype(np.int64)
    discount = np.where(draw.random(n) < 0.7, 0, draw.integers(1, 7, n) / 20)
    return {
        "amount": pa.array(amount),
        "margin": pa.array(np.round(amount * draw.uniform(0.1, 0.45, n), 2), mask=draw.random(n) < 0.01),
        "quantity": pa.array(draw.integers(1, 13, n) * np.where(sign < 0, -1.0, 1.0)),
        "product_id": _numbered("P", np.arange(2000), width=4).take(pa.array(product)),
        "category": _numbered("K", np.arange(20), width=2).take(pa.array(product % 20)),
        "discount_share": pa.array(discount),
        "due_on": _dates(day + 30),
        "paid_on": _dates(day + draw.integers(5, 61, n), missing=draw.random(n) < 0.03),
    }


def _complaint_details(people: People, customer: Ints, day: Ints, draw: np.random.Generator) -> Mapping[str, pa.Array]:
    """Settlement after ten days on average (5 % never), severity, goodwill and satisfaction once settled."""
    n = len(customer)
    is_open = draw.random(n) < 0.05
    granted = np.round(np.where(draw.random(n) < 0.3, people.level[customer] * draw.random(n), 0), 2)
    return {
        "closed_on": _dates(day + draw.exponential(10, n).astype(np.int64), missing=is_open),
        "category": _of(["delivery", "quality", "invoice", "service"], n, draw),
        "severity": pa.array(draw.integers(1, 6, n).astype(np.float64)),
        "goodwill_amount": pa.array(granted, mask=is_open),
        "satisfied": pa.array(draw.random(n) < 0.7, mask=is_open),
    }


def _contact_details(people: People, customer: Ints, day: Ints, draw: np.random.Generator) -> Mapping[str, pa.Array]:
    """Channel, direction, agent, topic, mood (40 % not noted) and purpose."""
    n = len(customer)
    mood = np.round(np.clip(draw.normal(0.2, 0.4, n), -1, 1), 3)
    agents = _numbered("A", np.arange(200), width=3)
    return {
        "channel": _of(["visit", "phone", "email", "letter"], n, draw),
        "direction": _of(["in", "out"], n, draw),
        "agent": agents.take(pa.array((customer + (draw.random(n) < 0.1)) % 200)),
        "topic": _of(["price", "delivery", "product", "invoice", "other"], n, draw),
        "sentiment": pa.array(mood, mask=draw.random(n) < 0.4),
        "purpose": _of(["service", "sales"], n, draw),
    }


_DETAILS = {"orders": _order_details, "complaints": _complaint_details, "contacts": _contact_details}


def _of(words: list[str], n: int, draw: np.random.Generator) -> pa.Array:
    return pa.array(words).take(pa.array(draw.integers(0, len(words), n)))


def _numbered(prefix: str, numbers: Ints, *, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _dates(day: Ints, *, missing: NDArray[np.bool_] | None = None) -> pa.Array:
    since_1970 = np.datetime64(FIRST_DAY, "D").astype(np.int64)
    return pa.array((day + since_1970).astype(np.int32), mask=missing).cast(pa.date32())
