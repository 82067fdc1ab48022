"""Ledgers of the feedback: questions asked and answers given, and per kind the scores by day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import (
    History,
    Number,
    Reading,
    Rows,
    Whole,
    added_up,
    flags,
    picked,
    running_most,
    starts_of,
)

PROMOTER = 9000
"""NPS from which a customer promotes us [thousandths]."""

_NPS, _CSAT, _VISIT = 1, 2, 3
_KIND = "CASE kind WHEN 'nps' THEN 1 WHEN 'csat' THEN 2 WHEN 'visit' THEN 3 ELSE 0 END::BIGINT"
_NUMBERS = (
    Number(name="kind", sql=_KIND, needs="kind"),
    Number(name="score", sql="coalesce(round(score * 1000)::BIGINT, 0)", needs="score"),
    Number(name="is_answered", sql="(score IS NOT NULL)::BIGINT", needs="score"),
)


def feedback(history: History) -> Ledger:
    """Questions of every kind by the day they were asked or answered; those without a score were not answered."""
    rows = history["feedback"]
    values = {"is_unanswered": 1 - rows["is_answered"]}
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def replies(history: History) -> Ledger:
    """Answers of every kind."""
    rows = _answered(history["feedback"])
    return Ledger(customer=rows["customer"], day=rows["day"], values={})


def _scores(kind: int) -> Callable[[History], Ledger]:
    """Days with answers of one kind: how many, their scores added up, and whether the customer ever promoted us."""

    def make(history: History) -> Ledger:
        rows = _answered(history["feedback"])
        rows = picked(rows, rows["kind"] == kind)
        starts = starts_of(rows["customer"], rows["day"])
        customer, day = rows["customer"][starts], rows["day"][starts]
        score, count = (added_up(each, starts) for each in (rows["score"], _ones(rows)))
        has_promoted = running_most(customer, flags(score >= PROMOTER * count))
        values = {"score": score, "answers": count, "has_promoted": has_promoted}
        return Ledger(customer=customer, day=day, values=values)

    return make


def _answered(rows: Rows) -> Rows:
    return picked(rows, rows["is_answered"] > 0)


def _ones(rows: Rows) -> Whole:
    ones: Whole = np.ones(len(rows["day"]), dtype=np.int64)
    return ones


READING = Reading(
    table="feedback",
    numbers=_NUMBERS,
    ledgers={
        "feedback": feedback,
        "replies": replies,
        "nps": _scores(_NPS),
        "csat": _scores(_CSAT),
        "visit_moods": _scores(_VISIT),
    },
)
