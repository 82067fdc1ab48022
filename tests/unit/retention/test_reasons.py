from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.reasons import endangering_families, rank_reasons

FAMILIES = {"a__x": "one", "a__y": "one", "b__x": "two", "c__x": "three", "d__x": "four"}


def frame(**columns: list[float]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"c{row}" for row in range(rows)], name="customer_id"))


def naive(row: pd.Series, most: int) -> list[tuple[str, float]]:
    """Rank the reasons of one customer the long way."""
    found = []
    for family in sorted(set(FAMILIES.values())):
        members = {name: row[name] for name in sorted(FAMILIES) if FAMILIES[name] == family}
        total = sum(members.values())
        if abs(total) > 1e-9:
            same_way = {name: value for name, value in members.items() if value * total > 0}
            found.append((max(same_way, key=lambda name: abs(same_way[name])), total))
    return sorted(found, key=lambda reason: -abs(reason[1]))[:most]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-4, 4), min_size=5, max_size=5), min_size=1, max_size=20), st.integers(1, 6))
def test_reasons_are_those_of_the_long_way(rows, most):
    contributions = frame(**{name: [row[place] / 4 for row in rows] for place, name in enumerate(FAMILIES)})
    ranked = rank_reasons(contributions.assign(base=9.0), FAMILIES, most=most)
    for customer, row in contributions.iterrows():
        got = [
            (ranked.at[customer, f"reason_{k}"], ranked.at[customer, f"contribution_{k}"]) for k in range(1, most + 1)
        ]
        expected = naive(row, most)
        assert got[: len(expected)] == expected
        assert all(pd.isna(reason) and pd.isna(weight) for reason, weight in got[len(expected) :])


def test_features_of_one_family_count_together_and_the_leading_one_speaks():
    ranked = rank_reasons(frame(a__x=[0.3], a__y=[0.4], b__x=[-0.5], c__x=[0.0], d__x=[0.0]), FAMILIES)
    assert ranked.iloc[0, :3].tolist()[:2] == ["a__y", "b__x"]
    assert ranked["contribution_1"].iloc[0] == pytest.approx(0.7)
    assert ranked["reason_3"].isna().all()


def test_what_cancels_out_is_no_reason():
    ranked = rank_reasons(frame(a__x=[0.1 + 0.2], a__y=[-0.3]), FAMILIES)
    assert ranked["reason_1"].isna().all()


def test_the_order_of_columns_and_rows_does_not_matter():
    values = np.random.default_rng(1).normal(size=(50, 5))
    contributions = pd.DataFrame(values, columns=list(FAMILIES), index=[f"c{row}" for row in range(50)])
    turned = rank_reasons(contributions.iloc[::-1, ::-1], FAMILIES)
    pd.testing.assert_frame_equal(turned.iloc[::-1], rank_reasons(contributions, FAMILIES))


def test_a_feature_without_family_is_refused():
    with pytest.raises(ValueError, match="expected a family for every feature, got none for z__x"):
        rank_reasons(frame(z__x=[1.0]), FAMILIES)


def test_what_endangers_is_positive_for_loss_and_negative_for_return():
    ranked = rank_reasons(frame(a__x=[0.3, -0.3], b__x=[-0.5, 0.0]), FAMILIES)
    loss = endangering_families(ranked, FAMILIES, purpose="churn")
    assert loss.to_dict("list") == {"one": [True, False], "two": [False, False]}
    back = endangering_families(ranked, FAMILIES, purpose="return")
    assert back.to_dict("list") == {"one": [False, True], "two": [True, False]}


@pytest.mark.parametrize("together", [1, 2, 3, 40])
def test_the_reasons_of_a_customer_are_the_same_to_the_last_bit_whoever_else_is_looked_at(together: int) -> None:
    names = [f"a__{place}" for place in range(20)]
    values = np.asfortranarray(np.random.default_rng(3).normal(size=(40, 20)))
    contributions = pd.DataFrame(values, columns=names)
    families = dict.fromkeys(names[:17], "one") | dict.fromkeys(names[17:], "two")
    parts = [contributions.iloc[start : start + together] for start in range(0, 40, together)]
    found = pd.concat([rank_reasons(part, families) for part in parts])
    pd.testing.assert_frame_equal(found, rank_reasons(contributions, families), check_exact=True)
