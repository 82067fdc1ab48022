"""What is taken in: types, time zones, cutoffs, later facts, digests."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ConfigError, SourceError
from features.intake import Tables, take_in, take_in_frames
from features.sources import Source

HEADER = "order_id,customer_id,occurred_on,amount\n"
GOOD = HEADER + "1,A,2024-01-01,10\n2,B,2024-01-02,20\n"


def taken(
    folder: Path, texts: dict[str, str], cutoff: date | None = None, timezone: str = "Europe/Berlin", **orders: Any
) -> Tables:
    texts = {"orders": GOOD, **texts}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    sources = {name: Source(uri=f"{name}.csv", **(orders if name == "orders" else {})) for name in texts}
    return take_in(sources, cutoff=cutoff, timezone=timezone, root=folder)


def column(tables: Tables, name: str, table: str = "orders") -> list[Any]:
    values: list[Any] = tables.arrow(table, [name])[name].to_pylist()
    return values


def test_canonical_types_come_out(tmp_path: Path) -> None:
    tables = taken(tmp_path, {"customers": "customer_id,consent_email,since\nA,ja,2020-01-01\n"})
    assert tables.query("from orders").schema == pa.schema(
        {
            "order_id": pa.string(),
            "customer_id": pa.string(),
            "occurred_on": pa.date32(),
            "amount": pa.float64(),
            "known_at": pa.date32(),
        }
    )
    assert tables.query("from customers").to_pylist() == [
        {"customer_id": "A", "since": date(2020, 1, 1), "consent_email": True, "known_at": date(1900, 1, 1)}
    ]


def test_names_columns_and_has_say_what_is_there(tmp_path: Path) -> None:
    tables = taken(tmp_path, {"customers": "customer_id,name,colour\nA,x,red\n"})
    assert tables.names == ("customers", "orders")
    assert tables.columns("customers") == ("customer_id", "name")
    assert tables.columns("losses") == ()
    assert tables.has("customers", "name", "known_at")
    assert not tables.has("customers", "owner")
    assert not tables.has("losses")


def test_ids_keep_leading_zeros_and_lose_blanks(tmp_path: Path) -> None:
    tables = taken(tmp_path, {"orders": HEADER + '1," 007 ",2024-01-01,1\n'})
    assert column(tables, "customer_id") == ["007"]


def test_whole_floating_ids_come_out_as_integers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"order_id": [1, 2], "customer_id": [12346.0, 7.0], "occurred_on": ["2024-01-01"] * 2, "amount": [1, 2]}
    )
    tables = take_in_frames({"orders": frame}, cutoff=None, timezone="UTC")
    assert column(tables, "customer_id") == ["12346", "7"]
    assert tables.id_type == pa.int64()


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-03-31", date(2024, 3, 31)),
        ("2024-03-31 23:30", date(2024, 3, 31)),
        ("2024-03-31T23:30:00.5", date(2024, 3, 31)),
        ("2024-03-31T21:59:59Z", date(2024, 3, 31)),
        ("2024-03-31T22:00:00Z", date(2024, 4, 1)),  # summer time began that night: two hours ahead
        ("2024-03-30T22:59:59Z", date(2024, 3, 30)),  # winter time: one hour ahead
        ("2024-03-30T23:00:00+00:00", date(2024, 3, 31)),
        ("2024-10-27 00:30:00+0300", date(2024, 10, 26)),
    ],
)
def test_a_time_becomes_the_day_in_the_zone(tmp_path: Path, written: str, day: date) -> None:
    assert column(taken(tmp_path, {"orders": f"{HEADER}1,A,{written},1\n"}), "occurred_on") == [day]


def test_zoned_timestamps_of_parquet_become_the_day_in_the_zone(tmp_path: Path) -> None:
    moment = pa.array([pd.Timestamp("2024-03-31T22:30:00Z")], pa.timestamp("us", "UTC"))
    orders = pa.table({"order_id": ["1"], "customer_id": ["A"], "occurred_on": moment, "amount": [1]})
    pq.write_table(orders, tmp_path / "o.parquet")
    tables = take_in({"orders": Source(uri="o.parquet")}, cutoff=None, timezone="Europe/Berlin", root=tmp_path)
    assert column(tables, "occurred_on") == [date(2024, 4, 1)]


def test_german_text_is_read_as_told(tmp_path: Path) -> None:
    text = "Nr;Kunde;Datum;Menge;Preis\n1;Müller;31.12.2024;2;1.234,50\n2;Maier;01.01.2025;1;0,5\n"
    (tmp_path / "o.csv").write_bytes(text.encode("cp1252"))
    source = Source.model_validate(
        {
            "uri": "o.csv",
            "columns": {"order_id": "Nr", "customer_id": "Kunde", "occurred_on": "Datum", "amount": "Menge * Preis"},
            "read": {"encoding": "cp1252", "decimal": ",", "thousands": ".", "date_format": "%d.%m.%Y"},
        }
    )
    tables = take_in({"orders": source}, cutoff=None, timezone="Europe/Berlin", root=tmp_path)
    assert column(tables, "customer_id") == ["Müller", "Maier"]
    assert column(tables, "amount") == [2469.0, 0.5]
    assert column(tables, "occurred_on") == [date(2024, 12, 31), date(2025, 1, 1)]


def test_a_value_lost_inside_an_expression_is_refused_not_missing(tmp_path: Path) -> None:
    tables = taken(
        tmp_path, {"orders": GOOD + "3,C,2024-01-03,x\n"}, columns={"amount": "amount * 2", "margin": "amount / 2"}
    )
    assert tables.quarantine("orders")["message"][0].as_py() == (
        "amount is 'x', expected a number; for decimal commas set read.decimal;"
        " margin is 'x', expected a number; for decimal commas set read.decimal"
    )


def test_rows_outside_where_are_not_read(tmp_path: Path) -> None:
    tables = taken(tmp_path, {}, where="amount > 10")
    assert tables.balances[0].read == 1


def test_known_at_decides_what_is_later_and_leaves_no_trace(tmp_path: Path) -> None:
    rows = (
        HEADER.strip() + ",known_at\n1,A,2024-01-01,10,\n2,B,2024-01-02,20,2024-02-01\n3,C,2024-01-03,30,2024-01-31\n"
    )
    tables = taken(tmp_path, {"orders": rows}, cutoff=date(2024, 2, 1))
    balance = tables.balances[0]
    assert (balance.read, balance.accepted, balance.quarantined, balance.later) == (3, 2, 0, 1)
    assert column(tables, "known_at") == [date(2024, 1, 1), date(2024, 1, 31)]
    assert (tables.first_known, tables.last_known) == (date(2024, 1, 1), date(2024, 1, 31))


def test_a_later_row_is_later_even_when_it_breaks_other_rules(tmp_path: Path) -> None:
    tables = taken(tmp_path, {"orders": GOOD + "3,,2025-01-01,x\n"}, cutoff=date(2024, 6, 1))
    assert (tables.balances[0].quarantined, tables.balances[0].later) == (0, 1)


def test_what_was_settled_later_is_still_open_at_the_cutoff(tmp_path: Path) -> None:
    complaints = (
        "complaint_id,customer_id,occurred_on,closed_on,goodwill_amount,satisfied\n"
        "1,A,2024-01-01,2024-01-10,5,yes\n2,A,2024-01-01,2024-02-01,-7,no\n"
    )
    tables = taken(tmp_path, {"complaints": complaints}, cutoff=date(2024, 2, 1))
    rows = tables.query(
        "select closed_on, goodwill_amount, satisfied from complaints order by complaint_id"
    ).to_pylist()
    assert rows == [
        {"closed_on": date(2024, 1, 10), "goodwill_amount": 5.0, "satisfied": True},
        {"closed_on": None, "goodwill_amount": None, "satisfied": None},
    ]


def test_consent_given_later_is_no_consent_yet(tmp_path: Path) -> None:
    customers = "customer_id,consent_phone,consent_on,objection_on\nA,yes,2024-02-01,2024-03-01\n"
    tables = taken(tmp_path, {"customers": customers}, cutoff=date(2024, 2, 1))
    assert tables.query("select consent_phone, consent_on, objection_on from customers").to_pylist() == [
        {"consent_phone": None, "consent_on": None, "objection_on": None}
    ]


def test_the_end_of_a_contract_agreed_in_advance_stays(tmp_path: Path) -> None:
    contracts = "customer_id,starts_on,ends_on,cancelled_on\nA,2023-01-01,2024-12-31,2024-06-01\n"
    tables = taken(tmp_path, {"contracts": contracts}, cutoff=date(2024, 2, 1))
    assert tables.query("select ends_on, cancelled_on from contracts").to_pylist() == [
        {"ends_on": date(2024, 12, 31), "cancelled_on": None}
    ]


def test_deleting_later_rows_changes_nothing(tmp_path: Path) -> None:
    with_later = taken(tmp_path, {"orders": GOOD + "3,C,2024-02-01,30\n"}, cutoff=date(2024, 2, 1))
    without = taken(tmp_path, {"orders": GOOD}, cutoff=date(2024, 2, 1))
    assert with_later.digest == without.digest
    assert with_later.query("from orders") == without.query("from orders")
    assert with_later.notes == without.notes


def test_the_digest_ignores_the_order_of_rows_and_sees_every_value(tmp_path: Path) -> None:
    first, *rest = GOOD.splitlines()
    forward = taken(tmp_path, {"orders": GOOD}).digest
    assert taken(tmp_path, {"orders": "\n".join([first, *reversed(rest)])}).digest == forward
    assert taken(tmp_path, {"orders": GOOD.replace("20\n", "21\n")}).digest != forward
    assert taken(tmp_path, {"orders": GOOD + "2,B,2024-01-02,20\n"}).digest != forward


def test_files_databases_and_frames_give_the_same_digest(tmp_path: Path) -> None:
    by_file = taken(tmp_path, {}).digest
    frame = pd.read_csv(tmp_path / "orders.csv")
    frame.to_parquet(tmp_path / "o.parquet")
    with duckdb.connect(str(tmp_path / "o.duckdb")) as connection:
        connection.execute(f"create table orders as from read_csv('{tmp_path}/orders.csv')")
    with sqlite3.connect(tmp_path / "o.sqlite") as lite:
        frame.to_sql("orders", lite)
    lite.close()
    sources = [
        Source(uri="o.parquet"),
        Source(uri="duckdb://o.duckdb", table="orders"),
        Source(uri="sqlite://o.sqlite", table="orders"),
    ]
    for source in sources:
        assert take_in({"orders": source}, cutoff=None, timezone="UTC", root=tmp_path).digest == by_file
    assert take_in_frames({"orders": frame}, cutoff=None, timezone="UTC").digest == by_file


def test_a_database_without_the_table_names_the_nearest(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "o.duckdb")) as connection:
        connection.execute("create table orders (a int)")
    source = Source(uri="duckdb://o.duckdb", table="order")
    with pytest.raises(SourceError, match=r"sources.orders.table: there is no table `order`; nearest is `orders`"):
        take_in({"orders": source}, cutoff=None, timezone="UTC", root=tmp_path)


def test_a_database_file_that_is_missing_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no database file"):
        take_in({"orders": Source(uri="duckdb://o.duckdb", table="t")}, cutoff=None, timezone="UTC", root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_folders_and_globs_are_read_in_order_with_their_own_rows(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "b.csv").write_text(HEADER + "3,C,2024-01-03,x\n")
    (tmp_path / "parts" / "a.csv").write_text("amount,order_id,customer_id,occurred_on\n10,1,A,2024-01-01\n")
    for uri in ("parts", "parts/*.csv"):
        tables = take_in({"orders": Source(uri=uri)}, cutoff=None, timezone="UTC", root=tmp_path)
        assert column(tables, "order_id") == ["1"]
        refused = tables.quarantine("orders").to_pylist()
        assert [(Path(each["file"]).name, each["row"]) for each in refused] == [("b.csv", 2)]


def test_several_parquet_files_name_the_file_of_a_refused_row(tmp_path: Path) -> None:
    for name, amount in (("a", 1.0), ("b", float("inf"))):
        rows = {"order_id": ["1"], "customer_id": ["A"], "occurred_on": ["2024-01-01"], "amount": [amount]}
        pq.write_table(pa.table(rows), tmp_path / f"{name}.parquet")
    tables = take_in({"orders": Source(uri="*.parquet")}, cutoff=None, timezone="UTC", root=tmp_path)
    refused = tables.quarantine("orders").to_pylist()
    assert [(Path(each["file"]).name, each["row"], each["rule"]) for each in refused] == [
        ("b.parquet", 1, "not finite")
    ]


def test_notes_name_what_is_missing_orphans_and_repeated_lines(tmp_path: Path) -> None:
    tables = taken(tmp_path, {"orders": GOOD + "2,B,2024-01-02,20\n", "customers": "customer_id\nA\n"})
    notes = "\n".join(tables.notes)
    assert "table complaints is missing: no features or reasons from complaints" in notes
    assert "column customers.owner is missing" in notes
    assert "orders: 2 rows of 1 customers who are not in customers; kept" in notes
    assert "orders: 1 rows are exactly like another one; kept" in notes


def test_many_refusals_are_noted(tmp_path: Path) -> None:
    tables = taken(tmp_path, {"orders": GOOD + "3,C,never,1\n"})
    assert tables.notes[0] == (
        "orders: 1 of 3 rows were refused (33%), most by `not a date` in occurred_on; see quarantine/orders.parquet"
    )


def test_frames_with_mixed_objects_are_read_as_text() -> None:
    frame = pd.DataFrame(
        {
            "order_id": [1, "2b"],
            "customer_id": ["A", 7],
            "occurred_on": [date(2024, 1, 1), "2024-01-02"],
            "amount": [1, "x"],
        }
    )
    tables = take_in_frames({"orders": frame}, cutoff=None, timezone="UTC")
    assert column(tables, "order_id") == ["1"]
    assert tables.quarantine("orders").to_pylist()[0]["row"] == 2


def test_the_engine_is_locked_after_opening(tmp_path: Path) -> None:
    tables = taken(tmp_path, {})
    for sql in (
        "select * from read_text('/etc/passwd')",
        "copy orders to '/tmp/x.csv'",
        "set threads=1",
        "attach 'x.db'",
    ):
        with pytest.raises(SourceError, match=r"disabled|locked"):
            tables.query(sql)


def test_temporary_files_go_with_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with taken(tmp_path, {}) as tables:
        assert list(scratch.iterdir())
        assert tables.names == ("orders",)
    assert not list(scratch.iterdir())
    with pytest.raises(ConfigError, match="timezone"):
        taken(tmp_path, {}, timezone="Mars/Olympus")
    assert not list(scratch.iterdir())


def test_a_pandas_column_with_a_time_zone_counts_in_the_zone_of_the_company() -> None:
    late_evening = pd.to_datetime(["2024-06-30T22:30:00Z", "2024-12-31T22:30:00Z"], utc=True)
    frame = pd.DataFrame({"order_id": ["1", "2"], "customer_id": [1, 2], "occurred_on": late_evening, "amount": 1.0})
    with take_in_frames({"orders": frame}, cutoff=None, timezone="Europe/Berlin") as tables:
        days = tables.arrow("orders", ["occurred_on"], order_by=["order_id"]).column(0).to_pylist()
    assert days == [date(2024, 7, 1), date(2024, 12, 31)]
