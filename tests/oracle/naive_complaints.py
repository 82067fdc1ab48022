"""The naive features of the group complaints."""

from __future__ import annotations

from tests.oracle.known import (
    Row,
    Snapshot,
    Value,
    age_of_last,
    cents,
    distinct_days,
    mean,
    money,
    naive,
    ratio,
    within,
)


@naive("complaints", 91, 364)
def complaints_count(snapshot: Snapshot, days: int) -> int:
    return len(within(snapshot, snapshot.complaints, days))


@naive("complaints", 364)
def per_order(snapshot: Snapshot, days: int) -> Value:
    return ratio(complaints_count(snapshot, days), len(within(snapshot, snapshot.purchases, days)))


@naive("complaints")
def complaints_recency_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, snapshot.complaints)


@naive("complaints", 364)
def severity(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.complaints, days)
    return mean([row["severity"] for row in rows if row["severity"] is not None])


def _open(snapshot: Snapshot) -> list[Row]:
    return [row for row in snapshot.complaints if row["closed_on"] is None or row["closed_on"] >= snapshot.cutoff]


@naive("complaints", 364)
def grave(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.complaints, days) if row["severity"] in (4.0, 5.0))


def _cause(row: Row) -> str | None:
    return None if row["category"] is None else row["category"].strip().lower()


@naive("complaints", 364)
def causes(snapshot: Snapshot, days: int) -> Value:
    return len({_cause(row) for row in within(snapshot, snapshot.complaints, days)} - {None})


@naive("complaints", 364)
def repeats(snapshot: Snapshot, days: int) -> Value:
    found = 0
    for place, row in enumerate(snapshot.complaints):
        earlier = [
            other
            for other in snapshot.complaints[:place]
            if _cause(other) is not None and _cause(other) == _cause(row) and (row["day"] - other["day"]).days <= 364
        ]
        found += bool(earlier) and snapshot.age(row) <= days
    return found


@naive("complaints")
def purchases_since(snapshot: Snapshot) -> Value:
    if not snapshot.complaints:
        return None
    last = max(row["day"] for row in snapshot.complaints)
    return sum(1 for day in distinct_days(snapshot.purchases) if day > last)


@naive("complaints")
def open_count(snapshot: Snapshot) -> Value:
    return len(_open(snapshot))


@naive("complaints")
def oldest_open_days(snapshot: Snapshot) -> Value:
    return max((snapshot.age(row) for row in _open(snapshot)), default=None)


def _answer(snapshot: Snapshot, complaint: Row) -> Row | None:
    """Our first contact on the day of the complaint or later; of several on one day the one known first."""
    ours = [row for row in snapshot.contacts if row["direction"] == "out" and row["day"] >= complaint["day"]]
    return min(ours, key=lambda row: (row["day"], row["known"]), default=None)


def answers(snapshot: Snapshot) -> list[Row]:
    """Answered complaints; their day is the one on which both complaint and answer could be known."""
    found = []
    for complaint in snapshot.complaints:
        answer = _answer(snapshot, complaint)
        if answer is not None:
            waited = (answer["day"] - complaint["day"]).days
            found.append({"day": max(complaint["known"], answer["known"]), "waited": waited})
    return found


@naive("complaints")
def complaints_unanswered(snapshot: Snapshot) -> Value:
    return sum(1 for row in _open(snapshot) if _answer(snapshot, row) is None)


@naive("complaints", 364)
def days_to_close(snapshot: Snapshot, days: int) -> float | None:
    return mean([(row["closed_on"] - row["opened"]).days for row in within(snapshot, snapshot.settlements, days)])


@naive("complaints", 364)
def close_excess_days(snapshot: Snapshot, days: int) -> Value:
    own = days_to_close(snapshot, days)
    usual: float | None = snapshot.norms.days_to_close
    return None if own is None or usual is None else own - usual


@naive("complaints", 364)
def days_to_answer(snapshot: Snapshot, days: int) -> float | None:
    return mean([row["waited"] for row in within(snapshot, answers(snapshot), days)])


@naive("complaints", 364)
def answer_excess_days(snapshot: Snapshot, days: int) -> Value:
    own = days_to_answer(snapshot, days)
    usual: float | None = snapshot.norms.days_to_answer
    return None if own is None or usual is None else own - usual


@naive("complaints", 364)
def unsatisfied(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.settlements, days) if row["satisfied"] is False)


@naive("complaints", 364)
def goodwill(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.settlements, days)
    return money(sum(cents(row["goodwill_amount"]) for row in rows if row["goodwill_amount"] is not None))


@naive("complaints", 364)
def satisfied_share(snapshot: Snapshot, days: int) -> Value:
    judged = [row["satisfied"] for row in within(snapshot, snapshot.settlements, days) if row["satisfied"] is not None]
    return mean(judged)


@naive("complaints")
def last_unsatisfied(snapshot: Snapshot) -> Value:
    judged = [row for row in snapshot.settlements if row["satisfied"] is not None]
    last = max((row["day"] for row in judged), default=None)
    return None if last is None else int(any(not row["satisfied"] for row in judged if row["day"] == last))


@naive("complaints", 364)
def goodwill_share(snapshot: Snapshot, days: int) -> Value:
    turnover = sum(row["amount"] for row in within(snapshot, snapshot.bookings, days))
    granted = within(snapshot, snapshot.settlements, days)
    given = sum(cents(row["goodwill_amount"]) for row in granted if row["goodwill_amount"] is not None)
    return given / turnover if turnover > 0 else None
