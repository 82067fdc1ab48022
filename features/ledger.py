"""Ledgers: the rows of one kind of event in customer and time order, read at any cutoff by prefix sums.

Sort once, sum once; then any window of any customer at any cutoff is the difference of two array reads.
Whole units (cents, days, counts) are int64, so that sums are exact and no order of addition can matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.errors import LeakageError
from features.kernels import count_below, differences, first_at_or_after, least_chosen

Column = NDArray[np.float64]
"""One value per snapshot; NaN where there is nothing to say."""

DAYS_SPAN = 1 << 21
"""Day numbers stay within half of this either way (to the year 4840), so customer and day make one sortable key."""


class Ledger:
    """Rows of one kind of event, sorted by customer and day.

    Parameters
    ----------
    customer : array of int, shape (n_rows,)
        Customer codes, 0 to n_customers - 1, ascending.
    day : array of int, shape (n_rows,)
        Day numbers, ascending within a customer; the day it counts from.
    values : mapping of name to array, shape (n_rows,)
        What each row carries, in whole units (cents, thousandths, days, flags): int64 only, because prefix sums of
        floats would let rows of other customers, even later ones, change the last bits of a window.
    """

    def __init__(self, *, customer: NDArray[np.int64], day: NDArray[np.int64], values: Mapping[str, NDArray[np.int64]]):
        self.customer = customer
        self.day = day
        self.values = values
        self._sums: dict[str, NDArray[np.int64]] = {}

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Rows of customer ``c`` are ``offsets[c]`` to ``offsets[c + 1] - 1``; ends with the last who has any."""
        counts = np.bincount(self.customer) if len(self.customer) else np.zeros(0, dtype=np.int64)
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])

    def sums(self, name: str) -> NDArray[np.int64]:
        """Prefix sums of ``name``, shape (n_rows + 1,): rows ``i`` to ``j - 1`` add up to ``sums[j] - sums[i]``."""
        if name not in self._sums:
            self._sums[name] = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.values[name])])
        return self._sums[name]

    def at(self, customers: NDArray[np.int64], cutoff: int) -> Past:
        """Return what the ledger knew of ``customers`` on the morning of ``cutoff``."""
        return Past(self, customers, cutoff)


