"""Trees held to directions never go against them, and the catalogue says what these are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.catalogue import catalogue
from models.boosting import Boosted, BoostingSettings, fit_boosted
from models.candidates import RECENCY, SILENT, Candidate, fit_logistic_regression
from models.directions import directions
from models.ladder import ladder
from models.settings import Training

SETTINGS = BoostingSettings(rounds=40, least_rows=10)
PAID_LATE = "payments__late_share_364d"


def rows() -> tuple[pd.DataFrame, np.ndarray]:
    """Return snapshots in which, by a whim of the sample, late payers stay more often."""
    rng = np.random.default_rng(4)
    features = pd.DataFrame({RECENCY: rng.exponential(60, 600), SILENT: rng.random(600), PAID_LATE: rng.random(600)})
    chance = 1 / (1 + np.exp(-(2 * features[SILENT] - 3 * features[PAID_LATE] + 0.5)))
    return features, (rng.random(600) < chance).astype(np.int8).to_numpy()


def fitted(**options: object) -> Boosted:
    return fit_boosted(*rows(), lost=True, seed=7, threads=1, settings=SETTINGS, members=3, **options)  # type: ignore[arg-type]


def steps(model: Candidate, name: str) -> np.ndarray:
    """Return how the log-odds move when one feature rises from 0 to 1 and nothing else changes, for 30 customers."""
    some = rows()[0].head(30)
    rising = [model.log_odds(some.assign(**{name: value})) for value in np.linspace(0, 1, 21)]
    return np.diff(np.array(rising), axis=0)


def test_no_customer_becomes_safer_by_paying_later() -> None:
    assert directions(lost=True)[PAID_LATE] == 1
    assert steps(fitted(directions=directions(lost=True)), PAID_LATE).min() >= 0


def test_without_directions_the_whim_of_the_sample_is_learned() -> None:
    assert steps(fitted(), PAID_LATE).min() < -0.01


def test_neither_do_they_by_the_regression_nor_by_the_blend() -> None:
    every = ladder("churn", Training(threads=1), SETTINGS, members=2)
    assert steps(every["logistic"](*rows()), PAID_LATE).min() >= 0
    assert steps(every["blend"](*rows()), PAID_LATE).min() >= 0


def test_a_free_regression_learns_the_whim() -> None:
    assert steps(fit_logistic_regression(*rows()), PAID_LATE).min() < -0.01


def test_a_contribution_never_speaks_against_the_direction() -> None:
    features, label = rows()
    model = fit_logistic_regression(features, label, directions=directions(lost=True))
    parts = model.contributions(features)[1]
    assert all(parts[name].eq(0).all() or parts[name].corr(features[name], method="spearman") >= 0 for name in parts)


def test_what_speaks_for_a_loss_speaks_against_a_return() -> None:
    lost, back = directions(lost=True), directions(lost=False)
    assert lost.keys() == back.keys()
    assert all(lost[name] == -back[name] != 0 for name in lost)


def test_every_direction_of_the_catalogue_is_held() -> None:
    assert set(directions(lost=True)) == {feature.name for feature in catalogue() if feature.expected}


def test_the_name_tells_whether_directions_were_held() -> None:
    assert (fitted().name, fitted(directions=directions(lost=True)).name) == ("lightgbm", "monotone")
