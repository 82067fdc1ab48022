"""Columns of whole numbers put away chunk by chunk, in memory or in a file, and read back one column at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from features.ledgers.rows import Lazy, Rows, Whole

_Any = NDArray[np.integer[Any]]


class Shelf:
    """The rows of one part of the history, table by table.

    Parameters
    ----------
    path : Path or None
        File to keep them in; None keeps them in memory.
    """

    def __init__(self, path: Path | None):
        self._path = path
        self._names: dict[str, tuple[str, ...]] = {}
        self._chunks: dict[str, list[Callable[[int], _Any]]] = {}
        self._file: IO[bytes] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that were begun, perhaps without a row."""
        return tuple(self._names)

    def begin(self, table: str, names: tuple[str, ...]) -> None:
        """Make room for a table with these columns."""
        self._names[table], self._chunks[table] = names, []

    def add(self, table: str, columns: Sequence[_Any]) -> None:
        """Put rows away, given as columns in the order of the names; kept as narrow as they come."""
        self._chunks[table].append(columns.__getitem__ if self._path is None else self._written(columns))

    def finish(self) -> None:
        """Close the file; nothing can be added any more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def rows(self, table: str) -> Rows:
        """Return the rows of a table as int64, each column read when it is asked for."""
        return Lazy({name: self._column(table, place) for place, name in enumerate(self._names[table])})

    def _written(self, columns: Sequence[_Any]) -> Callable[[int], _Any]:
        if self._file is None:
            self._file = Path(str(self._path)).open("wb", buffering=1 << 20)  # noqa: SIM115 - `finish` closes it
        offset, places = self._file.tell(), []
        for column in columns:
            places.append((offset, column.dtype))
            offset += self._file.write(np.ascontiguousarray(column).data)
        count = len(columns[0])
        return lambda place: np.fromfile(str(self._path), dtype=places[place][1], count=count, offset=places[place][0])

    def _column(self, table: str, place: int) -> Callable[[], Whole]:
        empty = np.zeros(0, dtype=np.int64)
        return lambda: np.concatenate([empty, *(chunk(place) for chunk in self._chunks[table])], dtype=np.int64)
