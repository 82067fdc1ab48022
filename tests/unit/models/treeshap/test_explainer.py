from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.treeshap import explainer as module
from models.treeshap.explainer import Explainer, explainer_of
from models.treeshap.plan import Plan, base_of, plan_of
from models.treeshap.reading import read_forest
from tests.unit.models.treeshap.forests import MISSING, booster, counted, own, rows


def explainer(*models: lgb.Booster, most_states: int = 8192) -> Explainer:
    forests = [read_forest(model.model_to_string()) for model in models]
    base = sum(base_of(forest) for forest in forests) / len(forests)
    plan = plan_of(forests, most_states=most_states)
    return Explainer(plan=plan, base=base, members=len(models), feature_count=forests[0].feature_count)


def largest_gap(found: Explainer, model: lgb.Booster, x: np.ndarray) -> float:
    told, theirs = found.contributions(x, threads=1), own(model, x)
    return float(max(np.abs(told - theirs[:, :-1]).max(), np.abs(found.base - theirs[:, -1]).max()))


@pytest.mark.parametrize("missing", MISSING)
def test_values_are_those_of_all_subsets_counted_one_by_one(missing: str) -> None:
    model, x = booster(1, rounds=3, **MISSING[missing]), rows(2, 12)
    told = explainer(model).contributions(x)
    assert np.abs(told - np.array([counted(model, row) for row in x])).max() <= 1e-13


@pytest.mark.parametrize("missing", MISSING)
@given(seed=st.integers(0, 10_000), leaves=st.integers(2, 40), depth=st.sampled_from([-1, 1, 3]))
@settings(max_examples=8, deadline=None)
def test_values_are_lightgbms_own_whatever_is_missing_zero_or_on_an_edge(
    missing: str, seed: int, leaves: int, depth: int
) -> None:
    model = booster(seed, leaves=leaves, max_depth=depth, **MISSING[missing])
    x = rows(seed + 1)
    found = explainer(model)
    assert largest_gap(found, model, x) <= 1e-11
    assert np.abs(found.base + found.contributions(x).sum(axis=1) - model.predict(x, raw_score=True)).max() <= 1e-11


def test_values_are_those_of_shap() -> None:
    import shap

    model, x = booster(3, features=9, leaves=20), rows(4, features=9)
    explained = shap.TreeExplainer(model)(x)
    assert np.abs(explainer(model).contributions(x) - explained.values).max() <= 1e-12


@pytest.mark.parametrize("fault", ["share", "threshold", "value", "missing_passes", "weight"])
def test_a_fault_planted_in_the_plan_is_caught(fault: str) -> None:
    model, x = booster(5), rows(6)
    good = explainer(model)
    wrong = np.array(getattr(good.plan, fault))
    wrong = 1 - wrong if fault == "missing_passes" else wrong * (1 + 1e-6) + (fault == "threshold") / 10
    bad = Explainer(
        plan=good.plan._replace(**{fault: wrong}), base=good.base, members=1, feature_count=good.feature_count
    )
    assert largest_gap(good, model, x) <= 1e-12
    assert largest_gap(bad, model, x) > 1e-10


def chain(length: int) -> lgb.Booster:
    """Return a tree that is one long way: every split takes one more feature, most of them several times."""
    rng = np.random.default_rng(8)
    x = rng.integers(0, 2, size=(2**10, length)).astype(np.float64)
    x[rng.random(x.shape) < 0.75] = 1.0
    label = np.where((x == 0).any(axis=1), (x == 0).argmax(axis=1), length) * 10.0
    setup = {
        "objective": "regression",
        "num_leaves": length + 1,
        "min_data_in_leaf": 1,
        "verbose": -1,
        "num_threads": 1,
    }
    return lgb.train({**setup, "learning_rate": 1.0}, lgb.Dataset(x, label), 3)


