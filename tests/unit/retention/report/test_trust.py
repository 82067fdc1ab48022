from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retention.report.inputs import FOLD_COLUMNS
from retention.report.trust import Trust, Verdict, staleness, trust_in

NO_FOLDS = pd.DataFrame({name: pd.Series(dtype="object") for name in FOLD_COLUMNS})
NO_SCORES = pd.DataFrame({"probability_low": [], "probability_high": []})
SOUND = {
    "chosen": "lightgbm", "remark": "", "metrics": {"lightgbm": {"auc": 0.75}}, "tests": ["2026-01-01"],
    "training_cutoffs": ["2026-01-01"], "snapshots": 4000, "customers": 1000, "base_rate": 0.2,
}  # fmt: skip


def trust(evidence: dict[str, Any], folds: pd.DataFrame = NO_FOLDS, scores: pd.DataFrame = NO_SCORES) -> Trust:
    return trust_in("churn", evidence=evidence, folds=folds, scores=scores)


def cautions(**changed: Any) -> list[str]:
    return [each.key for each in trust({**SOUND, **changed}).warnings]


def folds(probability: list[float], label: list[int], candidate: str = "lightgbm") -> pd.DataFrame:
    return pd.DataFrame({"purpose": "churn", "candidate": candidate, "label": label, "probability": probability})


def test_a_tested_model_on_a_broad_base_needs_no_caution() -> None:
    assert cautions() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"tests": [], "metrics": {}}, ["no_test"]),
        ({"customers": 150}, ["few_customers"]),
        ({"base_rate": 0.001}, ["few_outcomes"]),
        ({"base_rate": 0.999}, ["few_outcomes"]),
        ({"metrics": {"lightgbm": {"auc": 0.53}}}, ["weak_ranking"]),
        ({"snapshots": 0, "customers": 0, "tests": [], "metrics": {}, "base_rate": None}, ["unlearned"]),
    ],
)
def test_what_makes_figures_less_sure_is_named(changed: dict[str, Any], expected: list[str]) -> None:
    assert cautions(**changed) == expected


def test_wide_intervals_are_named_with_their_median_width() -> None:
    scores = pd.DataFrame({"probability_low": [0.1, 0.1, 0.2], "probability_high": [0.2, 0.5, 0.9]})
    found = trust(SOUND, scores=scores)
    assert found.width == pytest.approx(0.4)
    assert [(each.key, each.numbers["width"]) for each in found.warnings] == [("wide", pytest.approx(0.4))]


def test_without_any_record_nothing_is_claimed() -> None:
    found = trust({})
    assert (found.chosen, found.own, found.snapshots, found.width) == ("", None, 0, None)
    assert [each.key for each in found.warnings] == ["unlearned"]


def test_candidates_come_in_the_order_of_the_ladder() -> None:
    metrics = {name: {"auc": 0.7} for name in ("lightgbm", "new", "logistic", "rhythm", "rule")}
    assert list(trust({**SOUND, "metrics": metrics}).metrics) == ["rule", "rhythm", "logistic", "lightgbm", "new"]


def test_points_hold_what_was_foretold_and_what_came_true() -> None:
    tested = folds([0.2] * 50 + [0.8] * 50, [1] * 10 + [0] * 40 + [1] * 40 + [0] * 10)
    low, high = trust(SOUND, tested).reliability
    assert (low.probability, low.share) == (pytest.approx(0.2), pytest.approx(0.2))
    assert (high.probability, high.share) == (pytest.approx(0.8), pytest.approx(0.8))
    assert low.low < 0.2 < low.high < high.low


def test_at_most_ten_points_of_equal_size_cover_all_tested() -> None:
    chance = np.linspace(0, 1, 1000)
    tested = folds(chance.tolist(), (chance > 0.5).astype(int).tolist())
    points = trust(SOUND, tested).reliability
    assert len(points) == 10
    assert np.mean([point.probability for point in points]) == pytest.approx(0.5)


def test_gains_of_a_perfect_order_reach_all_cases_with_their_share_of_customers() -> None:
    perfect = folds([0.9] * 25 + [0.1] * 75, [1] * 25 + [0] * 75)
    (gains,) = trust(SOUND, perfect).gains
    assert gains.up[0] == 0
    assert np.interp([0.125, 0.25, 1.0], gains.across, gains.up) == pytest.approx([0.5, 1.0, 1.0])


def test_gains_of_equal_probabilities_are_the_line_of_chance_in_any_order() -> None:
    (gains,) = trust(SOUND, folds([0.5] * 40, [1] * 10 + [0] * 30)).gains
    assert gains.up == pytest.approx(gains.across)


def test_folds_of_the_other_purpose_do_not_count() -> None:
    other = folds([0.5] * 40, [1] * 10 + [0] * 30).assign(purpose="return")
    assert trust(SOUND, other).gains == ()


@pytest.mark.parametrize(("last_known", "days"), [(date(2026, 6, 30), None), (date(2026, 6, 1), 29)])
def test_silence_before_the_cutoff_is_named(last_known: date, days: int | None) -> None:
    found = staleness(last_known, cutoff=date(2026, 7, 1))
    assert [each.numbers["days"] for each in found] == ([] if days is None else [days])


def test_the_verdict_of_training_is_passed_on_and_rivals_stand_beside() -> None:
    stated = {"verdict": "level", "best_rival": "bgnbd", "difference": -0.01, "low": -0.03, "high": 0.02}
    found = trust({**SOUND, **stated, "beats_rivals": False, "rivals": {"bgnbd": {"auc": 0.76}}})
    assert found.verdict == Verdict(says="level", rival="bgnbd", difference=-0.01, low=-0.03, high=0.02)
    assert found.rivals == {"bgnbd": {"auc": 0.76}}
    assert trust(SOUND).verdict is None
