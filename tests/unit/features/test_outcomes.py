from __future__ import annotations

import numpy as np
import pytest

from features.history import History
from features.outcomes import OUTCOME_DAYS, OUTCOMES, margin_ahead, outcomes_of, turnover_ahead
from features.timeline import day_number
from tests.unit.features.small import day, history, order

CUTOFF = day_number(day("2024-01-01"))
LATER = day_number(day("2025-06-01"))


def outcomes(made: History, *, known_until: int = LATER) -> dict[str, list[float]]:
    """Return what the customers of a history brought after the cutoff."""
    everyone = np.arange(len(made.customer_ids))
    found = outcomes_of(made, everyone, cutoff=CUTOFF, known_until=known_until)
    assert list(found.columns) == list(OUTCOMES)
    return {name: found[name].tolist() for name in OUTCOMES}


def test_a_window_begins_on_the_cutoff_and_ends_before_its_last_day() -> None:
    days = ["2023-12-31", "2024-01-01", "2024-03-30", "2024-03-31"]
    made = history(orders=[order("a", each, amount=10.0 * 2**at) for at, each in enumerate(days)])
    found = outcomes(made)
    assert found[turnover_ahead(90)] == [20 + 40]
    assert found[turnover_ahead(180)] == [20 + 40 + 80]


def test_a_window_that_is_not_over_is_missing() -> None:
    made = history(orders=[order("a", "2024-01-05", amount=10.0)])
    for days in OUTCOME_DAYS:
        assert not np.isnan(outcomes(made, known_until=CUTOFF + days)[turnover_ahead(days)]).any()
        assert np.isnan(outcomes(made, known_until=CUTOFF + days - 1)[turnover_ahead(days)]).all()


def test_a_margin_known_of_a_part_speaks_for_the_rest_and_none_is_missing() -> None:
    orders = [order("a", "2024-01-05", amount=100.0, margin=30.0), order("a", "2024-02-05", amount=100.0, margin=None)]
    orders += [order("b", "2024-01-05", amount=50.0, margin=None), order("c", "2023-12-05", amount=50.0, margin=9.0)]
    found = outcomes(history(orders=orders))
    assert found[margin_ahead(90)] == pytest.approx([60.0, np.nan, 0.0], nan_ok=True)


def test_returns_are_taken_off() -> None:
    made = history(orders=[order("a", "2024-01-05", amount=100.0), order("a", "2024-01-09", amount=-30.0)])
    assert outcomes(made)[turnover_ahead(90)] == [70]
