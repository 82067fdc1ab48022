from __future__ import annotations

import pytest

from models.treeshap.plan import base_of, digits_of, grouped, plan_of
from models.treeshap.reading import Forest, Leaf, Question, Step, read_forest
from tests.unit.models.treeshap.forests import booster


def leaf(*tests: Question, value: float = 1.0) -> Leaf:
    return Leaf(value=value, share=0.5, path=tuple(Step(test, True, 0.5) for test in tests))


def low(feature: int, threshold: float, *, passes: bool = False, zero: bool = False) -> Question:
    return Question(feature, threshold, passes, zero)


@pytest.mark.parametrize(
    ("tests", "states"),
    [
        ([low(0, 1), low(0, 2), low(0, 3)], 4),
        ([low(0, 1), low(1, 2)], 4),
        ([low(0, 1), low(0, 2, passes=True)], 3),
        ([low(0, 1, passes=True), low(0, 2)], 4),
        ([low(0, 1, zero=True), low(0, 2, zero=True)], 4),
        ([low(0, 1), low(0, 1)], 2),
    ],
)
def test_thresholds_of_one_feature_make_few_states_unless_missing_values_break_their_order(
    tests: list[Question], states: int
) -> None:
    assert digits_of([leaf(*tests)])[1] == states


def test_a_state_says_which_tests_are_passed() -> None:
    digits, states = digits_of([leaf(low(0, 1), low(0, 2), low(3, 5))])
    told = [tuple(state // digit.stride % digit.radix >= digit.need for digit in digits) for state in range(states)]
    assert len(set(told)) == states == 6
    assert all(higher or not lower for lower, higher, _ in told)
    for state, passed in enumerate(told):
        assert state == sum(digit.stride for digit, answer in zip(digits, passed, strict=True) if answer)


@pytest.mark.parametrize("most_states", [1, 8, 64, 10**12])
def test_groups_hold_every_leaf_once_in_order_and_keep_their_bound(most_states: int) -> None:
    for tree in read_forest(booster(1, leaves=25).model_to_string()).trees:
        groups = grouped(tree, most_states)
        assert [leaf for group in groups for leaf in group] == list(tree)
        assert all(len(group) == 1 or digits_of(group)[1] <= most_states for group in groups)
    assert (len(groups) == 1) is (most_states == 10**12)


def test_the_base_is_the_mean_over_leaves_and_the_plan_closes_every_list() -> None:
    forest = Forest(feature_count=1, trees=((leaf(value=3.0),), (leaf(low(0, 1)), leaf(low(0, 1), value=2.0))))
    assert base_of(forest) == pytest.approx(0.5 * 3 + 0.5 * 1 + 0.5 * 2)
    plan = plan_of([forest])
    assert plan.group_at.tolist() == [0, 0, 1]
    assert plan.digit_at[-1] == len(plan.digit_test)
    assert plan.part_at[-1] == len(plan.share) == 2
