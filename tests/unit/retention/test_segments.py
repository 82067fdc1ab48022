from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.segments import abc, risk_bands


def test_the_customer_that_crosses_a_line_belongs_to_the_upper_class():
    value = pd.Series({"a": 79.0, "b": 10.0, "c": 7.0, "d": 4.0})
    assert abc(value).to_dict() == {"a": "A", "b": "A", "c": "B", "d": "C"}


def test_equal_values_are_ordered_by_customer_id():
    value = pd.Series(1.0, index=[f"c{number}" for number in (9, 3, 1, 7, 5, 0, 2, 8, 6, 4)])
    assert sorted(abc(value).loc[lambda segment: segment == "A"].index) == [f"c{number}" for number in range(8)]


def test_no_value_or_a_missing_one_is_c():
    assert abc(pd.Series({"a": 0.0, "b": -3.0, "c": np.nan})).tolist() == ["C", "C", "C"]
    assert abc(pd.Series(dtype=float)).empty


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_segments_fall_with_value_whatever_the_order_of_rows(amounts):
    value = pd.Series(amounts, index=[f"c{number:02d}" for number in range(len(amounts))])
    segment = abc(value)
    assert segment.to_dict() == abc(value.iloc[::-1]).to_dict()
    falling = segment[value.sort_values(ascending=False, kind="stable").index].tolist()
    assert falling == sorted(falling)


@pytest.mark.parametrize(
    ("base_rate", "low", "medium", "high"),
    [(0.05, 0.04, 0.07, 0.12), (0.4, 0.35, 0.5, 0.6), (0.7, 0.6, 0.75, 0.85)],
)
def test_bands_mean_something_at_every_base_rate(base_rate, low, medium, high):
    bands = risk_bands(pd.Series([low, medium, high]), base_rate=base_rate)
    assert bands.tolist() == ["low", "medium", "high"]


def test_a_base_rate_of_none_or_all_still_gives_bands():
    assert risk_bands(pd.Series([0.0, 0.5]), base_rate=0.0).tolist() == ["low", "high"]
    assert risk_bands(pd.Series([0.5, 1.0]), base_rate=1.0).tolist() == ["low", "high"]


@pytest.mark.parametrize(("chance", "base_rate"), [(1.2, 0.1), (np.nan, 0.1), (0.5, -0.1)])
def test_what_is_no_probability_is_refused(chance, base_rate):
    with pytest.raises(ValueError, match=r"expected probabilities and a base rate in \[0, 1\]"):
        risk_bands(pd.Series([chance]), base_rate=base_rate)
