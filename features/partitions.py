"""The history in parts: ranges of customers that are worked on one after another, so that memory stays bounded.

The tables are streamed once; every row goes to the part of its customer. One part stays in memory; several lie in a
temporary folder, each read when its turn comes. Which customers share a part changes no feature.
"""

# ruff: noqa: S608 - the SQL is put together from the constants of the readings

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue, catalogue
from features.history import History
from features.intake import Tables
from features.ledgers import READINGS
from features.ledgers.rows import Lazy, Reading, Rows, Whole
from features.shelf import Shelf

ROWS_PER_PART = 400_000
"""Orders and contracts that one part holds at most (one customer's are never divided)."""

_ROWS_PER_CUSTOMER = 20
_BATCH = 500_000
_KEYS = ("customer", "day", "known")


def in_one_part(tables: Tables, features: Catalogue | None = None) -> History:
    """Return the whole history as one part, in memory."""
    whole: History = Partitions(tables, rows_per_part=None, features=features)[0]
    return whole


class Partitions(Sequence[History]):
    """The history of a company in ranges of customers, in the order of their ids; each is made when it is asked for.

    Parameters
    ----------
    tables : Tables
        Rows that were accepted; not needed any more afterwards.
    rows_per_part : int or None
        About how many orders and contracts a part may hold; a customer counts as some more, for his features. None:
        everything is one part, kept in memory.
    features : Catalogue, optional
        The features to be read from it; without it ours.
    """

    def __init__(self, tables: Tables, *, rows_per_part: int | None = ROWS_PER_PART, features: Catalogue | None = None):
        self._features = catalogue() if features is None else features
        customers = tables.customers
        self.customer_ids: NDArray[np.object_] = customers["customer_id"].to_numpy(zero_copy_only=False)
        self.columns = {name: frozenset(tables.mapped(name)) for name in tables.names}
        self._edges = _edges(customers["rows"].to_numpy() + _ROWS_PER_CUSTOMER, rows_per_part)
        self._shelves = [Shelf(path) for path in self._paths()]
        for table in tables.names:
            if table in READINGS:
                self._read(tables, READINGS[table])
        for shelf in self._shelves:
            shelf.finish()

    def __len__(self) -> int:
        return len(self._edges) - 1

    def __getitem__(self, number: Any) -> Any:
        """Return one part, read and sorted anew."""
        shelf, rows = self._shelves[number], dict[str, Rows]()
        for table in shelf.tables:
            rows |= _completed(READINGS[table], shelf.rows(table))
        ids = self.customer_ids[self._edges[number] : self._edges[number + 1]]
        return History(customer_ids=ids, rows=rows, columns=self.columns, catalogue=self._features)

    def close(self) -> None:
        """Remove the temporary files; parts can no longer be asked for."""
        for shelf in self._shelves:
            shelf.finish()
        self._release()

    def __enter__(self) -> Partitions:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _paths(self) -> list[Path | None]:
        """Where the parts lie: one in memory, several in a folder that goes when this object does."""
        folder = None if len(self) == 1 else Path(tempfile.mkdtemp(prefix="treue_parts_"))
        self._release = weakref.finalize(self, _remove, folder)
        if folder is None:
            return [None]
        return [folder / f"part_{number}" for number in range(len(self))]

    def _read(self, tables: Tables, reading: Reading) -> None:
        names = _names(reading, self.columns[reading.table])
        for shelf in self._shelves:
            shelf.begin(reading.table, names)
        with ThreadPoolExecutor(1) as writer:  # writes one batch while the next is read
            written: Future[None] | None = None
            for batch in tables.batches(_sql(reading, names), rows=_BATCH):
                columns = [batch.column(name).to_numpy() for name in names]
                if written is not None:
                    written.result()
                written = writer.submit(self._put_away, reading.table, columns)
            if written is not None:
                written.result()

    def _put_away(self, table: str, columns: Sequence[Whole]) -> None:
        for number, own in _by_part(columns, self._edges):
            self._shelves[number].add(table, [own[0] - self._edges[number].astype(own[0].dtype), *own[1:]])


def _remove(folder: Path | None) -> None:
    if folder is not None:
        rmtree(folder, ignore_errors=True)


def _edges(rows: NDArray[np.int64], rows_per_part: int | None) -> NDArray[np.int64]:
    """First customer of every part, and the number of customers; parts hold about the same number of rows."""
    count = 1 if rows_per_part is None else max(1, -(-int(rows.sum()) // rows_per_part))
    if count == 1 or not len(rows):
        return np.array([0, len(rows)])
    wanted = np.arange(1, count) * (rows.sum() / count)
    inner = np.searchsorted(np.cumsum(rows), wanted, side="left") + 1
    return np.unique(np.r_[0, np.minimum(inner, len(rows)), len(rows)])


def _by_part(columns: Sequence[Whole], edges: NDArray[np.int64]) -> Iterator[tuple[int, Sequence[Whole]]]:
    """Yield each part that occurs among the customers (first column) with its rows, in the order they came."""
    if len(edges) == 2:
        yield 0, columns
        return
    part = (np.searchsorted(edges, columns[0], side="right") - 1).astype(np.uint16)
    order = np.argsort(part, kind="stable")
    ordered = [column[order] for column in columns]
    found, starts = np.unique(part[order], return_index=True)
    for number, start, end in zip(found, starts, [*starts[1:], len(part)], strict=True):
        yield int(number), [column[start:end] for column in ordered]


def _names(reading: Reading, columns: frozenset[str]) -> tuple[str, ...]:
    there = (number.name for number in reading.numbers if not number.needs or number.needs in columns)
    return (*_KEYS, *there)


def _sql(reading: Reading, names: Sequence[str]) -> str:
    numbers = {number.name: number.sql for number in reading.numbers}
    epoch = "DATE '1970-01-01'"
    days = {"day": reading.day, "known": "known_at"}
    numbers |= {"customer": "code::INTEGER"} | {name: f"({each} - {epoch})::INTEGER" for name, each in days.items()}
    selected = ", ".join(f'{numbers[name]} AS "{name}"' for name in names)
    return f"SELECT {selected} FROM {reading.table} JOIN customer_codes USING (customer_id)"


def _completed(reading: Reading, rows: Rows) -> Mapping[str, Rows]:
    """Return the rows with what absent columns say, in order and prepared."""

    def column(name: str, absent: int) -> Callable[[], NDArray[np.int64]]:
        return lambda: rows[name] if name in rows else np.full(len(rows["day"]), absent, dtype=np.int64)

    absents = dict.fromkeys(_KEYS, 0) | {number.name: number.absent for number in reading.numbers}
    return reading.in_order(Lazy({name: column(name, absent) for name, absent in absents.items()}))
