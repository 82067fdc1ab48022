"""The naive features of the group contacts."""

from __future__ import annotations

import itertools

from tests.oracle.known import Snapshot, Value, age_of_last, gaps, log_change, mean, naive, within


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


@naive("contacts", 364)
def agent_changes(snapshot: Snapshot, days: int) -> Value:
    spoken = [row for row in snapshot.contacts if row["agent"] is not None]
    changed = [row for before, row in itertools.pairwise(spoken) if row["agent"] != before["agent"]]
    return len(within(snapshot, changed, days))
