"""How text becomes numbers and dates inside expressions, the same for files and databases.

Arithmetic is done in double precision whatever the source: a column under arithmetic or compared with a number
is read as a number, a column under date functions as a local time. Casts that fail give a missing value, and
the row is told apart from one whose value was missing from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlglot import exp

Want = Literal["any", "number", "moment", "text"]

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow, exp.Neg)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.NullSafeEQ, exp.NullSafeNEQ)
_NUMERIC = (
    exp.Abs,
    exp.Ceil,
    exp.Floor,
    exp.Round,
    exp.Sign,
    exp.Sqrt,
    exp.Ln,
    exp.Log,
    exp.Exp,
    exp.Trunc,
    exp.UnixToTime,
)
_TEXTUAL = (
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Left, exp.Right, exp.Replace, exp.SplitPart,
    exp.RegexpReplace, exp.RegexpExtract, exp.RegexpLike, exp.RegexpFullMatch, exp.Pad, exp.StartsWith, exp.EndsWith,
    exp.Contains, exp.StrPosition, exp.Reverse, exp.Like, exp.ILike, exp.SimilarTo, exp.StrToTime, exp.MD5,
)  # fmt: skip
_TEMPORAL = (
    exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Week, exp.DayOfWeek, exp.LastDay, exp.TimestampTrunc, exp.DateTrunc,
    exp.DateDiff, exp.Extract, exp.TimeToStr,
)  # fmt: skip
_PASSING = (exp.Paren, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least)
_NUMBER_TYPES = frozenset(
    "TINYINT SMALLINT INT BIGINT INT128 UTINYINT USMALLINT UINT UBIGINT FLOAT DOUBLE DECIMAL".split()
)


def quoted(name: str) -> str:
    """Return ``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def is_text_type(name: str) -> bool:
    """Whether a DuckDB type holds text."""
    return name.startswith(("VARCHAR", "ENUM"))


def is_number_type(name: str) -> bool:
    """Whether a DuckDB type holds numbers."""
    return name.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                            "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN"))  # fmt: skip


def reading_macros(suffix: str, *, decimal: str, thousands: str, date_format: str, timezone: str) -> tuple[str, ...]:
    """Return the statements that create ``number_…``, ``moment_…`` and ``day_…``: text to double, local time and day.

    Each gives NULL for text it cannot read. A time with an offset is turned into local time of ``timezone``.
    """
    moment = _moment("trim(v)", date_format, timezone)
    return (
        f"create macro number_{suffix}(v) as {_number('trim(v)', decimal, thousands)}",
        f"create macro moment_{suffix}(v) as {moment}",
        f"create macro day_{suffix}(v) as cast(moment_{suffix}(v) as date)",
    )


def _number(value: str, decimal: str, thousands: str) -> str:
    if decimal == "." and not thousands:
        return f"try_cast(replace({value}, '_', '?') as double)"
    point = f"\\{decimal}"
    grouped = rf"|[+-]?\d{{1,3}}([{thousands}]\d{{3}})+({point}\d+)?" if thousands else ""
    pattern = rf"[+-]?\d*({point}\d*)?([eE][+-]?\d+)?{grouped}"
    plain = f"replace({value}, {_text(thousands)}, '')" if thousands else value
    return (
        f"case when regexp_full_match({value}, {_text(pattern)})"
        f" then try_cast(replace({plain}, {_text(decimal)}, '.') as double) end"
    )


