"""The blend is the mean of its parts in every respect."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from models import tested as in_tests
from models.blend import BLENDED, Blend, blend_from, on_threads
from models.boosting import BoostingSettings, fit_boosted
from models.candidates import LADDER, STANDING, fit_logistic_regression, fit_rhythm
from models.directions import directions
from models.folds import folds_of, split
from models.ladder import ladder
from tests.unit.models.snapshots import CHURN, TRAINING, learned, snapshots

SHARES = (0.25, 0.25, 0.5)


@pytest.fixture(scope="module")
def blend() -> Blend:
    features, label = learned(snapshots(1))
    boosted = partial(fit_boosted, lost=True, seed=7, settings=BoostingSettings(rounds=25, least_rows=20))
    return Blend(
        parts=(
            fit_rhythm(features, label, lost=True),
            fit_logistic_regression(features, label),
            boosted(features, label, directions=directions(lost=True)),
        )
    )


def test_log_odds_and_contributions_are_the_mean_of_the_parts(blend: Blend) -> None:
    features = learned(snapshots(2))[0]
    naive = np.average([part.log_odds(features) for part in blend.parts], axis=0, weights=SHARES)
    assert blend.log_odds(features) == pytest.approx(naive, abs=1e-12)
    base, parts = blend.contributions(features)
    said = [part.contributions(features) for part in blend.parts]
    assert base == pytest.approx(np.average([each[0] for each in said], weights=SHARES))
    for name in parts:
        told = zip(said, SHARES, strict=True)
        naive = sum(share * each[1][name].to_numpy() for each, share in told if name in each[1])
        assert parts[name].to_numpy() == pytest.approx(naive, abs=1e-12)


def test_the_trees_count_as_much_as_the_two_formulas_together() -> None:
    assert tuple(BLENDED.items()) == (("rhythm", 0.25), ("logistic", 0.25), ("monotone", 0.5))


def test_a_blend_of_before_counts_every_part_alike(blend: Blend) -> None:
    features, facts = learned(snapshots(2))[0], blend.facts()
    before = blend_from({"parts": facts["parts"]}, blend.to_files())
    naive = np.mean([part.log_odds(features) for part in blend.parts], axis=0)
    assert before.log_odds(features) == pytest.approx(naive, abs=1e-12)
    assert blend_from(facts, blend.to_files()).weights == SHARES


def test_half_of_the_members_spread_is_left(blend: Blend) -> None:
    features = learned(snapshots(2))[0]
    assert blend.spread(features) == pytest.approx(blend.parts[2].spread(features) / 2)


def test_it_says_the_same_on_any_number_of_threads(blend: Blend) -> None:
    features, alone = learned(snapshots(2))[0], on_threads(blend, 1)
    assert np.array_equal(alone.log_odds(features), blend.log_odds(features))
    assert [getattr(part, "threads", 1) for part in alone.parts] == [1, 1, 1]  # type: ignore[attr-defined]


def test_what_stands_is_on_the_ladder_and_so_are_its_parts() -> None:
    assert STANDING in LADDER
    assert set(BLENDED) < set(LADDER)


def test_its_test_is_that_of_the_blend_fitted_on_the_same_fold() -> None:
    frame = snapshots(24)
    fold, steps = folds_of(sorted(set(frame["cutoff"])), CHURN)[-1], ladder("churn", TRAINING)
    learn, test = split(frame.sort_values(["cutoff", "customer_id"], ignore_index=True), fold)
    tested = in_tests.tested_by(steps, [(learn, test)])
    features, label = learned(learn)
    fitted = steps["blend"](features, label).log_odds(learned(test)[0])
    assert np.array_equal(tested.loc[tested["candidate"] == "blend", "log_odds"], fitted)
