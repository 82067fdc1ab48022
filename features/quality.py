"""The contract as SQL: what each column must hold, what a breach is called, and what a message says.

`staging_sql` reads a source into canonical types with one breach code per column; `refused_sql` turns the
codes of refused rows into rule, column and message. Every breach of a row is collected.
"""

# ruff: noqa: S608 - names are quoted, texts escaped, configured expressions parsed and restricted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from features.coercion import Want, is_number_type, is_text_type, quoted
from features.contract import Column, Table
from features.expressions import Compiled, literal
from features.sources import FILE, ROW

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
LARGEST_AMOUNT = 1e12
ALWAYS_KNOWN = FIRST_DAY
"""`known_at` of rows of a table that has no time of its own (customers) and names no `known_at`."""

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0", "ja", "j", "wahr", "x")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0", "nein", "falsch")
SETTLED_BY: dict[str, dict[str, tuple[str, ...]]] = {
    "customers": {"consent_on": ("consent_phone", "consent_email", "consent_evidence"), "objection_on": ()},
    "orders": {"paid_on": ()},
    "complaints": {"closed_on": ("goodwill_amount", "satisfied")},
    "contracts": {"cancelled_on": ()},
    "treatments": {"contacted_on": ("outcome", "cost")},
}
"""Per table: a later date and the columns that are known only from that date on."""
_NOT_BEFORE = {"complaints": ("closed_on", "occurred_on"), "contracts": ("ends_on", "starts_on")}
_NEVER_KNOWN_BEFORE = frozenset({"orders", "complaints", "contacts", "feedback", "losses"})
_EXPECTED = {"date": "a date", "money": "a number", "number": "a number", "share": "a number", "flag": "yes or no"}
_RULES = {1: "missing value", 2: "not readable", 3: "not finite", 4: "out of bounds", 5: "absurd amount",
          6: "implausible date", 7: "ends before it begins", 8: "known before it happened"}  # fmt: skip
_BLANKS = "concat(' ', chr(9), chr(10), chr(13), chr(160))"


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A column of the contract bound to a source: its compiled expression and that expression's DuckDB type."""

    column: Column
    compiled: Compiled
    type: str


def want_of(column: Column) -> Want:
    """Return how text is to be read for a column."""
    return "number" if column.kind in ("money", "number", "share") else "any"


def rule_name(column: Column, code: int) -> str:
    """Return the name of a rule: codes are shared by all columns, names speak of the kind."""
    if code == 2 and column.kind == "choice":
        return "not one of the choices"
    if code == 2 and column.kind == "flag":
        return "unknown flag"
    return f"not {_EXPECTED.get(column.kind, 'readable')}" if code == 2 else _RULES[code]


def staging_sql(
    table: Table,
    mapped: Sequence[Mapped],
    *,
    relation: str,
    where: str,
    currency: str,
    timezone: str,
    cutoff: date | None,
) -> str:
    """Return the query that reads a source: file and row number, canonical columns, ``known_at``, breach codes.

    Columns ``!name`` hold the code of the first breach of column ``name`` (NULL: none). What a row says about
    days at or after ``cutoff`` (settled, paid, cancelled later) is missing, as it was that morning.
    """
    suffix = table.name
    values = ", ".join(f"{each.compiled.sql} as {quoted('?' + each.column.name)}" for each in mapped)
    doubts = ", ".join(
        f"({quoted('?' + name)} is null and ({doubt})) as {quoted('~' + name)}"
        for name, doubt in ((each.column.name, each.compiled.doubt) for each in mapped)
    )
    read = f'select *, {values}, {currency} as "?" from {quoted(relation)} where {where}'
    doubted = f"select *, {doubts} from ({read})"
    typed = ", ".join(f"{_canonical(each, suffix, timezone)} as {quoted('=' + each.column.name)}" for each in mapped)
    canonical = f'select {FILE}, {ROW}, "?", {typed}, {_given_columns(mapped)} from ({doubted})'
    settled = _settled(table, mapped, cutoff)
    columns = ", ".join(_settled_column(each.column.name, settled, quoted("=" + each.column.name)) for each in mapped)
    codes = ", ".join(_settled_code(each, settled, _code(table, each, mapped)) for each in mapped)
    return f'select {FILE}, {ROW}, "?" as "?currency", {columns}, {_known(table, mapped)}, {codes} from ({canonical})'


