from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.survival import kaplan_meier

LIVES = st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=40)


def naive(lives: list[tuple[int, bool]], day: int) -> Fraction:
    """Share still there after ``day``: the product over days of loss, counted by hand."""
    share = Fraction(1)
    for each in range(day + 1):
        at_risk = sum(1 for length, _ in lives if length >= each)
        lost = sum(1 for length, is_lost in lives if length == each and is_lost)
        if lost:
            share *= 1 - Fraction(lost, at_risk)
    return share


def curve_of(lives: list[tuple[int, bool]]):
    return kaplan_meier(np.array([float(day) for day, _ in lives]), np.array([lost for _, lost in lives], dtype=bool))


@settings(max_examples=150, deadline=None)
@given(LIVES)
def test_the_curve_is_the_product_counted_by_hand(lives):
    curve = curve_of(lives)
    for day in range(62):
        assert curve.at(day) == pytest.approx(float(naive(lives, day)), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(LIVES)
def test_the_curve_falls_and_lies_in_its_interval(lives):
    curve = curve_of(lives)
    assert np.all(np.diff(curve.share) <= 0)
    assert np.all((curve.low <= curve.share + 1e-12) & (curve.share <= curve.high + 1e-12))
    assert np.all((curve.low >= 0) & (curve.high <= 1))
    assert curve.customers == len(lives)
    assert curve.lost.sum() == sum(lost for _, lost in lives)


@settings(max_examples=50, deadline=None)
@given(LIVES, st.randoms())
def test_the_order_of_customers_does_not_matter(lives, random):
    turned = list(lives)
    random.shuffle(turned)
    assert curve_of(turned).share.tolist() == curve_of(lives).share.tolist()


def test_without_censoring_the_curve_is_the_share_still_there():
    curve = kaplan_meier(np.arange(1.0, 11.0), np.ones(10, dtype=bool))
    assert curve.share == pytest.approx(1 - np.arange(1, 11) / 10)
    assert curve.median_days == 5.0


def test_the_interval_is_that_of_greenwood_on_the_scale_of_log_minus_log():
    """Six of ten lost by hand: the third loss of ten leaves 0.7 with a known variance."""
    curve = kaplan_meier(np.arange(1.0, 11.0), np.arange(10) < 6)
    greenwood = sum(1 / (n * (n - 1)) for n in (10, 9, 8))
    spread = 1.959963984540054 * math.sqrt(greenwood) / abs(math.log(0.7))
    assert curve.low[2] == pytest.approx(0.7 ** math.exp(spread))
    assert curve.high[2] == pytest.approx(0.7 ** math.exp(-spread))


def test_nobody_lost_is_a_curve_without_steps():
    curve = kaplan_meier(np.array([5.0, 9.0]), np.array([False, False]))
    assert (len(curve.days), curve.at(9), curve.median_days) == (0, 1.0, None)


def test_a_negative_or_missing_time_is_refused():
    for days in ([-1.0], [float("nan")]):
        with pytest.raises(ValueError, match="expected a time of 0 days or more for every customer"):
            kaplan_meier(np.array(days), np.array([True]))
