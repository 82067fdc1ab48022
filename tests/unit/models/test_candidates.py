from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import special

from features.errors import ModelError
from models.blend import FitBlend
from models.boosting import BoostingSettings, fit_boosted
from models.candidates import (
    RECENCY,
    SILENT,
    Candidate,
    candidate_from,
    fit_logistic_regression,
    fit_rhythm,
    fit_rule,
    untrained_rhythm,
)
from models.directions import directions
from tests.unit.models.snapshots import FEATURES, learned, snapshots

Fit = Callable[[pd.DataFrame, np.ndarray], Candidate]

boosted = partial(fit_boosted, lost=True, seed=7, threads=1, settings=BoostingSettings(rounds=25, least_rows=20))
monotone = partial(boosted, directions=directions(lost=True))
rhythm = partial(fit_rhythm, lost=True)
LADDER: dict[str, Fit] = {
    "rule": partial(fit_rule, lost=True),
    "rhythm": rhythm,
    "unlearned rhythm": lambda _x, _y: untrained_rhythm(lost=True),
    "logistic": fit_logistic_regression,
    "blend": FitBlend(fits={"rhythm": rhythm, "logistic": fit_logistic_regression, "monotone": monotone}),
    "monotone": monotone,
    "lightgbm": boosted,
}


def largest_gap(candidate: Candidate, features: pd.DataFrame) -> float:
    base, parts = candidate.contributions(features)
    return float(np.abs(base + parts.sum(axis=1).to_numpy() - candidate.log_odds(features)).max())


def holed(features: pd.DataFrame) -> pd.DataFrame:
    """Return the features with two fifths of all values missing and two rows without any."""
    rng = np.random.default_rng(5)
    gone = rng.random(features.shape) < 0.4
    gone[:2] = True
    return features.mask(gone)


@pytest.fixture(scope="module", params=LADDER)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    return LADDER[request.param](*learned(snapshots(1)))


def test_contributions_and_base_add_up_to_the_raw_log_odds(candidate: Candidate) -> None:
    features = learned(snapshots(2))[0]
    assert largest_gap(candidate, features) <= 1e-9
    assert largest_gap(candidate, holed(features)) <= 1e-9


def test_a_sum_that_forgets_a_feature_is_caught(candidate: Candidate) -> None:
    class Forgetful:
        def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
            base, parts = candidate.contributions(features)
            return base, parts.iloc[:, 1:]

        def __getattr__(self, name: str) -> object:
            return getattr(candidate, name)

    assert largest_gap(Forgetful(), learned(snapshots(2))[0]) > 1e-3  # type: ignore[arg-type]


def test_log_odds_are_finite_whatever_is_missing(candidate: Candidate) -> None:
    nothing = pd.DataFrame(np.nan, index=range(3), columns=list(FEATURES))
    assert np.isfinite(candidate.log_odds(nothing)).all()
    assert np.isfinite(candidate.spread(nothing)).all()


def test_nobody_to_score_gives_nothing(candidate: Candidate) -> None:
    nobody = learned(snapshots(2))[0].head(0)
    base, parts = candidate.contributions(nobody)
    assert (len(candidate.log_odds(nobody)), len(candidate.spread(nobody)), len(parts)) == (0, 0, 0)
    assert np.isfinite(base)


def test_each_row_is_judged_for_itself(candidate: Candidate) -> None:
    features = holed(learned(snapshots(2))[0])
    some = features.iloc[[7, 3, 250]]
    whole = pd.Series(candidate.log_odds(features), index=features.index)
    assert candidate.log_odds(some).tolist() == whole.loc[some.index].tolist()
    assert [candidate.log_odds(features.loc[[row]])[0] for row in some.index] == whole.loc[some.index].tolist()
    assert candidate.contributions(some)[1].index.equals(some.index)


def test_facts_and_files_bring_the_candidate_back(candidate: Candidate) -> None:
    facts = json.loads(json.dumps(candidate.facts()))
    back = candidate_from(candidate.name, facts, candidate.to_files())
    features = holed(learned(snapshots(2))[0])
    assert np.array_equal(back.log_odds(features), candidate.log_odds(features))
    assert (back.name, back.facts(), back.to_files()) == (candidate.name, candidate.facts(), candidate.to_files())


def test_an_unknown_candidate_is_one_line() -> None:
    with pytest.raises(ModelError, match=r"^expected candidate rule, .* got 'forest'; train again$"):
        candidate_from("forest", {}, {})


@pytest.mark.parametrize("fit", [fit_rule, fit_rhythm])
@pytest.mark.parametrize(("lost", "sign"), [(True, 1), (False, -1)])
def test_more_silence_means_more_loss_and_less_return_even_where_labels_say_otherwise(
    fit: Callable[..., Candidate], lost: bool, sign: int
) -> None:
    features, label = learned(snapshots(3))
    column = RECENCY if fit is fit_rule else SILENT
    quiet, loud = features.assign(**{column: features[column].quantile([0.1])[0.1]}), features
    for outcome in (label, 1 - label):
        fitted = fit(features, outcome.astype(np.int8), lost=lost)
        more = fitted.log_odds(loud.assign(**{column: features[column].quantile([0.9])[0.9]}))
        assert (sign * (more - fitted.log_odds(quiet)) > 0).all()


@pytest.mark.parametrize("fit", [fit_rule, fit_rhythm])
def test_rule_and_rhythm_move_to_the_level_of_the_labels(fit: Callable[..., Candidate]) -> None:
    features, label = learned(snapshots(4, level=-2.5))
    assert special.expit(fit(features, label, lost=True).log_odds(features)).mean() == pytest.approx(
        label.mean(), abs=0.02
    )


def test_the_unlearned_rhythm_says_what_bg_nbd_says() -> None:
    features = pd.DataFrame({SILENT: [0.2, 0.9, np.nan]})
    assert special.expit(untrained_rhythm(lost=True).log_odds(features)) == pytest.approx([0.2, 0.9, 0.5])
    assert special.expit(untrained_rhythm(lost=False).log_odds(features)) == pytest.approx([0.8, 0.1, 0.5])


def test_the_logistic_regression_leaves_out_columns_that_do_not_vary() -> None:
    features, label = learned(snapshots(5))
    fitted = fit_logistic_regression(features.assign(flat=3.0, empty=np.nan), label)
    assert fitted.columns == FEATURES


def test_the_logistic_regression_knows_only_the_order_of_values() -> None:
    features, label = learned(snapshots(6))
    bent = features.assign(**{RECENCY: features[RECENCY] ** 3})
    straight = fit_logistic_regression(features, label).log_odds(features)
    assert np.corrcoef(straight, fit_logistic_regression(bent, label).log_odds(bent))[0, 1] > 0.9999


def test_a_value_beyond_all_that_was_learned_from_counts_like_the_last_of_them() -> None:
    features, label = learned(snapshots(6))
    fitted = fit_logistic_regression(features, label)
    far = features.assign(**{RECENCY: features[RECENCY].max() * 100})
    farther = features.assign(**{RECENCY: features[RECENCY].max() * 1e6})
    assert np.array_equal(fitted.log_odds(far), fitted.log_odds(farther))
