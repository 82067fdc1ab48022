"""The chance by number of days: never falling, through the printed probability, and right where the truth is known."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import Churn
from features.loss_day import FOLLOWED, LOST_AFTER
from models.candidates import RECENCY
from models.horizons import HALF, Horizons, Step, fit_horizons, lost_within

CUTOFF = date(2025, 6, 1)
BUYERS = Churn(lead_days=14, horizon_days=90)
CONTRACTS = Churn(definition="contract", lead_days=0, horizon_days=30)
SHARES = st.one_of(st.none(), st.floats(0, 1))


def past(churn: Churn, *, rate: float, seed: int, cutoffs: int = 20, customers: int = 200) -> pd.DataFrame:
    """Return snapshots of customers who are lost at a steady rate per day, followed up to ``CUTOFF``."""
    rng, whole = np.random.default_rng(seed), churn.lead_days + churn.horizon_days
    parts = []
    for back in range(cutoffs):
        followed = whole + 28 * back
        lost = np.ceil(rng.exponential(1 / rate, customers))
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": [f"K{number:04d}" for number in range(customers)],
                    "cutoff": pd.Series([CUTOFF - timedelta(days=followed)] * customers, dtype=object),
                    "cohort": "active",
                    "label": pd.Series((lost <= whole).astype(np.int8), dtype="Int8"),
                    LOST_AFTER: np.where(lost <= followed, lost, np.nan),
                    FOLLOWED: float(followed),
                }
            )
        )
    return pd.concat(parts[::-1], ignore_index=True)


def recencies(*days: float) -> pd.DataFrame:
    return pd.DataFrame({RECENCY: np.array(days, dtype=np.float64)})


def chances(curve: Horizons, matrix: pd.DataFrame, probability: np.ndarray) -> pd.DataFrame:
    return curve.of(matrix, probability).drop(columns=HALF)


def fitted(snapshots: pd.DataFrame, churn: Churn, days: tuple[int, ...]) -> Horizons:
    found = fit_horizons(snapshots, cutoff=CUTOFF, churn=churn, days=days)
    assert found is not None
    return found


@given(
    probability=st.lists(st.floats(0, 1), min_size=1, max_size=5),
    shares=st.lists(SHARES, min_size=4, max_size=4),
    recency=st.integers(1, 180),
    concentration=st.floats(0.05, 500),
)
@settings(max_examples=60, deadline=None)
def test_the_chance_never_falls_and_is_the_printed_one_at_lead_and_horizon(
    probability: list[float], shares: list[float | None], recency: int, concentration: float
) -> None:
    ways = [(104, 180), (180, 365), (104, 97), (97, 90)]
    steps = tuple(Step(origin=a, days=b, share=share) for (a, b), share in zip(ways, shares, strict=True))
    days = (30, 60, 90, 97, 104, 180, 365)
    curve = Horizons(whole_days=104, silence_days=90, days=days, concentration=concentration, steps=steps)
    told = chances(curve, recencies(*[recency] * len(probability)), np.array(probability))
    assert told[lost_within(104)].tolist() == probability
    assert (np.diff(told.to_numpy(), axis=1) >= 0).all()
    assert told.min(axis=None) >= 0
    assert told.max(axis=None) <= 1


def test_a_silence_is_complete_only_when_it_is_a_whole_horizon_long() -> None:
    curve = fitted(past(BUYERS, rate=0.004, seed=1), BUYERS, (30, 60, 90))
    told = chances(curve, recencies(20, 31, 60, 61, 100), np.full(5, 0.4))
    assert (told > 0).to_numpy().tolist() == [
        [False, False, True],
        [False, True, True],
        [False, True, True],
        [True, True, True],
        [True, True, True],
    ]


def misses(curve: Horizons, rate: float, days: tuple[int, ...]) -> list[int]:
    """Return the numbers of days at which the mean chance lies more than 0.03 off the truth."""
    true_chance = {day: 1 - np.exp(-rate * day) for day in days}
    printed = np.full(10, 1 - np.exp(-rate * curve.whole_days))
    told = chances(curve, recencies(*[1.0] * 10), printed)
    return [day for day in days if abs(told[lost_within(day)].mean() - true_chance[day]) > 0.03]


def test_the_curve_of_contracts_meets_a_truth_that_is_known() -> None:
    days = (10, 20, 30, 60, 180, 365)
    curve = fitted(past(CONTRACTS, rate=0.004, seed=2), CONTRACTS, days)
    assert curve.told_days == 365
    assert misses(curve, 0.004, days) == []


def test_counting_customers_not_followed_to_the_end_is_caught() -> None:
    days = (10, 20, 30, 60, 180, 365)
    leaky = past(CONTRACTS, rate=0.004, seed=2).assign(**{FOLLOWED: 1e4})
    assert misses(fitted(leaky, CONTRACTS, days), 0.004, days)


def test_beyond_the_past_the_staying_curve_speaks_and_the_curve_says_from_where() -> None:
    short = fitted(past(BUYERS, rate=0.004, seed=3, cutoffs=4), BUYERS, (90, 180, 365))
    assert short.told_days == 180
    told = chances(short, recencies(50.0), np.array([0.3])).iloc[0]
    assert told[lost_within(365)] > told[lost_within(180)] > 0.3


def test_without_any_past_there_is_still_a_rising_curve() -> None:
    empty = fitted(past(BUYERS, rate=0.004, seed=3).head(0), BUYERS, (30, 90, 180, 365))
    assert empty.told_days == 104
    assert np.all(np.diff(chances(empty, recencies(50.0), np.array([0.3])).to_numpy()) > 0)


def test_a_decline_has_no_day_and_so_no_curve() -> None:
    decline = BUYERS.model_copy(update={"definition": "decline"})
    assert fit_horizons(past(BUYERS, rate=0.004, seed=4), cutoff=CUTOFF, churn=decline) is None


@given(
    shares=st.lists(SHARES, min_size=2, max_size=2),
    recency=st.integers(1, 180),
    probability=st.floats(0.001, 1),
    silence=st.sampled_from([90, 0]),
)
@settings(max_examples=60, deadline=None)
def test_half_of_the_chance_has_fallen_due_on_the_day_that_is_told_and_not_the_day_before(
    shares: list[float | None], recency: int, probability: float, silence: int
) -> None:
    ways = [(104, 97), (97, 90)]
    steps = tuple(Step(origin=a, days=b, share=share) for (a, b), share in zip(ways, shares, strict=True))
    curve = Horizons(whole_days=104, silence_days=silence, days=(90, 97, 104), concentration=2.0, steps=steps)
    told = curve.of(recencies(recency), np.array([probability])).iloc[0]
    day, points = told[HALF], {0: 0.0, 90: told[lost_within(90)], 97: told[lost_within(97)], 104: probability}
    if silence and points[90] >= probability / 2:
        assert day == max(91 - recency, 1)
    else:
        days, chance = list(points), list(points.values())
        assert np.interp(day, days, chance) >= probability / 2 * (1 - 1e-9)
        assert np.interp(day - 1, days, chance) <= probability / 2 * (1 + 1e-9)


def test_a_curve_is_stored_as_plain_numbers_and_comes_back_the_same() -> None:
    curve = fitted(past(BUYERS, rate=0.004, seed=1), BUYERS, (30, 60, 90, 180, 365))
    assert Horizons.from_facts(json.loads(json.dumps(curve.to_facts()))) == curve


def test_where_the_last_purchase_is_not_known_the_silence_so_far_is_missing_too() -> None:
    curve = fitted(past(BUYERS, rate=0.004, seed=1), BUYERS, (30, 90))
    for unknown in (recencies(np.nan), recencies(20.0).drop(columns=RECENCY)):
        told = curve.of(unknown, np.array([0.4])).iloc[0]
        assert np.isnan(told[lost_within(30)])
        assert told[lost_within(90)] > 0
