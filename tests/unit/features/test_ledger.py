"""Windows over a ledger are half-open, exact, and cannot reach the cutoff."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from features.errors import LeakageError
from features.ledger import Ledger, Past, divide, log_ratio

CUTOFF = 20_000


def past(*rows: tuple[int, int, int], customers: tuple[int, ...] = (0,), cutoff: int = CUTOFF) -> Past:
    """Return the past of rows (customer, day before the cutoff, value), in any order."""
    given = sorted((customer, CUTOFF - age, value) for customer, age, value in rows)
    columns = np.array(given, dtype=np.int64).reshape(-1, 3)
    ledger = Ledger(customer=columns[:, 0], day=columns[:, 1], values={"value": columns[:, 2]})
    return ledger.at(np.array(customers, dtype=np.int64), cutoff)


@pytest.mark.parametrize(("age", "inside"), [(-1, 0), (0, 0), (1, 1), (7, 1), (8, 0)])
def test_a_window_of_seven_days_holds_the_ages_one_to_seven(age: int, inside: int) -> None:
    assert past((0, age, 5)).count(7) == inside
    assert past((0, age, 5)).total("value", 7) == 5 * inside


@pytest.mark.parametrize(("age", "inside"), [(7, 0), (8, 1), (14, 1), (15, 0)])
def test_the_window_before_begins_where_the_window_ends(age: int, inside: int) -> None:
    assert past((0, age, 5)).count(7, ago=7) == inside


def test_a_window_equals_a_loop_over_the_rows() -> None:
    random = np.random.default_rng(5)
    rows = [(int(c), int(a), int(v)) for c, a, v in random.integers((0, -20, -99), (6, 60, 99), (150, 3))]
    seen = past(*rows, customers=(0, 1, 2, 3, 4, 5, 6))
    for days, ago in product((1, 5, 30), (0, 1, 30)):
        expected = [
            sum(value for c, age, value in rows if c == customer and ago < age <= ago + days) for customer in range(7)
        ]
        assert seen.total("value", days, ago=ago).tolist() == expected


def test_rows_of_other_customers_do_not_count() -> None:
    seen = past((0, 3, 1), (1, 3, 10), (1, 2, 10), (3, 1, 100), customers=(0, 1, 2, 3))
    assert seen.total("value").tolist() == [1, 20, 0, 100]
    assert seen.recency_days.tolist()[:2] == [3, 2]
    assert np.isnan(seen.recency_days[2])


def test_days_before_1970_count_like_any_other() -> None:
    seen = past((0, CUTOFF + 2000, 4), (1, CUTOFF - 5, 1), customers=(0, 1))
    assert seen.count().tolist() == [1, 1]
    assert seen.tenure_days.tolist() == [CUTOFF + 2000, CUTOFF - 5]
    assert seen.last("value").tolist() == [4, 1]


def test_a_window_that_would_reach_past_the_cutoff_is_refused() -> None:
    with pytest.raises(LeakageError, match=r"must end on or before its cutoff 20000, got one that ends 50 days after"):
        past((0, 1, 1)).total("value", 400, ago=-50)


def test_sums_of_whole_units_are_exact_where_floats_would_not_be() -> None:
    assert past((0, 3, 1 << 60), (0, 2, 1), (0, 1, -(1 << 60))).total("value") == 1


def test_the_last_value_is_that_of_the_last_row_before_the_cutoff() -> None:
    seen = past((0, 9, 1), (0, 4, 2), (0, 0, 3), (1, 1, 8), customers=(0, 1, 2))
    assert np.array_equal(seen.last("value"), [2, 8, np.nan], equal_nan=True)
    assert np.array_equal(seen.last("value", back=1), [1, np.nan, np.nan], equal_nan=True)


def test_an_empty_ledger_has_counts_of_nothing_and_no_days() -> None:
    empty = past(customers=(0, 1))
    assert empty.count().tolist() == [0, 0]
    assert np.isnan([*empty.recency_days, *empty.tenure_days, *empty.least("day", np.zeros(0, dtype=bool))]).all()


def test_the_least_is_that_of_the_chosen_rows_before_the_cutoff() -> None:
    seen = past((0, 5, 3), (0, 3, 2), (0, 2, 7), (0, 0, 1), (2, 1, 8), customers=(2, 0, 1))
    everything, some = np.ones(5, dtype=bool), np.array([True, False, True, True, False])
    assert np.array_equal(seen.least("value", everything), [8, 2, np.nan], equal_nan=True)
    assert np.array_equal(seen.least("value", some), [np.nan, 3, np.nan], equal_nan=True)
    assert np.array_equal(seen.least("day", some), [np.nan, CUTOFF - 5, np.nan], equal_nan=True)


def test_a_mean_is_missing_where_nothing_was_noted() -> None:
    ledger = Ledger(
        customer=np.array([0, 0, 1]),
        day=np.array([1, 2, 1]),
        values={"mood": np.array([4, 0, 0]), "noted": np.array([1, 0, 0])},
    )
    mean = ledger.at(np.array([0, 1]), 5).mean("mood", of="noted")
    assert np.array_equal(mean, [4, np.nan], equal_nan=True)


def test_a_division_by_nothing_is_missing() -> None:
    assert np.array_equal(
        divide(np.array([1.0, 6, 1]), np.array([0.0, 3, np.nan])), [np.nan, 2, np.nan], equal_nan=True
    )


def test_a_log_ratio_is_nought_for_no_change_missing_for_nothing_and_takes_negative_as_nought() -> None:
    ratio = log_ratio(np.array([4.0, 0, -9, 9]), np.array([4.0, 0, 9, 0]), floor=1.0)
    assert np.allclose(ratio, [0, np.nan, -np.log(10), np.log(10)], equal_nan=True)
