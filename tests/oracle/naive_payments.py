"""The naive features of the group payments: what is paid on or after the cutoff is not paid yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from tests.oracle.known import Row, Snapshot, Value, mean, money, naive, ratio, total, within


def _invoices(snapshot: Snapshot) -> list[Row]:
    """Bookings sold with a due day, with the day of payment as far as it is known."""
    rows = [row for row in snapshot.bookings if row["billed"] > 0 and row["amount"] > 0]
    return [{**row, "paid": row["paid"] if row["paid"] and row["paid"] < snapshot.cutoff else None} for row in rows]


def _since(snapshot: Snapshot, name: str, rows: Sequence[Row]) -> list[Row]:
    """Invoices for which the day ``name`` has come, by that day or the later one on which they could be known."""
    came = [row for row in rows if row[name] is not None and row[name] < snapshot.cutoff]
    return [{**row, "day": max(row[name], row["day"], row["known"])} for row in came]


def paid_within(snapshot: Snapshot, days: int, *, ago: int = 0) -> list[Row]:
    return within(snapshot, _since(snapshot, "paid", _invoices(snapshot)), days, ago=ago)


def _unpaid_on(row: Row, day: date) -> bool:
    return row["paid"] is None or row["paid"] > day


def _overdue(snapshot: Snapshot) -> list[Row]:
    return [row for row in _invoices(snapshot) if row["due"] < snapshot.cutoff and row["paid"] is None]


def _late(rows: Sequence[Row]) -> Value:
    return mean([(row["paid"] - row["due"]).days for row in rows])


def _less(one: Value, other: Value) -> Value:
    return None if one is None or other is None else one - other


@naive("payments", 91, 364)
def days_late(snapshot: Snapshot, days: int) -> Value:
    return _late(paid_within(snapshot, days))


@naive("payments")
def days_late_last(snapshot: Snapshot) -> Value:
    rows = _since(snapshot, "paid", _invoices(snapshot))
    last = max((row["day"] for row in rows), default=None)
    return _late([row for row in rows if row["day"] == last])


@naive("payments", 91)
def days_late_trend(snapshot: Snapshot, days: int) -> Value:
    return _less(days_late(snapshot, days), _late(paid_within(snapshot, 364 - days, ago=days)))


@naive("payments", 364)
def days_late_excess(snapshot: Snapshot, days: int) -> Value:
    return _less(days_late(snapshot, days), snapshot.norms.days_late)


@naive("payments", 364)
def late_share(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, _since(snapshot, "due", _invoices(snapshot)), days)
    return ratio(sum(1 for row in rows if _unpaid_on(row, row["due"])), len(rows))


@naive("payments", 364)
def dunned(snapshot: Snapshot, days: int) -> Value:
    rows = [{**row, "reminded": row["due"] + timedelta(days=14)} for row in _invoices(snapshot)]
    reminded = [row for row in _since(snapshot, "reminded", rows) if _unpaid_on(row, row["reminded"])]
    return len(within(snapshot, reminded, days))


@naive("payments")
def overdue_count(snapshot: Snapshot) -> Value:
    return len(_overdue(snapshot))


@naive("payments")
def overdue_amount(snapshot: Snapshot) -> Value:
    return money(total(_overdue(snapshot), "billed"))


@naive("payments")
def overdue_share(snapshot: Snapshot) -> Value:
    still_open = [row for row in _invoices(snapshot) if row["paid"] is None]
    return ratio(total(_overdue(snapshot), "billed"), total(still_open, "billed"))


@naive("payments")
def oldest_overdue_days(snapshot: Snapshot) -> Value:
    return max(((snapshot.cutoff - row["due"]).days for row in _overdue(snapshot)), default=None)
