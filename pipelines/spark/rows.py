"""Spark tables as the contract wants them: checked for columns and types, and as known on the morning of a cutoff.

The rows themselves are taken as accepted: refusing single rows, with a quarantine, is the embedded intake's work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from features.contract import KNOWN_AT, TABLES, Column, Table
from features.errors import ConfigError, ContractError
from features.nearest import suggestion
from features.quality import ALWAYS_KNOWN, SETTLED_BY
from features.staging import Balance
from pipelines.spark.columns import OF_KIND

if TYPE_CHECKING:
    from pyspark.sql import Column as Expression
    from pyspark.sql import DataFrame, Row

_WHOLE = {"byte": "int8", "short": "int16", "integer": "int32", "long": "int64"}
_FITTING = {
    "string": ("string", "varchar", "char"),
    "double": ("double", "decimal", *_WHOLE),
    "date": ("date",),
    "boolean": ("boolean",),
}
_HINTS = {
    "string": "a text",
    "double": "a double or decimal number",
    "date": "a date: cast times to days in the company's zone first",
    "boolean": "true or false",
}


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What became of the rows of one table, and the days they span (missing where it is empty; orders never are)."""

    balance: Balance
    first: date
    last_known: date


def check_tables(tables: Mapping[str, DataFrame]) -> None:
    """Check names and types of tables and columns against the contract; one ConfigError lists all that is wrong."""
    problems = [f"{name}: unknown table; {suggestion(name, TABLES)}" for name in tables if name not in TABLES]
    problems += [] if "orders" in tables else ["orders: the table is compulsory; add it"]
    for name in (each for each in TABLES if each in tables):
        table, types = TABLES[name], _types(tables[name])
        problems += [
            f"{name}: there is no column `{each}`, and it is compulsory; {suggestion(each, types)}"
            for each in table.required
            if each not in types
        ]
        problems += [
            f"{name}.{each.name}: expected {_HINTS[OF_KIND[each.kind]]}, got {types[each.name]}"
            for each in _there(table, types)
            if not _fits(each, types[each.name])
        ]
    if problems:
        raise ConfigError("; ".join(problems))


def canonical(name: str, frame: DataFrame) -> DataFrame:
    """Return the columns of the contract that a table has, in canonical types, and ``known_at``; no others."""
    from pyspark.sql import functions as sql

    table = TABLES[name]
    columns = {each.name: _cast(each, frame) for each in _there(table, frame.columns)}
    own = columns[table.time] if table.time else sql.lit(ALWAYS_KNOWN)
    known = sql.coalesce(columns.pop("known_at"), own) if "known_at" in columns else own
    return frame.select(*(value.alias(each) for each, value in columns.items()), known.alias("known_at"))


def as_known(name: str, frame: DataFrame, *, cutoff: date) -> DataFrame:
    """Return the canonical rows known before ``cutoff``; what they say of later days (paid, settled) is missing."""
    from pyspark.sql import functions as sql

    settled: dict[str, Expression] = {}
    for later, dependents in SETTLED_BY.get(name, {}).items():
        if later in frame.columns:
            kept = sql.coalesce(sql.col(later) < sql.lit(cutoff), sql.lit(True))
            settled |= {each: sql.when(kept, sql.col(each)) for each in (later, *dependents) if each in frame.columns}
    return frame.where(sql.col("known_at") < sql.lit(cutoff)).withColumns(settled)


def count(tables: Mapping[str, DataFrame], *, cutoff: date) -> dict[str, Counted]:
    """Return what becomes of the canonical rows of each table at ``cutoff``.

    Raises
    ------
    ContractError
        If a row known by then lacks something compulsory, or no order is left.
    """
    rows = reduce(
        lambda one, other: one.unionAll(other), (_figures(*each, cutoff) for each in tables.items())
    ).collect()
    lacking = [f"{row['lacking']} rows of {row['table']}" for row in rows if row["lacking"]]
    if lacking:
        raise ContractError(
            f"{', '.join(lacking)} lack a compulsory value; Spark takes accepted rows only: check them with"
            " `treue check` first, or leave them out"
        )
    found = {row["table"]: _counted(row) for row in rows}
    if not found["orders"].balance.accepted:
        raise ContractError(f"no order was known before {cutoff}; check the table and choose a later cutoff")
    return found


def united(tables: Mapping[str, DataFrame]) -> DataFrame:
    """Return the rows of all tables as one: ``customer_id``, and a struct column per table, empty in rows of others."""
    from pyspark.sql import functions as sql

    tagged = [
        frame.select("customer_id", sql.struct(*(each for each in frame.columns if each != "customer_id")).alias(name))
        for name, frame in tables.items()
    ]
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), tagged)


def id_type(orders: DataFrame) -> str:
    """Return Arrow's name of the type in which customer ids came."""
    return _WHOLE.get(_types(orders)["customer_id"], "string")


def _types(frame: DataFrame) -> dict[str, str]:
    return {field.name: field.dataType.typeName() for field in frame.schema.fields}


def _there(table: Table, names: Collection[str]) -> list[Column]:
    return [each for each in (*table.columns, KNOWN_AT) if each.name in names]


def _fits(column: Column, kind: str) -> bool:
    return kind in _FITTING[OF_KIND[column.kind]] or (column.kind == "id" and kind in _WHOLE)


def _cast(column: Column, frame: DataFrame) -> Expression:
    """Numbers that are not finite count as missing."""
    from pyspark.sql import functions as sql

    value, target = sql.col(column.name), OF_KIND[column.kind]
    if target != "double":
        return value.cast(target)
    number = value.cast("double")
    return sql.when(sql.abs(number) < sql.lit(float("inf")), number)


def _figures(name: str, frame: DataFrame, cutoff: date) -> DataFrame:
    from pyspark.sql import functions as sql

    table = TABLES[name]
    later = sql.coalesce(sql.col("known_at") >= sql.lit(cutoff), sql.lit(False))
    lacks = reduce(lambda one, other: one | other, (sql.col(each).isNull() for each in (*table.required, "known_at")))
    return frame.agg(
        sql.lit(name).alias("table"),
        sql.count(sql.lit(1)).alias("read"),
        sql.count_if(later).alias("later"),
        sql.count_if(~later & lacks).alias("lacking"),
        sql.min(sql.when(~later, sql.col(table.time or "known_at"))).alias("first"),
        sql.max(sql.when(~later, sql.col("known_at"))).alias("last_known"),
    )


def _counted(row: Row) -> Counted:
    balance = Balance(
        table=row["table"], read=row["read"], accepted=row["read"] - row["later"], quarantined=0, later=row["later"]
    )
    return Counted(balance=balance, first=row["first"], last_known=row["last_known"])
