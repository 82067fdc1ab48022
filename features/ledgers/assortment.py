"""Ledgers of what customers buy: one row per customer, day and thing (a product, or a category of products)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from features.kernels import bought_per_day, range_of_window, silent_things
from features.ledger import Column, Ledger, Past, divide
from features.ledgers.rows import NEVER, History, Number, Rows, Whole, code_of, flags

NUMBERS = (
    Number(name="product", sql=code_of("lower(trim(product_id))"), needs="product_id"),
    Number(name="category", sql=code_of("lower(trim(category))"), needs="category"),
)
"""What is read of the orders for it."""

REGULAR_DAYS = 3
"""Days of purchase of one thing from which it is bought regularly: two gaps make a rhythm."""

SILENT_GAPS = 2
"""A thing is silent after more than so many times its own mean gap."""


class RangeLedger(Ledger):
    """Days on which customers bought each thing, by customer and day.

    Values of each row: ``sold`` [cents]; ``before``, the day on which the customer had bought the same thing before
    (before all history for the first time); ``is_new``; ``newest``, the day of the customer's last first time so far;
    ``beside``, how many things the customer bought on that day; ``thing``, numbered within the customer.
    """

    def at(self, customers: Whole, cutoff: int) -> RangePast:
        """Return what the ledger knew of ``customers`` on the morning of ``cutoff``."""
        return RangePast(self, customers, cutoff)


class Silent(NamedTuple):
    """Things bought regularly that have been silent for longer than their own rhythm, per customer.

    ``things`` of them, ``regular`` ones in all, what the silent ones ``sold`` and what everything sold [cents].
    """

    things: Whole
    regular: Whole
    sold: Whole
    sold_in_all: Whole


class RangePast(Past):
    """What was bought, as known at one cutoff; a window is ``[cutoff - days, cutoff)`` as everywhere."""

    def __init__(self, ledger: Ledger, customers: Whole, cutoff: int):
        super().__init__(ledger, customers, cutoff)
        self._windows: dict[int, tuple[Whole, Whole]] = {}
        self._silent: dict[int, Silent] = {}

    def different(self, days: int) -> Column:
        """Different things bought inside the window [count]."""
        return self.distinct("before", days)

    def dropped(self, days: int) -> Column:
        """Things bought in the window of as many days just before the window, and not inside it [count]."""
        return self._window(days)[1].astype(np.float64)

    def largest_share(self, days: int) -> Column:
        """Share of the thing that sold most inside the window in all that was sold [share]; missing without sales."""
        return divide(self._window(days)[0].astype(np.float64), self.total("sold", days))

    def silent(self, days: int) -> Silent:
        """Return the things bought on at least `REGULAR_DAYS` days of the window and silent since (`SILENT_GAPS`)."""
        if days not in self._silent:
            found = silent_things(*self._rows_of(days), self._values, self.cutoff, REGULAR_DAYS, SILENT_GAPS)
            self._silent[days] = Silent(*found)
        return self._silent[days]

    def _window(self, days: int) -> tuple[Whole, Whole]:
        """Return what the thing that sold most inside the window sold [cents], and the things dropped."""
        if days not in self._windows:
            self._windows[days] = range_of_window(*self._rows_of(2 * days), self._values, self.cutoff - days)
        return self._windows[days]

    def _rows_of(self, days: int) -> tuple[Whole, Whole]:
        return self._position(days), self.end

    @cached_property
    def _values(self) -> tuple[Whole, Whole, Whole]:
        return self.ledger.day, self.ledger.values["thing"], self.ledger.values["sold"]


def items(lines: Rows) -> Rows:
    """Return the order lines with a positive amount whose product or category is known."""
    chosen = (lines["amount"] > 0) & ((lines["product"] != 0) | (lines["category"] != 0))
    return {name: lines[name][chosen] for name in ("customer", "day", "known", "product", "category", "amount")}


def articles(history: History) -> RangeLedger:
    """Products bought, by customer and day."""
    return range_ledger(history["items"], "product")


def categories(history: History) -> RangeLedger:
    """Categories of products bought, by customer and day."""
    return range_ledger(history["items"], "category")


def range_ledger(rows: Rows, name: str) -> RangeLedger:
    """Return the ledger of the things called ``name`` in the lines sold; those that are not known (0) are left out.

    Lines come sorted by customer and day, amounts in cents.
    """
    known = rows[name] != 0
    customer, day, thing, sold = (rows[each][known] for each in ("customer", "day", name, "amount"))
    first, number, total, before = bought_per_day(customer, day, thing, sold, -NEVER)
    customer, day = customer[first], day[first]
    is_new = before == -NEVER
    values = {
        "sold": total,
        "before": before,
        "is_new": flags(is_new),
        "newest": day[np.maximum.accumulate(np.where(is_new, np.arange(len(day)), 0))],
        "beside": _beside(customer, day),
        "thing": number,
    }
    return RangeLedger(customer=customer, day=day, values=values)


def _beside(customer: Whole, day: Whole) -> Whole:
    """Rows of the same customer and day, for each row."""
    changed = np.ones(len(day), dtype=bool)
    changed[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    group = np.cumsum(changed) - 1
    counted: Whole = np.bincount(group)[group] if len(group) else group
    return counted


LEDGERS: Mapping[str, Callable[[History], Ledger]] = {"articles": articles, "categories": categories}
"""The ledgers of what was bought, by name."""
