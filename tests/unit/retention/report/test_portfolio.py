from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.report import portfolio


def scores_of(*rows: tuple[float, str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["probability", "risk_band", "segment", "value"])
    ids = [f"c{number}" for number in range(len(rows))]
    return frame.assign(customer_id=ids, value_at_risk=frame["probability"] * frame["value"])


THREE = scores_of((0.9, "high", "A", 100.0), (0.5, "medium", "A", 1000.0), (0.1, "low", "C", 10.0))


def test_sums_of_groups_add_up_to_the_sum_of_all() -> None:
    total, parts = portfolio.total(THREE), portfolio.by_segment(THREE)
    assert (total.customers, total.high, total.medium, total.at_risk) == (3, 1, 1, 2)
    assert [part.name for part in parts] == ["A", "C"]
    assert sum(part.value_at_risk for part in parts) == pytest.approx(total.value_at_risk) == pytest.approx(591)
    assert sum(part.expected_lost for part in parts) == pytest.approx(total.expected_lost) == pytest.approx(1.5)


def test_nobody_scored_gives_zeros() -> None:
    none = THREE.head(0)
    assert portfolio.total(none).customers == 0
    assert portfolio.total(none).value_at_risk == 0
    assert portfolio.stakes(none) == ()
    assert portfolio.family_weights(none, {}) == ()
    assert portfolio.top_share(none, share=0.1) == 0


def test_owners_come_by_value_at_risk_and_customers_without_one_last() -> None:
    owners = pd.Series({"c0": "Anna", "c2": ""}, dtype="str")
    found = portfolio.by_owner(THREE, owners, nobody="nobody", others="others")
    assert [(each.name, each.customers) for each in found] == [("Anna", 1), ("nobody", 2)]


def test_owners_beyond_the_first_are_joined() -> None:
    scores = scores_of(*[(0.5, "low", "A", float(number)) for number in range(1, 31)])
    owners = pd.Series([f"owner {number:02d}" for number in range(30)], index=scores["customer_id"], dtype="str")
    found = portfolio.by_owner(scores, owners, nobody="nobody", others="others")
    assert len(found) == portfolio.MOST_OWNERS + 1
    assert (found[0].name, found[-1].name, found[-1].customers) == ("owner 29", "others", 15)
    assert sum(each.value for each in found) == pytest.approx(scores["value"].sum())


@pytest.mark.parametrize("owners", [pd.Series(dtype="str"), pd.Series({"c0": "", "other": "Anna"}, dtype="str")])
def test_without_any_owner_of_a_scored_customer_there_is_no_table_of_owners(owners: pd.Series) -> None:
    assert portfolio.by_owner(THREE, owners, nobody="nobody", others="others") == ()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_every_customer_is_in_exactly_one_bar(chances: list[float]) -> None:
    scores = scores_of(*[(chance, ("high", "low")[chance < 0.5], "A", 1.0) for chance in chances])
    bins = portfolio.distribution(scores)
    assert len(bins) == portfolio.BINS
    assert sum(each.customers for each in bins) == len(chances)
    assert sum(each.counts["high"] for each in bins) == sum(chance >= 0.5 for chance in chances)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1e7), min_size=1, max_size=60))
def test_every_stake_is_in_the_class_whose_limits_hold_it(values: list[float]) -> None:
    scores = scores_of(*[(1.0, "high", "A", value) for value in values])
    classes = portfolio.stakes(scores)
    assert sum(each.customers for each in classes) == len(values)
    for each in classes:
        low, high = each.low or 0.0, each.high or np.inf
        inside = [value for value in values if low <= value < high]
        assert (len(inside), sum(inside)) == (each.customers, pytest.approx(each.value_at_risk))


def test_the_top_carry_their_share_of_the_value_at_risk() -> None:
    assert portfolio.top_share(THREE, share=0.1) == pytest.approx(500 / 591)


def test_weights_of_families_are_means_over_all_customers_in_both_directions() -> None:
    nothing = {f"reason_{place}": None for place in range(2, 6)} | {
        f"contribution_{place}": None for place in range(2, 6)
    }
    scores = pd.DataFrame(
        {
            "risk_band": ["high", "low", "low", "low"],
            "reason_1": ["a__1", "a__2", "b__1", "b__1"],
            "contribution_1": [1.0, -0.5, 0.2, -0.2],
        }
    ).assign(**nothing)
    scores = scores.assign(reason_2=["b__1", None, "a__1", None], contribution_2=[-0.4, np.nan, 0.1, np.nan])
    first, second = portfolio.family_weights(scores, {"a__1": "a", "a__2": "a", "b__1": "b"})
    assert (first.family, first.raises, first.lowers) == ("a", pytest.approx(1.1 / 4), pytest.approx(0.5 / 4))
    assert (first.first, first.first_at_risk) == (0.5, 1.0)
    assert (second.family, second.weight, second.first_at_risk) == ("b", pytest.approx(0.8 / 4), 0.0)
