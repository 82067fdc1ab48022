"""The naive features of the group feedback."""

from __future__ import annotations

from tests.oracle.known import Snapshot, Value, age_of_last, mean, naive, ratio, within


def _scores(snapshot: Snapshot, kind: str) -> list[float]:
    """Mean score of every day with answers of a kind, oldest first."""
    rows = [row for row in snapshot.feedback if row["kind"] == kind and row["score"] is not None]
    days = sorted({row["day"] for row in rows})
    means = (mean([row["score"] for row in rows if row["day"] == day]) for day in days)
    return [score for score in means if score is not None]


def _last(snapshot: Snapshot, kind: str) -> float | None:
    return next(reversed(_scores(snapshot, kind)), None)


def _change(snapshot: Snapshot, kind: str) -> float | None:
    scores = _scores(snapshot, kind)
    return scores[-1] - scores[-2] if len(scores) > 1 else None


@naive("feedback")
def nps(snapshot: Snapshot) -> Value:
    return _last(snapshot, "nps")


@naive("feedback")
def nps_change(snapshot: Snapshot) -> Value:
    return _change(snapshot, "nps")


@naive("feedback")
def detractor(snapshot: Snapshot) -> Value:
    last = _last(snapshot, "nps")
    return None if last is None else int(last <= 6)


@naive("feedback")
def lost_promoter(snapshot: Snapshot) -> Value:
    scores = _scores(snapshot, "nps")
    return int(scores[-1] <= 6 and max(scores) >= 9) if scores else None


@naive("feedback")
def csat(snapshot: Snapshot) -> Value:
    return _last(snapshot, "csat")


@naive("feedback")
def csat_change(snapshot: Snapshot) -> Value:
    return _change(snapshot, "csat")


@naive("feedback")
def visit_mood(snapshot: Snapshot) -> Value:
    return _last(snapshot, "visit")


@naive("feedback")
def visit_mood_change(snapshot: Snapshot) -> Value:
    return _change(snapshot, "visit")


@naive("feedback")
def feedback_recency_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, [row for row in snapshot.feedback if row["score"] is not None])


@naive("feedback", 364)
def feedback_unanswered(snapshot: Snapshot, days: int) -> int:
    return sum(1 for row in within(snapshot, snapshot.feedback, days) if row["score"] is None)


@naive("feedback", 364)
def unanswered_share(snapshot: Snapshot, days: int) -> Value:
    return ratio(feedback_unanswered(snapshot, days), len(within(snapshot, snapshot.feedback, days)))
