"""Feedback: the last score of each kind, what it was before, and questions that stay without an answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.unit.features.small import Row, answer, features_on, order


def features(feedback: list[Row], *, on: str = "2024-03-01") -> Any:
    return features_on(on, "a", orders=[order("a", "2021-01-01")], feedback=feedback)


def test_kinds_do_not_mix_and_questions_without_an_answer_are_no_score() -> None:
    found = features(
        [
            answer("a", "2024-01-01", "nps", 9),
            answer("a", "2024-01-02", "csat", 2),
            answer("a", "2024-01-03", "visit", 4),
            answer("a", "2024-02-01", "nps", None),
        ]
    )
    assert [found[f"feedback__{name}"] for name in ("nps", "csat", "visit_mood")] == [9, 2, 4]
    assert found["feedback__recency_days"] == 58
    assert (found["feedback__unanswered_364d"], found["feedback__unanswered_share_364d"]) == (1, 0.25)


def test_answers_of_one_day_are_one_answer_whatever_their_order() -> None:
    rows = [
        answer("a", "2024-01-01", "nps", 10),
        answer("a", "2024-02-01", "nps", 9),
        answer("a", "2024-02-01", "nps", 4),
    ]
    for given in (rows, rows[::-1]):
        found = features(given)
        assert (found["feedback__nps"], found["feedback__nps_change"]) == (6.5, -3.5)
        assert (found["feedback__detractor"], found["feedback__lost_promoter"]) == (0, 0)


def test_who_praised_once_and_now_advises_against_us_is_a_lost_promoter() -> None:
    rows = [
        answer("a", "2022-01-01", "nps", 9),
        answer("a", "2023-01-01", "nps", 7),
        answer("a", "2024-01-01", "nps", 6),
    ]
    assert features(rows)["feedback__lost_promoter"] == 1
    assert features(rows[1:])["feedback__lost_promoter"] == 0
    assert features(rows[1:])["feedback__detractor"] == 1
    assert features(rows, on="2024-01-01")["feedback__detractor"] == 0


def test_praise_to_come_makes_nobody_a_lost_promoter() -> None:
    rows = [answer("a", "2024-01-01", "nps", 2), answer("a", "2024-06-01", "nps", 10)]
    assert features(rows)["feedback__lost_promoter"] == 0


def test_nobody_asked_is_not_the_same_as_nobody_answered() -> None:
    found = features([answer("b", "2024-01-01", "nps", 5)])
    assert found["feedback__unanswered_364d"] == 0
    assert np.isnan([found["feedback__unanswered_share_364d"], found["feedback__detractor"]]).all()
