"""The naive features of the group relationship."""

from __future__ import annotations

from datetime import date, timedelta

from tests.oracle.known import Row, Snapshot, Value, cents, distinct_days, log_change, money, naive, within


def _running(snapshot: Snapshot, *, ago: int = 0) -> list[Row]:
    """Contracts that had begun, and whose last day had not passed, so many days before the cutoff."""
    then = snapshot.cutoff - timedelta(days=ago)
    begun = [row for row in snapshot.contracts if row["day"] < then]
    return [row for row in begun if row["ends_on"] is None or row["ends_on"] >= then]


def _monthly(rows: list[Row]) -> float:
    return money(sum(cents(row["recurring_amount"]) for row in rows if row["recurring_amount"] is not None))


@naive("relationship")
def recurring_amount(snapshot: Snapshot) -> Value:
    return _monthly(_running(snapshot))


@naive("relationship", 364)
def recurring_trend(snapshot: Snapshot, days: int) -> Value:
    return log_change(_monthly(_running(snapshot)), _monthly(_running(snapshot, ago=days)), floor=1.0)


@naive("relationship")
def recurring_change(snapshot: Snapshot) -> Value:
    days = distinct_days(snapshot.contracts)
    if len(days) < 2:
        return None
    last, before = (_monthly([row for row in snapshot.contracts if row["day"] == day]) for day in (days[-1], days[-2]))
    return log_change(last, before, floor=1.0)


@naive("relationship")
def contract_days(snapshot: Snapshot) -> Value:
    return max((snapshot.age(row) for row in snapshot.contracts), default=None)


@naive("relationship")
def running(snapshot: Snapshot) -> Value:
    return len(_running(snapshot))


@naive("relationship")
def products(snapshot: Snapshot) -> Value:
    return len({row["product"].lower() for row in _running(snapshot) if row["product"] is not None})


@naive("relationship")
def renewals(snapshot: Snapshot) -> Value:
    return max(len(distinct_days(snapshot.contracts)) - 1, 0)


@naive("relationship", 364)
def ended(snapshot: Snapshot, days: int) -> Value:
    over = [{"day": row["ends_on"]} for row in snapshot.contracts if row["ends_on"] is not None]
    return len(within(snapshot, [row for row in over if row["day"] < snapshot.cutoff], days))


def _is_cancelled(snapshot: Snapshot, row: Row) -> bool:
    return row["cancelled_on"] is not None and row["cancelled_on"] < snapshot.cutoff


@naive("relationship")
def notices(snapshot: Snapshot) -> Value:
    return sum(1 for row in _running(snapshot) if _is_cancelled(snapshot, row))


def _days_to_next(snapshot: Snapshot, days: list[date]) -> int | None:
    return min(((day - snapshot.cutoff).days for day in days if day >= snapshot.cutoff), default=None)


@naive("relationship")
def term_days(snapshot: Snapshot) -> Value:
    ends = [row["agreed_until"] for row in _running(snapshot) if row["agreed_until"] is not None]
    return _days_to_next(snapshot, ends)


@naive("relationship")
def notice_days_left(snapshot: Snapshot) -> Value:
    last_days = [
        row["agreed_until"] - timedelta(days=row["notice_days"])
        for row in _running(snapshot)
        if row["agreed_until"] is not None and row["notice_days"] is not None and not _is_cancelled(snapshot, row)
    ]
    return _days_to_next(snapshot, last_days)


def _since(snapshot: Snapshot) -> date | None:
    said: date | None = snapshot.customer["since"] if snapshot.customer else None
    return None if said is None or said >= snapshot.cutoff else said


@naive("relationship")
def since_days(snapshot: Snapshot) -> Value:
    since = _since(snapshot)
    return None if since is None else (snapshot.cutoff - since).days


@naive("relationship")
def anniversary_days(snapshot: Snapshot) -> Value:
    first = _since(snapshot) or min((row["day"] for row in snapshot.purchases), default=None)
    if first is None:
        return None
    day = snapshot.cutoff
    while (day.month, day.day) != (first.month, first.day) and not _is_29_february_of(first, day):
        day += timedelta(days=1)
    return (day - snapshot.cutoff).days


def _is_29_february_of(first: date, day: date) -> bool:
    """Whether the 1 March ``day`` stands for the 29 February that its year does not have."""
    leap = (day - timedelta(days=1)).day == 29
    return (first.month, first.day) == (2, 29) and (day.month, day.day) == (3, 1) and not leap


@naive("relationship")
def facts_share(snapshot: Snapshot) -> Value:
    row = snapshot.customer
    if row is None or row["known_at"] is None:
        return None
    of_kind = ["birthday"] if row["type"] == "b2c" else ["industry", "size"]
    names = ["email", "phone", "preferred_channel", *of_kind]
    return sum(row[name] is not None for name in names) / len(names)
