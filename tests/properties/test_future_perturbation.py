"""Whatever happens, or becomes known, on or after the cutoff changes no feature by a single bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pytest

from features.catalogue import GROUPS
from features.definition import Churn
from features.errors import ContractError
from features.history import History, load_history
from features.matrix import build_matrix
from tests.oracle.companies import company, known_of, some_cutoffs, taken_in
from tests.properties.leaks import LEAKS, planted
from tests.properties.perturbation import CHANGES, Trial, perturbed, trials

CHURN = Churn(active_within_days=400, lapsed_within_days=3650)
DEFINITIONS = {
    "inactivity": CHURN,
    "decline": CHURN.model_copy(update={"definition": "decline"}),
    "contract": CHURN.model_copy(update={"definition": "contract"}),
}
MOST_TRIALS_PER_LEAK = 50


def columns_at(trial: Trial, history: History, churn: Churn) -> Mapping[str, bytes]:
    """Return cohort and features at the trial's cutoff, each column as bytes; empty when nobody is there."""
    try:
        matrix = build_matrix(replace(history), cutoff=trial.cutoff, churn=churn, known_until=trial.cutoff)
    except ContractError:
        return {}
    keys = {name: "\n".join(matrix[name]).encode() for name in ("customer_id", "cohort")}
    features = matrix.drop(columns=["customer_id", "cutoff", "cohort", "label"])
    return keys | {str(name): features[name].to_numpy().tobytes() for name in features}


def moved(trial: Trial, churn: Churn = CHURN) -> list[str]:
    """Return the columns that the change of the future has moved."""
    before, after = (columns_at(trial, history, churn) for history in (trial.before, trial.after))
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


@pytest.fixture(scope="module")
def few() -> list[Trial]:
    """Return the trials that all tests of the day share."""
    return trials(13, count=60)


def test_no_feature_moves_with_the_future(few: list[Trial]) -> None:
    assert [(trial.cutoff, moved(trial)) for trial in few if moved(trial)] == []


@pytest.mark.parametrize("definition", ["decline", "contract"])
def test_no_cohort_moves_with_the_future(few: list[Trial], definition: str) -> None:
    churn = DEFINITIONS[definition]
    assert [trial.cutoff for trial in few[:16] if moved(trial, churn)] == []


def test_every_group_tells_customers_apart_in_the_trials(few: list[Trial]) -> None:
    told = set()
    for trial in few[:12]:
        columns = columns_at(trial, trial.before, CHURN)
        features = {name: np.frombuffer(values, "<i8") for name, values in columns.items() if "__" in name}
        told |= {name.split("__")[0] for name, values in features.items() if len(set(values)) > 2}
    assert set(GROUPS) <= told


def test_a_correction_recorded_later_under_the_same_key_leaves_the_row_known_before() -> None:
    random = Random(77)
    made = company(random)
    cutoff = date(2024, 2, 29)
    known = [row for row in made["complaints"] if known_of("complaints", row) < cutoff]
    corrections = [{**row, "severity": 5.0, "known_at": cutoff} for row in known]
    corrected = {**made, "complaints": [*corrections, *made["complaints"]]}
    before, after = (load_history(taken_in(each)) for each in (made, corrected))
    assert moved(Trial(cutoff=cutoff, before=before, after=after)) == []


@pytest.mark.night
def test_r13_no_feature_moves_with_the_future_in_a_thousand_trials() -> None:
    assert [(trial.cutoff, moved(trial)) for trial in trials(1313, count=1000) if moved(trial)] == []


def test_a_past_cutoff_gives_the_same_with_later_rows_deleted_at_the_door() -> None:
    random = Random(15)
    for _ in range(3):
        made = company(random)
        whole = load_history(taken_in(made))
        for cutoff in some_cutoffs(random, made, count=3):
            cut = load_history(taken_in(made, cutoff=cutoff))
            assert moved(Trial(cutoff=cutoff, before=whole, after=cut)) == []


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_perturbation_really_changes_the_company(change: Callable[..., Any]) -> None:
    random = Random(1)
    made = company(random)
    cutoff = some_cutoffs(random, made, count=1)[0]
    rows = [dict(row) for row in made["orders"]]
    assert change(random, "orders", rows, cutoff) != made["orders"]
    assert perturbed(random, made, cutoff) != made


@pytest.mark.parametrize("name", LEAKS)
def test_r13_a_planted_leak_is_found(name: str, few: list[Trial]) -> None:
    with planted(LEAKS[name]):
        assert any(moved(trial) for trial in few[:MOST_TRIALS_PER_LEAK])


def test_at_least_twenty_leaks_are_planted() -> None:
    assert len(LEAKS) >= 20
