"""The naive features of the group relationship."""

from __future__ import annotations

from tests.oracle.known import Snapshot, Value, cents, money, naive


@naive("relationship")
def recurring_amount(snapshot: Snapshot) -> Value:
    running = [row for row in snapshot.contracts if row["ends_on"] is None or row["ends_on"] >= snapshot.cutoff]
    return money(sum(cents(row["recurring_amount"]) for row in running if row["recurring_amount"] is not None))


@naive("relationship")
def contract_days(snapshot: Snapshot) -> Value:
    return max((snapshot.age(row) for row in snapshot.contracts), default=None)