def test_deep_trees_wide_trees_and_many_features_on_one_way_are_exact() -> None:
    deep, x = chain(24), np.random.default_rng(9).integers(0, 2, size=(200, 24)).astype(np.float64)
    assert max(len(leaf.path) for leaf in read_forest(deep.model_to_string()).trees[0]) >= 16
    assert (explainer(deep).plan.states > 8192).any()
    assert largest_gap(explainer(deep), deep, x) <= 1e-10
    wide = booster(10, leaves=200, rounds=2)
    assert largest_gap(explainer(wide), wide, rows(11)) <= 1e-12


def test_a_tree_of_one_leaf_moves_the_base_alone() -> None:
    x = rows(12)
    model = lgb.train({"verbose": -1, "min_data_in_leaf": 1000}, lgb.Dataset(x, np.arange(len(x)) * 1.0), 2)
    found = explainer(model)
    assert largest_gap(found, model, x) <= 1e-9
    assert (found.contributions(x) == 0).all()
    assert found.base == pytest.approx(model.predict(x[:1], raw_score=True)[0])


def test_members_are_averaged_in_one_pass() -> None:
    members, x = [booster(seed) for seed in (13, 14, 15)], rows(16)
    expected = np.mean([own(member, x) for member in members], axis=0)
    found = explainer_of([member.model_to_string() for member in members])
    assert np.abs(found.contributions(x) - expected[:, :-1]).max() <= 1e-13
    assert found.base == pytest.approx(expected[0, -1], abs=1e-13)


@pytest.mark.parametrize("missing", MISSING)
def test_neither_threads_nor_spans_nor_tables_nor_other_rows_change_a_byte(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = rows(17, 1500)
    found = explainer(booster(18, leaves=30, rounds=8, **MISSING[missing]), most_states=600)
    whole = found.contributions(x, threads=1)
    assert np.array_equal(found.contributions(x, threads=2), whole)
    assert np.array_equal(np.vstack([found.contributions(x[k : k + 1]) for k in range(40)]), whole[:40])
    assert np.array_equal(found.contributions(x[::-1])[::-1], whole)
    monkeypatch.setattr(module, "MOST_STATES", 0)
    assert np.array_equal(found.contributions(x), whole)
    monkeypatch.setattr(module, "MOST_STATES", 50)
    monkeypatch.setattr(module, "SPAN", 77)
    monkeypatch.setattr(module, "TABLE_BYTES", 1000)
    assert np.array_equal(found.contributions(x), whole)


def test_sums_in_another_order_are_caught() -> None:
    model, x = booster(19, leaves=30, rounds=8), rows(20)
    one, other = explainer(model, most_states=600), explainer(model, most_states=20)
    assert not np.array_equal(one.contributions(x), other.contributions(x))
    assert np.abs(one.contributions(x) - other.contributions(x)).max() <= 1e-13


def test_rows_may_lie_in_memory_as_they_like_and_may_be_none() -> None:
    x = rows(21)
    found = explainer(booster(22))
    whole = found.contributions(x)
    assert np.array_equal(found.contributions(np.asfortranarray(x)), whole)
    assert np.array_equal(found.contributions(np.repeat(x, 2, axis=0)[::2]), whole)
    assert found.contributions(x[:0]).shape == (0, 5)
    with pytest.raises(ValueError, match=r"^expected rows of 5 features, got an array of shape \(300, 4\)$"):
        found.contributions(x[:, :4])


def test_every_field_of_the_plan_is_an_array_numba_knows() -> None:
    plan = explainer(booster(23)).plan
    assert {getattr(plan, name).dtype.name for name in Plan._fields} == {"int64", "float64"}


SCRIPT = """
from tests.unit.models.treeshap.forests import booster, rows
from models.treeshap.explainer import explainer_of
from models.treeshap import kernels
found, x = explainer_of([booster(1).model_to_string()]), rows(2)
found.contributions(x)
print(sum(kernels.explain.stats.cache_hits.values()), sum(kernels.explain.stats.cache_misses.values()))
"""


@pytest.mark.slow
def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    def run() -> list[str]:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", SCRIPT]
        root = Path(__file__).parents[4]
        done = subprocess.run(command, env=environment, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.split()

    assert run() == ["0", "1"]
    assert run() == ["1", "0"]
