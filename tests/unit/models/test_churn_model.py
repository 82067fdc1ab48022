from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from features.errors import ModelError
from features.matrix import KEYS
from models.blend import Blend
from models.boosting import BoostingSettings, fit_boosted
from models.calibrate import fit_calibration, uncalibrated
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
from models.churn_model import MANIFEST, ChurnModel
from models.directions import directions
from models.horizons import LOST_COLUMNS, Horizons, Step
from tests.unit.models.snapshots import CUTOFF, FEATURES, NOISE, learned, snapshots

SMALL = BoostingSettings(rounds=25, least_rows=20)


def candidates() -> Mapping[str, Candidate]:
    features, label = learned(snapshots(1))
    boosted = partial(fit_boosted, features, label, lost=True, seed=7, threads=1, settings=SMALL)
    alone: dict[str, Candidate] = {
        "rhythm": fit_rhythm(features, label, lost=True),
        "logistic": fit_logistic_regression(features, label),
        "monotone": boosted(directions=directions(lost=True)),
    }
    others = {"rule": fit_rule(features, label, lost=True), "unlearned": untrained_rhythm(lost=True)}
    return {**others, **alone, "blend": Blend(parts=tuple(alone.values())), "lightgbm": boosted()}


@pytest.fixture(scope="module", params=list(candidates()))
def model(request: pytest.FixtureRequest) -> ChurnModel:
    candidate = candidates()[request.param]
    features, label = learned(snapshots(2))
    calibration = fit_calibration(candidate.log_odds(features), label, n_customers=150)
    return ChurnModel(
        purpose="churn",
        candidate=candidate,
        calibration=calibration,
        features=FEATURES,
        cutoff=CUTOFF,
        evidence={"chosen": candidate.name, "remark": "für die Prüfung"},
    )


@pytest.fixture(scope="module")
def matrix() -> pd.DataFrame:
    frame = snapshots(3).assign(label=pd.Series([pd.NA] * 900, dtype="Int8"))
    frame.index = pd.RangeIndex(5000, 5000 + len(frame))
    return frame.mask(np.random.default_rng(4).random(frame.shape) < 0.2 * ~frame.columns.isin(KEYS))


def misfits(files: Mapping[str, bytes]) -> list[str]:
    """Names of files that are neither the manifest in strict JSON nor LightGBM's text."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    def fits(name: str, content: bytes) -> bool:
        try:
            text = content.decode()
            if name == MANIFEST:
                return isinstance(json.loads(text, parse_constant=refuse), dict)
        except ValueError:
            return False
        return name.startswith("booster_") and name.endswith(".txt") and text.startswith("tree\nversion=")

    return [name for name, content in files.items() if not fits(name, content)]


def gap(model: ChurnModel, matrix: pd.DataFrame) -> float:
    """Largest distance of base and contributions from the probability's log-odds."""
    return float(
        np.abs(model.contributions(matrix).sum(axis=1) - special.logit(model.score(matrix)["probability"])).max()
    )


def test_contributions_and_base_add_up_to_the_log_odds_of_the_probability(
    model: ChurnModel, matrix: pd.DataFrame
) -> None:
    assert gap(model, matrix) <= 1e-9


def test_contributions_that_forget_the_calibration_are_caught(model: ChurnModel, matrix: pd.DataFrame) -> None:
    base, parts = model.candidate.contributions(matrix)
    plain = base + parts.sum(axis=1)
    assert np.abs(plain - special.logit(model.score(matrix)["probability"])).max() > 1e-3


def rows_that_do_not_add_up(parts: pd.DataFrame, scored: pd.DataFrame) -> int:
    """Count the rows whose base and contributions miss the log-odds of the printed probability by more than 1e-6."""
    return int((np.abs(parts.sum(axis=1) - special.logit(scored["probability"])) > 1e-6).sum())


def test_r18_contributions_add_up_to_the_printed_probability_on_every_row(
    model: ChurnModel, matrix: pd.DataFrame
) -> None:
    nothing, zeros = (matrix.head(3).assign(**dict.fromkeys(FEATURES, value)) for value in (np.nan, 0.0))
    for rows in (matrix, nothing, zeros):
        assert rows_that_do_not_add_up(model.contributions(rows), model.score(rows)) == 0


