"""The table of classes, as a person reads it, and what is at stake where."""

from __future__ import annotations

import pandas as pd
import pytest

from retention.segments import abc, standing
from retention.worth import at_stake, classes_table, crossed, regions_of, texts_of

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d", "e"],
        "name": ["Aal", "Barsch", "Chub", "Dorsch", None],
        "owner": ["X", "X", "Y", None, "Y"],
    }
)
CONTACTS = {"A": 12, "B": 4, "C": 1}


@pytest.fixture
def scores() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d", "e"],
            "value": [8000.0, 1500.0, 400.0, 90.0, 0.0],
            "value_low": [4000.0, 700.0, 0.0, 0.0, 0.0],
            "value_high": [12000.0, 2600.0, 900.0, 300.0, 0.0],
            "turnover": [100.0, 9000.0, 500.0, 80.0, 300.0],
            "expected_margin": [900.0, 200.0, 60.0, 20.0, 40.0],
            "cost_to_serve": [50.0, 60.0, 10.0, 5.0, 400.0],
            "potential": [3000.0, 0.0, 20.0, 10.0, 0.0],
            "value_at_risk": [800.0, 300.0, 100.0, 10.0, 0.0],
            "value_at_risk_low": [400.0, 300.0, 60.0, 0.0, 0.0],
            "value_at_risk_high": [1200.0, 300.0, 130.0, 20.0, 0.0],
        }
    )
    ids = frame["customer_id"]
    frame["segment"] = abc(frame["value"].set_axis(ids)).to_numpy()
    frame["turnover_segment"] = abc(frame["turnover"].set_axis(ids)).to_numpy()
    return frame.assign(standing=standing(frame))


def classes(scores: pd.DataFrame) -> pd.DataFrame:
    known = {"names": texts_of(CUSTOMERS, "name"), "owners": texts_of(CUSTOMERS, "owner")}
    return classes_table(scores, **known, contacts_per_year=CONTACTS)


READABLE = """
customer_id   name segment turnover_segment    differs                  standing  value  turnover  contacts_per_year
          a    Aal       A                C worth_more       small_but_promising 8000.0     100.0                 12
          b Barsch       B                A worth_less                           1500.0    9000.0                  4
          c   Chub       C                B worth_less                            400.0     500.0                  1
          d Dorsch       C                C                                        90.0      80.0                  1
          e              C                C            costs_more_than_it_brings    0.0     300.0                  1
"""


def test_the_table_of_classes_says_who_differs_and_who_is_named(scores: pd.DataFrame) -> None:
    shown = classes(scores)[READABLE.split("\n")[1].split()]
    assert shown.to_string(index=False) == READABLE.strip("\n")


def test_every_customer_is_in_one_cell_of_both_classes(scores: pd.DataFrame) -> None:
    cells = crossed(scores)
    assert sum(count for row in cells.values() for count in row.values()) == len(scores)
    assert cells["A"] == {"A": 0, "B": 0, "C": 1}


def test_the_table_works_without_master_data(scores: pd.DataFrame) -> None:
    nothing = pd.Series(dtype="str")
    table = classes_table(scores, names=nothing, owners=nothing, contacts_per_year={})
    assert set(table["name"]) == {""}
    assert table["contacts_per_year"].tolist() == [0] * 5


def test_sums_at_stake_with_interval_and_what_is_within_reach(scores: pd.DataFrame) -> None:
    group = pd.Series(["X", "X", "Y", "Y", "Y"])
    first, second = at_stake(scores, group, listed={"a", "c"}, planned={"c"})
    assert (first.name, first.customers, first.at_risk, first.listed, first.planned) == ("X", 2, 1100, 800, 0)
    assert (first.low, first.high) == (700, 1500)
    assert (second.name, second.at_risk, second.listed, second.planned) == ("Y", 110, 100, 100)
    assert second.low == pytest.approx(110 - (40**2 + 10**2) ** 0.5)


def test_regions_are_country_and_two_places_of_the_postcode() -> None:
    rows = pd.DataFrame({"customer_id": ["1", "2"], "postcode": ["24103", None]})
    assert regions_of(rows).to_dict() == {"1": "24", "2": ""}
    assert regions_of(rows[["customer_id"]]).to_dict() == {"1": "", "2": ""}
