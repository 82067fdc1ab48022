from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definition import Churn
from features.timeline import training_cutoffs
from models.folds import (
    LEAST_OUTCOMES,
    Fold,
    days_with_a_level,
    folds_of,
    left_out,
    level_cutoff,
    newest_telling,
    split,
    teaches,
)
from tests.unit.models.snapshots import CHURN, cutoffs, snapshots

churns = st.builds(Churn, lead_days=st.integers(0, 120), horizon_days=st.integers(1, 240))
days = st.lists(st.dates(date(2020, 1, 1), date(2025, 1, 1)), unique=True, max_size=30).map(sorted)


def overlaps(folds: Sequence[Fold], churn: Churn) -> list[str]:
    """Days on which a label that was learned from is still open on the day of the test."""
    return [
        f"{learned} looks at {learned + timedelta(days=churn.lead_days + churn.horizon_days - 1)}, test {fold.test}"
        for fold in folds
        for learned in fold.learn
        if learned + timedelta(days=churn.lead_days + churn.horizon_days) > fold.test
    ]


@given(cutoffs=days, churn=churns)
def test_folds_never_overlap_whatever_the_cutoffs_and_the_churn(cutoffs: list[date], churn: Churn) -> None:
    folds = folds_of(cutoffs, churn)
    assert overlaps(folds, churn) == []
    assert all(fold.learn and {fold.test, *fold.learn} <= set(cutoffs) for fold in folds)
    assert [fold.test for fold in folds] == sorted(fold.test for fold in folds)


@given(churn=churns, step_days=st.integers(1, 120), history=st.integers(0, 2000))
def test_folds_of_automatic_cutoffs_never_overlap_and_test_the_newest(
    churn: Churn, step_days: int, history: int
) -> None:
    until = date(2025, 1, 1)
    found = training_cutoffs(
        first_day=until - timedelta(days=history), known_until=until, churn=churn, step_days=step_days
    )
    folds = folds_of(found, churn)
    assert overlaps(folds, churn) == []
    if folds:
        assert folds[-1].test == found[-1]
        assert len(folds) <= 3


@pytest.mark.parametrize("forgotten", [1, CHURN.lead_days, CHURN.lead_days + CHURN.horizon_days])
def test_a_planted_overlap_is_caught(forgotten: int) -> None:
    daily = [date(2024, 1, 1) + timedelta(days=day) for day in range(300)]
    whole = CHURN.lead_days + CHURN.horizon_days
    short = Churn(lead_days=0, horizon_days=max(whole - forgotten, 1))
    assert overlaps(folds_of(daily, short), CHURN)


def test_the_split_of_a_fold_shares_no_snapshot_and_keeps_to_its_cutoffs() -> None:
    rows = snapshots(1, customers=20)
    for fold in folds_of(cutoffs(6), CHURN):
        learn, test = split(rows, fold)
        assert set(learn.index).isdisjoint(test.index)
        assert set(learn["cutoff"]) == set(fold.learn)
        assert set(test["cutoff"]) == {fold.test}


def test_both_outcomes_must_be_there_often_enough() -> None:
    enough = np.r_[np.ones(LEAST_OUTCOMES), np.zeros(LEAST_OUTCOMES)].astype(np.int8)
    assert teaches(enough)
    assert not teaches(enough[1:])
    assert not teaches(enough[:-1])
    assert not teaches(enough[:0])


def test_the_level_is_taken_from_the_same_season_a_year_before() -> None:
    cutoff = date(2026, 3, 1)
    found = training_cutoffs(first_day=date(2023, 1, 1), known_until=cutoff, churn=CHURN, most=30)
    assert abs((level_cutoff(found, cutoff) - (cutoff - timedelta(days=364))).days) <= 15


def test_a_history_without_the_same_season_gives_the_newest_level() -> None:
    cutoff = date(2026, 3, 1)
    found = training_cutoffs(first_day=date(2025, 3, 1), known_until=cutoff, churn=CHURN)
    assert level_cutoff(found, cutoff) == found[-1]


def test_a_day_between_the_ends_of_contracts_gives_no_level() -> None:
    frame = snapshots(3, customers=60, days=cutoffs(3))
    oldest, before, newest = sorted(set(frame["cutoff"]))
    assert days_with_a_level(frame) == [oldest, before, newest]
    for outcome in (0, 1):
        alike = frame.assign(label=frame["label"].where(frame["cutoff"] != newest, outcome))
        assert days_with_a_level(alike) == [oldest, before]


def test_a_small_base_may_well_lose_nobody_and_that_is_its_level() -> None:
    frame = snapshots(3, customers=20, days=cutoffs(3))
    one = frame.assign(label=pd.Series(np.arange(len(frame)) % 10 == 0, dtype="Int8"))
    newest = max(frame["cutoff"])
    nobody = one.assign(label=one["label"].where(one["cutoff"] != newest, 0))
    assert newest in days_with_a_level(nobody)
    assert days_with_a_level(frame.assign(label=0)) == sorted(set(frame["cutoff"]))


def test_customers_left_out_are_tested_once_at_the_newest_cutoff_and_learned_from_never() -> None:
    rows = snapshots(1, customers=20).sample(frac=1, random_state=3)
    parts = list(left_out(rows))
    assert len(parts) == 3
    for learn, test in parts:
        assert set(learn["customer_id"]).isdisjoint(test["customer_id"])
        assert set(test["cutoff"]) == {cutoffs(6)[-1]}
        assert set(learn["cutoff"]) == set(cutoffs(6))
    tested = sorted(customer for _, test in parts for customer in test["customer_id"])
    assert tested == sorted(set(rows["customer_id"]))


def test_the_same_customers_are_left_out_together_in_any_order_of_rows() -> None:
    rows = snapshots(1, customers=20)
    once, again = (
        [set(test["customer_id"]) for _, test in left_out(each)] for each in (rows, rows.sample(frac=1, random_state=1))
    )
    assert once == again


def test_with_fewer_customers_than_parts_or_none_nothing_breaks() -> None:
    rows = snapshots(1, customers=2)
    assert [len(test) for _, test in left_out(rows)] == [1, 1]
    assert list(left_out(rows.head(0))) == []


def test_the_newest_telling_cutoff_has_fifteen_of_either_outcome() -> None:
    frame = snapshots(3, customers=60, days=cutoffs(3))
    newest, before, oldest = sorted(set(frame["cutoff"]), reverse=True)
    assert newest_telling(frame) == newest
    nobody = frame.assign(label=frame["label"].where(frame["cutoff"] != newest, 0))
    assert newest_telling(nobody) == before
    left = frame["label"].where(frame["cutoff"] == oldest, 1)
    assert newest_telling(frame.assign(label=left)) == oldest
    assert newest_telling(frame.assign(label=frame["label"] * 0)) == newest


def test_customers_left_out_are_asked_at_the_newest_telling_cutoff() -> None:
    frame = snapshots(3, customers=60, days=cutoffs(3))
    newest, before, _ = sorted(set(frame["cutoff"]), reverse=True)
    nobody = frame.assign(label=frame["label"].where(frame["cutoff"] != newest, 0))
    assert {day for _, test in left_out(nobody) for day in test["cutoff"]} == {before}
    assert sorted(len(test) for _, test in left_out(nobody)) == [20, 20, 20]
    assert list(left_out(frame.head(0))) == []
