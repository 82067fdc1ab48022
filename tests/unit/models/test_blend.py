"""The blend is the mean of its parts in every respect."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from models import tested as in_tests
from models.blend import BLENDED, Blend, on_threads
from models.boosting import BoostingSettings, fit_boosted
from models.candidates import LADDER, STANDING, fit_logistic_regression, fit_rhythm
from models.directions import directions
from models.folds import folds_of, split
from models.ladder import ladder
from tests.unit.models.snapshots import CHURN, TRAINING, learned, snapshots


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
    naive = np.mean([part.log_odds(features) for part in blend.parts], axis=0)
    assert blend.log_odds(features) == pytest.approx(naive, abs=1e-12)
    base, parts = blend.contributions(features)
    said = [part.contributions(features) for part in blend.parts]
    assert base == pytest.approx(np.mean([each[0] for each in said]))
    for name in parts:
        naive = sum(each[1][name].to_numpy() for each in said if name in each[1]) / 3
        assert parts[name].to_numpy() == pytest.approx(naive, abs=1e-12)


def test_a_third_of_the_members_spread_is_left(blend: Blend) -> None:
    features = learned(snapshots(2))[0]
    assert blend.spread(features) == pytest.approx(blend.parts[2].spread(features) / 3)


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