def _given_columns(mapped: Sequence[Mapped]) -> str:
    return ", ".join(
        f"{_given(quoted('?' + each.column.name), each.type)} as {quoted('?' + each.column.name)},"
        f" {quoted('~' + each.column.name)}"
        for each in mapped
    )


def _given(value: str, kind: str) -> str:
    return f"coalesce({_clean(value)} <> '', false)" if is_text_type(kind) else f"{value} is not null"


def _clean(value: str) -> str:
    return f"trim({value}, {_BLANKS})"


def _canonical(each: Mapped, suffix: str, timezone: str) -> str:
    value, kind = quoted("?" + each.column.name), each.column.kind
    if kind == "date":
        return _day(value, each.type, suffix, timezone)
    if kind in ("money", "number", "share"):
        return _number(value, each.type, suffix)
    if kind == "flag":
        return _flag(value, each.type)
    text = f"nullif({_clean(f'cast({value} as varchar)')}, '')"
    if kind == "choice":
        choices = ", ".join(literal(choice) for choice in each.column.choices)
        return f"case when lower({text}) in ({choices}) then lower({text}) end"
    if kind == "id" and each.type.startswith(("FLOAT", "DOUBLE", "DECIMAL")):
        whole = f"cast(try_cast({value} as hugeint) as varchar)"
        return f"case when {value} = floor({value}) and isfinite(cast({value} as double)) then {whole} else {text} end"
    return text


def _day(value: str, kind: str, suffix: str, timezone: str) -> str:
    if kind == "DATE":
        return value
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"try_cast(timezone({literal(timezone)}, {value}) as date)"
    if kind.startswith("TIMESTAMP"):
        return f"try_cast({value} as date)"
    return f"TRY(day_{suffix}(cast({value} as varchar)))"


def _number(value: str, kind: str, suffix: str) -> str:
    if is_number_type(kind):
        return f"cast({value} as double) + 0.0::double"
    return f"number_{suffix}({value}) + 0.0::double" if is_text_type(kind) else "null::double"


def _flag(value: str, kind: str) -> str:
    if kind == "BOOLEAN":
        return value
    word = f"lower({_clean(f'cast({value} as varchar)')})"
    yes, no = (", ".join(literal(each) for each in words) for words in (TRUE_WORDS, FALSE_WORDS))
    return f"case when {word} in ({yes}) then true when {word} in ({no}) then false end"


def _settled(table: Table, mapped: Sequence[Mapped], cutoff: date | None) -> dict[str, str]:
    """Return per column the condition under which it was not yet known at the cutoff."""
    names = {each.column.name for each in mapped}
    conditions: dict[str, str] = {}
    for later, dependents in SETTLED_BY.get(table.name, {}).items() if cutoff else ():
        if later in names:
            condition = f"coalesce({quoted('=' + later)} >= date '{cutoff}', false)"
            conditions |= dict.fromkeys((later, *dependents), condition)
    return conditions


def _settled_column(name: str, settled: dict[str, str], value: str) -> str:
    condition = settled.get(name)
    return (
        f"case when {condition} then null else {value} end as {quoted(name)}"
        if condition
        else f"{value} as {quoted(name)}"
    )


def _settled_code(each: Mapped, settled: dict[str, str], code: str) -> str:
    condition = settled.get(each.column.name)
    guard = f"when {condition} then null " if condition else ""
    return f"cast(case {guard}{code} end as utinyint) as {quoted('!' + each.column.name)}"


def _known(table: Table, mapped: Sequence[Mapped]) -> str:
    own = quoted("=" + table.time) if table.time else f"date '{ALWAYS_KNOWN}'"
    if not any(each.column.name == "known_at" for each in mapped):
        return f"{own} as _known"
    return f'case when "?known_at" or "~known_at" then "=known_at" else {own} end as _known'


def _code(table: Table, each: Mapped, mapped: Sequence[Mapped]) -> str:
    name, kind = each.column.name, each.column.kind
    value, given, doubt = (quoted(mark + name) for mark in "=?~")
    parts = [f"when {doubt} or ({given} and {value} is null) then 2"]
    if each.column.required:
        parts.append(f"when not {given} then 1")
    if kind in ("money", "number", "share"):
        parts += [f"when not isfinite({value}) then 3", *_bounds(each.column, value)]
    if kind == "date":
        parts.append(f"when {value} not between date '{FIRST_DAY}' and date '{LAST_DAY}' then 6")
        parts += _order_of_days(table, name, {other.column.name for other in mapped})
    return " ".join(parts)


