from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from pipelines.demo.campaigns import CAMPAIGNS, CONTROL, FOLLOWED_DAYS, OUT, TREATMENT
from pipelines.demo.clock import NEVER
from pipelines.demo.fates import Chances, draw_arms, draw_chances, fates_under, true_effects
from pipelines.demo.words import KINDS

NUMBERS = {campaign.measure: number for number, campaign in enumerate(CAMPAIGNS)}


@cache
def chances() -> Chances:
    rng = np.random.default_rng(3)
    return draw_chances(rng, begin=np.maximum(0, rng.integers(-800, 900, 6000)))


def arms() -> np.ndarray:
    return draw_arms(np.random.default_rng(4), customers=6000)


def test_the_arms_are_drawn_apart_from_each_other_in_their_shares() -> None:
    drawn = arms()
    assert [np.mean(drawn == arm) for arm in (OUT, CONTROL, TREATMENT)] == pytest.approx([0.2, 0.4, 0.4], abs=0.02)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(len(CAMPAIGNS))).max() < 0.05


def test_left_out_and_withheld_customers_meet_the_same_fate() -> None:
    withheld, out = (fates_under(chances(), np.full((6000, len(CAMPAIGNS)), arm)) for arm in (CONTROL, OUT))
    np.testing.assert_array_equal(withheld.lost, out.lost)


def test_a_campaign_changes_nothing_before_its_day() -> None:
    without = fates_under(chances(), np.full((6000, len(CAMPAIGNS)), CONTROL))
    for number, campaign in enumerate(CAMPAIGNS):
        changed = np.full((6000, len(CAMPAIGNS)), CONTROL)
        changed[:, number] = TREATMENT
        fates = fates_under(chances(), changed)
        early = np.minimum(fates.lost, without.lost) <= campaign.day
        np.testing.assert_array_equal(fates.lost[early], without.lost[early])


def test_the_true_effect_is_the_difference_of_two_stories_told_one_after_the_other() -> None:
    drawn = arms()
    effects = true_effects(chances(), drawn)
    for number, campaign in enumerate(CAMPAIGNS):
        shares = []
        for arm in (CONTROL, TREATMENT):
            told = drawn.copy()
            told[:, number] = arm
            shares.append(np.mean(fates_under(chances(), told).lost <= campaign.day + FOLLOWED_DAYS))
        assert effects[:, number].mean() == pytest.approx(shares[1] - shares[0])


def test_one_campaign_keeps_customers_one_drives_them_away_and_one_does_nothing() -> None:
    effects = true_effects(chances(), arms())
    assert set(np.unique(effects[:, NUMBERS["visit"]])) == {-1, 0}
    assert set(np.unique(effects[:, NUMBERS["email_offer"]])) == {0, 1}
    assert not effects[:, NUMBERS["reminder_letter"]].any()


def test_whoever_the_harmful_campaign_loses_leaves_over_the_price() -> None:
    drawn = arms()
    effects = true_effects(chances(), drawn)[:, NUMBERS["email_offer"]]
    drawn[:, NUMBERS["email_offer"]] = TREATMENT
    fates = fates_under(chances(), drawn)
    assert (fates.kind[effects == 1] == KINDS.index("price")).all()


def test_nothing_goes_wrong_any_more_after_a_loss() -> None:
    fates = fates_under(chances(), arms())
    assert (
        fates.starts[fates.starts < NEVER]
        < np.broadcast_to(fates.lost[:, None], fates.starts.shape)[fates.starts < NEVER]
    ).all()
