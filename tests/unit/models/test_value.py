from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from features.bgnbd import WEEK, BgNbd
from features.definition import Churn
from features.regular import RegularBuyers
from features.rhythm import RhythmParameters
from models.settings import Value
from models.staying import survival
from models.value import VALUE_COLUMNS, YEAR_DAYS, assumed, margin_per_purchase, value_of_buyers, value_of_contracts

BGNBD = BgNbd(r=1.6, alpha=7.0, a=0.7, b=3.0)
RHYTHM = RhythmParameters(
    bgnbd=BGNBD, regular=RegularBuyers(k=1, r=1, alpha=4, a=1, b=3), mean_gap_days=30.0, gap_variation=1.0
)
CHURN = Churn(lead_days=14, horizon_days=90)
SEEN_WEEKS = 60.0


def buyers(**columns: float | list[float]) -> pd.DataFrame:
    """Return three buyers: a lively one, a rare one, one who bought once; 100 a day of purchase, margin a quarter."""
    frame = pd.DataFrame(
        {
            "sales__orders_728d": [20.0, 4.0, 1.0],
            "sales__turnover_728d": [2000.0, 400.0, 100.0],
            "sales__purchase_days": [20.0, 4.0, 1.0],
            "sales__tenure_days": [400.0, 500.0, 30.0],
            "sales__recency_days": [10.0, 90.0, 30.0],
            "sales__margin_share_364d": [0.25, 0.25, 0.25],
        },
        index=["lively", "rare", "once"],
    )
    return frame.assign(**columns)


def value(matrix: pd.DataFrame, *, years: int = 10, discount_rate: float = 0.08) -> pd.DataFrame:
    settings = Value(years=years, discount_rate=discount_rate)
    return value_of_buyers(matrix, rhythm=RHYTHM, settings=settings)


