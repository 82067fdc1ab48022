"""Rows of one table in whole numbers, and the small steps from rows to ledgers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.kernels import order_of
from features.ledger import DAYS_SPAN, Ledger

Whole = NDArray[np.int64]
Rows = Mapping[str, Whole]
"""Columns of one table, all int64, sorted by customer and day: customer, day, known and what the ledgers need."""

History = Mapping[str, Rows]
"""The rows of all tables that are there, by table: what a ledger is made from."""

NEVER = 1 << 20
"""Day number (the year 4840) for what has not happened; SQL says it as ``1 << 20``."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A whole number read from every row of a table.

    Attributes
    ----------
    name : str
        Its column in `Rows`.
    sql : str
        DuckDB expression over the canonical columns of the table; never NULL.
    needs : str
        The optional column of the contract it reads; without it every row says ``absent``.
    absent : int
        What it is where the column is not there.
    """

    name: str
    sql: str
    needs: str = ""
    absent: int = 0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read of one table, and the ledgers made from it.

    Attributes
    ----------
    table : str
        Table of the contract.
    day : str
        The column that says on which day a row happened.
    numbers : tuple of Number
        What is read besides customer, day and known.
    ledgers : mapping of ledger name to maker
        Makers take the rows of all tables; each is called once, when its ledger is first asked for.
    ties : tuple of str
        The numbers that order rows of one customer and day; empty: all of them, so that the order is total.
    prepared : callable, optional
        Makes rows of other grains from those read (bookings from lines); gives them by name, sorted like those read.
    """

    table: str
    numbers: tuple[Number, ...]
    ledgers: Mapping[str, Callable[[History], Ledger]]
    day: str = "occurred_on"
    ties: tuple[str, ...] = ()
    prepared: Callable[[Rows], History] | None = None

    def in_order(self, rows: Rows) -> History:
        """Return rows as read in the one total order, prepared, by name."""
        ties = self.ties or tuple(number.name for number in self.numbers)
        ordered = in_order(rows, ties=(*ties, "known"))
        return self.prepared(ordered) if self.prepared else {self.table: ordered}


def code_of(column: str) -> str:
    """SQL of a whole number that stands for a text, 0 where it is empty; good for equality only."""
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 + (hash({column}) >> 2)::BIGINT END"


def lasting_code_of(text: str) -> str:
    """SQL of a whole number below 2**52 that stands for a text in every version of DuckDB, 0 where it is empty.

    Such a number may be kept, and is exact as a float.
    """
    return f"CASE WHEN coalesce({text}, '') = '' THEN 0 ELSE 1 + (md5_number_lower({text}) >> 13)::BIGINT END"


def in_order(rows: Rows, *, ties: tuple[str, ...]) -> Rows:
    """Return the rows sorted by customer and day, and among those by ``ties``."""
    customer, day = rows["customer"], rows["day"]
    order = order_of(customer, day)
    if len(order) < len(day):
        order = np.lexsort((day, customer))
    key = (customer * DAYS_SPAN + day)[order]
    same = key[1:] == key[:-1]
    if same.any():
        tied = np.flatnonzero(np.r_[False, same] | np.r_[same, False])
        among = order[tied]
        order[tied] = among[np.lexsort((*(rows[tie][among] for tie in ties[::-1]), key[tied]))]
    return picked(rows, order)


class Lazy(Mapping[str, Whole]):
    """Columns that are made when they are first asked for, and kept."""

    def __init__(self, makers: Mapping[str, Callable[[], Whole]]):
        self._makers = makers
        self._made: dict[str, Whole] = {}

    def __getitem__(self, name: str) -> Whole:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def following(customer: Whole) -> Whole:
    """1 where the row before belongs to the same customer, else 0."""
    repeats: Whole = np.r_[0, customer[1:] == customer[:-1]][: len(customer)].astype(np.int64)
    return repeats


def gaps(customer: Whole, day: Whole) -> Whole:
    """Days since the customer's row before; 0 on the first."""
    gap: Whole = following(customer) * np.r_[0, day[1:] - day[:-1]][: len(day)].astype(np.int64)
    return gap


def running_most(customer: Whole, value: Whole) -> Whole:
    """Largest ``value`` of the customer so far (values are not negative)."""
    lift = customer * (int(value.max(initial=0)) + 1)
    most: Whole = np.maximum.accumulate(value + lift) - lift
    return most


def day_before(customer: Whole, thing: Whole, day: Whole) -> Whole:
    """Day on which the same customer had the same thing before; before all history for a first time.

    Rows come sorted by customer and day. Where the thing is not known (0) the day is `NEVER`.
    """
    order = np.lexsort((thing, customer))
    again = np.zeros(len(day), dtype=bool)
    again[1:] = (customer[order][1:] == customer[order][:-1]) & (thing[order][1:] == thing[order][:-1])
    before: Whole = np.full(len(day), -NEVER, dtype=np.int64)
    before[order[again]] = day[order[np.flatnonzero(again) - 1]]
    before[thing == 0] = NEVER
    return before


def flags(condition: NDArray[np.bool_]) -> Whole:
    """1 where the condition holds, else 0."""
    return condition.astype(np.int64)


def picked(rows: Rows, chosen: NDArray[np.bool_] | Whole) -> Rows:
    """Return the chosen rows, in their order."""

    def column(name: str) -> Callable[[], Whole]:
        return lambda: rows[name][chosen]

    return Lazy({name: column(name) for name in rows})


def by_day(rows: Rows, day: Whole) -> Rows:
    """Return the rows sorted by customer and another ``day``, which takes the place of their own."""
    order = np.lexsort((day, rows["customer"]))
    return picked({**rows, "day": day}, order)


def starts_of(*keys: Whole) -> Whole:
    """Positions at which a new group of equal keys begins; equal rows must be neighbours."""
    changed = np.ones(len(keys[0]), dtype=bool)
    changed[1:] = False
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def added_up(values: Whole, starts: Whole) -> Whole:
    """Sum of ``values`` in each group that begins at ``starts``."""
    return values if len(starts) == len(values) else np.add.reduceat(values, starts)


def is_distinct(values: Whole) -> bool:
    """Whether no value occurs twice."""
    ordered = np.sort(values)
    return not (ordered[1:] == ordered[:-1]).any()
