from __future__ import annotations

from typing import Any

import pytest

from features.catalogue import catalogue
from features.contract import TABLES
from retention.report.origin import Origin, TableBalance, origin_in


def origin(columns: dict[str, tuple[str, ...]], notes: tuple[str, ...] = ()) -> Origin:
    """Return the data section when exactly these tables and optional columns are there."""
    there = {feature.name for feature in catalogue().available(columns)}
    data: dict[str, Any] = {
        "balances": [
            {"table": name, "read": 10, "accepted": 7, "quarantined": 2, "later": 1}
            for name in TABLES
            if name in columns
        ],
        "features": sorted(there),
        "missing_features": [feature.name for feature in catalogue() if feature.name not in there],
        "notes": list(notes),
    }
    return origin_in(data, catalogue())


EVERYTHING = {name: ("known_at", *(column.name for column in table.columns)) for name, table in TABLES.items()}


def without(*gone: str) -> dict[str, tuple[str, ...]]:
    """Return all columns but these (``table.column``), without these tables (``table``)."""
    return {
        table: tuple(column for column in columns if f"{table}.{column}" not in gone)
        for table, columns in EVERYTHING.items()
        if table not in gone
    }


def test_with_everything_there_nothing_falls_away() -> None:
    found = origin(EVERYTHING)
    assert (found.losses, found.silent_families, found.missing) == ((), (), 0)
    assert all(balance.is_even for balance in found.balances)


def test_a_missing_table_takes_exactly_its_features_and_the_reasons_that_live_on_them_alone() -> None:
    (loss,) = origin(without("complaints")).losses
    assert (loss.table, loss.columns) == ("complaints", ())
    assert {feature.name for feature in loss.features} == {
        feature.name for feature in catalogue() if "complaints" in feature.needs
    }
    assert set(loss.families) == {"complaints", "complaint_open", "complaint_handling"}


def test_a_missing_column_is_named_and_its_neighbours_are_not() -> None:
    (loss,) = origin(without("complaints.closed_on")).losses
    assert (loss.table, loss.columns) == ("complaints", ("closed_on",))
    assert "complaints__open_count" in {feature.name for feature in loss.features}
    assert set(loss.families) == {"complaint_open"}


def test_a_column_needed_beside_another_is_found_by_elimination() -> None:
    (loss,) = origin(without("complaints.goodwill_amount")).losses
    assert loss.columns == ("goodwill_amount",)
    assert [each.name for each in loss.features] == ["complaints__goodwill_364d", "complaints__goodwill_share_364d"]
    assert loss.families == ()


def test_columns_without_features_are_known_from_the_notes() -> None:
    notes = ("column customers.owner is missing: lists cannot be split by account manager", "orders: something else")
    found = origin(EVERYTHING, notes)
    assert [(loss.table, loss.columns, loss.features) for loss in found.losses] == [("customers", ("owner",), ())]
    assert found.notes == ("orders: something else",)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "orders"])
def test_every_missing_table_is_told_once(table: str) -> None:
    found = origin(without(table), (f"table {table} is missing: x",))
    assert [loss.table for loss in found.losses] == [table]
    assert found.notes == ()


def test_orders_alone_leave_only_reasons_about_orders() -> None:
    found = origin({"orders": ()})
    assert found.missing == found.features - sum(
        set(feature.needs) == {"orders"} for feature in catalogue().available({"orders": ()})
    )
    assert {"margin", "complaints", "contact_mood", "contract"} <= set(found.silent_families)


def test_a_balance_that_loses_rows_is_uneven() -> None:
    assert not TableBalance(table="orders", read=10, accepted=8, quarantined=1, later=0).is_even