def _bounds(column: Column, value: str) -> list[str]:
    parts = [f"when {value} < {column.low} then 4"] if column.low is not None else []
    parts += [f"when {value} > {column.high} then 4"] if column.high is not None else []
    return [*parts, f"when abs({value}) > {LARGEST_AMOUNT} then 5"]


def _order_of_days(table: Table, name: str, names: set[str]) -> list[str]:
    later, earlier = _NOT_BEFORE.get(table.name, ("", ""))
    if name == later and earlier in names:
        return [f"when {quoted('=' + name)} < {quoted('=' + earlier)} then 7"]
    if name == "known_at" and table.name in _NEVER_KNOWN_BEFORE:
        return [f"when {quoted('=' + name)} < {quoted('=' + str(table.time))} then 8"]
    return []


def has_breach(mapped: Sequence[Mapped]) -> str:
    """Return the condition under which a staged row breaks a rule of its own."""
    return "(" + " or ".join(f"{quoted('!' + each.column.name)} is not null" for each in mapped) + ")"


def breaches_sql(mapped: Sequence[Mapped]) -> str:
    """Return SQL for the list of a row's breaches: structs of rule, column and message."""
    return "list_filter([" + ", ".join(_breach(each) for each in mapped) + "], lambda b: b is not null)"


def _breach(each: Mapped) -> str:
    code, name = quoted("!" + each.column.name), each.column.name
    shown = f"coalesce(left({quoted('%' + name)}, 80), 'missing')"
    codes = _codes_of(each.column)
    rules = " ".join(f"when {number} then {literal(rule_name(each.column, number))}" for number in codes)
    texts = " ".join(f"when {number} then {_message(each.column, number, shown)}" for number in codes)
    return (
        f"case when {code} is not null then {{'rule': case {code} {rules} end, 'column': {literal(name)},"
        f" 'message': case {code} {texts} end}} end"
    )


def _codes_of(column: Column) -> tuple[int, ...]:
    if column.kind == "date":
        return (1, 2, 6, 7, 8)
    if column.kind not in ("money", "number", "share"):
        return (1, 2)
    return (1, 2, 3, 5) if column.low is None and column.high is None else (1, 2, 3, 4, 5)


def _message(column: Column, code: int, shown: str) -> str:
    got = f"{literal(column.name + ' is ' + chr(39))} || {shown} || {literal(chr(39) + ', ')}"
    if code == 1:
        return literal(f"{column.name} is missing; it is compulsory")
    return f"{got} || {literal(_expectation(column, code))}"


def _expectation(column: Column, code: int) -> str:
    if code == 2:
        return _readable(column)
    if code == 4:
        return f"expected {_range(column)}"
    return {
        3: "expected a finite number",
        5: f"expected at most {LARGEST_AMOUNT:.0e} either way",
        6: f"expected a date from {FIRST_DAY} to {LAST_DAY}",
        7: "expected a day on or after the row's first day",
        8: "expected a day on or after the one it happened",
    }[code]


def _readable(column: Column) -> str:
    if column.kind == "choice":
        return f"expected one of {', '.join(column.choices)}"
    hints = {"date": "; for another form than 2024-12-31 set read.date_format", "flag": " (true/false, 1/0, ja/nein)"}
    number = "; for decimal commas set read.decimal" if column.kind in ("money", "number", "share") else ""
    return f"expected {_EXPECTED.get(column.kind, 'text')}{hints.get(column.kind, number)}"


def _range(column: Column) -> str:
    if column.low is not None and column.high is not None:
        return f"{column.low:g} to {column.high:g}"
    return f"at least {column.low:g}" if column.low is not None else f"at most {column.high:g}"


def shown_sql(mapped: Sequence[Mapped]) -> str:
    """Return SQL for what messages quote: ``%name`` per column, over the source's own columns."""
    return ", ".join(f"TRY({each.compiled.shown}) as {quoted('%' + each.column.name)}" for each in mapped)
