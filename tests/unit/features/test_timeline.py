"""Days, horizons and training cutoffs."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definition import Churn
from features.errors import LeakageError
from features.timeline import (
    LEAST_HISTORY_DAYS,
    day_number,
    day_of,
    early_cutoffs,
    horizon_of,
    learnable_before,
    require_finished,
    training_cutoffs,
)

CHURN = Churn(lead_days=14, horizon_days=90)
WHOLE = timedelta(days=104)


@pytest.mark.parametrize("text", ["1960-02-29", "1970-01-01", "2024-02-29", "2024-03-31", "2199-12-31"])
def test_a_day_survives_the_way_to_its_number_and_back(text: str) -> None:
    assert day_of(day_number(date.fromisoformat(text))) == date.fromisoformat(text)


def test_a_day_later_is_one_more_also_when_clocks_change() -> None:
    assert day_number(date(2024, 4, 1)) - day_number(date(2024, 3, 30)) == 2


def test_the_horizon_begins_after_the_lead_and_does_not_hold_its_end() -> None:
    horizon = horizon_of(date(2024, 1, 1), CHURN)
    assert (horizon.first, horizon.last, horizon.end) == (date(2024, 1, 15), date(2024, 4, 13), date(2024, 4, 14))


def test_a_horizon_whose_last_day_is_known_is_finished() -> None:
    cutoff = date(2024, 1, 1)
    assert require_finished(cutoff, CHURN, known_until=cutoff + WHOLE).end == cutoff + WHOLE


def test_a_horizon_with_one_unknown_day_is_refused_with_the_last_cutoff_that_is_complete() -> None:
    with pytest.raises(
        LeakageError,
        match=r"^cutoff 2024-01-01 has no finished label: its horizon ends 2024-04-13, rows are known until"
        r" 2024-04-12; use a cutoff on or before 2023-12-31$",
    ):
        require_finished(date(2024, 1, 1), CHURN, known_until=date(2024, 4, 13))


def test_the_cutoff_that_the_refusal_names_is_accepted() -> None:
    assert require_finished(date(2023, 12, 31), CHURN, known_until=date(2024, 4, 13)).end == date(2024, 4, 13)


@given(st.integers(0, 30), st.integers(2, 200), st.integers(7, 60), st.integers(0, 900))
def test_early_cutoffs_are_younger_than_finished_ones_and_half_their_horizon_is_over(
    lead: int, horizon: int, step: int, history: int
) -> None:
    churn, until = Churn(lead_days=lead, horizon_days=horizon), date(2025, 1, 1)
    told = {"first_day": until - timedelta(days=history), "known_until": until, "step_days": step}
    finished, early = (found(**told, churn=churn) for found in (training_cutoffs, early_cutoffs))  # type: ignore[operator]
    assert all(horizon_of(day, churn).end > until >= horizon_of(day, churn.early).end for day in early)
    assert list(early) == sorted(set(early))
    if not finished:
        assert early == ()
    elif horizon > 1:
        assert early[-1] == until - timedelta(days=lead + horizon // 2)


@pytest.mark.parametrize("lead", [0, 7, 14, 30])
@pytest.mark.parametrize("horizon", [1, 28, 90, 365])
@pytest.mark.parametrize("step", [7, 28, 90])
def test_training_cutoffs_divide_lead_and_horizon_evenly(lead: int, horizon: int, step: int) -> None:
    churn, known_until = Churn(lead_days=lead, horizon_days=horizon), date(2024, 12, 31)
    cutoffs = training_cutoffs(
        first_day=date(2015, 1, 1), known_until=known_until, churn=churn, step_days=step, most=200
    )
    whole = timedelta(days=lead + horizon)
    gaps = {(later - earlier).days for earlier, later in pairwise(cutoffs)}
    assert cutoffs[-1] + whole == known_until
    assert cutoffs[-1] - whole in cutoffs
    assert max(gaps) <= step
    assert max(gaps) - min(gaps) <= 1
    assert cutoffs == tuple(sorted(set(cutoffs)))


def test_every_training_cutoff_has_a_finished_horizon() -> None:
    known_until = date(2024, 12, 31)
    for cutoff in training_cutoffs(first_day=date(2020, 1, 1), known_until=known_until, churn=CHURN):
        require_finished(cutoff, CHURN, known_until=known_until)


def test_the_most_recent_cutoffs_are_kept() -> None:
    told = {"first_day": date(2015, 1, 1), "known_until": date(2024, 12, 31), "churn": CHURN}
    assert training_cutoffs(**told, most=3) == training_cutoffs(**told, most=24)[-3:]  # type: ignore[arg-type]


def test_the_first_cutoff_leaves_some_history_before_it() -> None:
    first = date(2024, 1, 1)
    known_until = first + timedelta(days=LEAST_HISTORY_DAYS) + WHOLE
    assert training_cutoffs(first_day=first, known_until=known_until, churn=CHURN) == (date(2024, 3, 1),)
    assert training_cutoffs(first_day=first, known_until=known_until - timedelta(days=1), churn=CHURN) == ()


def test_only_cutoffs_whose_horizon_ends_on_or_before_the_test_are_learned_from() -> None:
    test = date(2024, 6, 1)
    touching, overlapping = test - WHOLE, test - WHOLE + timedelta(days=1)
    assert learnable_before([touching, overlapping, test], test, CHURN) == (touching,)
