"""LightGBM's text as trees: splits on numbers, their missing values, and how many rows went each way."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from features.errors import ModelError

ZERO = float(np.float32(1e-35))
"""LightGBM takes for zero whatever is not further from it."""


class OutsideGroundError(ModelError):
    """A model that the compiled reasons cannot explain; LightGBM's own ``pred_contrib`` can."""


class Question(NamedTuple):
    """One question to a row, whether ``feature <= threshold``; elsewhere called a test.

    Attributes
    ----------
    feature : int
        Column of the matrix.
    threshold : float
    missing_passes : bool
        What a missing value answers.
    zero_is_missing : bool
        Whether a zero counts as missing.
    """

    feature: int
    threshold: float
    missing_passes: bool
    zero_is_missing: bool


class Step(NamedTuple):
    """One edge on the way to a leaf: a test, the answer that leads on, and the share of rows that took it."""

    test: Question
    wanted: bool
    share: float


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A leaf: its value [log-odds], the share of all rows in it and the way to it."""

    value: float
    share: float
    path: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Trees in their order, each as its leaves from left to right, and the number of columns they were grown on."""

    feature_count: int
    trees: tuple[tuple[Leaf, ...], ...]


def read_forest(text: str) -> Forest:
    """Return the trees of a LightGBM model; the caller has verified where ``text`` comes from (decision 6).

    Raises
    ------
    OutsideGroundError
        If the model has several classes, averages its trees, splits on categories, has linear leaves or no counts.
    """
    head, *blocks = text.split("\nend of trees", maxsplit=1)[0].split("\nTree=")
    facts = _facts(head)
    if facts.get("num_tree_per_iteration") != "1" or re.search(r"^average_output$", head, re.MULTILINE):
        raise OutsideGroundError("expected one sum of trees, got several classes or an average of trees")
    trees = tuple(_leaves(_facts(block)) for block in blocks)
    return Forest(feature_count=int(facts["max_feature_idx"]) + 1, trees=trees)


def _facts(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _leaves(facts: dict[str, str]) -> tuple[Leaf, ...]:
    if facts.get("num_cat", "0") != "0" or facts.get("is_linear", "0") != "0":
        raise OutsideGroundError("expected splits on numbers and constant leaves, got categories or linear leaves")
    values = [float(word) for word in facts["leaf_value"].split()]
    if len(values) == 1:
        return (Leaf(value=values[0], share=1.0, path=()),)
    leaf_rows, node_rows = _whole(facts, "leaf_count"), _whole(facts, "internal_count")
    if min(node_rows, default=0) <= 0 or len(leaf_rows) != len(values):
        raise OutsideGroundError("expected the number of rows at every split, got none")
    tests, children = _tests(facts), (_whole(facts, "right_child"), _whole(facts, "left_child"))
    found: list[Leaf] = []
    open_ends: list[tuple[int, tuple[Step, ...]]] = [(0, ())]
    while open_ends:
        node, path = open_ends.pop()
        if node < 0:
            found.append(Leaf(value=values[~node], share=leaf_rows[~node] / node_rows[0], path=path))
            continue
        for wanted in (False, True):  # the last put on the pile is the first to be walked: left before right
            child = children[wanted][node]
            rows = leaf_rows[~child] if child < 0 else node_rows[child]
            open_ends.append((child, (*path, Step(tests[node], wanted, rows / node_rows[node]))))
    return tuple(found)


def _whole(facts: dict[str, str], name: str) -> list[int]:
    return [int(word) for word in facts.get(name, "").split()]


def _tests(facts: dict[str, str]) -> list[Question]:
    """Return the question of every split, in LightGBM's rules of what is missing."""
    thresholds = [float(word) for word in facts["threshold"].split()]
    kinds = _whole(facts, "decision_type")
    return [_test(*each) for each in zip(_whole(facts, "split_feature"), thresholds, kinds, strict=True)]


def _test(feature: int, threshold: float, kind: int) -> Question:
    """Bit 1 of ``kind``: missing goes left; bits 2 and 3: nothing, zero or NaN is missing.

    Where nothing is missing LightGBM reads NaN as 0.
    """
    goes_left, missing = bool(kind & 2), (kind >> 2) & 3
    if kind & 1 or missing == 3 or math.isnan(threshold):
        raise OutsideGroundError(f"expected splits on numbers, got decision type {kind}")
    return Question(feature, threshold, threshold >= 0 if missing == 0 else goes_left, missing == 1)
