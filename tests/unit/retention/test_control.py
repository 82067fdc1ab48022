from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from retention.control import arms, draws

MANY = [f"c{number:05d}" for number in range(5000)]
DRAW_OF_A = 0.042558223359960845
"""Written down once: control groups of running measurements must stay what they are."""


@settings(deadline=None)
@given(st.permutations(MANY[:30]))
def test_the_order_of_rows_does_not_matter(shuffled):
    expected = arms(MANY[:30], share=0.3, run="early_warning 2026-03-01", seed=7)
    assert arms(shuffled, share=0.3, run="early_warning 2026-03-01", seed=7)[MANY[:30]].equals(expected)


def test_draws_are_even():
    assert kstest(draws(MANY, run="r", seed=7), "uniform").pvalue > 0.01


def test_another_run_or_seed_draws_anew():
    first = arms(MANY, share=0.5, run="r", seed=7)
    for other in (arms(MANY, share=0.5, run="s", seed=7), arms(MANY, share=0.5, run="r", seed=8)):
        assert 0.45 < (first == other).mean() < 0.55


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.1, 1), (0.25, 3), (1.0, 10)])
def test_the_share_is_kept_as_exactly_as_whole_customers_allow(share, count):
    assert (arms(MANY[:10], share=share, run="r", seed=7) == "control").sum() == count


def test_nobody_listed_means_nobody_withheld():
    assert arms([], share=0.1, run="r", seed=7).empty


def test_the_draw_never_changes_between_versions():
    assert draws(["a"], run="r", seed=7)["a"] == pytest.approx(DRAW_OF_A, abs=1e-15)


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="expected a control share in"):
        arms(["a"], share=1.5, run="r", seed=7)
    with pytest.raises(ValueError, match="expected every customer once"):
        arms(["a", "a"], share=0.5, run="r", seed=7)
