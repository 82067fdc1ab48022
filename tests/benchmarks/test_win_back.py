"""What the benchmark of winning back counts, on rows small enough to count by hand."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest

from benchmarks.win_back import LEAST_RETURNS, result, told_of
from benchmarks.winning.measured import LapsedMorning, by_truth, figures
from models.win_back import ReturnMargin
from pipelines.win_back import Learned

ROWS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "label": [1, 0, 1, 0],
        "treue": [2.0, 1.0, 0.5, 0.1],
        "last_order": [0.1, 0.2, 0.3, 0.4],
        "probability": [0.8, 0.7, 0.6, 0.5],
        "margin_if_returned": [1.0, 1.0, 100.0, 1.0],
        "value_if_returned": [10.0, 20.0, 1000.0, 40.0],
        "brought": [30.0, 0.0, 70.0, 0.0],
    }
)
LEARNED = Learned(margin=ReturnMargin(border=0.0, days=(1.0, 1.0, 1.0), returners=0), timing=None)


def test_auc_ranks_by_chance_and_margin_is_captured_by_chance_times_margin():
    morning = LapsedMorning(origin=date(2026, 1, 1), rows=ROWS, learned=LEARNED, chosen="blend")
    found = figures([morning], places=1)
    assert found["treue"] == {"auc": 0.75, "captured_margin": pytest.approx(0.7)}
    assert found["last_order"] == {"auc": 0.25, "captured_margin": 0.0}
    assert "rfm_logistic" not in found


def test_the_truth_counts_only_those_who_could_be_won_back():
    truth = pd.DataFrame({"winnable": [True, False, True]}, index=["a", "b", "c"])
    assert by_truth(ROWS.head(3), truth) == {
        "listed": 3.0, "winnable": 2.0, "returned": 2.0, "brought": 100.0, "within_reach": 1010.0,
    }  # fmt: skip


def test_rankings_are_judged_only_where_enough_returned_and_a_worse_one_is_said():
    lists = {"aware": {"listed": 9, "winnable": 5, "within_reach": 2.0},
             "blind": {"listed": 9, "winnable": 4, "within_reach": 1.0}}  # fmt: skip
    worse, better = {"auc": 0.6, "captured_margin": 0.2}, {"auc": 0.7, "captured_margin": 0.1}
    few = {"demo": {"returned": LEAST_RETURNS - 1, "treue": worse, "last_order": better}, "reasons": lists}
    assert result(few, size="small")["met"]
    many = {**few, "demo": {**few["demo"], "returned": LEAST_RETURNS}}
    assert result(many, size="small")["goals"]["demo: AUC above every rule"] is False
    assert result(many, size="small")["goals"]["demo: captured margin above every rule"] is True
    assert not result(many, size="small")["met"]


def test_what_too_few_returns_cannot_tell_is_null_in_json():
    few = ROWS.assign(label=[1, 0, 0, 0], last=pd.Timestamp("2025-01-01"))
    told = told_of([LapsedMorning(origin=date(2026, 1, 1), rows=few, learned=LEARNED, chosen="blend")], 2)
    assert told["margin"]["rank_correlation"] is None
    assert json.loads(json.dumps(told, allow_nan=False)) == told
