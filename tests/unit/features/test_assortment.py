"""What was bought: products and categories by customer and day, new, dropped and silent ones, in small cases."""

from __future__ import annotations

import numpy as np
import pytest

from features.history import History
from features.ledger import Column
from features.ledgers.assortment import RangePast
from features.timeline import day_number
from tests.unit.features.small import day, history, order

BOUGHT = [
    order("a", "2024-01-10", 10.0, product_id="Bit 1", category="Bohren"),
    order("a", "2024-01-10", 30.0, product_id="bit 1 ", category="bohren "),
    order("a", "2024-01-10", 5.0, product_id="Helm", category="Schutz"),
    order("a", "2024-01-20", 20.0, product_id="Bit 1", category="Bohren"),
    order("a", "2024-01-20", -9.0, product_id="Zange", category="Greifen"),
    order("a", "2024-01-30", 40.0, product_id="Säge", category=None),
    order("a", "2024-01-31", 0.0, product_id="Muster", category="Proben"),
    order("b", "2024-01-05", 1.0, product_id="Säge", category="Bohren"),
]


def seen(name: str, cutoff: str, rows: list[dict[str, object]] | None = None) -> RangePast:
    """Return what is known of all customers in the ledger of articles or categories."""
    made: History = history(orders=BOUGHT if rows is None else rows)
    number = day_number(day(cutoff))
    past = made.known_before(number).ledgers[name].at(np.arange(len(made.customer_ids)), number)
    assert isinstance(past, RangePast)
    return past


def same(found: Column, expected: list[float]) -> bool:
    return np.array_equal(found, expected, equal_nan=True)


def test_lines_of_one_day_and_product_are_one_row_however_it_is_spelled() -> None:
    ledger = seen("articles", "2024-02-01").ledger
    assert ledger.customer.tolist() == [0, 0, 0, 0, 1]
    assert sorted(ledger.values["sold"][:2]) == [500, 4000]
    assert ledger.values["sold"][2:].tolist() == [2000, 4000, 100]


def test_what_came_back_was_free_or_is_not_known_was_not_bought() -> None:
    assert same(seen("articles", "2024-02-01").different(91), [3, 1])
    assert same(seen("categories", "2024-02-01").different(91), [2, 1])


def test_a_product_counts_once_in_a_window_and_the_cutoff_is_outside() -> None:
    assert same(seen("articles", "2024-01-30").different(91), [2, 1])
    assert same(seen("articles", "2024-01-31").different(11), [2, 0])
    assert same(seen("articles", "2024-01-31").different(10), [1, 0])


def test_new_is_what_the_customer_never_bought_before_whoever_else_did() -> None:
    past = seen("articles", "2024-02-01")
    assert same(past.total("is_new", 91), [3, 1])
    assert same(past.total("is_new", 12), [1, 0])
    assert same(past.cutoff - past.last("newest"), [2, 27])
    assert same(past.first("beside"), [2, 1])


def test_days_since_something_new_run_on_while_the_customer_buys_the_same() -> None:
    past = seen("categories", "2024-02-01")
    assert same(past.recency_days, [12, 27])
    assert same(past.cutoff - past.last("newest"), [22, 27])


def test_dropped_is_what_was_bought_in_the_window_before_and_not_since() -> None:
    assert same(seen("categories", "2024-02-01").dropped(14), [1, 1])
    assert same(seen("categories", "2024-02-01").dropped(28), [0, 0])
    assert same(seen("articles", "2024-02-20").dropped(28), [2, 1])


def test_the_share_of_the_strongest_is_exact_and_missing_without_sales() -> None:
    assert same(seen("categories", "2024-02-01").largest_share(28), [60 / 65, 1])
    assert same(seen("categories", "2024-02-01").largest_share(14), [1, np.nan])


RHYTHM = [order("a", f"2024-0{month}-01", 10.0, category="Bohren") for month in (1, 2, 3)]


@pytest.mark.parametrize(
    ("cutoff", "silent"),
    [("2024-03-06", 0), ("2024-04-30", 0), ("2024-05-01", 1)],
)
def test_a_category_is_silent_after_more_than_twice_its_own_mean_gap(cutoff: str, silent: int) -> None:
    found = seen("categories", cutoff, [*RHYTHM, order("a", "2024-03-05", 30.0, category="Schutz")]).silent(728)
    assert found.things.tolist() == [silent]
    assert found.regular.tolist() == [1]
    assert found.sold.tolist() == [3000 * silent]
    assert found.sold_in_all.tolist() == [6000]


def test_a_category_bought_on_two_days_has_no_rhythm_to_fall_silent_against() -> None:
    found = seen("categories", "2025-01-01", RHYTHM[:2]).silent(728)
    assert (found.regular.tolist(), found.things.tolist()) == ([0], [0])


def test_rows_before_the_window_make_no_rhythm() -> None:
    assert seen("categories", "2024-05-01", RHYTHM).silent(91).regular.tolist() == [0]
    assert seen("categories", "2024-05-01", RHYTHM).silent(126).regular.tolist() == [1]


def test_a_line_recorded_late_is_not_known_before() -> None:
    late = order("a", "2024-01-02", 10.0, order_id="1", product_id="Säge", known_at=day("2024-02-01"))
    rows = [late, order("a", "2024-01-20", 10.0, product_id="säge", known_at=day("2024-01-20"))]
    before, after = (seen("articles", cutoff, rows) for cutoff in ("2024-02-01", "2024-02-02"))
    assert same(before.cutoff - before.last("newest"), [12])
    assert same(after.cutoff - after.last("newest"), [31])


def test_without_any_product_nothing_is_said() -> None:
    past = seen("articles", "2024-02-01", [order("a", "2024-01-02")])
    assert same(past.different(91), [0])
    assert same(past.dropped(91), [0])
    assert same(past.largest_share(91), [np.nan])
    assert same(past.last("newest"), [np.nan])
