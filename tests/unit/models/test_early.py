"""Early outcomes: learned from at their own level, known before they are used, and never tested on."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.metrics import roc_auc_score

from features.errors import LeakageError
from features.matrix import EARLY_LABEL
from models.boosting import BoostingSettings, fit_boosted
from models.candidates import Fit, fit_logistic_regression, fit_rhythm, fit_rule
from models.early import finished, lesson_of, speaks_early
from models.folds import Fold, folds_of, left_out, split
from models.ladder import train
from models.origins import require_sound
from tests.unit.models.snapshots import CHURN, CUTOFF, FEATURES, TRAINING, cutoffs, learned, snapshots, with_early

HALF_DAYS = CHURN.lead_days + CHURN.horizon_days // 2
YOUNG = tuple(CUTOFF - timedelta(days=HALF_DAYS + back) for back in (26, 0))
SETTINGS = BoostingSettings(rounds=40, least_rows=20)
ABLE: dict[str, Fit] = {
    "logistic": fit_logistic_regression,
    "lightgbm": partial(fit_boosted, lost=True, seed=7, threads=1, settings=SETTINGS, members=1),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return with_early(snapshots(41), snapshots(42, days=YOUNG))


def test_a_lesson_holds_finished_and_early_snapshots_apart(frame: pd.DataFrame) -> None:
    lesson = lesson_of(frame)
    assert lesson.early is not None
    assert (len(lesson.label), len(lesson.early.label)) == (900, 300)
    assert tuple(lesson.features.columns) == tuple(lesson.early.features.columns) == FEATURES
    assert speaks_early(frame).sum() == 300
    assert len(finished(frame)) == 900


def test_early_outcomes_that_are_nearly_all_alike_teach_nothing(frame: pd.DataFrame) -> None:
    alike = frame.assign(**{EARLY_LABEL: frame[EARLY_LABEL].where(frame["label"].notna(), 1)})
    assert lesson_of(alike).early is None
    assert lesson_of(frame.drop(columns=EARLY_LABEL).dropna(subset="label")).early is None


@pytest.mark.parametrize("name", ABLE)
def test_who_differs_is_learned_from_early_outcomes_where_whole_ones_tell_nothing(name: str) -> None:
    mute = snapshots(43)
    mute = mute.assign(label=pd.Series(np.random.default_rng(1).permutation(mute["label"]), dtype="Int8"))
    lesson = lesson_of(with_early(mute, snapshots(44, customers=600, days=YOUNG)))
    asked, truth = learned(snapshots(45, customers=400, days=(CUTOFF,)))
    alone, both = (ABLE[name](lesson.features, lesson.label, early).log_odds(asked) for early in (None, lesson.early))
    assert roc_auc_score(truth, alone) < 0.6
    assert roc_auc_score(truth, both) > 0.68


@pytest.mark.parametrize("name", ABLE)
@pytest.mark.parametrize("level", [-3.0, 2.5])
def test_how_many_are_lost_is_learned_from_whole_horizons_only(name: str, level: float) -> None:
    whole = snapshots(46, customers=300)
    lesson = lesson_of(with_early(whole, snapshots(47, customers=300, days=YOUNG, level=level)))
    chance = special.expit(ABLE[name](lesson.features, lesson.label, lesson.early).log_odds(lesson.features))
    assert chance.mean() == pytest.approx(whole["label"].mean(), abs=0.03)


def test_rules_and_rhythm_look_at_whole_horizons_only(frame: pd.DataFrame) -> None:
    lesson = lesson_of(frame)
    for fit in (fit_rule, fit_rhythm):
        assert fit(lesson.features, lesson.label, lesson.early, lost=True) == fit(
            lesson.features, lesson.label, lost=True
        )


def test_a_fold_knows_of_its_early_cutoffs_only_the_early_label() -> None:
    young = snapshots(49, customers=20, days=YOUNG)
    rows = finished(with_early(snapshots(48, customers=20, days=cutoffs(8, step_days=26)), young))
    for fold in folds_of(sorted(set(rows["cutoff"])), CHURN):
        assert fold.early
        assert all(day + timedelta(days=HALF_DAYS) <= fold.test < day + timedelta(days=104) for day in fold.early)
        learn, test = split(rows, fold)
        early = learn["cutoff"].isin(fold.early)
        assert learn.loc[early, "label"].isna().all()
        assert learn.loc[early, EARLY_LABEL].notna().all()
        assert learn.loc[~early, "label"].notna().all()
        assert set(test["cutoff"]) == {fold.test}


def test_without_early_labels_a_fold_is_what_it_was() -> None:
    rows = snapshots(50, customers=20, days=cutoffs(8, step_days=26))
    for fold in folds_of(sorted(set(rows["cutoff"])), CHURN):
        bare = split(rows, Fold(test=fold.test, learn=fold.learn))
        for one, other in zip(split(rows, fold), bare, strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_customers_left_out_are_not_learned_from_early_either(frame: pd.DataFrame) -> None:
    for learn, test in left_out(frame):
        assert set(learn["customer_id"]).isdisjoint(test["customer_id"])
        assert speaks_early(learn).any()
        assert test["label"].notna().all()
        assert set(test["cutoff"]) == {cutoffs(6)[-1]}


def trained(rows: pd.DataFrame, cutoff: date = CUTOFF):  # type: ignore[no-untyped-def]
    return train(rows, purpose="churn", cutoff=cutoff, churn=CHURN, training=TRAINING)


def test_training_says_what_it_learned_early_and_tests_finished_horizons_only(frame: pd.DataFrame) -> None:
    model, tested = trained(frame)
    evidence = model.evidence
    assert (evidence["snapshots"], evidence["early_snapshots"]) == (900, 300)
    assert evidence["early_cutoffs"] == [str(day) for day in YOUNG]
    assert evidence["tests"] == [str(day) for day in cutoffs(6)[-3:]]
    assert set(tested["test"]) <= set(cutoffs(6))
    assert model.digest != trained(finished(frame))[0].digest


def test_early_outcomes_that_teach_nothing_are_not_said_to_have_been_learned_from(frame: pd.DataFrame) -> None:
    alike = frame.assign(**{EARLY_LABEL: frame[EARLY_LABEL].where(frame["label"].notna(), 1)})
    evidence = trained(alike)[0].evidence
    assert (evidence["early_snapshots"], evidence["early_cutoffs"]) == (0, [])


def test_the_order_of_rows_changes_no_bit(frame: pd.DataFrame) -> None:
    assert trained(frame.sample(frac=1, random_state=5))[0].digest == trained(frame)[0].digest


def test_half_a_horizon_that_is_not_over_is_refused(frame: pd.DataFrame) -> None:
    day = CUTOFF - timedelta(days=1)
    with pytest.raises(LeakageError, match="no finished label"):
        trained(frame, cutoff=day)
    ranked = snapshots(51, customers=20, days=(day,))
    with pytest.raises(LeakageError, match=rf"learns from cutoff {YOUNG[-1]}, whose horizon ends 2025-05-31"):
        require_sound(frame.loc[speaks_early(frame)], ranked, origin=day, churn=CHURN)
    require_sound(frame, snapshots(51, customers=20, days=(CUTOFF,)), origin=CUTOFF, churn=CHURN)


def test_a_snapshot_with_neither_label_is_refused(frame: pd.DataFrame) -> None:
    nothing = frame.assign(**{EARLY_LABEL: frame[EARLY_LABEL].where(frame["label"].notna())})
    with pytest.raises(LeakageError, match="no finished label"):
        trained(nothing)


def test_where_later_time_tells_nothing_half_the_horizon_chooses() -> None:
    days = cutoffs(4, step_days=26)
    mute = snapshots(52, customers=300, days=days)
    early = mute["label"]
    mixed = pd.Series(np.random.default_rng(2).permutation(early), index=early.index, dtype="Int8")
    young = snapshots(53, customers=300, days=YOUNG)
    frame = with_early(mute.assign(label=mixed), young)
    frame.loc[: len(mute) - 1, EARLY_LABEL] = early.to_numpy()
    model, _ = trained(frame)
    assert "; by half the horizon " in model.evidence["remark"]
    assert model.evidence["level_of"] == str(days[-1])
    later = snapshots(54, customers=300, days=(CUTOFF,))
    assert roc_auc_score(later["label"].astype(int), model.score(later)["probability"]) > 0.65
