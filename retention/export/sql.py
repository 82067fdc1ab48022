"""A SQL table as target: an upsert by customer and cutoff that touches only rows that differ.

One transaction holds the staged rows, the upsert and the row of the export log: all of it happens, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg import sql

from features.errors import ExportError
from retention.export.address import Address, address_of, table_path
from retention.export.frames import check_key, typed_rows
from retention.export.staging import binary_chunks, fits_binary, sql_type, text_chunks

KEY = ("customer_id", "cutoff")
LOG_TABLE = "treue_export_log"
CONNECT_TIMEOUT_SECONDS = "10"

_STAGING = sql.Identifier("pg_temp", "treue_staging")
_HINTS = {
    "42P10": "add a primary key or unique index on the key columns there",
    "42501": "grant select, insert and update on it, and create on its schema where it does not exist yet",
    "3F000": "create the schema first",
}
_CREATE_LOG = sql.SQL(
    "create table {log} (run_id text not null, table_name text not null, cutoff date not null,"
    " attempt integer not null, rows bigint not null, inserted bigint not null, updated bigint not null,"
    " unchanged bigint not null, model_version text, primary key (run_id, table_name, cutoff, attempt))"
)
_STAGE = sql.SQL("create temporary table treue_staging on commit drop as select {columns} from {target} with no data")
_COPY = sql.SQL("copy {staging} from stdin (format {form})")
_UPSERT = sql.SQL(
    "with touched as (insert into {target} as old ({columns}) select {columns} from {staging} as new"
    " where not exists (select from {target} as old where {same_key} and {old} is not distinct from {new})"
    " on conflict ({key}) do update set {changes} where {old} is distinct from {excluded}"
    " returning xmax = 0 as is_new)"
    " select count(*) filter (where is_new), count(*) filter (where not is_new) from touched"
)
_LOG = sql.SQL(
    "insert into {log} select %(run_id)s, %(table)s, %(cutoff)s, 1 + count(*), %(rows)s, %(inserted)s, %(updated)s,"
    " %(unchanged)s, %(model_version)s from {log}"
    " where run_id = %(run_id)s and table_name = %(table)s and cutoff = %(cutoff)s"
    " having count(*) = 0 or %(inserted)s + %(updated)s > 0"
)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What one delivery did [rows]: ``inserted + updated + unchanged`` are the rows delivered."""

    inserted: int
    updated: int
    unchanged: int

    @property
    def rows(self) -> int:
        """Rows delivered."""
        return self.inserted + self.updated + self.unchanged


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    """Rows of one cutoff on their way to one table."""

    rows: pa.Table
    key: tuple[str, ...]
    path: tuple[str, ...]
    cutoff: date

    @property
    def target(self) -> sql.Identifier:
        return sql.Identifier(*self.path)

    @property
    def log(self) -> sql.Identifier:
        return sql.Identifier(*self.path[:-1], LOG_TABLE)

    @property
    def table(self) -> str:
        return ".".join(self.path)


def upsert(uri: str, table: str, frame: pd.DataFrame, *, run_id: str, key: Sequence[str] = KEY) -> Counts:
    """Bring ``frame`` into a PostgreSQL table: new keys inserted, changed rows updated, equal rows left untouched.

    The table and the log beside it (``treue_export_log``) are created when missing; columns of the table that
    ``frame`` does not have are left alone. Rows of other cutoffs, and customers no longer in ``frame``, stay.

    Parameters
    ----------
    uri : str
        ``postgresql://user:${PASSWORD}@host:port/database``; see ``address_of``.
    table : str
        ``table`` or ``schema.table``; see ``table_path``.
    frame : DataFrame
        Rows of one ``cutoff``, one per ``key``. Without rows nothing happens.
    run_id : str
        The run, for the log. A repeated delivery of the same run that changes nothing leaves no second log row.
    key : sequence of column names
        What identifies a row; the table needs a unique index on it.

    Returns
    -------
    Counts
        Rows inserted, updated, unchanged.

    Raises
    ------
    ConfigError
        If ``uri`` or ``table`` is no address or name, or a variable is not set.
    ExportError
        If the rows have no single cutoff or no unique key, the table lacks a column, or the database refuses.
    """
    path, address, rows = table_path(table), address_of(uri), typed_rows(frame)
    if rows.num_rows == 0:
        return Counts(inserted=0, updated=0, unchanged=0)
    check_key(rows, key)
    delivery = _Delivery(rows=rows, key=tuple(key), path=path, cutoff=_one_cutoff(rows))
    with _connection(address, delivery.table) as connection, connection.cursor() as cursor:
        return _deliver(cursor, delivery, run_id)


def _one_cutoff(rows: pa.Table) -> date:
    cutoffs = rows["cutoff"].unique().to_pylist() if "cutoff" in rows.column_names else []
    if len(cutoffs) != 1 or not isinstance(cutoffs[0], date):
        raise ExportError(f"rows to export hold {len(cutoffs)} cutoffs; expected one date for all rows")
    return cutoffs[0]


