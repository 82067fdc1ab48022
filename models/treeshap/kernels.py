"""The compiled loops: values of a group for many forms of answers side by side, and the look-up for every row.

No sum is reordered and nothing depends on a neighbouring row, so a row gets the same bytes whoever is explained with
it, by however many threads, looked up or worked out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled, part
from models.treeshap.plan import Plan

LANES = 64
"""Forms of answers that are worked out side by side."""

BLOCK = 512
"""Rows that pass a tree together; a multiple of ``LANES``."""

_Real = NDArray[np.float64]
_Whole = NDArray[np.int64]


class _Desk(NamedTuple):
    """Room for the work on one group."""

    passed: _Real
    own: _Real
    factor: _Real
    before: _Real
    after: _Real
    integral: _Real
    values: _Real


@part
def _desk(plan: Plan) -> _Desk:
    most = 1
    for group in range(len(plan.states)):
        most = max(most, plan.digit_at[group + 1] - plan.digit_at[group])
    room = np.zeros((7, most + 1, LANES))
    return _Desk(room[0], room[1], room[2], room[3], room[4], room[5], room[6])


@part
def _work_out(plan: Plan, group: int, desk: _Desk) -> None:
    """Write the group's Shapley values by slot for the ``LANES`` forms of answers in ``desk.passed``."""
    own, integral, values = desk.own, desk.integral, desk.values
    for slot in range(plan.slot_at[group + 1] - plan.slot_at[group]):
        for lane in range(LANES):
            values[slot, lane] = 0.0
    for leaf in range(plan.leaf_at[group], plan.leaf_at[group + 1]):
        first = plan.part_at[leaf]
        count = plan.part_at[leaf + 1] - first
        _find_own(plan, leaf, desk.passed, own)
        for at in range(count):
            for lane in range(LANES):
                integral[at, lane] = 0.0
        for node in range(plan.node_at[plan.node_count[leaf]], plan.node_at[plan.node_count[leaf] + 1]):
            _integrate(plan.node[node], plan.weight[node], plan.share[first : first + count], desk)
        for at in range(count):
            slot, share, value = plan.part_slot[first + at], plan.share[first + at], plan.value[leaf]
            for lane in range(LANES):
                values[slot, lane] += value * (own[at, lane] - share) * integral[at, lane]


@part
def _find_own(plan: Plan, leaf: int, passed: _Real, own: _Real) -> None:
    """Write by feature of the leaf 1 where a row passes all its tests on the way, else 0."""
    first = plan.part_at[leaf]
    for at in range(plan.part_at[leaf + 1] - first):
        for lane in range(LANES):
            own[at, lane] = 1.0
        for edge in range(plan.edge_at[first + at], plan.edge_at[first + at + 1]):
            digit, wanted = plan.edge_digit[edge], plan.wanted[edge]
            for lane in range(LANES):
                own[at, lane] *= 1.0 - abs(passed[digit, lane] - wanted)


@part
def _integrate(x: float, weight: float, share: _Real, desk: _Desk) -> None:
    """Add one node's share of the integral of the other features' factors to each feature of the leaf."""
    own, factor, before, after, integral = desk.own, desk.factor, desk.before, desk.after, desk.integral
    for lane in range(LANES):
        before[0, lane] = weight
        after[0, lane] = 1.0
    for at in range(len(share)):
        absent = (1.0 - x) * share[at]
        for lane in range(LANES):
            factor[at, lane] = absent + x * own[at, lane]
        for lane in range(LANES):
            before[at + 1, lane] = before[at, lane] * factor[at, lane]
    for at in range(len(share) - 1, -1, -1):
        for lane in range(LANES):
            integral[at, lane] += before[at, lane] * after[0, lane]
        for lane in range(LANES):
            after[0, lane] *= factor[at, lane]


