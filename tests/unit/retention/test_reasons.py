from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.reasons import STAYS, endangering_families, first_kept, rank_reasons

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


def weights_of(ranked: pd.DataFrame) -> list[dict[str, float]]:
    """Return per customer what each reason weighs, in no order."""
    places = range(1, 1 + sum(name.startswith("reason_") for name in ranked.columns))
    rows = ranked.to_dict("records")
    return [
        {r[f"reason_{k}"]: r[f"contribution_{k}"] for k in places if isinstance(r[f"reason_{k}"], str)} for r in rows
    ]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-9, 9), min_size=10, max_size=10), min_size=1, max_size=12))
def test_the_first_reason_stays_first_only_while_it_speaks_the_same_way_and_weighs_about_as_much(rows):
    weeks = [{name: [float(row[at + k]) for row in rows] for k, name in enumerate(FAMILIES)} for at in (0, 5)]
    then, now = (rank_reasons(frame(**week), FAMILIES) for week in weeks)
    kept = first_kept(now.assign(rank=1), then, FAMILIES)
    assert kept["rank"].eq(1).all()
    assert kept.dtypes[now.columns].equals(now.dtypes)
    assert weights_of(kept) == weights_of(now)
    for customer in now.index:
        was, heaviest, first = (each.loc[customer] for each in (then, now, kept))
        own = {FAMILIES[now.at[customer, f"reason_{k}"]]: now.at[customer, f"contribution_{k}"] for k in range(1, 6)
               if isinstance(now.at[customer, f"reason_{k}"], str)}  # fmt: skip
        earlier = FAMILIES.get(was["reason_1"])
        weight = own.get(earlier, 0.0)
        stays = weight * was["contribution_1"] > 0 and abs(weight) >= STAYS * abs(heaviest["contribution_1"])
        expected = earlier if stays else FAMILIES.get(heaviest["reason_1"])
        assert FAMILIES.get(first["reason_1"]) == expected
        rest = [first[f"contribution_{k}"] for k in range(2, 6)]
        assert rest == sorted(rest, key=lambda each: (np.isnan(each), -abs(each)))


def test_a_customer_nobody_has_spoken_of_and_a_family_that_is_gone_change_nothing():
    now = rank_reasons(frame(a__x=[0.5, 0.5], b__x=[0.45, 0.45]), FAMILIES)
    assert first_kept(now, now.head(0), FAMILIES).equals(now)
    before = pd.DataFrame({"reason_1": ["own__gone", "b__x"], "contribution_1": [1.0, 1.0]}, index=["c0", "c1"])
    assert first_kept(now, before, FAMILIES)["reason_1"].tolist() == ["a__x", "b__x"]