@contextmanager
def _connection(address: Address, table: str) -> Iterator[psycopg.Connection]:
    parameters = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, **address.parameters, "client_encoding": "utf8"}
    try:
        with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]
            yield connection
    except psycopg.Error as error:
        cause = address.without_secrets(_cause(error))
        raise ExportError(f"table {table} at {address.shown} did not take the rows: {cause}") from None


def _cause(error: psycopg.Error) -> str:
    context = (error.diag.context or "").splitlines()
    where = f" ({context[0]})" if context else ""
    hint = _HINTS.get(error.sqlstate or "", "")
    return f"{error.diag.message_primary or error}{where}" + (f"; {hint}" if hint else "")


def _deliver(cursor: psycopg.Cursor, delivery: _Delivery, run_id: str) -> Counts:
    cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"treue {delivery.table}"])
    _create_missing(cursor, delivery)
    _stage(cursor, delivery, _column_types(cursor, delivery))
    counts = _merge(cursor, delivery)
    _log(cursor, delivery, counts, run_id)
    return counts


def _create_missing(cursor: psycopg.Cursor, delivery: _Delivery) -> None:
    if not _exists(cursor, delivery.target):
        fields = [
            sql.SQL("{} {}").format(sql.Identifier(f.name), sql.SQL(sql_type(f).name)) for f in delivery.rows.schema
        ]
        create = sql.SQL("create table {} ({}, primary key ({}))")
        cursor.execute(create.format(delivery.target, sql.SQL(", ").join(fields), _names(delivery.key)))
    if not _exists(cursor, delivery.log):
        cursor.execute(_CREATE_LOG.format(log=delivery.log))


def _exists(cursor: psycopg.Cursor, table: sql.Identifier) -> bool:
    row = cursor.execute("select to_regclass(%s) is not null", [table.as_string(cursor)]).fetchone()
    return row is not None and bool(row[0])


def _column_types(cursor: psycopg.Cursor, delivery: _Delivery) -> dict[str, int]:
    """Return the type number of each of the table's columns, once it has every column of the rows."""
    cursor.execute(sql.SQL("select * from {} limit 0").format(delivery.target))
    types = {column.name: column.type_code for column in cursor.description or ()}
    for field in delivery.rows.schema:
        if field.name not in types:
            raise ExportError(
                f"table {delivery.table} has no column {field.name!r}, which the rows to export hold;"
                f" add it there (type {sql_type(field).name}) or export to a new table"
            )
    return types


def _stage(cursor: psycopg.Cursor, delivery: _Delivery, types: Mapping[str, int]) -> None:
    cursor.execute(_STAGE.format(columns=_names(delivery.rows.column_names), target=delivery.target))
    is_binary = fits_binary(delivery.rows.schema, types)
    chunks = binary_chunks(delivery.rows) if is_binary else text_chunks(delivery.rows)
    form = sql.SQL("binary" if is_binary else "csv")
    with cursor.copy(_COPY.format(staging=_STAGING, form=form)) as copy:
        for chunk in chunks:
            copy.write(chunk)
    cursor.execute(sql.SQL("analyze {} ({})").format(_STAGING, _names(delivery.key)))


def _merge(cursor: psycopg.Cursor, delivery: _Delivery) -> Counts:
    names = [name for name in delivery.rows.column_names if name not in delivery.key]
    statement = _UPSERT.format(
        target=delivery.target,
        staging=_STAGING,
        columns=_names(delivery.rows.column_names),
        key=_names(delivery.key),
        same_key=sql.SQL(" and ").join(_pair("old", "new", name) for name in delivery.key),
        changes=sql.SQL(", ").join(_pair("", "excluded", name) for name in names),
        old=_row("old", names),
        new=_row("new", names),
        excluded=_row("excluded", names),
    )
    inserted, updated = cursor.execute(statement).fetchone() or (0, 0)
    return Counts(inserted=inserted, updated=updated, unchanged=delivery.rows.num_rows - inserted - updated)


def _log(cursor: psycopg.Cursor, delivery: _Delivery, counts: Counts, run_id: str) -> None:
    rows = delivery.rows
    facts = {
        "run_id": run_id,
        "table": delivery.table,
        "cutoff": delivery.cutoff,
        "rows": counts.rows,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "model_version": rows["model_version"][0].as_py() if "model_version" in rows.column_names else None,
    }
    cursor.execute(_LOG.format(log=delivery.log), facts)


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _row(source: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL("row({})").format(sql.SQL(", ").join(sql.Identifier(source, name) for name in names))


def _pair(left: str, right: str, name: str) -> sql.Composed:
    first = sql.Identifier(left, name) if left else sql.Identifier(name)
    return sql.SQL("{} = {}").format(first, sql.Identifier(right, name))
