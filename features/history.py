"""The history of every customer as sorted arrays, and what of it could be seen on a given morning.

Rows lie in one total order. A row that became known later than it happened (``known > day``) is left out of every
cutoff on or before the day it became known. Such rows are few: the ledgers hold all rows, and the customers to whom a
row was not known yet get small ledgers of their own, made from what was known; so gaps, changes and "first of its
order" are those that could be seen, and everybody else is read at full speed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue, catalogue
from features.intake import Tables
from features.ledger import Column
from features.ledgers import Ledgers
from features.ledgers.rows import NEVER, Rows, picked
from features.pairs import ranges

__all__ = ["NEVER", "History", "Rows", "Seen", "load_history"]


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
    catalogue : Catalogue
        The features that are read from it; without it ours.
    """

    customer_ids: NDArray[np.object_]
    rows: Mapping[str, Rows]
    columns: Mapping[str, frozenset[str]]
    catalogue: Catalogue = field(default_factory=catalogue)

    @cached_property
    def ledgers(self) -> Ledgers:
        """The ledgers by name, made when first asked for; those of missing tables are absent."""
        return Ledgers(self.rows)

    def known_before(self, cutoff: int) -> History:
        """Return the history without the rows that became known on or after ``cutoff`` (itself when there are none)."""
        late = {name: (rows["known"] >= cutoff) & (rows["day"] < cutoff) for name, rows in self.rows.items()}
        if not any(mask.any() for mask in late.values()):
            return self
        return replace(self, rows={name: picked(rows, ~late[name]) for name, rows in self.rows.items()})

    def at(self, cutoff: int) -> Seen:
        """Return what could be seen on the morning of ``cutoff``."""
        return Seen(self, cutoff)

    @cached_property
    def _recorded_late(self) -> Mapping[str, Rows]:
        """Customer, day and day of knowledge of the rows that became known after they happened."""
        late = {name: np.flatnonzero(rows["known"] > rows["day"]) for name, rows in self.rows.items()}
        keys = ("customer", "day", "known")
        return {name: {key: self.rows[name][key][chosen] for key in keys} for name, chosen in late.items()}

    def surprised(self, cutoff: int) -> NDArray[np.int64]:
        """Return the codes of customers with a row that had happened by ``cutoff`` but was not known, ascending."""
        codes = [
            rows["customer"][(rows["known"] >= cutoff) & (rows["day"] < cutoff)]
            for rows in self._recorded_late.values()
        ]
        return np.unique(np.concatenate(codes)) if codes else np.zeros(0, dtype=np.int64)

    def of(self, codes: NDArray[np.int64]) -> History:
        """Return the history of some customers (codes ascending); codes stay what they are."""
        return replace(self, rows={name: picked(rows, _rows_of(rows, codes)) for name, rows in self.rows.items()})


class Seen:
    """What a history shows on one morning: itself, and for customers with rows not known yet a small one of theirs."""

    def __init__(self, history: History, cutoff: int):
        self.history = history
        self.cutoff = cutoff

    @cached_property
    def surprised(self) -> NDArray[np.int64]:
        """Codes of the customers who have a row that was not known yet, ascending."""
        return self.history.surprised(self.cutoff)

    @cached_property
    def _theirs(self) -> History:
        return self.history.of(self.surprised).known_before(self.cutoff)

    def columns(
        self, customers: NDArray[np.int64], compute: Callable[[History, NDArray[np.int64]], Sequence[Column]]
    ) -> list[Column]:
        """Return the columns that ``compute(history, customers)`` gives, each customer's from the history they show."""
        theirs = np.isin(customers, self.surprised, assume_unique=True)
        if not theirs.any():
            return list(compute(self.history, customers))
        plain = compute(self.history, customers[~theirs])
        own = compute(self._theirs, customers[theirs])
        return [_woven(theirs, one, other) for one, other in zip(plain, own, strict=True)]

    def column(self, customers: NDArray[np.int64], compute: Callable[[History, NDArray[np.int64]], Column]) -> Column:
        """Return the one column that ``compute(history, customers)`` gives."""
        return self.columns(customers, lambda history, asked: [compute(history, asked)])[0]


def _woven(theirs: NDArray[np.bool_], plain: Column, own: Column) -> Column:
    woven: Column = np.empty(len(theirs), dtype=plain.dtype)
    woven[~theirs], woven[theirs] = plain, own
    return woven


def _rows_of(rows: Rows, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    start, end = (np.searchsorted(rows["customer"], codes, side=side) for side in ("left", "right"))
    return ranges(start, end)[0]


def load_history(tables: Tables, features: Catalogue | None = None) -> History:
    """Load the accepted rows of the tables that features read, numbered by customer and sorted, into memory."""
    from features.partitions import in_one_part

    return in_one_part(tables, features)
