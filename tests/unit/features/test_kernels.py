"""The compiled loops say what NumPy would say, slower."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from features.kernels import count_below, first_at_or_after, order_of
from features.ledgers.rows import in_order

Whole = NDArray[np.int64]


def rows_of(seed: int, *, count: int, customers: int) -> tuple[Whole, Whole]:
    random = np.random.default_rng(seed)
    return random.integers(0, customers, count), random.integers(-50, 400, count)


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_ordered_by_customer_and_day_and_stay_in_order_otherwise(seed: int) -> None:
    customer, day = rows_of(seed, count=500, customers=40)
    assert order_of(customer, day).tolist() == np.lexsort((day, customer)).tolist()


def test_no_rows_have_no_order() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert order_of(none, none).tolist() == []


def test_a_customer_with_a_long_history_in_disorder_is_sorted_another_way() -> None:
    customer, day = np.zeros(5000, dtype=np.int64), np.arange(5000, 0, -1)
    assert len(order_of(customer, day)) == 0
    rows = in_order({"customer": customer, "day": day, "known": day, "value": day * 2}, ties=("value", "known"))
    assert rows["value"].tolist() == sorted((day * 2).tolist())


def test_rows_of_one_day_follow_their_ties() -> None:
    customer, day = np.array([1, 0, 1, 0, 1]), np.array([5, 5, 5, 5, 4])
    rows = in_order({"customer": customer, "day": day, "tie": np.array([3, 2, 1, 1, 9])}, ties=("tie",))
    assert rows["tie"].tolist() == [1, 2, 9, 1, 3]


def test_the_first_row_on_or_after_a_day_is_found_within_each_customers_rows() -> None:
    customer, day = rows_of(3, count=400, customers=30)
    order = np.lexsort((day, customer))
    customer, day = customer[order], day[order]
    starts, ends = (np.searchsorted(customer, np.arange(31), side=side) for side in ("left", "right"))
    threshold = np.linspace(-60, 410, 31).astype(np.int64)
    found = first_at_or_after(starts, ends, day, threshold)
    for each in range(31):
        own = np.flatnonzero((customer == each) & (day >= threshold[each]))
        assert found[each] == (own[0] if len(own) else ends[each])
        assert count_below(starts, ends, day, threshold)[each] == ((customer == each) & (day < threshold[each])).sum()
