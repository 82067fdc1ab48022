"""PostgreSQL as a source: the same rows as from a file, only the columns needed, secrets only by reference."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest

from features.errors import ConfigError, SourceError
from features.intake import Tables, take_in
from features.sources import Source

CSV = """invoice,kunde,at,pieces,price,paid,note
1,007,2024-03-31 21:59:59+00,2,2.55,2024-04-30,"a, ""b"", c"
2,B,2024-03-31 22:00:00+00,-1,10.10,,
3,C,2024-06-01 00:00:00+00,3,0.1,,x
"""
TABLE = """
create schema erp;
create table erp.invoices (
    invoice integer, kunde text, at timestamptz, pieces integer, price numeric(12, 2), paid date, note text,
    secret bytea default 'x', tags text[] default '{}'
);
insert into erp.invoices values
    (3, 'C', '2024-06-01 00:00:00+00', 3, 0.1, null, 'x'),
    (2, 'B', '2024-03-31 22:00:00+00', -1, 10.10, null, null),
    (1, '007', '2024-03-31 21:59:59+00', 2, 2.55, '2024-04-30', 'a, "b", c');
create table public.customers (customer_id text, name varchar(20), consent_email boolean, since timestamp);
insert into customers values ('B', 'Bob', true, '2020-01-01 10:00'), ('007', 'James', null, null);
"""
COLUMNS = {
    "order_id": "invoice",
    "customer_id": "kunde",
    "occurred_on": "at",
    "amount": "pieces * price",
    "quantity": "pieces",
    "paid_on": "paid",
}


@pytest.fixture
def filled(postgres_uri: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with psycopg.connect(postgres_uri) as connection:
        connection.execute(TABLE)
    monkeypatch.setenv("TREUE_TEST_DB", postgres_uri)
    return postgres_uri


def taken(root: Path, orders: Source, **others: Source) -> Tables:
    return take_in({"orders": orders, **others}, cutoff=date(2024, 5, 1), timezone="Europe/Berlin", root=root)


def test_a_database_gives_the_same_rows_as_a_file(filled: str, tmp_path: Path) -> None:
    assert filled
    (tmp_path / "orders.csv").write_text(CSV)
    (tmp_path / "customers.csv").write_text("customer_id,name,consent_email,since\n007,James,,\nB,Bob,t,2020-01-01\n")
    by_file = taken(
        tmp_path, Source(uri="orders.csv", columns=COLUMNS, where="pieces > -5"), customers=Source(uri="customers.csv")
    )
    by_database = taken(
        tmp_path,
        Source(uri="${TREUE_TEST_DB}", table="erp.invoices", columns=COLUMNS, where="pieces > -5"),
        customers=Source(uri="${TREUE_TEST_DB}", table="customers"),
    )
    assert by_database.digest == by_file.digest
    assert by_database.balances == by_file.balances
    assert by_database.query("select occurred_on, amount from orders order by order_id").to_pylist() == [
        {"occurred_on": date(2024, 3, 31), "amount": 5.1},
        {"occurred_on": date(2024, 4, 1), "amount": -10.1},
    ]


def test_only_the_columns_that_are_used_are_asked_for(
    filled: str, postgres_cluster: tuple[str, Path], tmp_path: Path
) -> None:
    assert filled
    _, log = postgres_cluster
    before = log.stat().st_size
    taken(tmp_path, Source(uri="${TREUE_TEST_DB}", table="erp.invoices", columns=COLUMNS))
    statements = log.read_bytes()[before:].decode()
    assert '"price"' in statements
    assert '"secret"' not in statements.replace('"secret"::', "")
    assert '"note"' not in statements


def test_a_missing_table_names_the_nearest(filled: str, tmp_path: Path) -> None:
    assert filled
    with pytest.raises(SourceError, match=r"there is no table `erp.invoice`; nearest is `invoices`"):
        taken(tmp_path, Source(uri="${TREUE_TEST_DB}", table="erp.invoice", columns=COLUMNS))


def test_a_missing_column_names_the_nearest(filled: str, tmp_path: Path) -> None:
    assert filled
    expected = r"sources.orders.columns.amount: the source has no column `preis`; nearest is `price`"
    with pytest.raises(ConfigError, match=expected):
        taken(tmp_path, Source(uri="${TREUE_TEST_DB}", table="erp.invoices", columns={**COLUMNS, "amount": "preis"}))


def test_a_server_that_is_not_there_is_one_line_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREUE_TEST_PASSWORD", "geh eim/ä")
    uri = "postgres://u:${TREUE_TEST_PASSWORD}@127.0.0.1:1/db?connect_timeout=3"
    with pytest.raises(SourceError, match=r"sources.orders: postgres://u:….* cannot be read") as caught:
        taken(tmp_path, Source(uri=uri, table="t"))
    assert "geh" not in str(caught.value)
    assert "\n" not in str(caught.value)
