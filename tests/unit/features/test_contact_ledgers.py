"""Contacts: silence on both sides, answers, channels by their canonical words, and who speaks for us."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.features.small import Row, contact, features_on, order

DAY = "2024-03-01"


def features(contacts: list[Row], *, orders: tuple[str, ...] = ("2021-01-01",), on: str = DAY) -> Any:
    return features_on(on, "a", orders=[order("a", day) for day in orders], contacts=contacts)


def ours(*days: str) -> list[Row]:
    return [contact("a", day, direction="out") for day in days]


def theirs(*days: str) -> list[Row]:
    return [contact("a", day, direction="in") for day in days]


def test_each_side_has_its_own_silence() -> None:
    found = features([*ours("2024-02-20"), *theirs("2024-01-31")])
    assert (found["contacts__our_silence_days"], found["contacts__their_silence_days"]) == (10, 30)
    assert np.isnan(features(ours("2024-02-20"))["contacts__their_silence_days"])


@pytest.mark.parametrize(
    ("inbound", "orders", "left"),
    [((), (), 3), (("2024-02-10",), (), 2), (("2024-02-01",), ("2024-02-20",), 1), (("2024-03-02",), (), 3)],
)
def test_what_we_said_after_their_last_sign_is_unanswered(
    inbound: tuple[str, ...], orders: tuple[str, ...], left: int
) -> None:
    contacts = [*ours("2024-02-10", "2024-02-20", "2024-02-25"), *theirs(*inbound)]
    found = features(contacts, orders=("2021-01-01", *orders))
    assert found["contacts__unanswered"] == left


def test_pressure_is_what_goes_beyond_the_usual_without_an_answer() -> None:
    burst = ours("2024-02-10", "2024-02-12", "2024-02-20", "2024-02-25")
    assert features(burst)["contacts__pressure_28d"] == 4
    assert features([*burst, *theirs("2024-02-26")])["contacts__pressure_28d"] == 0
    habit = ours(*(f"2023-{month:02d}-{day:02d}" for month in range(4, 13) for day in (1, 8, 15, 22)))
    assert features([*habit, *burst])["contacts__pressure_28d"] < 1


def test_channels_are_known_by_their_words_in_any_case() -> None:
    words = ("Visit", "phone", "EMAIL", "letter", "Messe", None)
    found = features([contact("a", f"2024-02-0{n}", channel=word) for n, word in enumerate(words, 1)])
    names = ("visits_364d", "calls_364d", "written_364d", "personal_share_364d")
    assert [found[f"contacts__{name}"] for name in names] == [1, 1, 2, 0.4]


def test_the_mood_last_noted_stays_until_another_is() -> None:
    contacts = [contact("a", "2022-01-01", sentiment=-0.5), contact("a", "2024-01-01", sentiment=None)]
    assert features(contacts)["contacts__mood_last"] == -0.5


def test_a_change_of_person_is_dated_by_the_first_contact_of_the_new_one() -> None:
    named = [("2023-06-01", "Ada"), ("2024-01-01", None), ("2024-02-10", "Ben"), ("2024-02-20", "Ben")]
    found = features([contact("a", day, agent=agent) for day, agent in named])
    assert found["contacts__agent_days"] == 20
    assert found["contacts__agents_364d"] == 2


def test_the_last_28_days_are_compared_with_the_days_before_them() -> None:
    steady = [contact("a", f"2023-{month:02d}-01") for month in range(3, 13)]
    even = features([*steady, contact("a", "2024-01-01"), contact("a", "2024-02-20")])["contacts__habit_28d"]
    silent = features(steady)["contacts__habit_28d"]
    assert silent < -0.5 < even < 0.2
    assert np.isnan(features([contact("a", "2020-01-01")])["contacts__habit_28d"])


def test_contacts_are_measured_against_the_class() -> None:
    orders = [order("a", "2024-01-01", 900.0), order("b", "2024-01-01", 20.0), order("c", "2024-01-01", 20.0)]
    contacts = [*ours("2024-01-05", "2024-01-06"), *(contact("b", f"2024-01-{day:02d}") for day in range(1, 7))]
    found = features_on(DAY, "b", orders=orders, contacts=contacts)
    assert found["contacts__class_excess_364d"] == pytest.approx(3, abs=3)
    assert features_on(DAY, "a", orders=orders, contacts=contacts)["contacts__class_excess_364d"] == 0
