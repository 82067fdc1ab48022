"""The history in parts: ranges of customers that are worked on one after another, so that memory stays bounded.

The tables are streamed once; every row goes to the part of its customer. One part stays in memory; several lie in a
temporary folder, each read when its turn comes. Which customers share a part changes no feature.
"""

# ruff: noqa: S608 - the SQL is put together from the constants of the readings

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.intake import Tables
from features.ledgers import READINGS
from features.ledgers.rows import Reading, Rows

ROWS_PER_PART = 500_000
"""Orders and contracts that one part holds at most (one customer's are never divided)."""

_BATCH = 500_000
_KEYS = ("customer", "day", "known")


def in_one_part(tables: Tables) -> History:
    """Return the whole history as one part, in memory."""
    return next(iter(Partitions(tables, rows_per_part=None)))


class Partitions:
    """The history of a company in ranges of customers, in the order of their ids; can be gone through repeatedly.

    Parameters
    ----------
    tables : Tables
        Rows that were accepted; not needed any more afterwards.
    rows_per_part : int or None
        Most orders and contracts of one part; None: everything is one part, kept in memory.
    """

    def __init__(self, tables: Tables, *, rows_per_part: int | None = ROWS_PER_PART):
        customers = tables.customers
        self.customer_ids: NDArray[np.object_] = customers["customer_id"].to_numpy(zero_copy_only=False)
        self.columns = {name: frozenset(tables.columns(name)) for name in tables.names}
        self._edges = _edges(customers["rows"].to_numpy(), rows_per_part)
        self._folder = tempfile.TemporaryDirectory(prefix="treue_parts_") if len(self) > 1 else None
        self._shelves = [
            _Shelf(None if self._folder is None else Path(self._folder.name) / f"part_{n}") for n in range(len(self))
        ]
        self._whole: History | None = None
        for table in tables.names:
            if table in READINGS:
                self._read(tables, READINGS[table])
        for shelf in self._shelves:
            shelf.finish()

    def __len__(self) -> int:
        return len(self._edges) - 1

    def __iter__(self) -> Iterator[History]:
        for number in range(len(self)):
            yield self._part(number)

    def _read(self, tables: Tables, reading: Reading) -> None:
        names = _names(reading, self.columns[reading.table])
        for shelf in self._shelves:
            shelf.begin(reading.table, names)
        for batch in tables.batches(_sql(reading, names), rows=_BATCH):
            columns = [batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64) for name in names]
            for number, chosen in _by_part(columns[0], self._edges):
                own = [column[chosen] for column in columns]
                self._shelves[number].add(reading.table, [own[0] - self._edges[number], *own[1:]])

    def _part(self, number: int) -> History:
        if self._whole is not None:
            return self._whole
        shelf, rows = self._shelves[number], dict[str, Rows]()
        for table in shelf.tables:
            rows |= _completed(READINGS[table], shelf.rows(table))
        ids = self.customer_ids[self._edges[number] : self._edges[number + 1]]
        part = History(customer_ids=ids, rows=rows, columns=self.columns)
        self._whole = part if len(self) == 1 else None
        return part


def _edges(rows: NDArray[np.int64], rows_per_part: int | None) -> NDArray[np.int64]:
    """First customer of every part, and the number of customers; parts hold about the same number of rows."""
    count = 1 if rows_per_part is None else max(1, -(-int(rows.sum()) // rows_per_part))
    if count == 1 or not len(rows):
        return np.array([0, len(rows)])
    wanted = np.arange(1, count) * (rows.sum() / count)
    inner = np.searchsorted(np.cumsum(rows), wanted, side="left") + 1
    return np.unique(np.r_[0, np.minimum(inner, len(rows)), len(rows)])


def _by_part(customer: NDArray[np.int64], edges: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64] | slice]]:
    """Yield each part that occurs among the customers, and where; the order of the rows within it stays."""
    if len(edges) == 2:
        yield 0, slice(None)
        return
    part = (np.searchsorted(edges, customer, side="right") - 1).astype(np.uint16)
    order = np.argsort(part, kind="stable")
    found, starts = np.unique(part[order], return_index=True)
    for number, chosen in zip(found, np.split(order, starts[1:]), strict=True):
        yield int(number), chosen


def _names(reading: Reading, columns: frozenset[str]) -> tuple[str, ...]:
    there = (number.name for number in reading.numbers if not number.needs or number.needs in columns)
    return (*_KEYS, *there)


def _sql(reading: Reading, names: Sequence[str]) -> str:
    numbers = {number.name: number.sql for number in reading.numbers}
    epoch = "DATE '1970-01-01'"
    numbers |= {"customer": "code", "day": f"{reading.day} - {epoch}", "known": f"known_at - {epoch}"}
    selected = ", ".join(f'{numbers[name]} AS "{name}"' for name in names)
    return f"SELECT {selected} FROM {reading.table} JOIN customer_codes USING (customer_id)"


def _completed(reading: Reading, rows: Rows) -> Mapping[str, Rows]:
    """Return the rows with what absent columns say, in order and prepared."""
    count = len(rows["day"])
    absent = {n.name: np.full(count, n.absent, dtype=np.int64) for n in reading.numbers if n.name not in rows}
    return reading.in_order({**rows, **absent})


@dataclass
class _Shelf:
    """The rows of one part, table by table: in memory, or in one file when there is a path."""

    path: Path | None
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _chunks: dict[str, list[list[NDArray[np.int64]] | tuple[int, int]]] = field(default_factory=dict)
    _file: IO[bytes] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self.names)

    def begin(self, table: str, names: tuple[str, ...]) -> None:
        self.names[table], self._chunks[table] = names, []

    def add(self, table: str, columns: list[NDArray[np.int64]]) -> None:
        if self.path is None:
            self._chunks[table].append(columns)
            return
        if self._file is None:
            self._file = self.path.open("wb")
        self._chunks[table].append((self._file.tell(), len(columns[0])))
        for column in columns:
            column.tofile(self._file)

    def finish(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def rows(self, table: str) -> Rows:
        chunks = [self._chunk(table, chunk) for chunk in self._chunks[table]]
        empty = [np.zeros(0, dtype=np.int64)]
        columns = zip(*chunks, strict=True) if chunks else (empty for _ in self.names[table])
        return {name: np.concatenate(parts) for name, parts in zip(self.names[table], columns, strict=True)}

    def _chunk(self, table: str, chunk: list[NDArray[np.int64]] | tuple[int, int]) -> list[NDArray[np.int64]]:
        if isinstance(chunk, list):
            return chunk
        offset, count = chunk
        width = len(self.names[table])
        values = np.fromfile(str(self.path), dtype=np.int64, count=width * count, offset=offset)
        return list(values.reshape(width, count))
