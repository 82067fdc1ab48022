"""The naive features of the group contacts."""

from __future__ import annotations

import itertools

from tests.oracle.known import Row, Snapshot, Value, age_of_last, gaps, log_change, mean, naive, ratio, within


@naive("contacts", 28, 91, 364)
def contacts_count(snapshot: Snapshot, days: int) -> Value:
    return len(within(snapshot, snapshot.contacts, days))


@naive("contacts", 91)
def inbound(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.contacts, days) if row["direction"] == "in")


@naive("contacts", 91)
def outbound(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.contacts, days) if row["direction"] == "out")


@naive("contacts", 91)
def trend(snapshot: Snapshot, days: int) -> Value:
    now, before = (len(within(snapshot, snapshot.contacts, days, ago=ago)) for ago in (0, days))
    return log_change(now, before, floor=0.5)


@naive("contacts", 364)
def inbound_share(snapshot: Snapshot, days: int) -> Value:
    rows = [row for row in within(snapshot, snapshot.contacts, days) if row["direction"] is not None]
    return ratio(sum(1 for row in rows if row["direction"] == "in"), len(rows))


def _usual_before(snapshot: Snapshot, rows: list[Row], days: int) -> float | None:
    """How many came in as many days on average, from 364 days ago (or the first) until the window begins."""
    if not rows:
        return None
    reach = max(snapshot.age(row) for row in rows) - days
    before = within(snapshot, rows, 364 - days, ago=days)
    return len(before) * days / max(days, min(reach, 364 - days))


@naive("contacts", 28)
def habit(snapshot: Snapshot, days: int) -> Value:
    usual = _usual_before(snapshot, list(snapshot.contacts), days)
    return None if usual is None else log_change(len(within(snapshot, snapshot.contacts, days)), usual, floor=0.5)


def _usual_of_class(snapshot: Snapshot) -> float | None:
    turnover = sum(row["amount"] for row in within(snapshot, snapshot.bookings, 364))
    usual: float | None = snapshot.norms.contacts[snapshot.norms.class_of(turnover)]
    return usual


@naive("contacts", 364)
def class_excess(snapshot: Snapshot, days: int) -> Value:
    usual = _usual_of_class(snapshot)
    return None if usual is None else float(len(within(snapshot, snapshot.contacts, days)) - usual)


def _by_channel(snapshot: Snapshot, days: int, *words: str) -> int:
    rows = within(snapshot, snapshot.contacts, days)
    return sum(1 for row in rows if row["channel"] is not None and row["channel"].lower() in words)


@naive("contacts", 364)
def visits(snapshot: Snapshot, days: int) -> Value:
    return _by_channel(snapshot, days, "visit")


@naive("contacts", 364)
def calls(snapshot: Snapshot, days: int) -> Value:
    return _by_channel(snapshot, days, "phone")


@naive("contacts", 364)
def written(snapshot: Snapshot, days: int) -> Value:
    return _by_channel(snapshot, days, "email", "letter")


@naive("contacts", 364)
def personal_share(snapshot: Snapshot, days: int) -> Value:
    rows = [row for row in within(snapshot, snapshot.contacts, days) if row["channel"] is not None]
    return ratio(_by_channel(snapshot, days, "visit", "phone"), len(rows))


def _of_direction(snapshot: Snapshot, direction: str) -> list[Row]:
    return [row for row in snapshot.contacts if row["direction"] == direction]


@naive("contacts")
def our_silence_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, _of_direction(snapshot, "out"))


@naive("contacts")
def their_silence_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, _of_direction(snapshot, "in"))


def _unanswered(snapshot: Snapshot) -> list[Row]:
    """Our contacts after the last day on which the customer spoke up or bought."""
    signs = [row["day"] for row in (*_of_direction(snapshot, "in"), *snapshot.purchases)]
    return [row for row in _of_direction(snapshot, "out") if not signs or row["day"] > max(signs)]


@naive("contacts")
def contacts_unanswered(snapshot: Snapshot) -> Value:
    return len(_unanswered(snapshot))


@naive("contacts", 28)
def pressure(snapshot: Snapshot, days: int) -> Value:
    own, others = _usual_before(snapshot, _of_direction(snapshot, "out"), days), _usual_of_class(snapshot)
    usual = max(own or 0.0, float(others or 0.0) * days / 364)
    return float(max(len(within(snapshot, _unanswered(snapshot), days)) - usual, 0.0))


@naive("contacts")
def contacts_recency_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, snapshot.contacts)


@naive("contacts")
def silence_ratio(snapshot: Snapshot) -> Value:
    own, since = gaps([row["day"] for row in snapshot.contacts]), age_of_last(snapshot, snapshot.contacts)
    return since / (sum(own) / len(own) + 1) if own and since is not None else None


def _mood(snapshot: Snapshot, days: int, *, ago: int = 0) -> float | None:
    rows = within(snapshot, snapshot.contacts, days, ago=ago)
    return mean([row["sentiment"] for row in rows if row["sentiment"] is not None])


@naive("contacts", 182)
def mood(snapshot: Snapshot, days: int) -> Value:
    return _mood(snapshot, days)


@naive("contacts", 182)
def mood_trend(snapshot: Snapshot, days: int) -> Value:
    now, before = _mood(snapshot, days), _mood(snapshot, days, ago=days)
    return None if now is None or before is None else now - before


@naive("contacts")
def mood_last(snapshot: Snapshot) -> Value:
    noted = [row["sentiment"] for row in snapshot.contacts if row["sentiment"] is not None]
    return noted[-1] if noted else None


@naive("contacts", 364)
def agents(snapshot: Snapshot, days: int) -> Value:
    return len({row["agent"] for row in within(snapshot, snapshot.contacts, days)} - {None})


@naive("contacts")
def agent_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, _changes(snapshot))


@naive("contacts", 364)
def agent_changes(snapshot: Snapshot, days: int) -> Value:
    return len(within(snapshot, _changes(snapshot), days))


def _changes(snapshot: Snapshot) -> list[Row]:
    spoken = [row for row in snapshot.contacts if row["agent"] is not None]
    return [row for before, row in itertools.pairwise(spoken) if row["agent"] != before["agent"]]
