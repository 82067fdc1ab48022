"""The rules of the contract as SQL, against what the contract says in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.contract import TABLES
from features.intake import take_in
from features.quality import FALSE_WORDS, SETTLED_BY, TRUE_WORDS, rule_name
from features.sources import Source

ORDERS = "order_id,customer_id,occurred_on,amount\n1,A,2024-01-01,1\n"
VALUES = {"id": "1", "text": "x", "date": "2024-01-01", "money": "1", "number": "1", "share": "0.5", "flag": "yes"}


@pytest.mark.parametrize("name", [name for name in TABLES if name != "orders"])
def test_a_row_with_every_column_filled_is_accepted(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    row = [column.choices[0] if column.choices else VALUES[column.kind] for column in table.columns]
    (tmp_path / "o.csv").write_text(ORDERS)
    (tmp_path / "t.csv").write_text(f"{','.join(column.name for column in table.columns)}\n{','.join(row)}\n")
    sources = {"orders": Source(uri="o.csv"), name: Source(uri="t.csv")}
    with take_in(sources, cutoff=None, timezone="UTC", root=tmp_path) as tables:
        assert next(each for each in tables.balances if each.table == name).accepted == 1
        assert tables.columns(name) == tuple(column.name for column in table.columns)
        assert tables.notes


def test_columns_settled_later_belong_to_the_contract() -> None:
    for name, later in SETTLED_BY.items():
        known = {column.name for column in TABLES[name].columns}
        assert {*later, *(each for columns in later.values() for each in columns)} <= known


def test_no_word_means_both_yes_and_no() -> None:
    assert not set(TRUE_WORDS) & set(FALSE_WORDS)


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [
        ("orders", "amount", "not a number"),
        ("orders", "occurred_on", "not a date"),
        ("contacts", "direction", "not one of the choices"),
        ("customers", "consent_email", "unknown flag"),
    ],
)
def test_an_unreadable_value_is_named_after_its_kind(table: str, column: str, name: str) -> None:
    assert rule_name(TABLES[table].column(column), 2) == name
