"""Bind the columns of the contract to the columns of a source."""

# ruff: noqa: S608 - names are quoted, texts escaped, configured expressions parsed and restricted

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.coercion import quoted
from features.contract import KNOWN_AT, Column, Table
from features.errors import ConfigError
from features.expressions import Compiled, compile_expression, referenced
from features.nearest import suggestion
from features.quality import Mapped, want_of
from features.sources import Engine, Opened, Source


def expressions_of(table: Table, source: Source, names: Sequence[str]) -> dict[str, str]:
    """Return per column of the contract its expression: the configured one, or the source's column of that name."""
    own = {name.lower(): name for name in names}
    found: dict[str, str] = {}
    for column in (*table.columns, KNOWN_AT):
        text = source.columns.get(column.name) or own.get(column.name)
        if text is not None:
            found[column.name] = text
    missing = [name for name in table.required if name not in found]
    if missing:
        raise ConfigError(
            f"sources.{table.name}.columns.{missing[0]}: {source.uri} has no column `{missing[0]}`, and it is"
            f" compulsory; map it to an expression ({suggestion(missing[0], names)})"
        )
    return found


def needed_columns(table: Table, source: Source, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a database table that the expressions use."""
    types = dict.fromkeys(names, "VARCHAR")
    texts = {f"columns.{name}": text for name, text in expressions_of(table, source, names).items()}
    texts |= {key: text for key, text in (("where", source.where), ("currency", source.currency)) if text}
    used = [
        each for key, text in texts.items() for each in referenced(text, types, place=f"sources.{table.name}.{key}")
    ]
    return tuple(dict.fromkeys(used))


def bind(engine: Engine, table: Table, source: Source, opened: Opened) -> tuple[Mapped, ...]:
    """Compile every mapped column of ``table`` against an opened source; order of the contract, known_at last.

    Raises
    ------
    ConfigError
        If a compulsory column is not there or an expression does not fit the source.
    """
    texts = expressions_of(table, source, tuple(opened.types))
    columns = [each for each in (*table.columns, KNOWN_AT) if each.name in texts]
    return tuple(_mapped(engine, table, column, texts[column.name], opened) for column in columns)


def _mapped(engine: Engine, table: Table, column: Column, text: str, opened: Opened) -> Mapped:
    place = f"sources.{table.name}.columns.{column.name}"
    compiled = compile_expression(text, opened.types, place=place, suffix=table.name, want=want_of(column))
    return Mapped(column=column, compiled=compiled, type=type_of(engine, compiled, opened.relation, place, text))


def type_of(engine: Engine, compiled: Compiled, relation: str, place: str, text: str) -> str:
    """Return the DuckDB type of an expression; ConfigError when it does not fit the columns' types."""
    return next(
        iter(
            engine.fitting_types(f"select {compiled.sql} as v from {quoted(relation)}", place=place, text=text).values()
        )
    )


def condition(
    engine: Engine, text: str | None, types: Mapping[str, str], *, relation: str, table: str, key: str, absent: str
) -> str:
    """Return the SQL of an optional extra expression of a source (``where``, ``currency``), or ``absent``."""
    if text is None:
        return absent
    place = f"sources.{table}.{key}"
    compiled = compile_expression(text, types, place=place, suffix=table, want="any")
    kind = type_of(engine, compiled, relation, place, text)
    if key == "where" and kind != "BOOLEAN":
        raise ConfigError(f"{place}: expected a condition that is true or false, got `{text}` ({kind.lower()})")
    return compiled.sql if key == "where" else f"upper(trim(cast({compiled.sql} as varchar)))"
