"""Columns that say the same as an earlier one are left out, in any order of rows, and only those."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from models.redundancy import SAME, distinct_columns

RNG = np.random.default_rng(5)


def frame(n: int = 400) -> pd.DataFrame:
    """Return two independent columns, and beside each one that says the same in other words."""
    turnover, recency = RNG.gamma(2, 100, n), RNG.exponential(60, n)
    return pd.DataFrame(
        {
            "turnover": turnover,
            "turnover_in_cents": 100 * turnover,
            "log_turnover": np.log(turnover),
            "recency": recency,
            "freshness": -recency,
            "constant": np.ones(n),
            "never_known": np.full(n, np.nan),
        }
    )


def naive(features: pd.DataFrame) -> tuple[str, ...]:
    """Ask scipy for each pair, one after the other."""
    chosen: list[str] = []
    known = features.fillna(-1e9)
    for name in features:
        if known[name].nunique() < 2:
            continue
        others = [abs(stats.spearmanr(known[name], known[other]).statistic) for other in chosen]
        if all(each < SAME for each in others):
            chosen.append(name)
    return tuple(chosen)


def test_the_first_of_those_that_say_the_same_stays_and_constants_go() -> None:
    assert distinct_columns(frame()) == ("turnover", "recency")


def test_what_must_be_kept_is_kept_even_where_it_says_nothing_new() -> None:
    assert distinct_columns(frame(), keep=("freshness", "constant")) == ("turnover", "recency", "freshness", "constant")


def test_missing_values_are_a_statement_of_their_own() -> None:
    known = frame()[["turnover"]]
    features = known.assign(asked=known["turnover"].where(RNG.random(len(known)) < 0.7))
    assert distinct_columns(features) == ("turnover", "asked")


@settings(max_examples=50, deadline=None)
@given(arrays.arrays(np.float64, (12, 5), elements=st.sampled_from([0.0, 1.0, 2.0, 5.0, np.nan])))
def test_every_choice_is_that_of_scipy_asked_pair_by_pair(values: np.ndarray) -> None:
    features = pd.DataFrame(values, columns=list("abcde"))
    assert distinct_columns(features) == naive(features)


def test_the_order_of_rows_does_not_matter() -> None:
    features = pd.DataFrame(RNG.normal(size=(500, 8)), columns=list("abcdefgh"))
    features["i"] = features["a"] + 0.2 * RNG.normal(size=500)
    assert distinct_columns(features) == distinct_columns(features.sample(frac=1, random_state=3))


def test_a_large_base_is_judged_by_rows_evenly_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.redundancy._MOST_ROWS", 100)
    features = frame(1000)
    features["recency_of_others"] = features["recency"].where(np.arange(1000) % 10 == 0, 0.0)
    assert distinct_columns(features) == ("turnover", "recency")
    assert "recency_of_others" in distinct_columns(features.iloc[:99])


def test_no_rows_leave_nothing_to_compare() -> None:
    assert distinct_columns(frame().iloc[:0]) == tuple(frame().columns)
