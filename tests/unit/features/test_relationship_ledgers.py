"""Contracts that run, end and are cancelled; anniversaries; and facts about customers that count from a day on."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.unit.features.small import Row, contract, day, features_on, master, order

DAY = "2024-03-01"


def features(*, on: str = DAY, **tables: list[Row]) -> Any:
    return features_on(on, "a", **{"orders": [order("a", "2021-01-01")], **tables})


def of_contracts(*contracts: Row, on: str = DAY) -> Any:
    """Return the features of contracts; a complete one of somebody else brings all columns."""
    facts = {"cancelled_on": None, "notice_days": 30.0, "product": "x", "recurring_amount": 1.0}
    whole = contract("z", "2020-01-01", agreed_until=day("2020-02-01"), **facts)
    return features(on=on, contracts=[whole, *contracts])


def test_the_end_agreed_in_ends_on_is_not_known_but_agreed_until_is() -> None:
    own = contract("a", "2024-01-01", "2024-03-31", agreed_until=day("2024-03-31"))
    assert of_contracts(own)["relationship__term_days"] == 30
    assert np.isnan(of_contracts(contract("a", "2024-01-01", "2024-03-31"))["relationship__term_days"])


@pytest.mark.parametrize(("notice", "left"), [(30, 0), (20, 10), (31, None), (None, None)])
def test_notice_can_be_given_until_the_period_of_notice_begins(notice: int | None, left: int | None) -> None:
    found = of_contracts(contract("a", "2024-01-01", agreed_until=day("2024-03-31"), notice_days=notice))
    assert np.array_equal(found["relationship__notice_days_left"], np.nan if left is None else left, equal_nan=True)


@pytest.mark.parametrize(("on", "given"), [("2024-02-20", 0), ("2024-02-21", 1), ("2024-03-31", 1), ("2024-04-01", 0)])
def test_notice_is_known_the_morning_after_and_until_the_contract_ends(on: str, given: int) -> None:
    own = contract("a", "2024-01-01", "2024-03-31", agreed_until=day("2024-03-31"), cancelled_on=day("2024-02-20"))
    found = of_contracts(own, on=on)
    assert found["relationship__notices"] == given
    assert found["relationship__running"] == (on < "2024-04-01")
    assert np.isnan(found["relationship__notice_days_left"])


def test_the_nearest_end_of_a_running_term_counts() -> None:
    terms = ("2024-02-01", "2024-05-01", "2024-04-01")
    contracts = [contract("a", f"2023-0{n}-01", agreed_until=day(term)) for n, term in enumerate(terms, 1)]
    ended = contract("a", "2023-01-01", "2024-02-10", agreed_until=day("2024-03-02"))
    assert of_contracts(*contracts, ended)["relationship__term_days"] == 31


def test_a_product_counts_once_and_only_while_a_contract_for_it_runs() -> None:
    own = [
        contract("a", "2023-01-01", "2024-02-29", product="Miete"),
        contract("a", "2023-01-01", product="Wartung"),
        contract("a", "2023-02-01", product="wartung"),
    ]
    assert of_contracts(*own, on="2024-02-29")["relationship__products"] == 2
    assert of_contracts(*own)["relationship__products"] == 1


def test_recurring_amounts_are_compared_with_a_year_ago_and_with_the_contract_before() -> None:
    own = [
        contract("a", "2022-01-01", "2023-06-30", recurring_amount=99.0),
        contract("a", "2023-07-01", recurring_amount=39.0),
        contract("a", "2023-07-01", recurring_amount=10.0),
    ]
    found = of_contracts(*own)
    assert found["relationship__recurring_amount"] == 49
    assert found["relationship__recurring_trend_364d"] == pytest.approx(np.log(0.5))
    assert found["relationship__recurring_change"] == pytest.approx(np.log(0.5))
    assert (found["relationship__renewals"], found["relationship__ended_364d"]) == (1, 1)


@pytest.mark.parametrize(
    ("since", "on", "left"),
    [
        ("2020-03-01", "2024-03-01", 0),
        ("2020-02-29", "2024-02-29", 0),
        ("2020-02-29", "2024-03-01", 365),
        ("2020-02-29", "2023-02-28", 1),
        ("2020-12-31", "2024-01-01", 365),
        ("1962-03-02", "2024-03-01", 1),
    ],
)
def test_an_anniversary_comes_every_year_on_29_february_or_else_the_day_after(since: str, on: str, left: int) -> None:
    found = features(on=on, customers=[master("a", since=day(since))])
    assert found["relationship__anniversary_days"] == left
    assert found["relationship__since_days"] == (date.fromisoformat(on) - date.fromisoformat(since)).days


def test_a_first_day_that_lies_ahead_is_not_known() -> None:
    found = features(customers=[master("a", since=day("2024-03-01"))])
    assert np.isnan(found["relationship__since_days"])
    assert found["relationship__anniversary_days"] == (date(2025, 1, 1) - date(2024, 3, 1)).days


FACTS = {"email": "a@b.example", "phone": None, "industry": "Bau", "birthday": None}


def test_facts_count_only_where_the_source_says_since_when() -> None:
    assert "relationship__facts_share" not in features(customers=[master("a", **FACTS)])
    dated = [master("a", **FACTS, known_at=day("2024-02-29")), master("z", **FACTS, known_at=None)]
    assert features(customers=dated)["relationship__facts_share"] == pytest.approx(2 / 3)
    assert np.isnan(features(customers=dated, on="2024-02-29")["relationship__facts_share"])
    undated = [master("a", **FACTS, known_at=None), master("z", **FACTS, known_at=day("2024-02-29"))]
    assert np.isnan(features(customers=undated)["relationship__facts_share"])


def test_facts_are_asked_of_those_they_concern() -> None:
    rows = {"type": "b2c", **FACTS, "known_at": day("2024-01-01")}
    assert features(customers=[master("a", **rows)])["relationship__facts_share"] == pytest.approx(1 / 3)
    born = {**rows, "birthday": day("1970-01-01")}
    assert features(customers=[master("a", **born)])["relationship__facts_share"] == pytest.approx(2 / 3)
