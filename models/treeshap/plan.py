"""The plan by which a forest is explained: groups of leaves that few tests tell apart.

On one leaf with value v let feature f have o = 1 if the row passes all its tests on the path, else 0, and z = the
product of the shares of rows that its tests let through. The leaf's game is v · (product over S of o) · (product
outside S of z), so its Shapley values are ``v · (o_f − z_f) · ∫₀¹ ∏_{g≠f} (x·o_g + (1−x)·z_g) dx``:
polynomials of degree d − 1 for d features, which Gauss-Legendre quadrature with ⌈d/2⌉ nodes integrates exactly.

A row enters only through the answers to the tests. So neighbouring leaves are put into one group as long as all answers
together can have at most ``MOST_STATES`` forms (states); the group's values are worked out once per state, and a row
looks them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.treeshap.reading import Forest, Leaf, Question, Step

MOST_STATES = 8192
"""Forms of the answers a group may have; a leaf that alone has more is worked out for every row."""

_DEEP = 1e6
"""What such a leaf counts when leaves are grouped: more than any number of look-ups."""

_COUNTLESS = 2**62
"""Stands for all numbers of states too great for an integer; nobody counts through them."""

_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


class Plan(NamedTuple):
    """A forest as flat arrays; ``…_at`` give where a thing's parts start, with one end more.

    Attributes
    ----------
    test_at, test_feature, threshold, missing_passes, zero_is_missing
        Per tree: its different tests.
    group_at
        Per tree: its groups of leaves.
    states
        Per group: how many forms its answers have.
    digit_at, digit_test, stride, radix, need
        Per group: its tests as digits of the state. A test adds ``stride`` where it is passed; in a given state it is
        passed if ``state // stride % radix >= need``.
    slot_at, slot_feature
        Per group: the features it speaks of.
    leaf_at, value, node_count
        Per group: its leaves and the nodes of quadrature each needs.
    part_at, part_slot, share
        Per leaf: its features and their shares z.
    edge_at, edge_digit, wanted
        Per feature of a leaf: the digits asked and the answers that lead to the leaf.
    node_at, node, weight
        Gauss-Legendre nodes and weights on [0, 1] by number of nodes.
    """

    test_at: _Whole
    test_feature: _Whole
    threshold: _Real
    missing_passes: _Whole
    zero_is_missing: _Whole
    group_at: _Whole
    states: _Whole
    digit_at: _Whole
    digit_test: _Whole
    stride: _Whole
    radix: _Whole
    need: _Whole
    slot_at: _Whole
    slot_feature: _Whole
    leaf_at: _Whole
    value: _Real
    node_count: _Whole
    part_at: _Whole
    part_slot: _Whole
    share: _Real
    edge_at: _Whole
    edge_digit: _Whole
    wanted: _Real
    node_at: _Whole
    node: _Real
    weight: _Real


class Digit(NamedTuple):
    """A test as part of a state, see :class:`Plan`."""

    test: Question
    stride: int
    radix: int
    need: int


def plan_of(forests: Iterable[Forest], *, most_states: int = MOST_STATES) -> Plan:
    """Return the plan of all trees of all ``forests``, in their order."""
    trees = [tree for forest in forests for tree in forest.trees]
    growing = _Growing()
    for tree in trees:
        growing.add_tree(tree, most_states)
    return growing.plan()


def base_of(forest: Forest) -> float:
    """Return the mean of the forest over the rows it was grown on [log-odds]."""
    return sum(sum(leaf.share * leaf.value for leaf in tree) for tree in forest.trees)


def grouped(tree: Sequence[Leaf], most_states: int) -> list[Sequence[Leaf]]:
    """Return the leaves from left to right cut into groups, with the fewest look-ups in all."""
    cheapest, cut = [0.0, *([np.inf] * len(tree))], [0] * (len(tree) + 1)
    for first in range(len(tree)):
        tests: dict[int, set[Question]] = {}
        for last in range(first + 1, len(tree) + 1):
            for step in tree[last - 1].path:
                tests.setdefault(step.test.feature, set()).add(step.test)
            fits = _states(tests) <= most_states
            if not fits and last > first + 1:
                break
            cost = cheapest[first] + 1 + (len(tests) if fits else _DEEP)
            if cost < cheapest[last]:
                cheapest[last], cut[last] = cost, first
    groups, end = [], len(tree)
    while end:
        groups.append(tree[cut[end] : end])
        end = cut[end]
    return groups[::-1]


def _states(tests: dict[int, set[Question]]) -> int:
    """Return how many forms the answers can have, counted without the order of missing values."""
    states = 1
    for own in tests.values():
        states *= len(own) + 1 if _in_order(sorted(own)) else 2 ** len(own)
    return states


def _in_order(tests: Sequence[Question]) -> bool:
    """Return whether who passes a test passes all with higher thresholds too, also where the value is missing."""
    passes = [test.missing_passes for test in tests]
    return len(tests) == 1 or (passes == sorted(passes) and not any(test.zero_is_missing for test in tests))


def digits_of(leaves: Iterable[Leaf]) -> tuple[list[Digit], int]:
    """Return the tests on the way to ``leaves`` as digits, and how many states they make.

    Thresholds of one feature in order count as one digit: of k tests only k + 1 answers are possible.
    """
    tests: dict[int, set[Question]] = {}
    for step in (step for leaf in leaves for step in leaf.path):
        tests.setdefault(step.test.feature, set()).add(step.test)
    digits, stride = [], 1
    for feature in sorted(tests):
        own = sorted(tests[feature])
        runs = [own] if _in_order(own) else [[test] for test in own]
        for run in runs:
            digits += [Digit(test, stride, len(run) + 1, len(run) - at) for at, test in enumerate(run)]
            stride *= len(run) + 1
    return digits, stride


def _by_feature(path: Iterable[Step]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for step in path:
        found.setdefault(step.test.feature, []).append(step)
    return found


@dataclass(kw_only=True)
class _Growing:
    """The plan's arrays while they grow."""

    lists: dict[str, list[Any]] = field(
        default_factory=lambda: {name: [0] if name.endswith("_at") else [] for name in Plan._fields}
    )

    def add_tree(self, tree: Sequence[Leaf], most_states: int) -> None:
        if len(tree) > 1:
            tests = sorted({step.test for leaf in tree for step in leaf.path})
            columns = zip(*tests, strict=True)
            for name, column in zip(
                ("test_feature", "threshold", "missing_passes", "zero_is_missing"), columns, strict=True
            ):
                self.lists[name] += column
            place = {test: at for at, test in enumerate(tests)}
            for leaves in grouped(tree, most_states):
                self._add_group(leaves, place)
        self._close("test_at", "test_feature")
        self._close("group_at", "states")

    def _add_group(self, leaves: Sequence[Leaf], place: dict[Question, int]) -> None:
        digits, states = digits_of(leaves)
        self.lists["states"].append(min(states, _COUNTLESS))
        for digit in digits:
            stride = min(digit.stride, _COUNTLESS)
            self._add(digit_test=place[digit.test], stride=stride, radix=digit.radix, need=digit.need)
        slots = sorted({digit.test.feature for digit in digits})
        self.lists["slot_feature"] += slots
        at = {digit.test: number for number, digit in enumerate(digits)}
        for leaf in leaves:
            self._add_leaf(leaf, {feature: slot for slot, feature in enumerate(slots)}, at)
        self._close("digit_at", "digit_test")
        self._close("slot_at", "slot_feature")
        self._close("leaf_at", "value")

    def _add_leaf(self, leaf: Leaf, slot: dict[int, int], digit: dict[Question, int]) -> None:
        parts = _by_feature(leaf.path)
        self._add(value=leaf.value, node_count=(len(parts) + 1) // 2)
        for feature, steps in parts.items():
            share = 1.0
            for step in steps:
                share *= step.share
                self._add(edge_digit=digit[step.test], wanted=float(step.wanted))
            self._add(part_slot=slot[feature], share=share)
            self._close("edge_at", "edge_digit")
        self._close("part_at", "part_slot")

    def _add(self, **values: float) -> None:
        for name, value in values.items():
            self.lists[name].append(value)

    def _close(self, at: str, filled: str) -> None:
        self.lists[at].append(len(self.lists[filled]))

    def plan(self) -> Plan:
        for count in range(max(self.lists["node_count"], default=0) + 1):
            nodes, weights = np.polynomial.legendre.leggauss(max(count, 1))
            self.lists["node"] += ((nodes + 1) / 2).tolist()
            self.lists["weight"] += (weights / 2).tolist()
            self._close("node_at", "node")
        real = {"threshold", "value", "share", "wanted", "node", "weight"}
        arrays: dict[str, Any] = {
            name: np.array(values, dtype=np.float64 if name in real else np.int64)
            for name, values in self.lists.items()
        }
        return Plan(**arrays)
