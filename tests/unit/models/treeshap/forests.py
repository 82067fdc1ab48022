"""Small LightGBM models of every kind of missing value, and Shapley values by counting all subsets."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

MISSING: Mapping[str, dict[str, Any]] = {
    "NaN": {},
    "zero": {"zero_as_missing": True},
    "nothing": {"use_missing": False},
}
"""LightGBM's three rules of what is missing."""

EDGES = (0.0, -0.0, 1e-35, float(np.float32(1e-35)), -float(np.float32(1e-35)), 1.1e-35, -1.1e-35, 1e300, -1e300)
"""Values at which the rules of zero and missing change."""


def rows(seed: int, count: int = 300, features: int = 5) -> Real:
    """Return rows with missing values, zeros, ties and values on the edge of zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, features)).round(1)
    x[rng.random(x.shape) < 0.15] = np.nan
    x[rng.random(x.shape) < 0.15] = 0.0
    edge = rng.random(x.shape) < 0.05
    x[edge] = rng.choice(np.array(EDGES), edge.sum())
    return x


def booster(seed: int, *, features: int = 5, rounds: int = 6, leaves: int = 8, **more: Any) -> lgb.Booster:
    """Return a model of few rows; a later feature matters only together with the first."""
    x = rows(seed, features=features)
    z, rng = np.nan_to_num(x, posinf=0).clip(-3, 3), np.random.default_rng(seed)
    label = (z[:, 0] * z[:, -1] + np.isnan(x[:, 0]) + (z[:, 0] == 0) + rng.normal(size=len(x)) / 2 > 0.3).astype(int)
    settings = {"objective": "binary", "num_leaves": leaves, "min_data_in_leaf": 2, "learning_rate": 0.3, "seed": seed}
    settings |= {"verbose": -1, "num_threads": 1, "max_bin": 40, "min_data_in_bin": 1, "min_sum_hessian_in_leaf": 0}
    return lgb.train({**settings, **more}, lgb.Dataset(x, label), rounds)


def own(model: lgb.Booster, x: Real) -> Real:
    """Return LightGBM's own contributions, the base last."""
    return np.asarray(model.predict(x, pred_contrib=True, num_threads=1), dtype=np.float64)


def counted(model: lgb.Booster, row: Real) -> Real:
    """Return Shapley values by counting all subsets of features.

    An unknown feature goes both ways, by rows learned from. Reads LightGBM's JSON, not its text as the product does.
    """
    count, total = len(row), np.zeros(len(row))
    trees = [tree["tree_structure"] for tree in model.dump_model()["tree_info"]]
    for tree in trees:
        worth = {
            frozenset(known): _expected(tree, row, frozenset(known))
            for size in range(count + 1)
            for known in combinations(range(count), size)
        }
        for feature in range(count):
            for known, value in worth.items():
                if feature not in known:
                    weight = factorial(len(known)) * factorial(count - len(known) - 1) / factorial(count)
                    total[feature] += weight * (worth[known | {feature}] - value)
    return total


def _expected(node: dict[str, Any], row: Real, known: frozenset[int]) -> float:
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _expected(left if _goes_left(node, row[node["split_feature"]]) else right, row, known)
    share = _rows(left) / (_rows(left) + _rows(right))
    return share * _expected(left, row, known) + (1 - share) * _expected(right, row, known)


def _goes_left(node: dict[str, Any], value: float) -> bool:
    missing = {"NaN": np.isnan(value), "Zero": np.isnan(value) or abs(value) <= np.float32(1e-35), "None": False}
    if missing[node["missing_type"]]:
        return bool(node["default_left"])
    return bool(np.nan_to_num(value) <= node["threshold"])


def _rows(node: dict[str, Any]) -> int:
    return int(node.get("leaf_count", node.get("internal_count", 0)))
