"""Broken data: each gives one clear line, or lands in quarantine with file, row, rule, column and message."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ConfigError, ContractError, SourceError, TreueError
from features.intake import Tables, take_in
from features.sources import Source

GOOD = "order_id,customer_id,occurred_on,amount\n1,A,2024-01-01,10\n2,B,2024-01-02,20\n"
HEADER = "order_id,customer_id,occurred_on,amount\n"
COMPLAINTS = "complaint_id,customer_id,occurred_on,closed_on,severity\n"


def source(folder: Path, content: str | bytes, name: str, **keys: Any) -> Source:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source(uri=name, **keys)


def taken(folder: Path, content: str | bytes = GOOD, name: str = "orders.csv", **keys: Any) -> Tables:
    return take_in(
        {"orders": source(folder, content, name, **keys)}, cutoff=None, timezone="Europe/Berlin", root=folder
    )


def taken_with(folder: Path, table: str, content: str) -> Tables:
    sources = {"orders": source(folder, GOOD, "orders.csv"), table: source(folder, content, f"{table}.csv")}
    return take_in(sources, cutoff=None, timezone="Europe/Berlin", root=folder)


def refused(folder: Path, kind: type[TreueError], action: Callable[[], Tables]) -> str:
    with pytest.raises(TreueError, match=r".") as caught:
        action()
    assert type(caught.value) is kind
    assert caught.value.exit_code == (2 if kind is ConfigError else 1)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def the_refused(tables: Tables, table: str = "orders") -> tuple[int, str, str, str]:
    """Return row, rule, column, message of the one refused row, after checking the balance."""
    balance = next(each for each in tables.balances if each.table == table)
    assert balance.quarantined == 1
    assert balance.read == balance.accepted + balance.quarantined + balance.later
    row = tables.quarantine(table).to_pylist()[0]
    assert row["file"].endswith(f"{table}.csv")
    return row["row"], row["rule"], row["column"], row["message"]


# --- files that cannot be read: one line ------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        SourceError,
        lambda: take_in({"orders": Source(uri="gone.csv")}, cutoff=None, timezone="UTC", root=tmp_path),
    )
    assert message.startswith("sources.orders.uri: no file gone.csv; check the path")


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, ""))
    assert message == (
        "orders.csv line 1: expected a header with column names, got nothing; the file is empty or damaged"
    )


def test_a_file_with_only_a_header_leaves_nothing(tmp_path: Path) -> None:
    message = refused(tmp_path, ContractError, lambda: taken(tmp_path, HEADER))
    assert message == "orders.csv: no orders were read; check the file and sources.orders.where"


def test_a_column_twice_in_the_header_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, "order_id,customer_id,Order_ID,amount\n1,A,2,3\n"))
    assert message == "orders.csv line 1: column `Order_ID` appears twice in the header; rename one of them"


def test_a_missing_compulsory_column_names_the_nearest(tmp_path: Path) -> None:
    text = GOOD.replace("amount", "amnt")
    message = refused(tmp_path, ConfigError, lambda: taken(tmp_path, text))
    assert message.startswith("sources.orders.columns.amount: orders.csv has no column `amount`")
    assert "nearest is `amnt`" in message


def test_the_wrong_delimiter_is_suspected(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"columns": {"amount": "amount"}, "read": {"delimiter": ";"}}
    message = refused(tmp_path, ConfigError, lambda: taken(tmp_path, **keys))
    assert message.startswith("sources.orders.columns.order_id: orders.csv has no column `order_id`")


def test_latin_1_bytes_in_a_utf_8_file_name_line_and_key(tmp_path: Path) -> None:
    text = (HEADER + "1,Müller,2024-01-01,10\n").encode("latin-1")
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, text))
    assert message.startswith("orders.csv line 2: not text in UTF-8; set read.encoding")


def test_latin_1_bytes_in_the_header_name_file_and_key(tmp_path: Path) -> None:
    text = GOOD.replace("amount", "Größe").encode("latin-1")
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, text))
    assert message.startswith("orders.csv is not text in utf-8")
    assert "set read.encoding" in message


def test_utf_16_without_saying_so_is_recognised(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, GOOD.encode("utf-16")))
    assert message.startswith("orders.csv is not text in utf-8 (it starts like UTF-16); set read.encoding")


def test_bytes_that_the_named_encoding_lacks_are_an_error(tmp_path: Path) -> None:
    text = HEADER.encode() + b"1,\x81,2024-01-01,10\n"
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, text, read={"encoding": "cp1252"}))
    assert message.startswith("orders.csv is not text in cp1252")


def test_an_excel_file_called_csv_is_recognised(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, b"PK\x03\x04rest"))
    assert message.startswith("orders.csv is a zip or Excel file, not text; save the sheet as CSV")


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, b"PK\x03\x04", "orders.xlsx"))
    assert message.startswith("sources.orders.uri: expected .csv, .tsv, .txt (also .gz) or .parquet")


def test_a_truncated_gzip_file_is_damaged(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + "".join(f"{n},A,2024-01-01,{n * 7919}\n" for n in range(5000))).encode())
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, packed[: len(packed) // 2], "orders.csv.gz"))
    assert message.startswith("orders.csv.gz is damaged: it does not unpack as gzip")


def test_a_gzip_file_with_flipped_bytes_is_damaged(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress((HEADER + "".join(f"{n},A,2024-01-01,{n}\n" for n in range(5000))).encode()))
    packed[500:510] = b"0123456789"
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, bytes(packed), "orders.csv.gz"))
    assert message.startswith("orders.csv.gz is damaged")


def test_a_gzip_file_without_its_ending_is_recognised(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, gzip.compress(GOOD.encode())))
    assert message == "orders.csv is packed with gzip; rename it to end in .gz"


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, b"PAR1 and rubbish PAR1", "orders.parquet"))
    assert message.startswith("orders.parquet is not a readable Parquet file")


def test_parquet_pages_overwritten_inside_are_an_error_not_a_crash(tmp_path: Path) -> None:
    rows = {name: [f"{name}{n}" for n in range(50_000)] for name in ("order_id", "customer_id", "occurred_on")}
    pq.write_table(pa.table({**rows, "amount": list(range(50_000))}), tmp_path / "orders.parquet")
    content = bytearray((tmp_path / "orders.parquet").read_bytes())
    content[1000:3000] = b"\xff" * 2000
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, bytes(content), "orders.parquet"))
    assert message.startswith("sources.orders (orders.parquet): ")


def test_files_of_one_folder_must_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.csv").write_text(GOOD)
    (tmp_path / "parts" / "b.csv").write_text(GOOD.replace("amount", "total"))
    message = refused(
        tmp_path,
        SourceError,
        lambda: take_in({"orders": Source(uri="parts")}, cutoff=None, timezone="UTC", root=tmp_path),
    )
    assert message.startswith("parts/b.csv and parts/a.csv belong to one source but differ in column `amount`")


def test_an_open_quote_does_not_silently_swallow_the_file(tmp_path: Path) -> None:
    text = HEADER + '1,A,2024-01-01,10\n2,"B,2024-01-02,20\n3,C,2024-01-03,30\n4,D,2024-01-04,40\n'
    message = refused(tmp_path, SourceError, lambda: taken(tmp_path, text))
    assert message.startswith("orders.csv line 3: a quotation mark opened here is not closed")


def test_another_currency_is_an_error_that_names_row_and_value(tmp_path: Path) -> None:
    text = "order_id,customer_id,occurred_on,amount,cur\n1,A,2024-01-01,10,EUR\n2,B,2024-01-02,20,USD\n"
    sources = {"orders": source(tmp_path, text, "orders.csv", currency="cur")}
    message = refused(
        tmp_path,
        ContractError,
        lambda: take_in(sources, cutoff=None, timezone="UTC", root=tmp_path, currency="EUR"),
    )
    assert message.startswith("orders.csv row 3: currency is 'USD', expected EUR in every row of orders")


def test_nothing_left_names_the_first_breach(tmp_path: Path) -> None:
    message = refused(
        tmp_path, ContractError, lambda: taken(tmp_path, HEADER + "1,A,01.02.2024,10\n2,B,02.02.2024,1\n")
    )
    assert message.startswith("orders.csv row 2: occurred_on is '01.02.2024', expected a date")
    assert "read.date_format" in message
    assert "all 2 orders read were refused" in message


def test_nothing_before_the_cutoff_says_so(tmp_path: Path) -> None:
    orders = {"orders": source(tmp_path, GOOD, "orders.csv")}
    message = refused(
        tmp_path,
        ContractError,
        lambda: take_in(orders, cutoff=date(2020, 1, 1), timezone="UTC", root=tmp_path),
    )
    assert message == ("orders.csv: all 2 orders became known on or after the cutoff 2020-01-01; choose a later cutoff")


# --- rows that break the contract: quarantine -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "rule", "column", "message"),
    [
        ("3,C,2024-01-03", "malformed line", "", "missing columns"),
        ("3,C,2024-01-03,30,more", "malformed line", "", "too many columns"),
        (",C,2024-01-03,30", "missing value", "order_id", "order_id is missing"),
        ('3,"  ",2024-01-03,30', "missing value", "customer_id", "customer_id is missing"),
        ("3,C,,30", "missing value", "occurred_on", "occurred_on is missing"),
        ("3,C,2024-02-30,30", "not a date", "occurred_on", "occurred_on is '2024-02-30', expected a date"),
        ("3,C,today,30", "not a date", "occurred_on", "occurred_on is 'today', expected a date"),
        ("3,C,0204-01-03,30", "implausible date", "occurred_on", "expected a date from 1900-01-01 to 2200-12-31"),
        ("3,C,2024-01-03,abc", "not a number", "amount", "amount is 'abc', expected a number"),
        ('3,C,2024-01-03,"1,5"', "not a number", "amount", "for decimal commas set read.decimal"),
        ("3,C,2024-01-03,1_000", "not a number", "amount", "amount is '1_000', expected a number"),
        ("3,C,2024-01-03,inf", "not finite", "amount", "amount is 'inf', expected a finite number"),
        ("3,C,2024-01-03,NaN", "not finite", "amount", "amount is 'NaN', expected a finite number"),
        ("3,C,2024-01-03,1e13", "absurd amount", "amount", "expected at most 1e+12 either way"),
    ],
)
def test_a_bad_order_is_refused_with_rule_and_column(
    tmp_path: Path, line: str, rule: str, column: str, message: str
) -> None:
    tables = taken(tmp_path, GOOD + line + "\n4,D,2024-01-04,40\n")
    row, got_rule, got_column, got_message = the_refused(tables)
    assert (row, got_rule, got_column) == (4, rule, column)
    assert message in got_message
    assert tables.balances[0].accepted == 3


@pytest.mark.parametrize(
    ("table", "header", "line", "rule", "column", "message"),
    [
        ("complaints", COMPLAINTS, "c,A,2024-02-01,2024-01-01,3", "ends before it begins", "closed_on", "2024-01-01"),
        (
            "complaints",
            COMPLAINTS,
            "c,A,2024-02-01,,9",
            "out of bounds",
            "severity",
            "severity is '9', expected 1 to 5",
        ),
        (
            "contacts",
            "contact_id,customer_id,occurred_on,direction\n",
            "c,A,2024-02-01,sideways",
            "not one of the choices",
            "direction",
            "direction is 'sideways', expected one of in, out",
        ),
        (
            "customers",
            "customer_id,consent_phone\n",
            "A,perhaps",
            "unknown flag",
            "consent_phone",
            "consent_phone is 'perhaps', expected yes or no",
        ),
        (
            "losses",
            "customer_id,occurred_on,known_at\n",
            "A,2024-02-01,2024-01-01",
            "known before it happened",
            "known_at",
            "known_at is '2024-01-01', expected a day on or after",
        ),
    ],
)
def test_a_bad_row_of_another_table_is_refused(
    tmp_path: Path, table: str, header: str, line: str, rule: str, column: str, message: str
) -> None:
    tables = taken_with(tmp_path, table, header + line + "\n")
    row, got_rule, got_column, got_message = the_refused(tables, table)
    assert (row, got_rule, got_column) == (2, rule, column)
    assert message in got_message


def test_a_repeated_customer_is_kept_once(tmp_path: Path) -> None:
    tables = taken_with(tmp_path, "customers", "customer_id,name\nA,Ann\nB,Bob\nA,Ann\n")
    assert the_refused(tables, "customers")[:3] == (4, "repeated row", "customer_id")
    assert tables.query("select count(*) as n from customers")["n"][0].as_py() == 2


def test_conflicting_customers_keep_the_first_and_name_it(tmp_path: Path) -> None:
    tables = taken_with(tmp_path, "customers", "customer_id,name\nA,Ann\nB,Bob\nA,Anna\n")
    row, rule, _, message = the_refused(tables, "customers")
    assert (row, rule) == (4, "conflicting rows")
    assert message.startswith("customer_id as in row 2 of ")
    assert tables.query("select name from customers order by 1")["name"].to_pylist() == ["Ann", "Bob"]


def test_every_breach_of_a_row_is_in_its_message(tmp_path: Path) -> None:
    tables = taken(tmp_path, GOOD + ",C,soon,much\n")
    _, _, _, message = the_refused(tables)
    assert "order_id is missing" in message
    assert "occurred_on is 'soon'" in message
    assert "amount is 'much'" in message


def test_lines_are_counted_across_blank_lines_quoted_line_ends_and_malformed_ones(tmp_path: Path) -> None:
    text = (
        "order_id,customer_id,occurred_on,amount,note\r\n"
        '1,A,2024-01-01,10,"two\r\nlines"\r\n'
        "\r\n"
        "2,B,2024-01-02\r\n"
        "3,C,never,30,x\r\n"
        "\r\n"
        "4,D,2024-01-04,4,y\r\n"
        "5,E,,5,z"
    )
    tables = taken(tmp_path, text)
    rows = {(row["row"], row["rule"]) for row in tables.quarantine("orders").to_pylist()}
    assert rows == {(5, "malformed line"), (6, "not a date"), (9, "missing value")}
    assert tables.balances[0].read == 5


def test_the_original_columns_are_kept_as_text_even_when_named_like_ours(tmp_path: Path) -> None:
    tables = taken(tmp_path, "order_id,customer_id,occurred_on,amount,rule\n1,A,2024-01-01,x,007\n2,B,2024-01-01,1,8\n")
    row = tables.quarantine("orders").to_pylist()[0]
    assert (row["rule"], row["amount"], row["original_rule"]) == ("not a number", "x", "007")


def test_mixed_line_ends_are_read(tmp_path: Path) -> None:
    tables = taken(tmp_path, GOOD + "3,C,2024-01-03,30\r\n4,D,2024-01-04,40\n5,E,bad,50\r\n")
    assert tables.balances[0].accepted == 4
    assert the_refused(tables)[:2] == (6, "not a date")