def test_r18_one_contribution_of_one_row_that_is_off_by_two_millionths_is_caught(
    model: ChurnModel, matrix: pd.DataFrame
) -> None:
    parts = model.contributions(matrix)
    parts.iloc[17, 2] += 2e-6
    assert rows_that_do_not_add_up(parts, model.score(matrix)) == 1


def test_r18_a_share_that_is_left_out_is_caught(model: ChurnModel, matrix: pd.DataFrame) -> None:
    parts, scored = model.contributions(matrix), model.score(matrix)
    assert rows_that_do_not_add_up(parts.assign(base=parts["base"] + 1e-3), scored) == len(matrix)
    column = RECENCY if model.candidate.name == "rule" else SILENT
    speaks = int((parts[column].abs() > 1e-6).sum())
    assert rows_that_do_not_add_up(parts.assign(**{column: 0.0}), scored) == speaks > 0


def test_the_model_says_how_its_contributions_are_found(model: ChurnModel) -> None:
    assert model.explained_by == ("treeshap" if model.candidate.to_files() else "linear")


def test_a_model_that_uses_every_second_of_many_features_says_nothing_of_the_others() -> None:
    names = tuple(f"sales__made_up_{place}" for place in range(300))
    knots = {"knots": ((0.0, 1.0),) * 150, "means": (0.0,) * 150, "weights": (1.0,) * 150, "intercept": -1.0}
    candidate = candidate_from("logistic", {"columns": names[::2], **knots}, {})
    model = ChurnModel(
        purpose="churn", candidate=candidate, calibration=uncalibrated(), features=names, cutoff=CUTOFF, evidence={}
    )
    rows = pd.DataFrame(np.random.default_rng(1).random((5, 300)), columns=list(names))
    parts = model.contributions(rows)  # pandas warns of frames put together column by column; warnings are errors
    assert (parts[list(names[1::2])] == 0).all().all()
    assert (parts[list(names[::2])] != 0).any().all()
    assert rows_that_do_not_add_up(parts, model.score(rows)) == 0


def test_contributions_have_every_feature_and_the_base_in_order(model: ChurnModel, matrix: pd.DataFrame) -> None:
    parts = model.contributions(matrix)
    assert list(parts.columns) == [*FEATURES, "base"]
    assert parts.index.equals(matrix.index)
    assert parts["base"].nunique() == 1
    assert parts.notna().all(axis=None)


def test_scores_keep_the_index_and_their_bounds_hold_the_probability(model: ChurnModel, matrix: pd.DataFrame) -> None:
    scored = model.score(matrix)
    assert scored.index.equals(matrix.index)
    assert (scored["probability_low"] < scored["probability"]).all()
    assert (scored["probability"] < scored["probability_high"]).all()
    assert scored.min(axis=None) >= scored["score"].min()
    assert scored["probability_high"].max() < 1


def test_the_probability_ranks_as_the_score_does(model: ChurnModel, matrix: pd.DataFrame) -> None:
    scored = model.score(matrix)
    assert scored["probability"].rank().equals(scored["score"].rank())


def test_members_that_disagree_widen_the_interval(matrix: pd.DataFrame) -> None:
    boosted = candidates()["lightgbm"]
    model = ChurnModel(purpose="churn", candidate=boosted, calibration=uncalibrated(), features=FEATURES, cutoff=CUTOFF)
    scored, spread = model.score(matrix), boosted.spread(matrix)
    log_width = special.logit(scored["probability_high"]) - special.logit(scored["probability_low"])
    alone = 2 * 1.6448536269514722 * model.calibration.spread(scored["score"].to_numpy())
    assert (log_width[spread > 0] > alone[spread > 0]).all()


def test_nobody_to_score_gives_empty_frames_with_all_columns(model: ChurnModel, matrix: pd.DataFrame) -> None:
    nobody = matrix.head(0)
    assert list(model.score(nobody)) == ["score", "probability", "probability_low", "probability_high"]
    assert (len(model.score(nobody)), model.contributions(nobody).shape) == (0, (0, len(FEATURES) + 1))


def test_files_bring_back_equal_scores_equal_reasons_and_equal_bytes(model: ChurnModel, matrix: pd.DataFrame) -> None:
    back = ChurnModel.from_files(model.to_files())
    pd.testing.assert_frame_equal(back.score(matrix), model.score(matrix), check_exact=True)
    pd.testing.assert_frame_equal(back.contributions(matrix), model.contributions(matrix), check_exact=True)
    assert (back.to_files(), back.digest, back.version) == (model.to_files(), model.digest, model.digest[:12])
    assert (back.purpose, back.cutoff, back.evidence) == ("churn", CUTOFF, model.evidence)


