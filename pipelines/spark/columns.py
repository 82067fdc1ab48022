"""Names and types of the columns that travel, said once for Spark and for Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from features.contract import Kind
from features.matrix import EARLY_LABEL, KEYS
from features.norms import SUMMARY_ROW

Columns = Mapping[str, str]
"""Type of each column by name, as Spark calls it."""

OF_KIND: Mapping[Kind, str] = {
    **dict.fromkeys(("id", "text", "choice"), "string"),
    **dict.fromkeys(("money", "number", "share"), "double"),
    "date": "date",
    "flag": "boolean",
}
"""Type of a column of the contract, by its kind."""

SUMMARIES: Columns = {"cutoff": "date", **dict.fromkeys(SUMMARY_ROW, "bigint"), "customer_id": "string"}
NORMS: Columns = {"cutoff": "date", "norms": "string"}
SUMS: Columns = {"table": "string", **dict.fromkeys(("rows", "low", "high"), "string")}

_ARROW = {
    "string": pa.string(),
    "date": pa.date32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "bigint": pa.int64(),
}
_KEYS: Columns = dict.fromkeys(KEYS, "double") | {
    "customer_id": "string",
    "cutoff": "date",
    "cohort": "string",
    "label": "tinyint",
    EARLY_LABEL: "tinyint",
}


def matrix_columns(features: Iterable[str]) -> Columns:
    """Return the columns of a matrix with these features."""
    return {**_KEYS, **dict.fromkeys(features, "double")}


def ddl(columns: Columns) -> str:
    """Return the columns as Spark's text of a schema."""
    return ", ".join(f"`{name}` {kind}" for name, kind in columns.items())


def arrow_schema(columns: Columns) -> pa.Schema:
    """Return the columns as an Arrow schema."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
