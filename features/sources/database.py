"""Tables of foreign databases, read through Ibis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa

from features.errors import SourceError
from features.nearest import suggestion
from features.sources.locating import Located

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Database:
    """A table in a database, read through Ibis: its columns, and only those asked for as Arrow batches."""

    def __init__(self, located: Located, table: str, *, place: str) -> None:
        self._located, self._place = located, place
        self._table = self._guarded(lambda: _ibis_table(located.address, table, place))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the table."""
        return tuple(self._table.schema().names)

    def batches(self, columns: Sequence[str]) -> pa.Table:
        """Return the rows with only ``columns``."""
        selected = self._table.select(list(columns))
        table: pa.Table = self._guarded(lambda: selected.to_pyarrow_batches().read_all())
        return table

    def _guarded(self, action: Any) -> Any:
        try:
            return action()
        except _driver_errors() as error:
            secrets = {part for part in (urlsplit(self._located.address).password,) if part}
            text = str(error)
            for secret in secrets:
                text = text.replace(secret, "…")
            raise SourceError(
                f"{self._place}: {self._located.label} cannot be read ({text}); check address, rights and name"
            ) from error


def _ibis_table(address: str, table: str, place: str) -> ir.Table:
    import ibis

    connection = ibis.connect(address)
    schema, _, name = table.rpartition(".")
    known = connection.list_tables(database=schema) if schema else connection.list_tables()
    if name not in known:
        raise SourceError(f"{place}.table: there is no table `{table}`; {suggestion(name, known)}")
    return connection.table(name, database=schema) if schema else connection.table(name)


def _driver_errors() -> tuple[type[Exception], ...]:
    import sqlite3

    import ibis.common.exceptions
    import psycopg

    return (ibis.common.exceptions.IbisError, psycopg.Error, sqlite3.Error, duckdb.Error, pa.ArrowException, OSError,
            ImportError, ValueError, TypeError, NotImplementedError)  # fmt: skip
