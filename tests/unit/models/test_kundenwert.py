"""The Kundenwert beside a naive loop over the years, and what must hold for any customer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import Churn
from models.kundenwert import VALUE_COLUMNS, FirstYear, value_of
from models.settings import Value
from models.staying import YEAR_DAYS, Staying, survival

CHURN = Churn(lead_days=14, horizon_days=90)
STAYING = Staying(return_share=0.3, concentration=3.0)


def first_year(**columns: list[float]) -> FirstYear:
    """Return customers that differ in what is given: margin 100 (60 to 150), nothing else."""
    given = {"margin": [100.0], "low": [60.0], "high": [150.0], "cost": [0.0], "potential": [0.0]} | columns
    given = {"probability": [0.2]} | given
    rows = max(map(len, given.values()))
    return FirstYear(**{name: np.resize(np.array(values, float), rows) for name, values in given.items()})


def value(first: FirstYear, staying: Staying = STAYING, **changed: float) -> pd.DataFrame:
    index = pd.RangeIndex(len(first.margin))
    return value_of(first, staying=staying, churn=CHURN, settings=Value(**changed), index=index)


def by_hand(
    margin: float,
    cost: float,
    potential: float,
    chance: float,
    *,
    years: int,
    rate: float,
    growth: float,
    uptake: float,
) -> float:
    """Reckon one customer year by year, survival as a product of yearly steps of single horizons' gamma functions."""
    total, left = 0.0, 1.0
    first = survival(np.array([chance]), np.array([0.5 * YEAR_DAYS / 104]), STAYING)[0, 0]
    for year in range(1, years + 1):
        there = survival(np.array([chance]), np.array([(year - 0.5) * YEAR_DAYS / 104]), STAYING)[0, 0]
        left *= 1 - uptake
        brings = (margin - cost) * (1 + growth) ** (year - 1) * there / first + potential * (1 - left) * there
        total += brings / (1 + rate) ** (year - 0.5)
    return max(total, 0.0)


def test_the_closed_form_is_the_sum_year_by_year() -> None:
    rng = np.random.default_rng(5)
    columns = {name: rng.uniform(0, 200, 20).tolist() for name in ("margin", "cost", "potential")}
    chances = rng.uniform(0, 1, 20).tolist()
    found = value(first_year(**columns, probability=chances), years=12, growth_rate=0.02)
    told = zip(columns["margin"], columns["cost"], columns["potential"], chances, strict=True)
    expected = [by_hand(*each, years=12, rate=0.08, growth=0.02, uptake=0.15) for each in told]
    assert found["value"].tolist() == pytest.approx(expected)


def test_one_year_is_the_first_margin_with_its_interval() -> None:
    found = value(first_year(), years=1, discount_rate=0.0)
    assert found.iloc[0].tolist() == pytest.approx([100, 60, 150])


def test_a_planted_error_in_the_discount_is_caught() -> None:
    right, wrong = (value(first_year(), discount_rate=rate)["value"][0] for rate in (0.08, 0.09))
    assert wrong != pytest.approx(right, rel=0.01)


amounts = st.floats(-1e6, 1e6)


@settings(max_examples=60, deadline=None)
@given(amounts, amounts, amounts, st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1), st.integers(1, 20))
def test_a_value_is_finite_never_negative_and_inside_its_interval(
    margin: float, low: float, high: float, cost: float, potential: float, chance: float, years: int
) -> None:
    bounds = sorted([margin, low, high])
    first = first_year(
        margin=[bounds[1]], low=[bounds[0]], high=[bounds[2]], cost=[cost], potential=[potential], probability=[chance]
    )
    worth, below, above = value(first, years=years).iloc[0]
    assert np.isfinite([worth, below, above]).all()
    assert 0 <= below <= worth <= above


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_likelier_loss_and_a_higher_discount_are_never_worth_more(
    one: float, other: float, rate: float, more: float
) -> None:
    few, many = sorted([one, other])
    values = value(first_year(probability=[few, many], potential=[50.0]))["value"]
    assert values[1] <= values[0] * (1 + 1e-9)
    first = first_year(potential=[50.0])
    low, high = sorted([rate, more])
    assert value(first, discount_rate=high)["value"][0] <= value(first, discount_rate=low)["value"][0] * (1 + 1e-9)


def test_the_hopeless_and_the_costly_are_worth_nothing() -> None:
    nothing = first_year(margin=[0.0, 50.0], low=[0.0], high=[0.0, 60.0], cost=[0.0, 80.0])
    assert value(nothing)[list(VALUE_COLUMNS)].to_numpy().tolist() == [[0.0] * 3] * 2
    surely_lost = first_year(margin=[0.0], low=[0.0], high=[0.0], potential=[100.0], probability=[1.0])
    assert value(surely_lost, replace(STAYING, return_share=0.0))["value"][0] == 0


def test_what_is_missing_counts_as_nothing() -> None:
    found = value(first_year(margin=[np.nan], low=[np.nan], high=[np.nan]))
    assert found.notna().all(axis=None)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    first = first_year(margin=[10.0, 20.0, 30.0, 40.0, 50.0], probability=[0.1, 0.5, 0.9, 0.3, 0.2])
    whole = value(first)
    monkeypatch.setattr("models.kundenwert._BLOCK", 2)
    pd.testing.assert_frame_equal(whole, value(first), check_exact=True)


def test_nobody_has_no_value() -> None:
    assert value(first_year(margin=[])).shape == (0, 3) or len(value(first_year())) == 1
