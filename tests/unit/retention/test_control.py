from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from retention.control import arms, draws, quarter_of

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


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1.0])
def test_the_share_is_kept_in_the_long_run(share):
    assert (arms(MANY, share=share, run="r", seed=7) == "control").mean() == pytest.approx(share, abs=0.02)


@settings(deadline=None, max_examples=25)
@given(st.sets(st.sampled_from(MANY[:60]), min_size=1))
def test_who_else_is_planned_does_not_decide_on_a_customer(planned):
    whole = arms(MANY[:60], share=0.3, run="2026-Q1", seed=7)
    assert arms(sorted(planned), share=0.3, run="2026-Q1", seed=7).equals(whole[sorted(planned)])


def test_a_control_group_is_kept_over_a_quarter_and_drawn_anew_in_the_next():
    weeks = [date(2026, 1, 1) + timedelta(weeks=week) for week in range(26)]
    groups = {quarter_of(day): arms(MANY, share=0.5, run=quarter_of(day), seed=7) for day in weeks}
    assert list(groups) == ["2026-Q1", "2026-Q2"]
    assert 0.45 < (groups["2026-Q1"] == groups["2026-Q2"]).mean() < 0.55


def test_nobody_listed_means_nobody_withheld():
    assert arms([], share=0.1, run="r", seed=7).empty


def test_the_draw_never_changes_between_versions():
    assert draws(["a"], run="r", seed=7)["a"] == pytest.approx(DRAW_OF_A, abs=1e-15)


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="expected a control share in"):
        arms(["a"], share=1.5, run="r", seed=7)
    with pytest.raises(ValueError, match="expected every customer once"):
        arms(["a", "a"], share=0.5, run="r", seed=7)
