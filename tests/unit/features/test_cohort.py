"""Who is active and who is lapsed at a cutoff, on the very days where it turns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from features.cohort import cohort_of
from features.definition import Churn
from features.errors import LeakageError
from features.history import History
from features.timeline import day_number
from tests.unit.features.small import contract, day, history, order

CUTOFF = day("2024-03-01")
CHURN = Churn(active_within_days=30, lapsed_within_days=90)
CONTRACT = Churn(definition="contract", lapsed_within_days=90)


def cohorts(made: History, churn: Churn) -> tuple[list[str], list[str]]:
    found = cohort_of(made.at(day_number(CUTOFF)), churn=churn)
    return made.customer_ids[found.active].tolist(), made.customer_ids[found.lapsed].tolist()


def bought(age: int) -> History:
    return history(orders=[order("a", str(CUTOFF - timedelta(days=age)))])


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, ([], [])),
        (1, (["a"], [])),
        (30, (["a"], [])),
        (31, ([], ["a"])),
        (90, ([], ["a"])),
        (91, ([], [])),
    ],
)
def test_activity_turns_on_the_days_of_the_definition(age: int, expected: tuple[list[str], list[str]]) -> None:
    assert cohorts(bought(age), CHURN) == expected


def test_an_order_recorded_on_the_cutoff_makes_nobody_active() -> None:
    late = history(orders=[order("a", "2024-02-20", known_at=CUTOFF), order("b", "2024-02-20")])
    assert cohorts(late, CHURN) == (["b"], [])


def test_a_return_does_not_make_a_customer_active() -> None:
    rows = [order("a", "2024-01-15", 10.0, order_id="1"), order("a", "2024-02-25", -10.0, order_id="1")]
    assert cohorts(history(orders=rows), CHURN) == ([], ["a"])


def test_decline_asks_for_turnover_in_the_same_days_a_year_before() -> None:
    churn = CHURN.model_copy(update={"definition": "decline", "lead_days": 10, "horizon_days": 20})
    first = CUTOFF + timedelta(days=10) - timedelta(days=364)
    rows = [
        *(order(each, "2024-02-20") for each in "abcd"),
        order("a", str(first)),
        order("b", str(first + timedelta(days=19))),
        order("c", str(first - timedelta(days=1))),
        order("d", str(first + timedelta(days=20))),
    ]
    assert cohorts(history(orders=rows), churn) == (["a", "b"], [])


def test_decline_with_a_horizon_that_reaches_into_the_year_before_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"lead_days \+ horizon_days is 365, at most 364 fit"):
        Churn(definition="decline", lead_days=14, horizon_days=351)
    assert Churn(definition="decline", lead_days=14, horizon_days=350).horizon_days == 350


def test_even_an_unchecked_definition_cannot_let_decline_see_the_future() -> None:
    churn = CHURN.model_copy(update={"definition": "decline", "horizon_days": 400})
    with pytest.raises(LeakageError, match=r"must end on or before its cutoff"):
        cohorts(bought(5), churn)


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2023-03-01", None, (["k"], [])),
        ("2023-03-01", "2025-01-01", (["k"], [])),
        ("2023-03-01", "2024-03-01", (["k"], [])),
        ("2023-03-01", "2024-02-29", ([], ["k"])),
        ("2023-03-01", "2023-12-01", ([], ["k"])),
        ("2023-03-01", "2023-11-30", ([], [])),
        ("2024-02-29", None, (["k"], [])),
        ("2024-03-01", None, ([], [])),
        ("1965-03-01", None, (["k"], [])),
    ],
    ids=[
        "open-ended", "ends later", "ends today", "ended yesterday", "90 days without", "91 days without",
        "began yesterday", "begins today", "since 1965",
    ],
)  # fmt: skip
def test_a_contract_binds_to_its_last_day(starts: str, ends: str | None, expected: tuple[list[str], list[str]]) -> None:
    made = history(orders=[order("z", "2024-02-20")], contracts=[contract("k", starts, ends)])
    assert cohorts(made, CONTRACT) == expected


def test_one_running_contract_is_enough() -> None:
    contracts = [contract("k", "2022-01-01", "2023-01-01"), contract("k", "2023-06-01"), contract("k", "2023-07-01")]
    assert cohorts(history(orders=[order("z", "2024-02-20")], contracts=contracts), CONTRACT) == (["k"], [])
