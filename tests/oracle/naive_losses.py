"""The naive features of the group losses; customers count as active for 180 days, the default."""

from __future__ import annotations

from tests.oracle.known import Row, Snapshot, Value, age_of_last, naive

ACTIVE_DAYS, GRACE_DAYS = 180, 30


def _note(snapshot: Snapshot) -> Row | None:
    """The last loss noted, of a customer who is silent for too long and has not bought since."""
    silent, noted = age_of_last(snapshot, snapshot.purchases), age_of_last(snapshot, snapshot.losses)
    if silent is None or noted is None or silent <= ACTIVE_DAYS or noted - silent >= GRACE_DAYS:
        return None
    last = [row for row in snapshot.losses if snapshot.age(row) == noted]
    return max(last, key=lambda row: (_opinion(row), row["source"] != "inferred", row["known"]))


def _opinion(row: Row) -> int:
    """Rows of one day lie in the order no opinion, hopeless, winnable."""
    return 0 if row["winnable"] is None else 1 + int(row["winnable"])


@naive("losses")
def winnable(snapshot: Snapshot) -> Value:
    note = _note(snapshot)
    return None if note is None else {0: 0, 1: -1, 2: 1}[_opinion(note)]


@naive("losses")
def losses_told(snapshot: Snapshot) -> Value:
    note = _note(snapshot)
    return None if note is None else int(note["source"] != "inferred")
