from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retention.report.charts import Plot, histogram, nice_ticks
from retention.report.portfolio import Bin


@given(st.integers(0, 10**9))
def test_ticks_start_at_zero_and_reach_the_highest_in_few_steps(highest: int) -> None:
    ticks = nice_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert 2 <= len(ticks) <= 6


def test_places_run_from_lower_left_to_upper_right() -> None:
    plot = Plot(width=100, height=100, left=10, right=10, above=10, below=10, top=4)
    assert (plot.x(0), plot.x(1), plot.y(0), plot.y(4)) == (10, 90, 90, 10)
    assert plot.line([0, 0.5], [0, 2]) == "10,90 50,50"


def test_bars_are_stacked_without_gap_and_none_is_empty() -> None:
    bins = [Bin(low=0, high=0.05, counts={"high": 1, "medium": 0, "low": 3})]
    drawn = histogram(bins)
    low, high = drawn.rects
    assert (low.band, high.band) == ("low", "high")
    assert high.y + high.height == low.y
    assert low.y + low.height == drawn.plot.y(0)


def test_nothing_to_count_still_gives_an_axis() -> None:
    assert histogram([Bin(low=0, high=1, counts={"high": 0, "medium": 0, "low": 0})]).rects == ()
