"""The naive features of the group complaints."""

from __future__ import annotations

from tests.oracle.known import Row, Snapshot, Value, age_of_last, cents, mean, money, naive, ratio, within


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


@naive("complaints")
def open_count(snapshot: Snapshot) -> Value:
    return len(_open(snapshot))


@naive("complaints")
def oldest_open_days(snapshot: Snapshot) -> Value:
    return max((snapshot.age(row) for row in _open(snapshot)), default=None)


@naive("complaints", 364)
def days_to_close(snapshot: Snapshot, days: int) -> Value:
    return mean([(row["closed_on"] - row["opened"]).days for row in within(snapshot, snapshot.settlements, days)])


@naive("complaints", 364)
def unsatisfied(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.settlements, days) if row["satisfied"] is False)


@naive("complaints", 364)
def goodwill(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.settlements, days)
    return money(sum(cents(row["goodwill_amount"]) for row in rows if row["goodwill_amount"] is not None))
