from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.metrics import roc_auc_score

from features.errors import LeakageError
from models.calibrate import fit_calibration
from models.candidates import STANDING
from models.churn_model import ChurnModel
from models.ladder import ladder, train, train_each
from models.metrics import calibration_error
from tests.unit.models.snapshots import CHURN, CUTOFF, FEATURES, NOISE, TRAINING, WHOLE_DAYS, cutoffs, snapshots

ROOT = Path(__file__).parents[3]
STEPS = ("rule", "rhythm", "logistic", "blend", "monotone", "lightgbm")

TRAIN = """
import sys
from models.ladder import train
from models.settings import Training
from tests.unit.models.snapshots import CHURN, CUTOFF, snapshots
seed, threads = int(sys.argv[1]), int(sys.argv[2])
frame = snapshots(26, customers=60).sample(frac=1, random_state=seed)
model, _ = train(frame, purpose="churn", cutoff=CUTOFF, churn=CHURN, training=Training(threads=threads))
print(model.digest)
"""


def trained(frame: pd.DataFrame, **more: object) -> tuple[ChurnModel, pd.DataFrame]:
    asked: dict[str, object] = {"purpose": "churn", "cutoff": CUTOFF, "churn": CHURN, "training": TRAINING, **more}
    return train(frame, **asked)  # type: ignore[arg-type]


