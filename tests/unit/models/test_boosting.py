from __future__ import annotations

from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from models.boosting import MEMBERS, Boosted, BoostingSettings, boosted_from, fit_boosted
from models.candidates import SILENT
from tests.unit.models.snapshots import FEATURES, learned, snapshots

SMALL = BoostingSettings(rounds=25, least_rows=20)


def fitted(frame: pd.DataFrame, *, seed: int = 7, threads: int = 1, rounds: int = SMALL.rounds) -> Boosted:
    settings = replace(SMALL, rounds=rounds)
    return fit_boosted(*learned(frame), lost=True, seed=seed, threads=threads, settings=settings)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return snapshots(1)


@pytest.fixture(scope="module")
def boosted(frame: pd.DataFrame) -> Boosted:
    return fitted(frame)


def test_contributions_are_those_of_shap_averaged_over_members_plus_the_start_on_the_rhythm(
    boosted: Boosted, frame: pd.DataFrame
) -> None:
    import shap

    features = learned(frame)[0].head(120)
    explained = [shap.TreeExplainer(booster)(features.to_numpy()) for booster in boosted.boosters]
    start_base, start = boosted.start.contributions(features)
    expected = pd.DataFrame(np.mean([each.values for each in explained], axis=0), columns=list(FEATURES))
    expected[SILENT] += start[SILENT].to_numpy()
    base, parts = boosted.contributions(features)
    assert np.abs(parts.to_numpy() - expected.to_numpy()).max() <= 1e-9
    assert base == pytest.approx(start_base + np.mean([each.base_values[0] for each in explained]), abs=1e-9)


def test_contributions_are_lightgbms_own(boosted: Boosted, frame: pd.DataFrame) -> None:
    features = learned(frame)[0]
    own = np.mean([b.predict(features.to_numpy(), pred_contrib=True) for b in boosted.boosters], axis=0)
    parts = boosted.contributions(features)[1]
    other = [name for name in FEATURES if name != SILENT]
    assert np.abs(parts[other].to_numpy() - own[:, [FEATURES.index(name) for name in other]]).max() <= 1e-12


def test_the_score_is_the_start_plus_the_mean_of_the_members(boosted: Boosted, frame: pd.DataFrame) -> None:
    features = learned(frame)[0]
    members = np.array([b.predict(features.to_numpy(), raw_score=True) for b in boosted.boosters])
    assert len(members) == MEMBERS
    assert boosted.log_odds(features) == pytest.approx(boosted.start.log_odds(features) + members.mean(axis=0))
    assert boosted.spread(features) == pytest.approx(members.std(axis=0))
    assert boosted.spread(features).max() > 0


def test_the_first_rounds_alone_are_what_fewer_rounds_would_have_grown(boosted: Boosted, frame: pd.DataFrame) -> None:
    features = learned(frame)[0]
    assert np.array_equal(boosted.log_odds_after(features, SMALL.rounds), boosted.log_odds(features))
    assert np.array_equal(boosted.log_odds_after(features, 10), fitted(frame, rounds=10).log_odds(features))


def test_the_trees_learn_what_the_rhythm_does_not_say(boosted: Boosted, frame: pd.DataFrame) -> None:
    from sklearn.metrics import roc_auc_score

    later, label = learned(snapshots(2))
    with_trees = roc_auc_score(label, boosted.log_odds(later))
    assert with_trees > roc_auc_score(label, boosted.start.log_odds(later)) + 0.02


def test_threads_change_no_byte_on_many_rows() -> None:
    many = snapshots(3, customers=1500)
    assert fitted(many, threads=1).to_files() == fitted(many, threads=2).to_files()


def test_another_seed_or_another_order_of_rows_gives_other_trees(boosted: Boosted, frame: pd.DataFrame) -> None:
    assert fitted(frame, seed=8).to_files() != boosted.to_files()
    assert fitted(frame.sample(frac=1, random_state=0)).to_files() != boosted.to_files()


def test_a_base_too_small_for_a_split_leaves_the_rhythm_alone() -> None:
    few = snapshots(4, customers=6)
    features = learned(few)[0]
    boosted = fit_boosted(*learned(few), lost=True, seed=7, threads=1)
    assert np.array_equal(boosted.log_odds(features), boosted.start.log_odds(features))
    assert (boosted.contributions(features)[1].drop(columns=SILENT) == 0).all(axis=None)


def test_columns_are_found_by_name_not_by_place(boosted: Boosted, frame: pd.DataFrame) -> None:
    features = learned(frame)[0]
    assert np.array_equal(boosted.log_odds(features[list(FEATURES)[::-1]]), boosted.log_odds(features))


def test_texts_bring_the_members_back_without_the_number_of_threads(boosted: Boosted, frame: pd.DataFrame) -> None:
    features = learned(frame)[0]
    back = boosted_from("lightgbm", boosted.facts(), boosted.to_files())
    assert np.array_equal(back.log_odds(features), boosted.log_odds(features))
    assert all(b"[num_threads: 0]" in text for text in boosted.to_files().values())


def test_a_model_outside_the_ground_of_the_compiled_reasons_is_explained_by_lightgbm_and_says_so(
    boosted: Boosted, frame: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    features = learned(frame)[0].assign(**{FEATURES[-1]: np.arange(len(frame)) % 5})
    label = (np.arange(len(frame)) % 5 == 3).astype(np.int8)
    data = lgb.Dataset(features.to_numpy(np.float64), label, categorical_feature=[len(FEATURES) - 1])
    text = lgb.train(SMALL.parameters(seed=7, threads=1), data, 5).model_to_string()
    other = replace(boosted, trees=(text, boosted.trees[0]))
    base, parts = other.contributions(features)
    assert other.explained_by == "pred_contrib"
    assert "got categories or linear leaves; reasons come from LightGBM's own pred_contrib" in caplog.text
    assert base + parts.sum(axis=1).to_numpy() == pytest.approx(other.log_odds(features), abs=1e-9)
    assert boosted.explained_by == "treeshap"


def test_a_model_that_comes_back_parses_nothing_before_it_is_asked(boosted: Boosted) -> None:
    back = boosted_from("lightgbm", {**boosted.facts(), "members": 1}, {"booster_0.txt": b"no model at all"})
    assert not {"explainer", "boosters"} & set(vars(back))
