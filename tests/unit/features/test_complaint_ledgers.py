"""Complaints: repeats of a cause, answers, settlements that were judged, and what was not known yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.features.small import Row, complaint, contact, features_on, order

DAY = "2024-03-01"


def features(complaints: list[Row], contacts: list[Row] | None = None, *, on: str = DAY, **more: Any) -> Any:
    """Return the features of customer a, who ordered once long ago."""
    tables = {"orders": [order("a", "2021-01-01")], "complaints": complaints}
    return features_on(on, "a", **{**tables, **({"contacts": contacts} if contacts else {}), **more})


def test_the_same_cause_again_within_364_days_is_a_repeat() -> None:
    raised = [("2022-01-01", "Maße"), ("2022-12-31", " maße "), ("2023-12-31", "Maße"), ("2024-01-02", None)]
    found = features([complaint("a", day, category=cause) for day, cause in raised])
    assert found["complaints__repeats_364d"] == 0
    found = features([complaint("a", day, category=cause) for day, cause in raised], on="2023-06-01")
    assert found["complaints__repeats_364d"] == 1


def test_complaints_without_a_cause_are_no_cause() -> None:
    found = features(
        [complaint("a", f"2024-02-0{n}", category=cause) for n, cause in enumerate(["x", "y", "X", None], 1)]
    )
    assert found["complaints__causes_364d"] == 2


def test_our_first_contact_on_the_day_or_later_is_the_answer() -> None:
    contacts = [
        contact("a", "2024-01-09", direction="out"),
        contact("a", "2024-01-11", direction="in"),
        contact("a", "2024-01-13", direction="out"),
        contact("a", "2024-01-20", direction="out"),
    ]
    found = features([complaint("a", "2024-01-10")], contacts)
    assert found["complaints__days_to_answer_364d"] == 3
    same_day = features([complaint("a", "2024-01-13")], contacts)
    assert same_day["complaints__days_to_answer_364d"] == 0


def test_a_contact_of_another_customer_answers_nothing() -> None:
    found = features([complaint("a", "2024-01-10")], [contact("b", "2024-01-11", direction="out")])
    assert np.isnan(found["complaints__days_to_answer_364d"])
    assert found["complaints__unanswered"] == 1


@pytest.mark.parametrize(("on", "open_ones"), [("2024-01-15", 1), ("2024-01-16", 0)])
def test_an_answer_counts_from_the_morning_after_it_was_known(on: str, open_ones: int) -> None:
    answer = contact("a", "2024-01-12", direction="out", known_at="2024-01-15")
    found = features([complaint("a", "2024-01-10", closed_on="2025-01-01")], [answer], on=on)
    assert found["complaints__unanswered"] == open_ones
    assert np.isnan(found["complaints__days_to_answer_364d"]) == bool(open_ones)


def test_settled_without_a_word_is_not_unanswered_any_more() -> None:
    settled = [complaint("a", "2024-01-10", closed_on="2024-01-20")]
    assert (
        features(settled, [contact("b", "2024-01-01", direction="in")], on="2024-01-20")["complaints__unanswered"] == 1
    )
    assert (
        features(settled, [contact("b", "2024-01-01", direction="in")], on="2024-01-21")["complaints__unanswered"] == 0
    )


def test_the_last_judgement_is_bad_if_one_of_its_day_is() -> None:
    judged = [
        complaint("a", "2024-01-01", closed_on="2024-01-09", satisfied=True),
        complaint("a", "2024-01-02", closed_on="2024-01-09", satisfied=False),
        complaint("a", "2024-01-03", closed_on="2024-01-30", satisfied=None),
    ]
    found = features(judged)
    assert found["complaints__last_unsatisfied"] == 1
    assert found["complaints__satisfied_share_364d"] == 0.5
    assert np.isnan(features(judged[2:])["complaints__last_unsatisfied"])


def test_purchases_count_from_the_day_after_the_last_complaint() -> None:
    orders = [order("a", day) for day in ("2024-01-01", "2024-01-10", "2024-01-11", "2024-01-11", "2024-02-29", DAY)]
    found = features([complaint("a", "2024-01-10")], orders=[*orders[:3], *orders[4:]])
    assert found["complaints__purchases_since"] == 2
    assert np.isnan(features([complaint("b", "2024-01-10")], orders=orders[:1])["complaints__purchases_since"])


def test_the_company_is_what_settlements_are_measured_against() -> None:
    complaints = [
        complaint("a", "2024-01-01", closed_on="2024-01-11"),
        complaint("b", "2024-01-01", closed_on="2024-01-03"),
    ]
    orders = [order("a", "2021-01-01"), order("b", "2021-01-01")]
    found = features(complaints, orders=orders)
    assert found["complaints__days_to_close_364d"] == 10
    assert found["complaints__close_excess_days_364d"] == 4


def test_without_contacts_there_are_no_answers_and_the_rest_stays() -> None:
    found = features_on(DAY, "a", orders=[order("a", "2021-01-01")], complaints=[complaint("a", "2024-01-10")])
    assert "complaints__days_to_answer_364d" not in found
    assert "complaints__unanswered" not in found
    assert found["complaints__open_count"] == 1
