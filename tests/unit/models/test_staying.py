from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.definition import Churn
from models.staying import Staying, fit_staying, survival

CHURN = Churn(lead_days=0, horizon_days=90, active_within_days=180)
ASSUMED = Staying(return_share=0.2, concentration=4.5)


def test_survival_is_the_product_of_the_falling_hazards() -> None:
    staying = Staying(return_share=0.0, concentration=3.0)
    alpha, beta = 0.25 * 3.0, 0.75 * 3.0
    left, expected = 1.0, []
    for period in range(1, 6):
        left *= (beta + period - 1) / (alpha + beta + period - 1)
        expected.append(left)
    found = survival(np.array([0.25]), np.arange(1.0, 6.0), staying)[0]
    assert found.tolist() == pytest.approx(expected)


def test_who_stays_is_ever_less_likely_to_be_lost() -> None:
    stays = survival(np.array([0.4]), np.arange(0.0, 20.0), Staying(return_share=0.0, concentration=2.0))[0]
    hazard = 1 - stays[1:] / stays[:-1]
    assert hazard[0] == pytest.approx(0.4)
    assert (np.diff(hazard) < 0).all()


def test_those_who_come_back_are_not_lost() -> None:
    none, half = (
        survival(np.array([0.4]), np.array([3.0]), Staying(return_share=share, concentration=2.0))[0, 0]
        for share in (0.0, 0.5)
    )
    assert half > none


def snapshots(lost_in: np.ndarray, periods: int, *, back: np.ndarray | None = None) -> pd.DataFrame:
    """Return labelled snapshots, 90 days apart, of customers lost in their period (large: never)."""
    parts = []
    for period in range(periods):
        is_back = np.zeros(len(lost_in), bool) if back is None else back & (period > lost_in + 1)
        there = np.flatnonzero((lost_in >= period) | is_back)
        label = (lost_in[there] == period).astype(int)
        cutoff = date(2020, 1, 1) + timedelta(days=90 * period)
        parts.append(
            pd.DataFrame({"customer_id": there.astype(str), "cutoff": cutoff, "cohort": "active", "label": label})
        )
    return pd.concat(parts, ignore_index=True)


def test_how_much_customers_differ_is_found_again() -> None:
    rng = np.random.default_rng(3)
    chance = rng.beta(0.8, 2.4, 20_000)
    found = fit_staying(snapshots(rng.geometric(chance) - 1, 9), churn=CHURN, otherwise=ASSUMED)
    assert found.is_measured
    assert found.concentration == pytest.approx(3.2, rel=0.15)
    assert found.return_share == 0


def test_the_share_that_comes_back_is_found_again() -> None:
    rng = np.random.default_rng(4)
    lost_in, back = rng.geometric(0.2, 4000) - 1, rng.random(4000) < 0.4
    found = fit_staying(snapshots(lost_in, 10, back=back), churn=CHURN, otherwise=ASSUMED)
    assert found.return_share == pytest.approx(0.4, abs=0.05)


def test_a_past_too_short_leaves_the_assumptions() -> None:
    few = snapshots(np.array([0, 5, 5, 1]), 2)
    assert fit_staying(few, churn=CHURN, otherwise=ASSUMED) == ASSUMED
    assert fit_staying(few.head(0), churn=CHURN, otherwise=ASSUMED) == ASSUMED