def simulated(rng: np.random.Generator, *, customers: int, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Let customers live by the assumptions of BG/NBD; return who bought again, and in which week."""
    rate = rng.gamma(BGNBD.r, 1 / BGNBD.alpha, customers)
    leaving = rng.beta(BGNBD.a, BGNBD.b, customers)
    end = SEEN_WEEKS + years * YEAR_DAYS / WEEK
    now, here = np.zeros(customers), np.ones(customers, dtype=bool)
    bought: list[tuple[np.ndarray, np.ndarray]] = []
    while here.any():
        now = now + rng.exponential(1 / rate)
        here &= now <= end
        bought.append((np.flatnonzero(here), now[here]))
        here &= rng.random(customers) >= leaving
    return np.concatenate([who for who, _ in bought]), np.concatenate([week for _, week in bought])


def as_matrix(who: np.ndarray, week: np.ndarray, customers: int) -> pd.DataFrame:
    """Return what is known of the simulated customers after ``SEEN_WEEKS``; each day of purchase is worth 10."""
    seen = week <= SEEN_WEEKS
    repeats = np.bincount(who[seen], minlength=customers).astype(float)
    last = np.zeros(customers)
    np.maximum.at(last, who[seen], week[seen])
    return pd.DataFrame(
        {
            "sales__orders_728d": repeats + 1,
            "sales__turnover_728d": 10 * (repeats + 1),
            "sales__purchase_days": repeats + 1,
            "sales__tenure_days": np.full(customers, SEEN_WEEKS * WEEK),
            "sales__recency_days": (SEEN_WEEKS - last) * WEEK,
            "sales__margin_share_364d": np.full(customers, 0.5),
        }
    )


@pytest.fixture(scope="module")
def future() -> tuple[pd.DataFrame, np.ndarray]:
    """Return simulated customers as known today, and the discounted margin each then really brought in five years."""
    customers, settings = 60_000, Value(years=5, discount_rate=0.1)
    who, week = simulated(np.random.default_rng(1), customers=customers, years=settings.years)
    later = week > SEEN_WEEKS
    year = ((week[later] - SEEN_WEEKS) * WEEK / YEAR_DAYS).astype(int)
    worth = 10 * 0.5 * 1.1 ** -(year + 0.5)
    return as_matrix(who, week, customers), np.bincount(who[later], worth, minlength=customers)


def test_the_mean_value_is_what_simulated_customers_bring(future: tuple[pd.DataFrame, np.ndarray]) -> None:
    matrix, brought = future
    predicted = value(matrix, years=5, discount_rate=0.1)["value"]
    assert predicted.mean() == pytest.approx(brought.mean(), rel=0.03)


def test_the_value_is_right_for_rare_and_for_lively_customers(future: tuple[pd.DataFrame, np.ndarray]) -> None:
    matrix, brought = future
    predicted = value(matrix, years=5, discount_rate=0.1)["value"].to_numpy()
    for part in np.array_split(np.argsort(predicted, kind="stable"), 5):
        assert predicted[part].mean() == pytest.approx(brought[part].mean(), rel=0.07, abs=0.5)


def test_a_wrong_discount_is_caught_by_the_simulation(future: tuple[pd.DataFrame, np.ndarray]) -> None:
    matrix, brought = future
    assert value(matrix, years=5, discount_rate=0.0)["value"].mean() != pytest.approx(brought.mean(), rel=0.1)


def test_more_years_are_worth_more_and_a_higher_discount_less() -> None:
    by_years = [value(buyers(), years=years)["value"] for years in (1, 2, 5, 10, 20)]
    by_rate = [value(buyers(), discount_rate=rate)["value"] for rate in (0.0, 0.05, 0.2, 1.0)]
    assert all((more > less).all() for less, more in pairwise(by_years))
    assert all((less < more).all() for more, less in pairwise(by_rate))


def test_one_year_without_discount_is_margin_times_the_purchases_expected() -> None:
    from features.rhythm import seen_in_matrix

    matrix = buyers()
    expected = 25 * BGNBD.expected_purchases(seen_in_matrix(matrix), days=YEAR_DAYS)
    assert value(matrix, years=1, discount_rate=0.0)["value"].to_numpy() == pytest.approx(expected)


def test_value_is_never_negative_and_lies_in_its_interval() -> None:
    matrix = buyers(sales__turnover_728d=[-500.0, 0.0, 100.0], sales__margin_share_364d=[-0.2, 0.3, 1.7])
    found = value(matrix)
    assert list(found.columns) == list(VALUE_COLUMNS)
    assert found.index.equals(matrix.index)
    assert found.notna().all(axis=None)
    assert (found >= 0).all(axis=None)
    assert (found["value_low"] <= found["value"]).all()
    assert (found["value"] <= found["value_high"]).all()


def test_fewer_purchases_leave_a_wider_interval() -> None:
    found = value(buyers())
    width = found["value_high"] / found["value_low"]
    assert width["lively"] < width["rare"] < width["once"]


def test_a_daily_buyer_over_many_years_has_a_finite_value() -> None:
    years = {"sales__purchase_days": 2500.0, "sales__tenure_days": 3650.0, "sales__orders_728d": 728.0}
    found = value(buyers(**years, sales__recency_days=1.0), years=20)
    assert np.isfinite(found).all(axis=None)


def test_several_orders_on_one_day_are_one_purchase() -> None:
    matrix = buyers(sales__orders_728d=[40.0, 8.0, 2.0])
    assert margin_per_purchase(matrix, Value()) == pytest.approx([25.0, 25.0, 25.0])
    pd.testing.assert_frame_equal(value(matrix), value(buyers()))


def test_purchases_of_old_customers_are_reckoned_from_their_orders_as_the_others_buy() -> None:
    matrix = buyers(
        sales__orders_728d=[20.0, 8.0, 2.0],
        sales__purchase_days=[90.0, 4.0, 1.0],
        sales__tenure_days=[3000.0, 500.0, 30.0],
        sales__turnover_728d=[1000.0, 400.0, 100.0],
    )
    assert margin_per_purchase(matrix, Value()) == pytest.approx([25.0, 25.0, 25.0])
    only_old = buyers(sales__tenure_days=3000.0)
    assert margin_per_purchase(only_old, Value()) == pytest.approx([25.0, 25.0, 25.0])


def test_the_margin_of_one_purchase_is_drawn_towards_the_companys() -> None:
    matrix = buyers(sales__turnover_728d=[2000.0, 400.0, 1000.0])
    company = 3400 / 25
    assert margin_per_purchase(matrix, Value())[2] == pytest.approx(0.25 * (1000 + 2 * company) / (1 + 2))


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.1, np.nan, 0.5], [0.1, 0.3, 0.5]),
        ([np.nan, np.nan, 0.4], [0.4, 0.4, 0.4]),
        ([np.nan, np.nan, np.nan], [0.2, 0.2, 0.2]),
        (None, [0.2, 0.2, 0.2]),
    ],
    ids=["own, else median", "one known", "none known", "no margins at all"],
)
def test_a_missing_margin_falls_back_on_the_companys_then_on_the_assumed_one(
    shares: list[float] | None, expected: list[float]
) -> None:
    column = "sales__margin_share_364d"
    matrix = buyers().drop(columns=column) if shares is None else buyers(**{column: shares})
    assert margin_per_purchase(matrix, Value(margin_share=0.2)) == pytest.approx(100 * np.array(expected))


def test_the_value_of_a_contract_is_the_sum_over_the_years_survived() -> None:
    matrix = pd.DataFrame({"relationship__recurring_amount": [50.0, 50.0, 0.0]}, index=["x", "y", "z"])
    chance = np.array([0.1, 0.0, 0.1])
    settings = Value(years=2, discount_rate=0.08, margin_share=0.4)
    found = value_of_contracts(matrix, chance, churn=CHURN, settings=settings)
    halves = np.array([0.5, 1.5])
    there = survival(chance[:1], halves * 365.25 / 104, assumed(settings))[0]
    by_hand = 12 * 50 * 0.4 * sum(there / 1.08**halves)
    unlost = 12 * 50 * 0.4 * (1 / 1.08**0.5 + 1 / 1.08**1.5)
    assert found["value"].tolist() == pytest.approx([by_hand, unlost, 0.0])
    assert found.index.equals(matrix.index)


def test_a_likelier_loss_makes_a_contract_worth_less_and_never_negative() -> None:
    matrix = pd.DataFrame({"relationship__recurring_amount": [50.0] * 4 + [-50.0]})
    found = value_of_contracts(matrix, np.array([0.0, 0.2, 0.9, 1.0, 0.2]), churn=CHURN, settings=Value())
    assert (np.diff(found["value"]) <= 0).all()
    assert (found >= 0).all(axis=None)


def test_nobody_is_worth_nothing() -> None:
    assert value(buyers().head(0)).shape == (0, 3)
