"""Column expressions: what may be said, and how text is read inside them."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from features.coercion import Want, reading_macros
from features.errors import ConfigError
from features.expressions import compile_expression, parse, referenced

TYPES = {"pieces": "VARCHAR", "price": "VARCHAR", "n": "INTEGER", "at": "VARCHAR", "d": "DATE", "Order No": "VARCHAR"}
ROW = (
    "select '3' as pieces, '2.5' as price, 2 as n, '2024-01-31 23:00' as at, date '2024-01-31' as d,"
    " '007' as \"Order No\""
)


def value(text: str, want: Want = "any", row: str = ROW, **reading: str) -> object:
    compiled = compile_expression(text, TYPES, place="p", suffix="t", want=want)
    chosen = {"decimal": ".", "thousands": "", "date_format": "", "timezone": "Europe/Berlin", **reading}
    with duckdb.connect() as connection:
        for statement in reading_macros("t", **chosen):
            connection.execute(statement)
        found = connection.execute(f"select {compiled.sql}, {compiled.doubt} from ({row})").fetchall()[0]  # noqa: S608
    return "in doubt" if found[0] is None and found[1] else found[0]


@pytest.mark.parametrize(
    ("text", "want", "expected"),
    [
        ("pieces * price", "number", 7.5),
        ("-pieces", "number", -3.0),
        ("coalesce(pieces, 0) * n", "number", 6.0),
        ("case when n > 1 then -price else price end", "number", -2.5),
        ("if(pieces > 2, 'many', 'few')", "any", "many"),
        ("pieces in (3, 4)", "any", True),
        ("pieces between 1 and 3 and not price is null", "any", True),
        ("pieces = '3'", "any", True),
        ("Order No", "any", "007"),
        ('"order no"', "any", "007"),
        ("PIECES", "any", "3"),
        ("upper(n)", "any", "2"),
        ("cast(pieces as integer) + 1", "number", 4.0),
        ("cast(n as varchar)", "any", "2"),
        ("cast(at as date)", "any", date(2024, 1, 31)),
        ("cast(at as date) + interval 1 day = d + interval 1 day", "any", True),
        ("at + interval 2 hours > d + interval 1 day", "any", True),
        ("year(at)", "number", 2024),
        ("date_trunc('month', at) = date '2024-01-01'", "any", True),
        ("strptime('31.01.2024', '%d.%m.%Y') = d", "any", True),
        ("n / 4", "number", 0.5),
        ("make_date(2024, 13, 1)", "any", None),
        ("split_part(\"Order No\", '0', 3)", "any", "7"),
        ("'b2b'", "any", "b2b"),
    ],
)
def test_an_expression_means_the_same_over_text_and_typed_columns(text: str, want: Want, expected: object) -> None:
    assert value(text, want) == expected


@pytest.mark.parametrize(
    ("written", "reading", "expected"),
    [
        ("1,5", {"decimal": ","}, 1.5),
        ("-1.234.567,5", {"decimal": ",", "thousands": "."}, -1234567.5),
        ("1 234,5", {"decimal": ",", "thousands": " "}, 1234.5),
        ("1,234.5", {"thousands": ","}, 1234.5),
        ("1.5", {"decimal": ","}, "in doubt"),
        ("1.23,5", {"decimal": ",", "thousands": "."}, "in doubt"),
        ("1_000", {}, "in doubt"),
        ("0x10", {}, "in doubt"),
        ("12 EUR", {}, "in doubt"),
        ("", {}, None),
        (" 2.50 ", {}, 2.5),
        ("1e3", {}, 1000.0),
    ],
)
def test_numbers_are_read_as_told_and_never_guessed(written: str, reading: dict[str, str], expected: object) -> None:
    row = ROW.replace("'3' as pieces", f"'{written}' as pieces")
    assert value("pieces", "number", row, **reading) == expected


def test_a_value_lost_by_a_cast_is_in_doubt_but_not_one_that_try_cast_or_case_guards() -> None:
    assert value("cast(\"Order No\" || 'x' as integer)") == "in doubt"
    assert value("try_cast(\"Order No\" || 'x' as integer)") is None
    assert value("case when n > 5 then cast('x' || pieces as integer) end") is None


@pytest.mark.parametrize(
    "text",
    [
        "(select 1)", "n in (select 1)", "exists(select 1)", "n; drop table x", "sum(n)", "count(*)", "*",
        "row_number() over ()", "read_text('/etc/passwd')", "read_csv('x')", "getenv('HOME')", "getvariable('x')",
        "current_setting('x')", "now()", "current_date", "current_timestamp", "random()", "uuid()", "nextval('x')",
        "columns('x')", "n as m", "$1", "?", "t.n", "cast(n as json)", "[n]", "{'a': n}", "n -> 'x'",
        "list_transform([1], x -> x)", "unnest([1])", "set_config('a', 'b')", "pg_read_file('x')", "copy x to 'y'",
        "attach 'x'", "install httpfs", "pragma version", "select 1", "values (1)", "n n n", "case when", "'open",
        "repeat('x', 1000000000)", "", ";",
    ],
)  # fmt: skip
def test_what_is_no_scalar_expression_over_the_source_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^sources\.orders\.where: "):
        parse(text, place="sources.orders.where")


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"^p: the source has no column `peices`; nearest is `pieces`$"):
        compile_expression("peices * 2", TYPES, place="p", suffix="t", want="number")


def test_a_comment_cannot_hide_anything() -> None:
    assert value("n /* + 40 */ + 1 -- more", "number") == 3.0


def test_the_columns_used_are_known_as_the_source_spells_them() -> None:
    assert referenced('PIECES * n + length("order no") * n', TYPES, place="p") == ("pieces", "n", "Order No")
