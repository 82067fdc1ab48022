"""When a customer was lost: beside every day stands what a person would count on a calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random

import numpy as np
import pytest

from features.cohort import cohort_of
from features.definition import Churn
from features.history import History
from features.labels import labels_of
from features.loss_day import FOLLOWED, LOST_AFTER, loss_days_of
from features.timeline import day_number
from tests.unit.features.small import Row, contract, day, history, order

CUTOFF, FIRST = day("2024-03-01"), day("2023-01-01")
KNOWN_UNTIL = CUTOFF + timedelta(days=200)
CHURN = Churn(active_within_days=60, lapsed_within_days=400, lead_days=7, horizon_days=20)
CONTRACT = CHURN.model_copy(update={"definition": "contract"})
WHOLE_DAYS = 27
Days = frozenset[int]
"""Days of purchase, or days under contract, of one customer; 0 is the cutoff."""


def lost_after(made: History, churn: Churn, known_until: date = KNOWN_UNTIL) -> Mapping[str, float]:
    """Return the day of loss of each active customer."""
    number = day_number(CUTOFF)
    cohort = cohort_of(made.at(number), churn=churn)
    found = loss_days_of(made, cohort, cutoff=number, churn=churn, known_until=day_number(known_until))
    assert found[LOST_AFTER].iloc[len(cohort.active) :].isna().all()
    return dict(zip(made.customer_ids[cohort.active], found[LOST_AFTER], strict=False))


def is_silent(days: Days, first: int, end: int) -> bool:
    return not any(first <= each < end for each in days)


def lost_by_silence(days: Days, within: int) -> bool:
    """Whether a silence of 20 days that reaches day 27 or comes after it was 20 days long on the day asked for."""
    if within < WHOLE_DAYS:
        return is_silent(days, within - 20, WHOLE_DAYS)
    return any(is_silent(days, first, first + 20) for first in range(7, within - 20 + 1))


def lost_by_contract(covered: Days, within: int) -> bool:
    """Whether the last day is without a contract, and every one from then to day 27; later: whether any was."""
    if within < WHOLE_DAYS:
        return all(each not in covered for each in range(within - 1, WHOLE_DAYS))
    return any(each not in covered for each in range(WHOLE_DAYS - 1, within))


def off_the_calendar(
    found: Mapping[str, float], calendar: Mapping[str, Days], is_lost: Callable[[Days, int], bool]
) -> list[tuple[str, int]]:
    """Return every customer and number of days for which the day of loss and the calendar disagree."""
    return [
        (who, within)
        for who, after in found.items()
        for within in range(1, 201)
        if (after <= within) != is_lost(calendar[who], within)
    ]


def buyers(random: Random, count: int = 60) -> tuple[Mapping[str, Days], History]:
    """Return customers who buy every few days for a while, pause, and sometimes come back."""
    calendar: dict[str, Days] = {}
    for number in range(count):
        at, days, gap = random.randrange(-59, 0), set(), random.choice((3, 9, 15, 19, 22))
        while at < 200:
            days.add(at)
            at += random.choice((1, gap, gap, 20, 21, random.randrange(1, 60), random.randrange(1, 150)))
        calendar[f"k{number:02d}"] = frozenset(days)
    rows = [order(who, str(CUTOFF + timedelta(days=at))) for who, days in calendar.items() for at in sorted(days)]
    return calendar, history(orders=rows)


def holders(random: Random, count: int = 60) -> tuple[Mapping[str, Days], History]:
    """Return customers with contracts one after another, with and without a gap, some open-ended or overlapping."""
    calendar: dict[str, Days] = {}
    rows: list[Row] = []
    for number in range(count):
        who, begin, covered = f"k{number:02d}", random.randrange(-60, -1), set[int]()
        while begin < 200:
            end = begin + random.choice((10, 30, 60, 60, 90, 400)) if random.random() < 0.95 else 9999
            rows.append(contract(who, *(str(CUTOFF + timedelta(days=at)) for at in (begin, min(end, 900)))))
            covered |= set(range(begin, min(end, 900) + 1))
            begin = end + random.choice((1, 1, 2, 9, -4, 40, 90))
        calendar[who] = frozenset(covered)
    return calendar, history(orders=[order("z", "2020-01-01")], contracts=rows)


@pytest.fixture(scope="module")
def bought() -> tuple[Mapping[str, Days], History]:
    return buyers(Random(5))


@pytest.fixture(scope="module")
def held() -> tuple[Mapping[str, Days], History]:
    return holders(Random(6))


def test_the_day_of_a_silence_is_that_of_the_calendar(bought: tuple[Mapping[str, Days], History]) -> None:
    calendar, made = bought
    found = lost_after(made, CHURN)
    assert len(found) > 40
    assert 5 < sum(after <= WHOLE_DAYS for after in found.values()) < len(found) - 5
    assert off_the_calendar(found, calendar, lost_by_silence) == []


def test_the_day_without_a_contract_is_that_of_the_calendar(held: tuple[Mapping[str, Days], History]) -> None:
    calendar, made = held
    found = lost_after(made, CONTRACT)
    assert len(found) > 30
    assert 5 < sum(after <= WHOLE_DAYS for after in found.values()) < len(found) - 5
    assert off_the_calendar(found, calendar, lost_by_contract) == []


def test_a_day_of_loss_that_is_one_off_is_caught(bought: tuple[Mapping[str, Days], History]) -> None:
    calendar, made = bought
    late = {who: after + 1 for who, after in lost_after(made, CHURN).items()}
    assert off_the_calendar(late, calendar, lost_by_silence)


@pytest.mark.parametrize("churn", [CHURN, CONTRACT], ids=["inactivity", "contract"])
def test_lost_within_lead_and_horizon_is_the_label(
    churn: Churn, bought: tuple[Mapping[str, Days], History], held: tuple[Mapping[str, Days], History]
) -> None:
    made = bought[1] if churn is CHURN else held[1]
    cohort = cohort_of(made.at(day_number(CUTOFF)), churn=churn)
    label, _ = labels_of(made, cohort, cutoff=CUTOFF, churn=churn, known_until=KNOWN_UNTIL)
    assert [after <= WHOLE_DAYS for after in lost_after(made, churn).values()] == label.astype(bool).tolist()


@pytest.mark.parametrize("churn", [CHURN, CONTRACT], ids=["inactivity", "contract"])
def test_what_was_known_earlier_says_the_same_of_the_days_it_knew(
    churn: Churn, bought: tuple[Mapping[str, Days], History], held: tuple[Mapping[str, Days], History]
) -> None:
    made = bought[1] if churn is CHURN else held[1]
    whole = lost_after(made, churn)
    for followed in (WHOLE_DAYS, 40, 90, 150):
        early = lost_after(made, churn, CUTOFF + timedelta(days=followed))
        assert early == pytest.approx({k: v if v <= followed else np.nan for k, v in whole.items()}, nan_ok=True)


def test_an_unfinished_horizon_and_a_decline_have_no_day(bought: tuple[Mapping[str, Days], History]) -> None:
    made, unfinished = bought[1], CUTOFF + timedelta(days=WHOLE_DAYS - 1)
    decline = CHURN.model_copy(update={"definition": "decline"})
    cohort = cohort_of(made.at(day_number(CUTOFF)), churn=CHURN)
    for churn, until in ((CHURN, unfinished), (decline, KNOWN_UNTIL)):
        known = day_number(until)
        found = loss_days_of(made, cohort, cutoff=day_number(CUTOFF), churn=churn, known_until=known)
        assert found[[LOST_AFTER, FOLLOWED]].isna().all(axis=None)
