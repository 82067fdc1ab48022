"""What a ranking is worth: against naive counting, and EMPC against its own definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.profit import (
    LITERATURE,
    Campaign,
    expected_maximum_profit,
    gains_at,
    listed,
    profit_per_contact,
    value_captured,
)

LABEL = np.array([1, 0, 1, 0, 0, 1], dtype=np.int8)
SCORE = np.array([0.9, 0.8, 0.6, 0.6, 0.3, 0.1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 25), st.randoms())
def test_a_list_has_its_places_whatever_the_order_of_rows(scores: list[int], places: int, random: object) -> None:
    score = np.array(scores, dtype=float)
    on_list = listed(score, places=places)
    assert on_list.sum() == pytest.approx(min(places, len(score)))
    order = np.argsort([random.random() for _ in scores])  # type: ignore[attr-defined]
    assert listed(score[order], places=places) == pytest.approx(on_list[order])
    assert all(on_list[i] >= on_list[j] for i in range(len(score)) for j in range(len(score)) if score[i] > score[j])


def test_a_list_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one place, got 0"):
        listed(SCORE, places=0)


def test_gains_count_who_is_reached_and_ties_in_proportion() -> None:
    assert gains_at(LABEL, SCORE, places=1) == pytest.approx(1 / 3)
    assert gains_at(LABEL, SCORE, places=3) == pytest.approx(1.5 / 3)
    assert gains_at(LABEL, SCORE, places=99) == 1.0
    assert np.isnan(gains_at(LABEL * 0, SCORE, places=1))


def test_value_captured_follows_probability_times_stake() -> None:
    stake = np.array([10.0, 1000.0, 100.0, 0.0, 0.0, 890.0])
    assert value_captured(LABEL, SCORE, stake, places=2) == pytest.approx(890 / 1000), "the 1000 stay and take a place"
    assert value_captured(LABEL, SCORE, -stake, places=2) != value_captured(LABEL, SCORE, stake, places=2)
    assert np.isnan(value_captured(LABEL, SCORE, stake * 0, places=2))


def test_profit_is_that_of_one_customer_after_another() -> None:
    campaign = Campaign(value=500.0, incentive_cost=20.0, contact_cost=2.0, alpha=1.0, beta=3.0)
    churner, stayer = 0.25 * (500 - 20) - 2, -20 - 2
    assert profit_per_contact(LABEL, SCORE, places=2, campaign=campaign) == pytest.approx((churner + stayer) / 2)
    assert profit_per_contact(LABEL, SCORE, places=6, campaign=campaign) == pytest.approx((churner + stayer) / 2)


def naive_empc(label: np.ndarray, score: np.ndarray, campaign: Campaign, steps: int = 4001) -> float:
    """Integrate over the chance of staying; for each the best of all lists the scores can give."""
    chances = np.linspace(0, 1, steps)
    density = stats.beta(campaign.alpha, campaign.beta).pdf(chances)
    cuts = [np.inf, *np.unique(score)[::-1]]
    best = np.full(steps, -np.inf)
    for cut in cuts:
        on_list = score >= cut
        churners, others = (on_list & (label == 1)).mean(), (on_list & (label == 0)).mean()
        each = chances * (campaign.value - campaign.incentive_cost) - campaign.contact_cost
        best = np.maximum(best, each * churners - (campaign.incentive_cost + campaign.contact_cost) * others)
    return float(np.trapezoid(best * density, chances))


@pytest.mark.parametrize("campaign", [LITERATURE, Campaign(value=100.0, incentive_cost=15.0, contact_cost=4.0)])
@pytest.mark.parametrize("seed", range(3))
def test_empc_is_the_integral_of_its_definition(campaign: Campaign, seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = (rng.random(300) < 0.15).astype(np.int8)
    score = np.round(1 / (1 + np.exp(-(rng.normal(size=300) + 1.2 * label - 1.5))), 2)
    found = expected_maximum_profit(label, score, campaign=campaign)
    assert found == pytest.approx(naive_empc(label, score, campaign), abs=2e-3)


def test_empc_of_a_perfect_ranking_has_a_closed_form() -> None:
    label = np.array([1] * 20 + [0] * 80, dtype=np.int8)
    each = LITERATURE.effect_share * (LITERATURE.value - LITERATURE.incentive_cost) - LITERATURE.contact_cost
    assert expected_maximum_profit(label, label.astype(float)) == pytest.approx(0.2 * each, abs=1e-3)


def test_empc_without_both_outcomes_is_unknown() -> None:
    assert np.isnan(expected_maximum_profit(LABEL * 0, SCORE))
