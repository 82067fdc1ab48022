from __future__ import annotations

import math
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.losses.agreement import agreement, wilson

NAMES = ("price", "service", "unknown")
REASON = st.sampled_from([*NAMES, None])


@given(st.lists(st.tuples(REASON, REASON), max_size=40))
def test_counts_and_shares_are_those_counted_by_hand(pairs):
    told, inferred = (pd.Series([pair[side] for pair in pairs], dtype="str") for side in (0, 1))
    found = agreement(told, inferred, names=NAMES)
    both = [pair for pair in pairs if None not in pair]
    assert found.customers == len(both)
    counted = Counter(both)
    assert all(found.table.loc[left, right] == counted[(left, right)] for left in NAMES for right in NAMES)
    if both:
        assert found.share == pytest.approx(sum(left == right for left, right in both) / len(both))
        assert found.guess_share == pytest.approx(max(Counter(left for left, _ in both).values()) / len(both))
        assert 0 <= found.low <= found.share <= found.high <= 1
    else:
        assert math.isnan(found.share)


def test_a_guess_is_beaten_only_where_the_whole_interval_lies_above_it():
    told = pd.Series(["price"] * 60 + ["service"] * 40)
    perfect = agreement(told, told, names=NAMES)
    assert perfect.beats_the_guess
    guess = agreement(told, pd.Series(["price"] * 100), names=NAMES)
    assert (guess.guess, guess.share, guess.beats_the_guess) == ("price", 0.6, False)


def test_wilsons_interval_is_that_of_the_textbook():
    share, low, high = wilson(1, 10)
    assert (share, round(low, 4), round(high, 4)) == (0.1, 0.0179, 0.4042)
