"""From a frame of results to typed rows that a target takes: dates as dates, texts as texts, one row per key."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from features.errors import ExportError

_INSTANT_SUFFIX = "_at"
_DATE_NAMES = ("cutoff", "horizon_end", "by_when", "half_by")


def typed_rows(frame: pd.DataFrame) -> pa.Table:
    """Return ``frame`` as typed rows, in its order and without its index.

    Missing values become null. A time without zone is a date, unless its name ends in ``_at``; a column that is
    empty throughout is text, or a date where its name says so. Categories become the texts they stand for.

    Raises
    ------
    ExportError
        If two columns share a name, a column mixes types, or a date column holds a time of day.
    """
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise ExportError(f"rows to export hold column {repeated[0]!r} twice; give each column its own name")
    columns = {str(name): _column(str(name), frame[name]) for name in frame.columns}
    return pa.table(columns)


def check_key(rows: pa.Table, key: Sequence[str]) -> None:
    """Refuse rows that ``key`` does not identify.

    Raises
    ------
    ExportError
        If a key column is missing or empty in some row, or two rows share a key; the first one is named.
    """
    missing = [name for name in key if name not in rows.column_names]
    if missing:
        raise ExportError(f"rows to export have no key column {missing[0]!r}; they hold {', '.join(rows.column_names)}")
    for name in key:
        if rows[name].null_count:
            raise ExportError(
                f"rows to export have an empty key {name!r} in {rows[name].null_count} of {rows.num_rows} rows;"
                " every row needs its key"
            )
    _check_unique(rows.select(list(key)))


def _check_unique(keys: pa.Table) -> None:
    counts = keys.group_by(keys.column_names).aggregate([([], "count_all")])
    if counts.num_rows == keys.num_rows:
        return
    repeated = next(row for row in counts.to_pylist() if row["count_all"] > 1)
    shown = ", ".join(f"{name} {repeated[name]}" for name in keys.column_names)
    raise ExportError(f"rows to export hold {repeated['count_all']} rows for {shown}; expected one row per key")


def _column(name: str, values: pd.Series) -> pa.Array:
    try:
        column = _array(values)
        plain = column.cast(_plain_type(name, column.type))
        if pa.types.is_timestamp(column.type) and plain.cast(column.type) != column:
            raise ValueError("it should hold dates and has times of day")
        return plain
    except (ValueError, TypeError) as error:
        raise ExportError(f"column {name!r} of the rows to export cannot be typed: {error}") from error


def _array(values: pd.Series) -> pa.Array:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(values.dt.tz_convert(None), from_pandas=True).cast(pa.timestamp("us", "UTC"))
    return pa.array(values, from_pandas=True)


def _plain_type(name: str, kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return pa.date32() if name in _DATE_NAMES or name.endswith("_on") else pa.string()
    if pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.tz is None and not name.endswith(_INSTANT_SUFFIX):
        return pa.date32()
    return kind
