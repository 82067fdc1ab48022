"""The company's rhythm and the chance that a running gap goes on."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from features.bgnbd import BgNbd
from features.definition import Churn
from features.history import History
from features.matrix import build_matrix
from features.norms import norms_at
from features.regular import RegularBuyers
from features.rhythm import Rhythm, RhythmParameters, seen_by_bgnbd, seen_in_matrix
from features.timeline import day_number
from tests.unit.features.small import contract, day, history, order

CUTOFF = day("2024-03-01")
CHURN = Churn(active_within_days=400, lapsed_within_days=900, lead_days=0, horizon_days=30)
PARAMETERS = RhythmParameters(
    bgnbd=BgNbd(r=1, alpha=4, a=1, b=3),
    regular=RegularBuyers(k=2, r=1, alpha=2, a=1, b=3),
    mean_gap_days=30.0,
    gap_variation=0.5,
)


def buys(customer: str, *ages: int) -> list[dict[str, object]]:
    return [order(customer, str(CUTOFF - timedelta(days=age))) for age in ages]


def rhythm_of(made: History, *, churn: Churn = CHURN) -> Rhythm:
    everyone = np.arange(len(made.customer_ids))
    purchases = made.ledgers["purchases"].at(everyone, day_number(CUTOFF))
    return Rhythm(purchases=purchases, parameters=PARAMETERS, churn=churn)


def test_the_company_rhythm_is_that_of_its_repeat_buyers() -> None:
    made = history(orders=[*buys("a", 50, 40, 30, 20), *buys("b", 90, 50, 10), *buys("c", 5)])
    found = norms_at(made, cutoff=CUTOFF).rhythm
    assert found.mean_gap_days == pytest.approx(np.sqrt(10 * 40))
    assert found.gap_variation == pytest.approx(0.02)


def test_what_is_bought_later_does_not_change_the_company_rhythm() -> None:
    early = [*buys("a", 50, 40, 30, 20), *buys("b", 90, 50)]
    later = [*buys("a", 0, -3), *buys("z", -1, -2, -3)]
    early_norms, all_norms = (norms_at(history(orders=rows), cutoff=CUTOFF) for rows in (early, early + later))
    assert early_norms.rhythm == all_norms.rhythm


def test_without_any_buyer_the_rhythm_is_finite() -> None:
    found = norms_at(history(orders=buys("a", -5)), cutoff=CUTOFF).rhythm
    assert (found.mean_gap_days, found.gap_variation) == (364.0, 1.0)


def test_a_gap_outlasts_the_horizon_the_likelier_the_shorter_the_horizon_and_the_slower_the_buyer() -> None:
    made = history(orders=[*buys("fast", 25, 20, 15, 10, 5), *buys("slow", 405, 305, 205, 105, 5)])
    fast, slow = rhythm_of(made).gap_survival
    assert 0 <= fast < 0.05 < slow <= 1
    longer = rhythm_of(made, churn=CHURN.model_copy(update={"horizon_days": 200})).gap_survival
    assert (longer < [fast, slow]).all()


def test_of_two_with_the_same_mean_gap_the_regular_one_is_likelier_to_buy_when_it_is_due() -> None:
    regular, erratic = buys("regular", 225, 175, 125, 75, 25), buys("zigzag", 225, 224, 126, 125, 25)
    by_rule, by_chance = rhythm_of(history(orders=[*regular, *erratic])).gap_survival
    assert by_rule < by_chance


def test_a_gap_far_beyond_all_experience_goes_on() -> None:
    made = history(orders=buys("a", *range(3000, 2600, -1)))
    assert rhythm_of(made).gap_survival == pytest.approx(1.0)


def test_a_customer_with_a_contract_who_never_bought_has_no_rhythm() -> None:
    made = history(orders=buys("a", 5, 9), contracts=[contract("k", "2023-01-01")])
    rhythm = rhythm_of(made)
    for values in (rhythm.alive_chance, rhythm.silent_chance, rhythm.expected_orders, rhythm.gap_survival):
        assert np.isnan(values).tolist() == [False, True]


def test_the_matrix_tells_the_rhythm_model_the_same_as_the_ledger() -> None:
    made = history(orders=[*buys("a", 50, 40, 20), *buys("b", 5)])
    matrix = build_matrix(made, cutoff=CUTOFF, churn=CHURN, known_until=CUTOFF)
    told, known = seen_in_matrix(matrix), seen_by_bgnbd(rhythm_of(made).purchases)
    assert np.array_equal(told.repeats, known.repeats)
    assert np.allclose(told.last_weeks, known.last_weeks)
    assert np.allclose(told.age_weeks, known.age_weeks)
