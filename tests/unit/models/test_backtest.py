"""The backtest: chosen anew on each morning, judged as delivered, and blind to what it must not see."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.metrics import roc_auc_score

from features.errors import LeakageError
from features.matrix import EARLY_LABEL
from features.timeline import horizon_of
from models.backtest import DELIVERED, Judged, Morning, judge, with_outcome
from models.candidates import LADDER
from models.ladder import train
from models.origins import require_sound
from tests.unit.models.snapshots import CHURN, TRAINING, cutoffs, snapshots, with_early

DAYS = cutoffs(7)
ORIGIN = DAYS[-1]
PAST = tuple(day for day in DAYS if horizon_of(day, CHURN).end <= ORIGIN)


def morning(seed: int = 1, *, customers: int = 150) -> Morning:
    rows = snapshots(seed, customers=customers, days=(*PAST, ORIGIN))
    at_origin = (rows["cutoff"] == ORIGIN).to_numpy(dtype=bool)
    return Morning(origin=ORIGIN, learn=rows[~at_origin], ranked=rows[at_origin].reset_index(drop=True))


def judged(given: Morning) -> Judged:
    return judge(given, purpose="churn", churn=CHURN, training=TRAINING)


@pytest.fixture(scope="module")
def found() -> Judged:
    return judged(morning())


def test_every_candidate_and_rival_speaks_of_every_customer(found: Judged) -> None:
    told = found.folds.groupby("kind")["candidate"].unique().map(set).to_dict()
    assert told["delivered"] == {DELIVERED}
    assert told["candidate"] == set(LADDER)
    assert told["rival"] == {"last_order", "bgnbd"}, "the others need columns these snapshots lack"
    assert set(found.folds.groupby("candidate").size()) == {150}


def test_what_is_delivered_is_what_training_would_have_delivered_on_that_morning(found: Judged) -> None:
    given = morning()
    model, _ = train(given.learn, purpose="churn", cutoff=ORIGIN, churn=CHURN, training=TRAINING)
    own = found.folds.loc[(found.folds["candidate"] == DELIVERED).to_numpy(dtype=bool)].set_index("customer_id")
    ranked = given.ranked.sort_values("customer_id", ignore_index=True)
    expected = model.score(ranked)["probability"].to_numpy()
    assert own.loc[ranked["customer_id"], "probability"].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert found.evidence["chosen"] == model.evidence["chosen"]
    assert special.expit(own["log_odds"]).to_numpy() == pytest.approx(own["probability"].to_numpy())


def test_what_became_of_the_judged_changes_nothing_that_was_said(found: Judged) -> None:
    given = morning()
    flipped = Morning(origin=ORIGIN, learn=given.learn, ranked=given.ranked.assign(label=1 - given.ranked["label"]))
    other = judged(flipped)
    pd.testing.assert_frame_equal(other.folds.drop(columns="label"), found.folds.drop(columns="label"))


def test_an_unsound_split_is_refused() -> None:
    given = morning()
    planted = Morning(origin=ORIGIN, learn=pd.concat([given.learn, given.ranked.head(1)]), ranked=given.ranked)
    with pytest.raises(LeakageError, match=f"the split at {ORIGIN} learns from cutoff {ORIGIN}"):
        judged(planted)


def test_with_nothing_to_learn_from_the_rhythm_and_bgnbd_speak() -> None:
    given = morning()
    told = judged(Morning(origin=ORIGIN, learn=given.learn.head(0), ranked=given.ranked)).folds
    assert set(told["candidate"]) == {DELIVERED, "rhythm", "bgnbd"}


def test_outcomes_are_joined_by_customer_and_another_cohort_is_found() -> None:
    ranked = morning().ranked
    blank = ranked.assign(label=pd.array([pd.NA] * len(ranked), dtype="Int8"))
    pd.testing.assert_frame_equal(with_outcome(blank, ranked.sample(frac=1, random_state=0)), ranked)
    with pytest.raises(LeakageError, match=r"cohort of .* has changed since that morning \(1 customers\)"):
        with_outcome(blank, ranked.head(-1))


def test_r16_nothing_learned_from_overlaps_what_is_judged() -> None:
    given = morning()
    require_sound(given.learn, given.ranked, origin=ORIGIN, churn=CHURN)
    ends = {horizon_of(day, CHURN).end for day in set(given.learn["cutoff"])}
    begins = ORIGIN + timedelta(days=CHURN.lead_days)
    assert max(ends) <= ORIGIN <= begins
    learned = set(zip(given.learn["customer_id"], given.learn["cutoff"], strict=True))
    assert not learned & set(zip(given.ranked["customer_id"], given.ranked["cutoff"], strict=True))


def shuffled(given: Morning, seed: int) -> Morning:
    """Return the morning with all labels exchanged inside each cutoff, those learned from and those judged by.

    Where only those learned from were, what is known without them (directions) would rank the judged ones rightly.
    """
    rng = np.random.default_rng(seed)

    def exchanged(rows: pd.DataFrame) -> pd.DataFrame:
        names = [name for name in ("label", EARLY_LABEL) if name in rows.columns]
        order = rows.groupby("cutoff")["label"].transform(lambda part: rng.permutation(part.index)).to_numpy()
        return rows.assign(**{name: rows.loc[order, name].to_numpy() for name in names}).astype(rows.dtypes)

    return Morning(origin=given.origin, learn=exchanged(given.learn), ranked=exchanged(given.ranked))


def mean_auc(given: Morning, name: str, shuffles: int) -> float:
    aucs = []
    for seed in range(shuffles):
        told = judged(shuffled(given, seed)).folds
        part = told.loc[(told["candidate"] == name).to_numpy(dtype=bool)]
        aucs.append(roc_auc_score(part["label"], part["log_odds"]))
    print(f"R16: {shuffles} shuffles, seeds 0 to {shuffles - 1}, {name}: mean AUC {np.mean(aucs):.4f}")  # noqa: T201 (seed and N)
    return float(np.mean(aucs))


def with_early_outcomes(given: Morning) -> Morning:
    """Return the morning with snapshots more, of which half the horizon was over."""
    days = tuple(ORIGIN - timedelta(days=CHURN.lead_days + CHURN.horizon_days // 2 + back) for back in (20, 0))
    young = snapshots(5, customers=given.ranked["customer_id"].nunique(), days=days)
    return Morning(origin=ORIGIN, learn=with_early(given.learn, young), ranked=given.ranked)


def test_r16_all_labels_are_exchanged_also_the_early_ones() -> None:
    given = with_early_outcomes(morning())
    mixed = shuffled(given, 1).learn
    for name in ("label", EARLY_LABEL):
        share, again = (rows.groupby("cutoff")[name].mean().dropna().tolist() for rows in (given.learn, mixed))
        assert share == pytest.approx(again)
        known = given.learn[name].notna()
        assert 0.2 < (mixed.loc[known, name] != given.learn.loc[known, name]).mean() < 0.7


@pytest.mark.night
def test_r16_from_shuffled_labels_nothing_is_learned_on_twenty_shuffles() -> None:
    given = with_early_outcomes(morning(customers=400))
    assert mean_auc(given, "logistic", shuffles=20) == pytest.approx(0.5, abs=0.03)


def test_r16_a_planted_leak_is_found_by_the_same_figure() -> None:
    given = morning()
    leak = [each.assign(planted__leak=each["label"].astype(float)) for each in (given.learn, given.ranked)]
    planted = Morning(origin=ORIGIN, learn=leak[0], ranked=leak[1])
    told = judged(planted).folds
    part = told.loc[(told["candidate"] == "logistic").to_numpy(dtype=bool)]
    assert roc_auc_score(part["label"], part["log_odds"]) > 0.99