def _moment(value: str, date_format: str, timezone: str) -> str:
    clock = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)?"
    colon = f"regexp_replace({value}, '([+-]\\d\\d)(\\d\\d)$', '\\1:\\2')"
    zoned = f"timezone({_text(timezone)}, try_cast({colon} as timestamptz))"
    iso = (
        f"when {value} like '____-__-__' then try_cast(try_cast({value} as date) as timestamp)"
        f" when regexp_full_match({value}, '{clock}') then try_cast({value} as timestamp)"
        f" when regexp_full_match({value}, '{clock} ?(Z|[+-]\\d\\d(:?\\d\\d)?)') then {zoned} end"
    )
    if not date_format:
        return f"case {iso}"
    parsed = f"try_strptime({value}, {_text(date_format)})"
    local = f"timezone({_text(timezone)}, {parsed})" if "%z" in date_format else parsed
    return f"coalesce({local}, case {iso})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Rewriter:
    """Rewrites one bound expression so that text is read as what its place asks for, and notes where that may fail."""

    def __init__(self, types: Mapping[str, str], suffix: str) -> None:
        self._types = types
        self._suffix = suffix
        self._doubts: list[str] = []
        self._guarded = 0

    def doubt(self) -> str:
        """Return SQL that is true where a conversion lost a value that was there."""
        return " or ".join(f"coalesce({each}, false)" for each in dict.fromkeys(self._doubts)) or "false"

    def rewrite(self, node: exp.Expr, want: Want) -> exp.Expr:
        """Return ``node`` with every column and cast below it read as its place asks for."""
        if isinstance(node, exp.Column):
            return self._column(node, want)
        if isinstance(node, exp.Cast):
            return self._cast(node)
        if isinstance(node, (exp.Case, exp.If)):
            return self._choice(node, want)
        if isinstance(node, exp.StrToTime):
            return self._noted(self._children(node, "text"), node.this)
        return self._children(node, self._asked_below(node, want))

    def _asked_below(self, node: exp.Expr, want: Want) -> Want:
        if isinstance(node, _ARITHMETIC):
            return "moment" if any(self._is_moment(each) for each in _operands(node)) else "number"
        if isinstance(node, (*_COMPARISONS, *_PASSING)):
            if any(self._is_number(each) for each in _operands(node)):
                return "number"
            if any(self._is_moment(each) for each in _operands(node)):
                return "moment"
            return want if isinstance(node, _PASSING) else "any"
        if isinstance(node, _NUMERIC):
            return "number"
        if isinstance(node, _TEXTUAL):
            return "text"
        return "moment" if isinstance(node, _TEMPORAL) else "any"

    def _children(self, node: exp.Expr, want: Want) -> exp.Expr:
        copy = node.copy()
        for child in list(copy.iter_expressions()):
            child.replace(self.rewrite(child, want))
        return copy

    def _choice(self, node: exp.Expr, want: Want) -> exp.Expr:
        self._guarded += 1
        copy = node.copy()
        below: Want = "number" if want == "any" and any(self._is_number(each) for each in _branches(copy)) else want
        branches = {id(each) for each in _branches(copy)}
        for child in list(copy.iter_expressions()):
            child.replace(self.rewrite(child, below if id(child) in branches or isinstance(child, exp.If) else "any"))
        self._guarded -= 1
        return copy

    def _column(self, node: exp.Column, want: Want) -> exp.Expr:
        kind = self._types[node.name]
        if want == "number" and is_text_type(kind):
            return self._noted(self._macro("number", node), node)
        if want == "number" and is_number_type(kind):
            exact = exp.cast(node.copy(), "varchar") if kind == "FLOAT" else node.copy()
            return exp.cast(exact, "double")
        if want == "moment" and is_text_type(kind):
            return self._noted(self._macro("moment", node), node)
        if want == "text" and not is_text_type(kind):
            return exp.cast(node.copy(), "varchar")
        return node.copy()

    def _cast(self, node: exp.Cast) -> exp.Expr:
        target = node.to.this.name
        if target in _NUMBER_TYPES:
            inner = self.rewrite(node.this, "number")
        elif target in ("DATE", "TIMESTAMP") and self._is_text(node.this):
            inner = self._macro("moment", self.rewrite(node.this, "any"))
        else:
            inner = self.rewrite(node.this, "any")
        cast = exp.TryCast(this=inner, to=node.to.copy())
        return cast if isinstance(node, exp.TryCast) or node.this.is_string else self._noted(cast, node.this)

    def _macro(self, name: str, node: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this=f"{name}_{self._suffix}", expressions=[node.copy()])

    def _noted(self, converted: exp.Expr, source: exp.Expr) -> exp.Expr:
        if not self._guarded:
            given = source.sql(dialect="duckdb", identify=True)
            self._doubts.append(
                f"(TRY(trim(cast({given} as varchar))) <> ''"
                f" and TRY({converted.sql(dialect='duckdb', identify=True)}) is null)"
            )
        return converted

    def _is_text(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Column):
            return is_text_type(self._types[node.name])
        if isinstance(node, (*_PASSING, exp.If, exp.Case)):
            return any(self._is_text(each) for each in _operands(node))
        return isinstance(node, (*_TEXTUAL, exp.Concat, exp.DPipe, exp.ConcatWs)) and not isinstance(
            node, exp.StrToTime
        )

    def _is_number(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Column):
            return is_number_type(self._types[node.name])
        if isinstance(node, exp.Cast):
            return node.to.this.name in _NUMBER_TYPES
        if isinstance(node, exp.Literal):
            return not node.is_string
        if isinstance(node, _ARITHMETIC):
            return not any(self._is_moment(each) for each in _operands(node))
        if isinstance(node, _PASSING):
            return any(self._is_number(each) for each in _operands(node))
        return isinstance(node, (*_NUMERIC, exp.Length)) and not isinstance(node, exp.UnixToTime)

    def _is_moment(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Column):
            return self._types[node.name].startswith(("DATE", "TIMESTAMP"))
        if isinstance(node, exp.Cast):
            return node.to.this.name in ("DATE", "TIMESTAMP", "TIMESTAMPTZ")
        if isinstance(node, (*_PASSING, exp.Add, exp.Sub)):
            return any(self._is_moment(each) for each in _operands(node))
        return isinstance(
            node, (exp.Interval, exp.StrToTime, exp.LastDay, exp.DateFromParts, exp.TimestampTrunc, exp.Date)
        )


def _operands(node: exp.Expr) -> list[exp.Expr]:
    return list(node.iter_expressions())


def _branches(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.If):
        return [each for each in (node.args.get("true"), node.args.get("false")) if each is not None]
    inner = [each.args["true"] for each in node.args.get("ifs", [])]
    default = node.args.get("default")
    return inner + ([default] if default is not None else [])
