"""How long customers were customers, bought or under contract."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from pipelines.lives import lives_of
from pipelines.settings import settings_from


def lives(folder: Path, churn: dict[str, object], **tables: str) -> pd.DataFrame:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    sources = {name: {"uri": str(folder / f"{name}.csv")} for name in tables}
    made = settings_from({"name": "x", "sources": sources, "churn": churn, "timezone": "UTC"}, place="test")
    return lives_of(made, date(2025, 6, 1)).set_index("customer_id")


ORDERS = """order_id,customer_id,occurred_on,amount
1,a,2024-01-01,10
2,a,2024-12-01,10
3,b,2024-12-03,10
4,c,2024-12-02,10
5,c,2025-05-01,-10
6,d,2025-06-01,10
"""


def test_a_buyer_is_lost_on_the_first_day_that_is_one_too_many_and_returns_are_no_purchase(tmp_path):
    found = lives(tmp_path, {"active_within_days": 180}, orders=ORDERS)
    assert found["lost_on"].dt.date.dropna().to_dict() == {"a": date(2025, 5, 31), "c": date(2025, 6, 1)}
    assert found["followed_days"].to_dict() == {"a": 516.0, "b": 180.0, "c": 181.0}
    assert found["cohort"].to_dict() == {"a": "before", "b": "2024", "c": "2024"}


def test_a_contract_customer_is_lost_when_the_last_contract_has_ended(tmp_path):
    contracts = """customer_id,starts_on,ends_on
a,2024-01-01,2024-12-31
a,2025-01-01,2025-05-31
b,2024-01-01,2024-12-31
b,2024-06-01,
c,2024-03-05,2025-06-30
"""
    churn = {"definition": "contract", "horizon_days": 30}
    found = lives(tmp_path, churn, orders=ORDERS, contracts=contracts)
    assert found["lost_on"].dt.date.dropna().to_dict() == {"a": date(2025, 6, 1)}
    assert found.loc["a", "followed_days"] == 517
