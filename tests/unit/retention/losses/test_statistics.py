from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from retention.loss_reasons import shipped_loss_reasons
from retention.losses.statistics import REST, by_group, by_month, by_reason, with_reason

REASONS = shipped_loss_reasons()


def lost() -> pd.DataFrame:
    """Return twelve lost customers."""
    rows = [
        ("a", "price", "interview", "service", date(2026, 1, 9), 100.0, "A", "Meyer"),
        ("b", "unknown", "interview", "service", date(2026, 1, 30), 50.0, "A", "Meyer"),
        ("c", "quality", "inferred", "service", date(2026, 3, 1), 10.0, "B", "Meyer"),
        ("d", None, None, "unknown", date(2026, 3, 2), None, "B", "Schulz"),
        ("e", None, None, None, date(2026, 3, 31), None, None, "Schulz"),
        *((f"f{n}", "price", "interview", None, date(2026, 4, 1), 1.0, "C", "Schulz") for n in range(7)),
    ]
    names = ["customer_id", "told_reason", "told_source", "inferred_reason", "lost_on", "value", "segment", "owner"]
    texts = ["told_reason", "told_source", "inferred_reason", "segment", "owner"]
    return with_reason(pd.DataFrame(rows, columns=names).astype(dict.fromkeys(texts, "str")))


def test_told_counts_before_noted_and_noted_before_inferred():
    found = lost().set_index("customer_id")
    assert found["loss_reason"].to_dict() == {
        "a": "price", "b": "service", "c": "quality", "d": "unknown", "e": "unknown",
        **{f"f{n}": "price" for n in range(7)},
    }  # fmt: skip
    assert found["known_by"].head(5).tolist() == ["told", "inferred", "noted", "nobody", "nobody"]


def test_every_reason_has_a_row_and_the_rows_add_up():
    table = by_reason(lost(), REASONS).set_index("reason")
    assert tuple(table.index) == REASONS.names
    assert (table["customers"].sum(), table["share"].sum()) == (12, pytest.approx(1))
    assert table.loc["price", ["customers", "told", "noted", "inferred", "value"]].tolist() == [8, 8, 0, 0, 107.0]
    assert pd.isna(table.loc["unknown", "value"])
    assert not table.loc["insolvency", "curable"]


def test_months_have_no_gap_and_a_value_only_where_one_is_known():
    table = by_month(lost())
    assert [day.isoformat() for day in table["month"]] == ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]
    assert table["customers"].tolist() == [2, 0, 3, 7]
    assert table["value"].fillna(-1).tolist() == [150.0, -1.0, 10.0, 7.0]


def test_small_groups_are_joined_so_that_nobody_is_recognised():
    table = by_group(lost(), ["segment"])
    assert table[["level", "customers"]].to_numpy().tolist() == [["C", 7], [REST, 4]]
    assert table["main_reason"].tolist() == ["price", "price"]
    assert table["main_share"].iloc[1] == pytest.approx(1 / 3)


def test_account_managers_appear_only_when_asked_for():
    assert "owner" not in set(by_group(lost(), ["segment"])["by"])
    assert set(by_group(lost(), ["segment", "owner"])["by"]) == {"segment", "owner"}


def test_without_lost_customers_every_table_is_empty_or_zero():
    nobody = lost().head(0)
    assert by_reason(nobody, REASONS)["customers"].sum() == 0
    assert by_month(nobody).empty
    assert by_group(nobody, ["segment"]).empty
