"""Intervals over customers: the weighted ranking against a naive count, and coverage that is right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.resample import drawn, draws_for, interval_of, ranks_of, weighted_auc


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_weighted_ranking_is_that_of_rows_written_out(rows: list[tuple[int, int, int]]) -> None:
    label, score, times = (np.array(column) for column in zip(*rows, strict=True))
    found = weighted_auc(label.astype(np.int8), ranks_of(score.astype(float)), times.astype(float))
    written = np.repeat(label, times)
    if 0 < written.sum() < len(written):
        assert found == pytest.approx(roc_auc_score(written, np.repeat(score, times)))
    else:
        assert np.isnan(found)


def test_a_customer_is_drawn_with_all_rows_whatever_their_order() -> None:
    ids = pd.Series(["b", "a", "b", "c"], dtype="str")
    for weight, other in zip(drawn(ids, draws=20), drawn(ids.iloc[::-1], draws=20), strict=True):
        assert weight[0] == weight[2]
        assert weight[[0, 1, 3]].sum() == 3
        assert np.array_equal(weight, other[::-1])


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(11), 0
    for _ in range(100):
        label = (rng.random(200) < 0.4).astype(np.int8)
        ranks = ranks_of(rng.normal(size=200))
        ids = pd.Series([f"K{number}" for number in range(200)], dtype="str")
        low, high = interval_of(np.array([weighted_auc(label, ranks, each) for each in drawn(ids, draws=100)]))
        covered += low <= 0.5 <= high
    assert 88 <= covered <= 100


def test_large_bases_are_drawn_less_often() -> None:
    assert [draws_for(rows) for rows in (0, 500, 100_000, 10**7)] == [1000, 1000, 200, 50]


def test_without_a_draw_that_says_something_there_is_no_interval() -> None:
    assert np.isnan(interval_of(np.array([np.nan]))).all()
