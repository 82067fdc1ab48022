"""Columns of whole numbers put away chunk by chunk, in memory or in a file, and read back one column at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from features.ledgers.rows import Lazy, Rows, Whole


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
        self._chunks: dict[str, list[Callable[[int], Whole]]] = {}
        self._file: IO[bytes] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that were begun, perhaps without a row."""
        return tuple(self._names)

    def begin(self, table: str, names: tuple[str, ...]) -> None:
        """Make room for a table with these columns."""
        self._names[table], self._chunks[table] = names, []

    def add(self, table: str, columns: Sequence[Whole]) -> None:
        """Put rows away, given as columns in the order of the names."""
        self._chunks[table].append(columns.__getitem__ if self._path is None else self._written(columns))

    def finish(self) -> None:
        """Close the file; nothing can be added any more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def rows(self, table: str) -> Rows:
        """Return the rows of a table, each column read when it is asked for."""
        return Lazy({name: self._column(table, place) for place, name in enumerate(self._names[table])})

    def _written(self, columns: Sequence[Whole]) -> Callable[[int], Whole]:
        if self._file is None:
            self._file = Path(str(self._path)).open("wb")  # noqa: SIM115 - `finish` closes it
        offset, count = self._file.tell(), len(columns[0])
        self._file.write(np.concatenate(columns).tobytes())
        return lambda place: self._read(offset + 8 * place * count, count)

    def _read(self, offset: int, count: int) -> Whole:
        return np.fromfile(str(self._path), dtype=np.int64, count=count, offset=offset)

    def _column(self, table: str, place: int) -> Callable[[], Whole]:
        empty: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        return lambda: np.concatenate([empty, *(chunk(place) for chunk in self._chunks[table])])
