"""The watch over every customer: small rules, held for any history; and against a naive reading of them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.watch import Rules, move, nobody_yet

BASE = 0.1
START = date(2026, 1, 1)
RULES = Rules(size=3, enter_odds=1.0, leave_odds=0.7, hold_share=0.25, rest_days=21)
IDS = ["a", "b", "c", "d", "e"]

chance = st.floats(0.01, 0.9)
customer = st.tuples(chance, st.booleans(), st.booleans(), st.integers(1, 5), st.booleans())
"""probability, active, may be contacted, stake, worked on the day before"""
histories = st.lists(st.lists(customer, min_size=5, max_size=5), min_size=1, max_size=8)


def facts(week: list[tuple[float, bool, bool, int, bool]], day: date) -> pd.DataFrame:
    worked = [pd.Timestamp(day - timedelta(days=1)) if each[4] else pd.NaT for each in week]
    return pd.DataFrame(
        {
            "is_active": [each[1] for each in week],
            "probability": [each[0] if each[1] else np.nan for each in week],
            "stake": [float(each[3]) for each in week],
            "may_contact": [each[2] for each in week],
            "worked_on": pd.Series(worked, dtype="M8[s]").to_numpy(),
            "lost_on": pd.Timestamp(day - timedelta(days=2)),
        },
        index=pd.Index(IDS[: len(week)], name="customer_id"),
    )


def ratio(probability: float) -> float:
    return probability / (1 - probability) * (1 - BASE) / BASE


def followed(weeks, rules: Rules = RULES) -> list[tuple[date, pd.DataFrame, pd.DataFrame]]:
    """Return cutoff, facts and states of every week."""
    states, out = nobody_yet(), []
    for number, week in enumerate(weeks):
        day = START + timedelta(weeks=number)
        known = facts(week, day)
        states = move(states, known, cutoff=day, base_rate=BASE, rules=rules)
        out.append((day, known, states))
    return out


def one(chances: list[float], rules: Rules = RULES, **changed: object) -> list[str]:
    """Return the states of one customer with these probabilities, week after week."""
    weeks = [[(each, True, True, 1, False)] for each in chances]
    return [states["state"].iloc[0] for _, _, states in followed(weeks, rules)]


def test_between_the_two_thresholds_nothing_changes() -> None:
    assert one([0.12, 0.09, 0.11, 0.085, 0.12]) == ["listed"] * 5
    assert one([0.05, 0.09, 0.085, 0.095]) == ["watched"] * 4


def test_without_memory_the_same_customer_flutters() -> None:
    plain = Rules(size=3, enter_odds=1.0, leave_odds=1.0, hold_share=0.0, rest_days=0)
    assert one([0.12, 0.09, 0.11, 0.085, 0.12], plain) == ["listed", "watched", "listed", "watched", "listed"]


def test_who_leaves_rests_before_the_next_listing() -> None:
    assert one([0.2, 0.02, 0.2, 0.2, 0.2]) == ["listed", "resting", "resting", "resting", "listed"]


def test_who_was_worked_on_is_not_called_again_next_week() -> None:
    weeks = [[(0.5, True, True, 1, worked)] for worked in (False, True, False, False, False)]
    assert [states["state"].iloc[0] for _, _, states in followed(weeks)] == [
        "listed", "resting", "resting", "resting", "listed",
    ]  # fmt: skip


def test_a_listed_customer_gives_way_only_to_clearly_more_at_stake() -> None:
    rules = Rules(size=1, enter_odds=1.0, leave_odds=0.7, hold_share=0.25, rest_days=0)
    for stake, expected in ((11, ["listed", "waiting"]), (13, ["waiting", "listed"])):
        weeks = [[(0.5, True, True, 10, False)], [(0.5, True, True, 10, False), (0.5, True, True, stake, False)]]
        assert followed(weeks, rules)[-1][2]["state"].tolist() == expected


def test_a_loss_freezes_until_the_customer_is_active_again() -> None:
    week = [[(0.5, active, True, 1, False)] for active in (True, False, False, True, True)]
    told = followed(week)
    assert [states["state"].iloc[0] for _, _, states in told] == ["listed", "lost", "lost", "returned", "listed"]
    assert told[1][2]["lost_on"].iloc[0] == told[2][2]["lost_on"].iloc[0]


@settings(deadline=None, max_examples=60)
@given(histories)
def test_the_rules_hold_in_any_history(weeks) -> None:
    before = nobody_yet()
    for day, known, states in followed(weeks):
        assert (states["state"] == "listed").sum() <= RULES.size
        for customer_id, row in states.iterrows():
            was = before["state"].get(customer_id)
            fact = known.loc[customer_id]
            odds = ratio(fact["probability"])
            assert (row["state"] == "lost") == (not fact["is_active"])
            if was == "lost":
                assert row["state"] in ("lost", "returned")
            if row["state"] == "listed":
                assert fact["may_contact"]
                assert odds >= (RULES.leave_odds if was == "listed" else RULES.enter_odds) - 1e-9
                rest = before["rest_until"].get(customer_id, pd.NaT)
                assert not rest > pd.Timestamp(day)
                assert not fact["worked_on"] + pd.Timedelta(days=RULES.rest_days) > pd.Timestamp(day)
            if was == "lost" and row["state"] == "lost":
                assert row["lost_on"] == before.loc[customer_id, "lost_on"]
            assert (row["since"] == pd.Timestamp(day)) or row["state"] == was
        before = states


@settings(deadline=None, max_examples=30)
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(weeks, random) -> None:
    day, known, expected = followed(weeks)[-1]
    before = followed(weeks[:-1])[-1][2] if len(weeks) > 1 else nobody_yet()
    order = random.sample(IDS, len(IDS))
    turned = move(before, known.loc[order], cutoff=day, base_rate=BASE, rules=RULES)
    pd.testing.assert_frame_equal(turned.loc[IDS], expected)
