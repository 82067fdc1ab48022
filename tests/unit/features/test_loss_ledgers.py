"""What is noted about losses: only of the lapsed, only what still holds, only from the day on which it was known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.features.small import Row, features_on, loss, order


def noted(*losses: Row, cutoff: str = "2024-12-01", bought: str = "2024-01-10") -> tuple[float, float]:
    """Return winnable and told of a customer with one order."""
    orders = [order("a", bought), order("b", "2024-11-20")]
    found = features_on(cutoff, "a", orders=orders, losses=list(losses))
    return found["losses__winnable"], found["losses__told"]


@pytest.mark.parametrize(
    ("winnable", "source", "expected"),
    [(True, "interview", (1, 1)), (False, "inferred", (-1, 0)), (None, None, (0, 1))],
)
def test_the_note_of_a_lapsed_customer_is_told(winnable, source, expected):
    assert noted(loss("a", "2024-03-01", winnable=winnable, source=source)) == expected


def test_the_last_note_counts():
    first, last = loss("a", "2024-03-01", winnable=True), loss("a", "2024-04-01", winnable=False)
    assert noted(first, last)[0] == -1


def test_a_note_that_a_later_purchase_has_overtaken_says_nothing():
    assert np.isnan(noted(loss("a", "2023-12-01", winnable=False))).all()
    assert noted(loss("a", "2023-12-20", winnable=False))[0] == -1


def test_of_a_customer_who_still_counts_as_active_nothing_is_said():
    assert np.isnan(noted(loss("a", "2024-08-15", winnable=False), bought="2024-08-01")).all()


def test_what_becomes_known_on_the_cutoff_counts_the_day_after():
    late = loss("a", "2024-03-01", winnable=False, known_at=np.datetime64("2024-12-01").item())
    assert np.isnan(noted(late)).all()
    assert noted(late, cutoff="2024-12-02")[0] == -1
