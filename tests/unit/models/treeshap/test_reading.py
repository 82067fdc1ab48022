from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from models.treeshap.explainer import explainer_of
from models.treeshap.reading import OutsideGroundError, read_forest
from tests.unit.models.treeshap.forests import MISSING, booster, rows


def test_leaves_come_from_left_to_right_with_their_share_of_rows() -> None:
    forest = read_forest(booster(1).model_to_string())
    assert forest.feature_count == 5
    for tree in forest.trees:
        assert sum(leaf.share for leaf in tree) == pytest.approx(1)
        for leaf in tree:
            assert leaf.share == pytest.approx(np.prod([step.share for step in leaf.path]))
    first = forest.trees[0]
    assert all(step.wanted for step in first[0].path)
    assert not any(step.wanted for step in first[-1].path)


@pytest.mark.parametrize(("missing", "zeros"), [("NaN", False), ("zero", True), ("nothing", False)])
def test_what_is_missing_is_read_from_every_split(missing: str, zeros: bool) -> None:
    forest = read_forest(booster(2, **MISSING[missing]).model_to_string())
    tests = {step.test for tree in forest.trees for leaf in tree for step in leaf.path}
    assert any(test.zero_is_missing for test in tests) is zeros
    if missing == "nothing":
        assert all(test.missing_passes == (test.threshold >= 0) for test in tests)


def trained(label: np.ndarray, **setup: object) -> str:
    x = rows(3)
    x[:, 0] = np.arange(len(x)) % 4
    categories = setup.pop("categories", [])
    data = lgb.Dataset(x, label, categorical_feature=categories)
    fixed = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "min_data_per_group": 5, "cat_smooth": 1}
    return lgb.train({**fixed, **setup}, data, 3).model_to_string()


LABEL = (np.arange(300) % 4 == 2).astype(float)

OUTSIDE = {
    "categories": {"objective": "binary", "categories": [0]},
    "linear leaves": {"objective": "regression", "linear_tree": True},
    "several classes": {"objective": "multiclass", "num_class": 3},
    "an average of trees": {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_is_outside_its_ground_is_refused_in_one_line(kind: str) -> None:
    with pytest.raises(OutsideGroundError, match=rf"^expected .* got .*{kind.split(maxsplit=1)[0]}.*$"):
        read_forest(trained(LABEL, **OUTSIDE[kind]))


def test_a_text_without_counts_and_members_that_do_not_fit_are_refused() -> None:
    text = booster(4).model_to_string()
    with pytest.raises(OutsideGroundError, match="the number of rows at every split, got none"):
        read_forest(text.replace("internal_count=", "other_count="))
    with pytest.raises(OutsideGroundError, match=r"one number of features, got \[4, 5\]"):
        explainer_of([text, booster(4, features=4).model_to_string()])