class Past:
    """One ledger as it stood at one cutoff, one entry per customer asked for.

    A window of ``w`` days is ``[cutoff - w, cutoff)``: rows aged 1 to ``w`` days. Nothing here can reach a row on or
    after the cutoff.
    """

    def __init__(self, ledger: Ledger, customers: NDArray[np.int64], cutoff: int):
        self.ledger = ledger
        self.customers = customers
        self.cutoff = cutoff
        self._positions: dict[int | None, NDArray[np.int64]] = {}

    @cached_property
    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First row of each customer and the one behind its last, future ones included."""
        offsets, last = self.ledger.offsets, len(self.ledger.offsets) - 1
        return offsets[np.minimum(self.customers, last)], offsets[np.minimum(self.customers + 1, last)]

    def _position(self, age: int | None) -> NDArray[np.int64]:
        """First row of each customer that is at most ``age`` days old (None: the customer's first row)."""
        if age is not None and age < 0:
            raise LeakageError(
                f"a window must end on or before its cutoff {self.cutoff}, got one that ends {-age} days after it;"
                " let it end at least 0 days ago"
            )
        if age not in self._positions:
            self._positions[age] = self._rows[0] if age is None else self._first_on(self.cutoff - age)
        return self._positions[age]

    def _first_on(self, day: int | NDArray[np.int64]) -> NDArray[np.int64]:
        """First row of each customer on or after ``day``."""
        days = np.broadcast_to(np.asarray(day, dtype=np.int64), self.customers.shape)
        found: NDArray[np.int64] = first_at_or_after(*self._rows, self.ledger.day, np.ascontiguousarray(days))
        return found

    @property
    def end(self) -> NDArray[np.int64]:
        """Position behind the last row before the cutoff, per customer."""
        return self._position(0)

    def count(self, days: int | None = None, *, ago: int = 0) -> Column:
        """Rows inside ``[cutoff - ago - days, cutoff - ago)`` [count]; ``days=None`` reaches back to the first row."""
        return (self._position(ago) - self._start(days, ago)).astype(np.float64)

    def total(self, name: str, days: int | None = None, *, ago: int = 0) -> Column:
        """Sum of ``name`` over the rows of a window, in the unit it is stored in; 0 when there are none."""
        return differences(self.ledger.sums(name), self._start(days, ago), self._position(ago))

    def mean(self, name: str, days: int | None = None, *, of: str, ago: int = 0) -> Column:
        """Mean of ``name`` over the rows of a window whose flag ``of`` is 1; missing when there are none."""
        return divide(self.total(name, days, ago=ago), self.total(of, days, ago=ago))

    def distinct(self, previous: str, days: int) -> Column:
        """Different things among the rows of a window [count].

        ``previous`` names the day on which the same customer had the same thing before (any day before all history
        for a first time): rows for which it lies before the window are the first of their kind in it.
        """
        start = np.full(len(self.customers), self.cutoff - days, dtype=np.int64)
        found = count_below(self._position(days), self.end, self.ledger.values[previous], start)
        return np.asarray(found, dtype=np.float64)

    def count_since(self, day: Column) -> Column:
        """Rows on or after each customer's own ``day`` and before the cutoff [count]; missing where it is missing."""
        known = ~np.isnan(day)
        start = self._first_on(np.where(known, day, self.cutoff).astype(np.int64))
        return np.where(known, np.maximum(self.end - start, 0), np.nan)

    def total_since(self, name: str, day: Column) -> Column:
        """Sum of ``name`` over the rows on or after each customer's own ``day``; missing where it is missing."""
        known = ~np.isnan(day)
        start = np.minimum(self._first_on(np.where(known, day, self.cutoff).astype(np.int64)), self.end)
        sums = self.ledger.sums(name)
        return np.where(known, sums[self.end] - sums[start], np.nan)

    @cached_property
    def recency_days(self) -> Column:
        """Days since the last row before the cutoff; missing without one."""
        return self.cutoff - self.last("day")

    @cached_property
    def tenure_days(self) -> Column:
        """Days since the first row; missing without one."""
        return self.cutoff - self._pick("day", self._position(None))

    def last(self, name: str, *, back: int = 0) -> Column:
        """Value of ``name`` in the last row before the cutoff (``back`` rows earlier); missing without one."""
        return self._pick(name, self.end - 1 - back)

    def first(self, name: str, *, on: int = 0) -> Column:
        """Value of ``name`` in the customer's first row (``on`` rows later); missing without one before the cutoff."""
        return self._pick(name, self._position(None) + on)

    def least(self, name: str, chosen: NDArray[np.bool_]) -> Column:
        """Smallest ``name`` of the rows before the cutoff for which ``chosen`` (shape (n_rows,)) is true; else missing.

        ``name`` may be ``"day"``. Walks every row of the customers asked for: for small tables.
        """
        values = self.ledger.day if name == "day" else self.ledger.values[name]
        found: Column = least_chosen(self._position(None), self.end, values, chosen)
        return found

    def _start(self, days: int | None, ago: int) -> NDArray[np.int64]:
        return self._position(None if days is None else ago + days)

    def _pick(self, name: str, position: NDArray[np.int64]) -> Column:
        values = self.ledger.day if name == "day" else self.ledger.values[name]
        inside = (position >= self._position(None)) & (position < self.end)
        if not len(values):
            return np.full(len(position), np.nan)
        return np.where(inside, values[np.where(inside, position, 0)].astype(np.float64), np.nan)


def divide(above: Column, below: Column) -> Column:
    """Return ``above / below``; missing where ``below`` is 0 or missing."""
    ratio: Column = np.divide(above, below, out=np.full(len(above), np.nan), where=(below != 0) & ~np.isnan(below))
    return ratio


def log_ratio(now: Column, before: Column, *, floor: float) -> Column:
    """Return ``ln((now + floor) / (before + floor))``, 0 for no change; negative amounts count as 0.

    ``floor`` keeps a window without any order finite; missing where neither window has anything.
    """
    ratio = np.log((np.maximum(now, 0) + floor) / (np.maximum(before, 0) + floor))
    return np.where((now == 0) & (before == 0), np.nan, ratio)
