"""Tables of foreign databases: DuckDB files directly, all others through Ibis."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa

from features.coercion import quoted
from features.errors import SourceError
from features.nearest import suggestion
from features.sources.locating import Located

if TYPE_CHECKING:
    import ibis.expr.types as ir

BATCH_ROWS = 100_000
_T = TypeVar("_T")


class Database:
    """A table in a database, open for reading inside a ``with``: its columns, and the rows of only those asked for."""

    def __init__(self, located: Located, table: str, *, place: str) -> None:
        self._located, self._place = located, place
        opened = _DuckTable if located.address.startswith("duckdb://") else _IbisTable
        self._table: _DuckTable | _IbisTable = self._guarded(lambda: opened(located.address, table, place))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the table."""
        return self._table.names

    def rows(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        """Return all rows with only ``columns``, as a stream."""
        return self._guarded(lambda: self._table.rows(columns))

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    def _guarded(self, action: Callable[[], _T]) -> _T:
        try:
            with warnings.catch_warnings():
                # Ibis 12 asks pandas 3 for an option that pandas calls deprecated.
                warnings.filterwarnings("ignore", message="The 'future.infer_string' option")
                return action()
        except _driver_errors() as error:
            secret = urlsplit(self._located.address).password
            text = str(error).replace(secret, "…") if secret else str(error)
            raise SourceError(
                f"{self._place}: {self._located.label} cannot be read ({text}); check address, rights and name"
            ) from error


class _IbisTable:
    def __init__(self, address: str, table: str, place: str) -> None:
        import ibis

        schema, _, name = table.rpartition(".")
        where = {"database": schema} if schema else {}
        with ExitStack() as stack:
            connection = ibis.connect(address)
            stack.callback(connection.disconnect)
            _check_known(name, connection.list_tables(**where), table, place)
            self._table: ir.Table = connection.table(name, **where)
            self.close = stack.pop_all().close

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._table.schema().names)

    def rows(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        chosen = [_portable(self._table[each]) for each in columns]
        return self._table.select(chosen).to_pyarrow_batches(chunk_size=BATCH_ROWS)


def _portable(column: ir.Column) -> ir.Column:
    """Return the column, as text where its type is one that Arrow batches do not carry (uuid, json, time, …)."""
    kind = column.type()
    plain = kind.is_string() or kind.is_numeric() or kind.is_boolean() or kind.is_date() or kind.is_timestamp()
    return column if plain else column.cast("string").name(column.get_name())


class _DuckTable:
    """A table in a DuckDB file (Ibis 12 calls what DuckDB 2.0 no longer has)."""

    def __init__(self, address: str, table: str, place: str) -> None:
        schema, _, name = table.rpartition(".")
        self._connection = duckdb.connect(address.removeprefix("duckdb://"), read_only=True)
        self.close = self._connection.close
        known = self._connection.execute(
            "select table_name from information_schema.tables where table_schema = $schema",
            {"schema": schema or "main"},
        ).fetchall()
        _check_known(name, [each[0] for each in known], table, place)
        self._name = f"{quoted(schema or 'main')}.{quoted(name)}"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._connection.sql(f"from {self._name}").columns)

    def rows(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        chosen = ", ".join(quoted(each) for each in columns)
        return self._connection.sql(f"from {self._name} select {chosen}").to_arrow_reader()


def _check_known(name: str, known: Sequence[str], table: str, place: str) -> None:
    if name not in known:
        raise SourceError(f"{place}.table: there is no table `{table}`; {suggestion(name, known)}")


def _driver_errors() -> tuple[type[Exception], ...]:
    import sqlite3

    import ibis.common.exceptions
    import psycopg

    return (ibis.common.exceptions.IbisError, psycopg.Error, sqlite3.Error, duckdb.Error, pa.ArrowException, OSError,
            ImportError, ValueError, TypeError, NotImplementedError)  # fmt: skip
