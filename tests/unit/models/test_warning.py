from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import Churn
from models.warning import warning_figures

CHURN = Churn(lead_days=7, horizon_days=28)
WEEK = timedelta(weeks=1)
START = date(2026, 1, 1)


def lists(**customers: str) -> pd.DataFrame:
    """One mark per week: . not lost, x lost, ? not known yet; O, X and ! the same, listed; blank: no snapshot."""
    rows = [
        (name, START + WEEK * week, {".": 0, "O": 0, "x": 1, "X": 1}.get(mark, pd.NA), mark in "OX!")
        for name, marks in customers.items()
        for week, mark in enumerate(marks)
        if mark != " "
    ]
    return pd.DataFrame(rows, columns=["customer_id", "cutoff", "label", "is_listed"]).astype({"label": "Int8"})


def test_the_lead_runs_from_the_first_listing_to_the_day_the_loss_is_certain() -> None:
    found = warning_figures(lists(a="..OOXXx?"), CHURN)
    assert (found.losses, found.never_warned_share) == (1, 0.0)
    assert found.lead_days == (14 + 7 + 28 - 1)


def test_a_loss_listed_only_after_its_day_was_never_warned_of() -> None:
    assert warning_figures(lists(a=".xxxxx!"), CHURN).never_warned_share == 1.0
    assert warning_figures(lists(a=".xxxx!"), CHURN).never_warned_share == 0.0


def test_losses_that_had_begun_before_the_first_list_do_not_count() -> None:
    assert warning_figures(lists(a="xxX.", b="...."), CHURN).losses == 0


def test_alarms_are_real_false_or_not_yet_known() -> None:
    found = warning_figures(lists(a=".Xx", b=".O.O", c=".!", d="O..."), CHURN)
    assert (found.alarms, found.false_per_real) == (3, 2.0)
    assert found.repeated_share == pytest.approx(1 / 4)


def test_turnover_is_who_came_and_left_over_both_lengths() -> None:
    assert warning_figures(lists(a="OO.", b=".OO"), CHURN).turnover_share == pytest.approx((1 + 1) / (3 + 3))
    assert warning_figures(lists(a="OOO", b="OOO"), CHURN).turnover_share == 0.0


def test_balance_is_best_when_all_are_warned_and_no_alarm_is_false() -> None:
    assert warning_figures(lists(a=".X"), CHURN).balance == 1.0
    assert warning_figures(lists(a=".x", b=".O"), CHURN).balance == 0.0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(".OxX ", min_size=6, max_size=6), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_a_customer_who_is_never_listed_or_lost_matters(marks, random) -> None:
    rows = lists(**{f"c{number}": each for number, each in enumerate(marks)}, calm="......")
    expected = warning_figures(rows, CHURN)
    order = random.sample(range(len(rows)), len(rows))
    found = warning_figures(rows.iloc[order], CHURN)
    np.testing.assert_equal(vars(found), vars(expected))