@part
def _fill_table(plan: Plan, group: int, desk: _Desk, table: _Real) -> None:
    """Write the group's values for every state into ``table``, shape (slots, states)."""
    states = plan.states[group]
    digits = plan.digit_at[group + 1] - plan.digit_at[group]
    for start in range(0, states, LANES):
        for at in range(digits):
            digit = plan.digit_at[group] + at
            stride, radix, need = plan.stride[digit], plan.radix[digit], plan.need[digit]
            for lane in range(LANES):
                desk.passed[at, lane] = 1.0 if ((start + lane) // stride) % radix >= need else 0.0
        _work_out(plan, group, desk)
        for slot in range(plan.slot_at[group + 1] - plan.slot_at[group]):
            for lane in range(min(LANES, states - start)):
                table[slot, start + lane] = desk.values[slot, lane]


@compiled
def fill_tables(plan: Plan, groups: _Whole, table_at: _Whole, tables: _Real) -> None:
    """Write the tables of ``groups`` to their places in ``tables``, each slot after slot."""
    desk = _desk(plan)
    for group in groups:
        slots = plan.slot_at[group + 1] - plan.slot_at[group]
        start, size = table_at[group], slots * plan.states[group]
        _fill_table(plan, group, desk, tables[start : start + size].reshape((slots, plan.states[group])))


@part
def _answer(plan: Plan, test: int, x: _Real, passed: _Whole) -> None:
    """Write what each row of ``x`` answers to one test."""
    threshold, missing = plan.threshold[test], plan.missing_passes[test]
    if plan.zero_is_missing[test]:
        for row in range(len(x)):
            gone = np.isnan(x[row]) or x[row] == 0.0
            passed[row] = missing if gone else np.int64(x[row] <= threshold)
    elif missing:
        for row in range(len(x)):
            passed[row] = np.int64(not x[row] > threshold)
    else:
        for row in range(len(x)):
            passed[row] = np.int64(x[row] <= threshold)


@part
def _look_up(plan: Plan, group: int, table: _Real, passed: _Whole, state: _Whole, told: _Real) -> None:
    """Add the group's values to ``told``, shape (features, rows), from its table."""
    for row in range(len(state)):
        state[row] = 0
    for digit in range(plan.digit_at[group], plan.digit_at[group + 1]):
        stride, answers = plan.stride[digit], passed[plan.digit_test[digit]]
        for row in range(len(state)):
            state[row] += stride * answers[row]
    states = plan.states[group]
    for slot in range(plan.slot_at[group], plan.slot_at[group + 1]):
        start = (slot - plan.slot_at[group]) * states
        known, out = table[start : start + states], told[plan.slot_feature[slot]]
        for row in range(len(state)):
            out[row] += known[state[row]]


@part
def _ask(plan: Plan, group: int, desk: _Desk, passed: _Whole, told: _Real) -> None:
    """Add the group's values to ``told``, shape (features, rows), worked out for every row."""
    rows, first = told.shape[1], plan.slot_at[group]
    for start in range(0, rows, LANES):
        for digit in range(plan.digit_at[group], plan.digit_at[group + 1]):
            test = plan.digit_test[digit]
            for lane in range(LANES):
                desk.passed[digit - plan.digit_at[group], lane] = passed[test, min(start + lane, rows - 1)]
        _work_out(plan, group, desk)
        for slot in range(first, plan.slot_at[group + 1]):
            for lane in range(min(LANES, rows - start)):
                told[plan.slot_feature[slot], start + lane] += desk.values[slot - first, lane]


@compiled
def explain(plan: Plan, trees: tuple[int, int], table_at: _Whole, tables: _Real, x: _Real, told: _Real) -> None:
    """Add what ``trees`` [first, end) say of ``x``, shape (features, rows), to ``told`` of the same shape.

    ``table_at`` is the place of each group's table in ``tables``, -1 for a group that is worked out for every row.
    """
    desk, most = _desk(plan), 1
    for tree in range(trees[0], trees[1]):
        most = max(most, plan.test_at[tree + 1] - plan.test_at[tree])
    passed, state = np.zeros((most, BLOCK), np.int64), np.zeros(BLOCK, np.int64)
    for tree in range(trees[0], trees[1]):
        for start in range(0, x.shape[1], BLOCK):
            end = min(start + BLOCK, x.shape[1])
            for test in range(plan.test_at[tree], plan.test_at[tree + 1]):
                asked = x[plan.test_feature[test], start:end]
                _answer(plan, test, asked, passed[test - plan.test_at[tree], : end - start])
            for group in range(plan.group_at[tree], plan.group_at[tree + 1]):
                out, answers = told[:, start:end], passed[:, : end - start]
                if table_at[group] >= 0:
                    table = tables[table_at[group] :]
                    _look_up(plan, group, table, answers, state[: end - start], out)
                else:
                    _ask(plan, group, desk, answers, out)
