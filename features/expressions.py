"""Column expressions of the configuration: one restricted scalar expression in DuckDB's dialect.

An expression may use the columns of its source, literals, arithmetic, comparisons, CASE, casts and the
functions named here. No statement, subquery, aggregate, window or function that reaches files, network,
settings, the clock or chance passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from features.coercion import Rewriter, Want, is_text_type, quoted
from features.errors import ConfigError
from features.nearest import suggestion

_SYNTAX = frozenset(
    "Column Identifier Literal Boolean Null Paren Neg Add Sub Mul Div IntDiv Mod Pow DPipe EQ NEQ GT GTE LT LTE"
    " NullSafeEQ NullSafeNEQ Is Not And Or Between In Like ILike SimilarTo Case If Cast TryCast DataType DataTypeParam"
    " Interval Var Tuple AtTimeZone".split()
)
_FUNCTIONS = frozenset(
    "Abs Ceil Floor Round Sign Sqrt Ln Log Exp Greatest Least Coalesce Nullif Lower Upper Trim Length Substring Left"
    " Right Concat ConcatWs Replace SplitPart RegexpReplace RegexpExtract RegexpLike RegexpFullMatch Pad StartsWith"
    " EndsWith Contains StrPosition Reverse StrToTime TimeToStr TimestampTrunc DateTrunc DateDiff Extract Year Month"
    " Day Quarter Week DayOfWeek LastDay Date DateFromParts UnixToTime ToDays MD5 IsNan Trunc".split()
)
_PLAIN_FUNCTIONS = frozenset(
    "try_strptime isfinite prefix suffix date_part to_months strip_accents nfc_normalize timezone epoch_ms".split()
)
_CAST_TYPES = frozenset(
    "TEXT VARCHAR CHAR TINYINT SMALLINT INT BIGINT INT128 UTINYINT USMALLINT UINT UBIGINT FLOAT DOUBLE DECIMAL BOOLEAN"
    " DATE TIMESTAMP TIMESTAMPTZ TIMESTAMPNTZ TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS INTERVAL".split()
)


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """An expression ready for DuckDB: its SQL, the columns it uses, and how to speak of its value.

    ``doubt`` is SQL that is true where a value is there but a conversion inside made it missing;
    ``shown`` is SQL for the text that a message quotes.
    """

    sql: str
    columns: tuple[str, ...]
    doubt: str
    shown: str


def parse(text: str, *, place: str) -> exp.Expr:
    """Return the tree of one scalar expression after checking that nothing forbidden is in it.

    Raises
    ------
    ConfigError
        If ``text`` is no single scalar expression or uses what is not allowed; ``place`` names the key.
    """
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except SqlglotError as error:
        raise ConfigError(
            f"{place}: `{text}` is not an SQL expression ({_reason(error)}); write one expression over the columns"
            ' of the source, column names with blanks in double quotes ("Order No")'
        ) from error
    if len(trees) != 1 or trees[0] is None:
        raise ConfigError(f"{place}: expected one expression, got `{text}`; remove semicolons and statements")
    _restrict(trees[0], text, place)
    return trees[0]


def compile_expression(text: str, types: Mapping[str, str], *, place: str, suffix: str, want: Want) -> Compiled:
    """Bind an expression to the columns of a source.

    Parameters
    ----------
    text : str
        The expression, or the plain name of a column (which may then hold blanks or be a keyword).
    types : mapping of column name to DuckDB type name
        The columns of the source.
    place : str
        Key shown in messages, e.g. ``sources.orders.columns.amount``.
    suffix : str
        Suffix of the source's reading macros (see `features.coercion.reading_macros`).
    want : Want
        What the value is for; decides how text columns are read.

    Raises
    ------
    ConfigError
        If the expression is not allowed or uses a column the source does not have.
    """
    tree = _bind(_tree(text, types, place), types, place)
    rewriter = Rewriter(types, suffix)
    sql = rewriter.rewrite(tree, want).sql(dialect="duckdb", identify=True, comments=False)
    columns = tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))
    return Compiled(sql=f"TRY({sql})", columns=columns, doubt=rewriter.doubt(), shown=_shown(columns, sql))


def referenced(text: str, types: Mapping[str, str], *, place: str) -> tuple[str, ...]:
    """Return the names of the source's columns that an expression uses, as the source spells them."""
    tree = _bind(_tree(text, types, place), types, place)
    return tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def _tree(text: str, types: Mapping[str, str], place: str) -> exp.Expr:
    name = text.strip()
    return exp.column(name) if name in types else parse(text, place=place)


def _bind(tree: exp.Expr, types: Mapping[str, str], place: str) -> exp.Expr:
    by_lower = {name.lower(): name for name in types}

    def bound(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        name = node.name if node.name in types else by_lower.get(node.name.lower())
        if name is None:
            raise ConfigError(
                f"{place}: the source has no column `{node.name}`; {suggestion(node.name, types)}{_one_column(types)}"
            )
        return exp.column(exp.to_identifier(name, quoted=True))

    return tree.copy().transform(bound)


def _one_column(types: Mapping[str, str]) -> str:
    return " (the file has only one column: is read.delimiter right?)" if len(types) == 1 else ""


def _restrict(tree: exp.Expr, text: str, place: str) -> None:
    for node in tree.walk():
        problem = _problem(node)
        if problem:
            raise ConfigError(
                f"{place}: `{text}` uses {problem}; allowed are columns of the source, arithmetic, comparisons,"
                " CASE, CAST, and string, number and date functions"
            )


def _problem(node: exp.Expr) -> str | None:
    kind = type(node).__name__
    if isinstance(node, exp.Column) and node.table:
        return f"`{node.sql(dialect='duckdb')}`, a name with a dot (quote a column name that holds one)"
    if isinstance(node, exp.Anonymous):
        return None if node.name.lower() in _PLAIN_FUNCTIONS else f"the function {node.name.lower()}"
    if isinstance(node, exp.DataType):
        return None if node.this.name in _CAST_TYPES else f"the type {node.sql(dialect='duckdb')}"
    if isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest")):
        return "a subquery"
    if kind in _SYNTAX or kind in _FUNCTIONS:
        return None
    return f"what is not allowed there ({node.key})"


def _reason(error: SqlglotError) -> str:
    details = getattr(error, "errors", None) or [{}]
    return str(details[0].get("description") or "it cannot be parsed").rstrip(".")


def _shown(columns: tuple[str, ...], sql: str) -> str:
    if not columns:
        return f"cast({sql} as varchar)"
    if len(columns) == 1:
        return f"cast({quoted(columns[0])} as varchar)"
    parts = ", ', ', ".join(f"{literal(name)}, '=', coalesce(cast({quoted(name)} as varchar), '')" for name in columns)
    return f"concat({parts})"


def literal(text: str) -> str:
    """Return ``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


__all__ = ["Compiled", "compile_expression", "is_text_type", "literal", "parse", "referenced"]
