from __future__ import annotations

from datetime import date

import pandas as pd

from pipelines.cards import described_for

FIRST, SECOND = date(2025, 1, 1), date(2025, 2, 1)
SNAPSHOTS = pd.DataFrame(
    {
        "cutoff": [FIRST, FIRST, SECOND, SECOND],
        "customer_id": ["b", "a", "a", "b"],
        "sales__turnover_364d": [95.0, 5.0, 95.0, 5.0],
    }
)
MASTER = pd.DataFrame(
    {"customer_id": ["a", "c"], "type": ["b2b", "b2c"], "country": ["DE", "DE"], "postcode": ["1x", "2"]}
)


def test_snapshots_of_tested_cutoffs_are_described_as_of_their_day_and_by_the_master_data() -> None:
    found = described_for(SNAPSHOTS, [FIRST], MASTER).set_index("customer_id")
    assert found["segment"].to_dict() == {"b": "A", "a": "C"}
    assert found.loc["a", ["type", "postcode"]].to_list() == ["b2b", "1"]
    assert found.loc["b", ["type", "postcode"]].isna().all()
    assert "country" not in found


def test_where_there_are_several_countries_they_are_the_regions() -> None:
    abroad = MASTER.assign(country=["DE", "AT"])
    found = described_for(SNAPSHOTS, [FIRST, SECOND], abroad)
    assert found.loc[found["customer_id"] == "a", "country"].tolist() == ["DE", "DE"]
    assert "postcode" not in found
    assert len(found) == 4


def test_without_tests_or_master_data_nothing_is_described() -> None:
    nobody = pd.DataFrame({"customer_id": pd.Series(dtype="str")})
    assert described_for(SNAPSHOTS, [], nobody).empty
    assert list(described_for(SNAPSHOTS, [FIRST], nobody).columns) == ["cutoff", "customer_id", "segment"]