def shuffled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the snapshots with their labels exchanged inside each cutoff."""
    rng = np.random.default_rng(seed)
    mixed = frame.groupby("cutoff")["label"].transform(rng.permutation)
    return frame.assign(label=mixed.astype("Int8"))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return snapshots(20)


@pytest.fixture(scope="module")
def result(frame: pd.DataFrame) -> tuple[ChurnModel, pd.DataFrame]:
    return trained(frame)


def test_the_ladder_goes_from_the_simplest_to_the_most_able() -> None:
    assert tuple(ladder("churn", TRAINING)) == STEPS


def test_a_model_learns_what_is_there_to_learn_and_says_on_what_it_rests(
    result: tuple[ChurnModel, pd.DataFrame], frame: pd.DataFrame
) -> None:
    model, tested = result
    evidence = model.evidence
    assert evidence["metrics"]["lightgbm"]["auc"] > 0.7
    assert (evidence["snapshots"], evidence["customers"]) == (len(frame), 150)
    assert evidence["tests"] == [str(day) for day in cutoffs(6)[-3:]] == sorted(set(tested["test"].astype(str)))
    assert evidence["training_cutoffs"] == [str(day) for day in cutoffs(6)]
    assert evidence["base_rate"] == pytest.approx(frame["label"].mean(), abs=1e-6)
    assert model.candidate.name == evidence["chosen"]
    assert model.features == FEATURES


def test_every_candidate_is_tested_on_the_same_snapshots(result: tuple[ChurnModel, pd.DataFrame]) -> None:
    tested = result[1]
    keys = [part[["test", "customer_id", "label"]].to_numpy().tolist() for _, part in tested.groupby("candidate")]
    assert set(tested["candidate"]) == set(STEPS)
    assert all(each == keys[0] for each in keys)
    assert not tested.duplicated(["test", "customer_id", "candidate"]).any()


def test_the_slope_is_that_of_the_chosen_on_all_folds_and_the_level_that_of_one_slice(
    result: tuple[ChurnModel, pd.DataFrame], frame: pd.DataFrame
) -> None:
    model, tested = result
    own = tested.loc[tested["candidate"] == model.evidence["chosen"]]
    folds = fit_calibration(
        own["log_odds"].to_numpy(), own["label"].to_numpy(), n_customers=own["customer_id"].nunique()
    )
    assert (model.calibration.n_rows, model.calibration.slope) == (len(own), folds.slope)
    level = frame.loc[frame["cutoff"].astype(str) == model.evidence["level_of"]]
    assert model.score(level)["probability"].mean() == pytest.approx(level["label"].mean(), abs=0.01)


def test_the_calibration_error_as_learned_knows_nothing_of_the_fold(result: tuple[ChurnModel, pd.DataFrame]) -> None:
    model, tested = result
    for name, part in tested.groupby("candidate"):
        as_learned = [
            calibration_error(test["label"].to_numpy(), special.expit(test["log_odds"].to_numpy()))
            for _, test in part.groupby("test")
        ]
        found = model.evidence["metrics"][name]["calibration_error_as_learned"]
        assert found == pytest.approx(np.mean(as_learned), abs=1e-6)


def test_a_level_that_moved_shows_in_the_error_as_learned_only() -> None:
    days = cutoffs(6)
    before, after = snapshots(21, days=days[:3]), snapshots(22, days=days[3:], level=-2.4)
    metrics = trained(pd.concat([before, after], ignore_index=True))[0].evidence["metrics"]["logistic"]
    assert metrics["calibration_error_as_learned"] > metrics["calibration_error"] + 0.1


def test_what_a_test_is_about_does_not_reach_what_was_learned_for_it(frame: pd.DataFrame) -> None:
    last = frame["cutoff"] == max(frame["cutoff"])
    flipped = frame.assign(label=frame["label"].mask(last, 1 - frame["label"]))
    tested, again = trained(frame)[1], trained(flipped)[1]
    for name in ("rule", "rhythm", "logistic"):
        before, after = (part.loc[part["candidate"] == name, "log_odds"].to_numpy() for part in (tested, again))
        assert np.array_equal(before, after)


@pytest.mark.parametrize("outcome", [0, 1])
def test_with_too_few_outcomes_the_rhythm_ranks_unlearned_at_the_level_seen(frame: pd.DataFrame, outcome: int) -> None:
    few = frame.assign(label=pd.Series([outcome] * len(frame), dtype="Int8"))
    few.loc[[3, 200, 400, 600], "label"] = 1 - outcome
    model, tested = trained(few)
    assert model.evidence["remark"].startswith("fewer than 5 snapshots of either outcome: the rhythm speaks, moved")
    assert (model.evidence["chosen"], model.calibration.n_rows, len(tested)) == ("rhythm", 0, 0)
    chance = model.score(frame)["probability"]
    assert abs(chance.mean() - outcome) < 0.05
    inside = frame[FEATURES[1]].between(1e-3, 1 - 1e-3)
    assert np.array_equal(np.argsort(chance[inside]), np.argsort(frame.loc[inside, FEATURES[1]]))


def test_a_handful_of_snapshots_moves_the_rhythm_only_a_little(frame: pd.DataFrame) -> None:
    three = frame.tail(3).assign(label=pd.Series([0, 0, 0], dtype="Int8", index=frame.tail(3).index))
    said, plain = trained(three)[0].score(frame)["probability"], frame[FEATURES[1]]
    assert plain.mean() - 0.35 < said.mean() < plain.mean()


@pytest.mark.parametrize("purpose", ["churn", "return"])
def test_nothing_at_all_to_learn_from_still_gives_a_model(frame: pd.DataFrame, purpose: str) -> None:
    model, tested = trained(frame.head(0), purpose=purpose)
    assert (model.evidence["snapshots"], model.evidence["base_rate"], len(tested)) == (0, None, 0)
    chance = model.score(frame)["probability"]
    assert np.sign(np.corrcoef(chance, frame[FEATURES[1]])[0, 1]) == (1 if purpose == "churn" else -1)


def test_without_a_fold_and_too_few_outcomes_to_leave_out_the_blend_stands_at_the_level_seen() -> None:
    frame = snapshots(23, customers=60, days=cutoffs(1), level=-2.5)
    model, tested = trained(frame)
    assert len(tested) == 0
    assert model.evidence["remark"].startswith("no test has enough of both outcomes: the blend speaks")
    assert model.score(frame)["probability"].mean() == pytest.approx(frame["label"].mean(), abs=0.03)
    assert ChurnModel.from_files(model.to_files()).digest == model.digest


def test_without_a_fold_customers_left_out_of_the_newest_cutoff_choose() -> None:
    frame = snapshots(23, customers=400, days=cutoffs(1))
    model, tested = trained(frame)
    assert len(tested) == 0
    assert model.evidence["remark"].startswith(
        "no test ordered in time has enough of both outcomes; among customers left out of the newest cutoff "
    )
    assert model.evidence["chosen"] in ("logistic", "lightgbm")
    assert model.calibration.n_rows == 0
    width = model.score(frame)
    assert (width["probability_high"] - width["probability_low"]).median() > 0.3
    assert model.score(frame)["probability"].mean() == pytest.approx(frame["label"].mean(), abs=0.01)


def of_another_character(frame: pd.DataFrame) -> pd.DataFrame:
    """Return snapshots whose outcomes are as always on two cutoffs, chance on the third, and turned round since.

    So on each fold what was learned is the opposite of what is tested, and silence, too, says the opposite.
    """
    days = sorted(set(frame["cutoff"]))
    mixed = shuffled(frame, 1)["label"].where(frame["cutoff"] == days[2], frame["label"])
    return frame.assign(label=mixed.mask(frame["cutoff"].isin(days[3:]), 1 - frame["label"]))


def test_where_customers_change_their_character_the_newest_cutoff_chooses() -> None:
    frame = of_another_character(snapshots(27, customers=300))
    model, tested = trained(frame)
    assert tested["test"].nunique() == 3
    assert model.evidence["remark"].startswith(
        "later time tells no candidate from chance; among customers left out of the newest cutoff "
    )
    assert model.evidence["level_of"] == str(cutoffs(6)[-1])


def test_what_no_later_time_has_tested_does_not_speak_against_known_directions() -> None:
    frame = of_another_character(snapshots(27, customers=300))
    both = train_each(frame, purpose="churn", cutoff=CUTOFF, churn=CHURN, training=TRAINING)
    later = snapshots(28, customers=300, days=(CUTOFF,))
    turned = 1 - later["label"].astype(int)
    free, speaks = (both.models[name].score(later)["probability"] for name in ("lightgbm", both.chosen))
    assert roc_auc_score(turned, free) > 0.55, "free trees follow what the newest cutoff shows"
    assert both.chosen == "monotone"
    assert "monotone is lightgbm held to known directions" in both.models["monotone"].evidence["remark"]
    assert roc_auc_score(turned, speaks) < 0.55
    assert speaks.std() < 0.05, "and then says next to nothing"


def test_where_later_time_tells_customers_apart_it_chooses(result: tuple[ChurnModel, pd.DataFrame]) -> None:
    assert "left out" not in result[0].evidence["remark"]


def test_a_horizon_that_reaches_past_the_cutoff_is_refused(frame: pd.DataFrame) -> None:
    morning = max(frame["cutoff"]) + timedelta(days=WHOLE_DAYS)
    assert morning == CUTOFF
    with pytest.raises(LeakageError, match=r"^cutoff 2025-02-17 has no finished label: .* use a cutoff on or before"):
        trained(frame, cutoff=morning - timedelta(days=1))


def test_a_snapshot_without_a_label_is_refused_by_name(frame: pd.DataFrame) -> None:
    open_ones = frame.assign(label=frame["label"].mask(frame.index.isin([5, 6])))
    with pytest.raises(LeakageError, match=r"got none for customer K00005 on 2024-06-02 \(2\); what became of them"):
        trained(open_ones)


def test_rows_in_any_order_give_the_same_digest(result: tuple[ChurnModel, pd.DataFrame], frame: pd.DataFrame) -> None:
    again, tested = trained(frame.sample(frac=1, random_state=1))
    assert again.digest == result[0].digest
    pd.testing.assert_frame_equal(tested, result[1])


def test_another_seed_or_one_other_label_gives_another_digest(
    result: tuple[ChurnModel, pd.DataFrame], frame: pd.DataFrame
) -> None:
    changed = frame.assign(label=frame["label"].mask(frame.index == 7, 1 - frame["label"]))
    assert trained(changed)[0].digest != result[0].digest


def digest_in(seed: int, threads: int, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", TRAIN, str(seed), str(threads)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_r17_hash_seed_zone_locale_threads_and_row_order_change_no_digest() -> None:
    german = {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
    american = {"PYTHONHASHSEED": "4242", "TZ": "America/Lima", "LC_ALL": "en_US.UTF-8", "OPENBLAS_NUM_THREADS": "2"}
    here = trained(snapshots(26, customers=60))[0].digest
    assert {digest_in(1, 1, **german), digest_in(2, 2, **american)} == {here}


@pytest.mark.slow
def test_r17_ten_trainings_give_one_digest() -> None:
    zones = ("UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu")
    found = {
        digest_in(
            run,
            1 + run % 2,
            PYTHONHASHSEED=str(run),
            TZ=zones[run % 5],
            LC_ALL=("de_DE.UTF-8", "en_US.UTF-8", "C")[run % 3],
            OPENBLAS_NUM_THREADS=str(1 + run // 5),
        )
        for run in range(10)
    }
    assert found == {trained(snapshots(26, customers=60))[0].digest}


def test_shuffled_labels_find_next_to_nothing(frame: pd.DataFrame) -> None:
    model, _ = trained(shuffled(frame, 1))
    metrics = model.evidence["metrics"]
    assert {name: found["auc"] for name, found in metrics.items()} == pytest.approx(dict.fromkeys(STEPS, 0.5), abs=0.09)
    assert "among customers left out" in model.evidence["remark"]
    assert model.evidence["chosen"] == STANDING
    scored = model.score(frame)["probability"]
    assert scored.std() < 0.1


def test_a_leak_planted_among_shuffled_labels_is_found(frame: pd.DataFrame) -> None:
    mixed = shuffled(frame, 1)
    noise = np.random.default_rng(2).normal(size=len(mixed))
    leaking = mixed.assign(**{NOISE[0]: mixed["label"].astype(float) + noise})
    assert trained(leaking)[0].evidence["metrics"]["lightgbm"]["auc"] > 0.65


def test_levels_that_differ_between_folds_do_not_count_as_a_ranking() -> None:
    levels = (0.0, 2.0, -2.0, 0.0, 2.0, -2.0)
    apart = [snapshots(25, days=(day,), level=level) for day, level in zip(cutoffs(6), levels, strict=True)]
    model, tested = trained(shuffled(pd.concat(apart, ignore_index=True), 1))
    pooled = tested.loc[tested["candidate"] == "rhythm"]
    assert roc_auc_score(pooled["label"], pooled["probability"]) > 0.7
    assert model.evidence["metrics"]["rhythm"]["auc"] == pytest.approx(0.5, abs=0.09)


@pytest.mark.slow
def test_r16_twenty_shuffles_rank_no_better_than_chance() -> None:
    frame = snapshots(24, customers=600)
    found = [trained(shuffled(frame, seed))[0].evidence for seed in range(20)]
    aucs = np.array([[evidence["metrics"][name]["auc"] for name in STEPS] for evidence in found])
    assert aucs.mean(axis=0) == pytest.approx(np.full(len(STEPS), 0.5), abs=0.01)
    assert np.abs(aucs - 0.5).max() < 0.05
    chosen = np.array([evidence["metrics"][evidence["chosen"]]["auc"] for evidence in found])
    assert np.abs(chosen - 0.5).max() < 0.05


def test_dates_of_the_synthetic_company_are_what_the_messages_above_say() -> None:
    assert cutoffs(6)[0] == date(2024, 6, 2)