def test_any_change_is_another_version(model: ChurnModel) -> None:
    content = json.loads(model.to_files()[MANIFEST])
    content["calibration"]["slope"] += 1e-12
    changed = ChurnModel.from_files({**model.to_files(), MANIFEST: json.dumps(content).encode()})
    assert changed.version != model.version


def test_no_file_of_a_model_is_a_pickle(model: ChurnModel) -> None:
    assert misfits(model.to_files()) == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", [MANIFEST, "booster_0.txt", "explainer.pkl"])
def test_a_planted_pickle_is_found(model: ChurnModel, name: str, protocol: int) -> None:
    assert misfits({**model.to_files(), name: pickle.dumps({"a": 1}, protocol)}) == [name]


def test_numbers_that_json_does_not_know_are_found(model: ChurnModel) -> None:
    assert misfits({MANIFEST: json.dumps({"auc": float("nan")}).encode()}) == [MANIFEST]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"^a model folder needs model.json, got nothing; train again$"),
        ({"MLmodel": b"", "booster_0.txt": b""}, r"needs model.json, got MLmodel, booster_0.txt; train again$"),
        ({MANIFEST: b'{"format": 99}'}, r"^model.json has format 99, this Treue reads 1; train again$"),
        ({MANIFEST: b"{}"}, r"^model.json has format None, this Treue reads 1; train again$"),
    ],
)
def test_files_that_are_no_model_are_refused_in_one_line(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        ChurnModel.from_files(files)
    assert "\n" not in str(caught.value)


CURVE = Horizons(
    whole_days=104,
    silence_days=90,
    days=(30, 180),
    concentration=2.0,
    steps=(Step(origin=104, days=180, share=0.2), Step(origin=104, days=90, share=0.7)),
)


def test_the_chance_by_number_of_days_is_stored_and_older_models_say_nothing_of_it(model, matrix) -> None:
    timed = replace(model, horizons=CURVE)
    back = ChurnModel.from_files(timed.to_files())
    chance = timed.score(matrix)["probability"]
    told = back.lost_within(matrix, chance)
    assert back.horizons == CURVE
    assert tuple(told.columns) == LOST_COLUMNS
    assert (told["lost_within_180_days"] >= chance).all()
    content = json.loads(model.to_files()[MANIFEST])
    del content["horizons"]
    older = ChurnModel.from_files({**model.to_files(), MANIFEST: json.dumps(content).encode()})
    assert older.lost_within(matrix, chance).isna().all(axis=None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("whole_days", 0),
        ("silence_days", -1),
        ("silence_days", 60),
        ("days", [30, 181]),
        ("days", 30),
        ("concentration", 0),
        ("concentration", "2"),
        ("steps", [[90, 180, 0.2]]),
        ("steps", [[104, 180, 1.2], [104, 90, 0.7]]),
        ("steps", [[104, 180, 0.2], [104, 90, True]]),
        ("steps", [[104, 180], [104, 90, 0.7]]),
        ("more", 1),
    ],
)
def test_a_forged_curve_is_refused_in_one_line(model: ChurnModel, key: str, value: object) -> None:
    content = json.loads(replace(model, horizons=CURVE).to_files()[MANIFEST])
    content["horizons"][key] = value
    with pytest.raises(ModelError, match=MANIFEST) as caught:
        ChurnModel.from_files({**model.to_files(), MANIFEST: json.dumps(content).encode()})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("asked", ["score", "contributions"])
def test_a_feature_that_fell_away_is_named_in_one_line(model: ChurnModel, matrix: pd.DataFrame, asked: str) -> None:
    method: Any = getattr(model, asked)
    with pytest.raises(ModelError, match=rf"lacks {NOISE[0]} \(4 in all\), which model {model.version} was") as caught:
        method(matrix.drop(columns=list(NOISE)))
    assert "\n" not in str(caught.value)


def test_columns_the_model_does_not_know_are_passed_over(model: ChurnModel, matrix: pd.DataFrame) -> None:
    more = matrix.assign(sales__new=1.0)[["sales__new", *matrix.columns[::-1]]]
    pd.testing.assert_frame_equal(model.score(more), model.score(matrix))
