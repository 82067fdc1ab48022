"""A challenger takes the champion's place only when the written rule says so, and says why not otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from models.calibrate import uncalibrated
from models.candidates import SILENT, OneColumn
from models.churn_model import ChurnModel
from models.promotion import Judgement, judge

TESTS = (date(2025, 1, 1), date(2025, 2, 1))
GOOD: Mapping[str, Any] = {
    "chosen": "rhythm",
    "metrics": {"rhythm": {"calibration_error": 0.02, "base_rate": 0.3, "n": 800.0}},
    "tests": [str(day) for day in TESTS],
    "verdict": "better",
    "best_rival": "rfm",
}


def model(weight: float = 1.0, *, cutoff: date = date(2025, 6, 1), **evidence: Any) -> ChurnModel:
    step = OneColumn(name="rhythm", column=SILENT, intercept=0.0, weight=weight, mean=0.0)
    return ChurnModel(
        purpose="churn",
        candidate=step,
        calibration=uncalibrated(),
        features=(SILENT,),
        cutoff=cutoff,
        evidence={**GOOD, **evidence},
    )


@pytest.fixture(scope="module")
def snapshots() -> pd.DataFrame:
    draw = np.random.default_rng(3)
    chance = draw.uniform(0.05, 0.95, 800)
    return pd.DataFrame(
        {
            "customer_id": [f"c{at % 400}" for at in range(800)],
            "cutoff": np.repeat(np.array(TESTS, dtype=object), 400),
            "label": (draw.uniform(size=800) < chance).astype(np.int8),
            SILENT: chance,
        }
    )


def folds(snapshots: pd.DataFrame, **noise: float) -> pd.DataFrame:
    """Return the folds of candidates by name; with ``noise`` a candidate says less than it knows."""
    draw = np.random.default_rng(5)
    parts = []
    for name, size in noise.items():
        log_odds = special.logit(snapshots[SILENT]) * (1 - size) + size * draw.normal(size=len(snapshots))
        part = snapshots[["customer_id", "label"]].assign(test=snapshots["cutoff"], candidate=name)
        parts.append(part.assign(log_odds=log_odds, probability=special.expit(log_odds)))
    return pd.concat(parts, ignore_index=True)


def judged(
    snapshots: pd.DataFrame, challenger: ChurnModel, champion: ChurnModel | None, tested: pd.DataFrame | None = None
) -> Judgement:
    tested = folds(snapshots, rhythm=0.0) if tested is None else tested
    return judge(challenger, champion, tested=tested, snapshots=snapshots)


def test_an_equal_challenger_is_promoted(snapshots: pd.DataFrame) -> None:
    found = judged(snapshots, model(), model(0.9))
    assert found.promoted
    assert [each.passed for each in found.criteria] == [True] * 5


def test_without_a_champion_there_is_none_to_keep_and_doubts_are_said(snapshots: pd.DataFrame) -> None:
    found = judged(snapshots, model(verdict="worse"), None)
    assert found.promoted
    assert found.reason == "there is no champion to keep, although it fails: beats the rivals"


def test_a_challenger_worse_than_the_champions_step_on_the_same_folds_is_not_promoted(snapshots: pd.DataFrame) -> None:
    champion = model(cutoff=date(2025, 6, 1))
    object.__setattr__(champion.candidate, "name", "rule")
    found = judged(snapshots, model(), champion, folds(snapshots, rhythm=0.9, rule=0.0))
    assert not found.promoted
    assert "on the same folds on 400 customers" in found.reason
    assert judged(snapshots, model(), champion, folds(snapshots, rhythm=0.0, rule=0.9)).promoted


def test_where_the_champion_has_not_learned_from_the_folds_it_is_asked_itself(snapshots: pd.DataFrame) -> None:
    found = judged(snapshots, model(), model(cutoff=TESTS[1]), folds(snapshots, rhythm=0.9))
    assert not found.promoted
    assert "against the champion itself on 400 customers" in found.reason


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({"metrics": {"rhythm": {**GOOD["metrics"]["rhythm"], "calibration_error": 0.2}}}, "calibration error 0.200"),
        ({"verdict": "worse"}, "worse in ranking compared with rfm"),
        ({"verdict": "level"}, "level in ranking compared with rfm"),
    ],
)
def test_a_criterion_that_fails_is_named(snapshots: pd.DataFrame, evidence: dict[str, Any], reason: str) -> None:
    found = judged(snapshots, model(**evidence), model(0.9))
    assert not found.promoted
    assert reason in found.reason


def test_level_with_the_rivals_is_enough_where_the_champion_is_no_better(snapshots: pd.DataFrame) -> None:
    assert judged(snapshots, model(verdict="level"), model(0.9, verdict="level")).promoted
    assert not judged(snapshots, model(verdict="worse"), model(0.9, verdict="level")).promoted


def test_a_challenger_that_turns_the_lists_over_is_not_promoted(snapshots: pd.DataFrame) -> None:
    found = judged(snapshots, model(-1.0), model())
    assert not found.promoted
    assert "rank correlation with the champion -1.00, at least 0.50" in found.reason


def test_a_model_too_large_to_score_in_time_is_not_promoted(
    snapshots: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"Tree=0\nnum_leaves=31\n" * 4000
    monkeypatch.setattr(OneColumn, "to_files", lambda _: {"booster_0.txt": text})
    found = judged(snapshots, model(), model(0.9))
    assert not found.promoted
    assert "124,000 leaves of at most 100,000" in found.reason


def test_what_is_not_known_is_said_and_does_not_stand_in_the_way(snapshots: pd.DataFrame) -> None:
    silent = {"metrics", "verdict"}
    evidence = {key: value for key, value in GOOD.items() if key not in silent}
    challenger = ChurnModel(**{**model().__dict__, "evidence": {**evidence, "metrics": {}, "chosen": "rhythm"}})
    found = judged(snapshots, challenger, model(0.9), folds(snapshots, rhythm=0.0).head(0))
    assert found.promoted
    assert [str(each) for each in found.criteria if each.passed is None] == [
        "not worse than the champion unknown: nothing was tested",
        "calibrated unknown: nothing was tested",
        "beats the rivals unknown: the backtest does not say",
    ]


def test_the_verdict_is_kept_as_plain_values(snapshots: pd.DataFrame) -> None:
    facts = judged(snapshots, model(), model(0.9)).facts()
    assert facts["promoted"] is True
    assert facts["reason"] == "meets every criterion that is known"
    assert facts["criteria"][1].startswith("calibrated yes: calibration error 0.020")
