"""What became of a cohort: inactivity, decline and contracts, on the very days where it turns."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from features.cohort import cohort_of
from features.definition import Churn
from features.errors import LeakageError
from features.history import History
from features.labels import labels_of
from features.timeline import day_number
from tests.unit.features.small import contract, day, history, order

CUTOFF = day("2024-03-01")
CHURN = Churn(active_within_days=30, lapsed_within_days=400, lead_days=10, horizon_days=20)
FIRST, END = CUTOFF + timedelta(days=10), CUTOFF + timedelta(days=30)
LAST = END - timedelta(days=1)


def labels(made: History, churn: Churn = CHURN, *, known_until: date = END) -> dict[str, int]:
    """Return the labels of active and lapsed customers by id."""
    number = day_number(CUTOFF)
    cohort = cohort_of(made.at(number), churn=churn)
    lost, returned = labels_of(made, cohort, cutoff=CUTOFF, churn=churn, known_until=known_until)
    codes = [*cohort.active, *cohort.lapsed]
    return dict(zip(made.customer_ids[codes], [*lost.tolist(), *returned.tolist()], strict=True))


def after(days: date) -> History:
    """Return an active (a) and a lapsed (l) customer who both buy once more on a day."""
    earlier = [order("a", "2024-02-20"), order("l", "2023-06-01")]
    return history(orders=[*earlier, order("a", str(days)), order("l", str(days))])


@pytest.mark.parametrize(
    ("bought", "inside"),
    [(FIRST - timedelta(days=1), False), (FIRST, True), (LAST, True), (END, False)],
    ids=["last day of the lead", "first day", "last day", "day after"],
)
def test_only_a_purchase_inside_the_horizon_keeps_or_brings_back(bought: date, inside: bool) -> None:
    found = labels(after(bought), known_until=END + timedelta(days=1))
    assert found == ({"a": 0, "l": 1} if inside else {"a": 1, "l": 0})


def test_a_return_inside_the_horizon_keeps_nobody() -> None:
    rows = [order("a", "2024-02-20", 10.0, order_id="1"), order("a", str(FIRST), -10.0, order_id="1")]
    assert labels(history(orders=rows)) == {"a": 1}


def test_an_unfinished_horizon_is_refused() -> None:
    with pytest.raises(LeakageError, match=r"cutoff 2024-03-01 has no finished label: its horizon ends 2024-03-30"):
        labels(after(FIRST), known_until=LAST)


@pytest.mark.parametrize(("now", "lost"), [(100.0, 0), (50.01, 0), (50.0, 1), (0.01, 1)])
def test_decline_is_lost_from_the_share_of_the_definition_on(now: float, lost: int) -> None:
    churn = CHURN.model_copy(update={"definition": "decline", "decline_share": 0.5})
    a_year_before = str(FIRST - timedelta(days=364))
    rows = [order("a", a_year_before, 100.0), order("a", "2024-02-20", 999.0), order("a", str(LAST), now)]
    assert labels(history(orders=rows), churn) == {"a": lost}


def test_turnover_outside_the_horizon_does_not_stop_a_decline() -> None:
    churn = CHURN.model_copy(update={"definition": "decline"})
    a_year_before = str(FIRST - timedelta(days=364))
    rows = [order("a", a_year_before), order("a", "2024-02-20"), order("a", str(FIRST - timedelta(days=1)), 999.0)]
    assert labels(history(orders=rows), churn) == {"a": 1}


CONTRACT = CHURN.model_copy(update={"definition": "contract"})


@pytest.mark.parametrize(
    ("ends", "lost"),
    [
        (None, 0),
        (str(END + timedelta(days=400)), 0),
        (str(LAST), 0),
        (str(LAST - timedelta(days=1)), 1),
        (str(FIRST), 1),
        (str(CUTOFF), 1),
    ],
    ids=[
        "open-ended",
        "ends later",
        "ends with the horizon",
        "ends inside",
        "ends on the first day",
        "ends in the lead",
    ],
)
def test_a_contract_is_lost_when_it_does_not_cover_the_last_day_of_the_horizon(ends: str | None, lost: int) -> None:
    made = history(orders=[order("z", "2020-01-01")], contracts=[contract("k", "2023-01-01", ends)])
    assert labels(made, CONTRACT) == {"k": lost}


def test_a_contract_renewed_without_a_gap_is_not_lost() -> None:
    inside = FIRST + timedelta(days=5)
    contracts = [contract("k", "2023-01-01", str(inside)), contract("k", str(inside + timedelta(days=1)))]
    assert labels(history(orders=[order("z", "2020-01-01")], contracts=contracts), CONTRACT) == {"k": 0}


def test_a_contract_renewed_on_the_day_after_the_horizon_is_not_lost_known_or_not() -> None:
    contracts = [contract("k", "2023-01-01", str(LAST)), contract("k", str(END))]
    for known_until in (END, END + timedelta(days=50)):
        made = history(orders=[order("z", "2020-01-01")], contracts=contracts, cutoff=known_until)
        assert labels(made, CONTRACT, known_until=known_until) == {"k": 0}


def test_a_contract_that_ended_yesterday_counts_as_returned_when_another_covers_the_end_of_the_horizon() -> None:
    old = contract("k", "2023-01-01", "2024-02-29")
    made = history(orders=[order("z", "2020-01-01")], contracts=[old])
    renewed = history(orders=[order("z", "2020-01-01")], contracts=[old, contract("k", str(LAST))])
    assert labels(made, CONTRACT) == {"k": 0}
    assert labels(renewed, CONTRACT) == {"k": 1}
