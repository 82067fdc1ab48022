"""The naive features of the group prices."""

from __future__ import annotations

from fractions import Fraction

from tests.oracle.known import Row, Snapshot, Value, money, naive, ratio, total, within


def priced_within(snapshot: Snapshot, days: int, *, ago: int = 0) -> list[Row]:
    """Bookings of the window with something sold at a known discount; a return is no sale."""
    rows = within(snapshot, snapshot.bookings, days, ago=ago)
    return [row for row in rows if row["listed"] > 0 and row["amount"] > 0]


def _orders(snapshot: Snapshot, rows: list[Row]) -> list[Row]:
    """Those of the bookings that are the purchase itself."""
    return [row for row in rows if any(row is purchase for purchase in snapshot.purchases)]


def _discount(rows: list[Row]) -> Value:
    return ratio(total(rows, "given"), total(rows, "listed"))


def _discounted(snapshot: Snapshot, rows: list[Row]) -> Value:
    orders = _orders(snapshot, rows)
    return ratio(sum(1 for row in orders if row["given"] > 0), len(orders))


def _less(one: Value, other: Value) -> Value:
    return None if one is None or other is None else one - other


@naive("prices", 91, 182, 364)
def discount(snapshot: Snapshot, days: int) -> Value:
    return _discount(priced_within(snapshot, days))


@naive("prices", 364)
def given(snapshot: Snapshot, days: int) -> Value:
    return money(total(priced_within(snapshot, days), "given"))


@naive("prices", 364)
def discounted_share(snapshot: Snapshot, days: int) -> Value:
    return _discounted(snapshot, priced_within(snapshot, days))


@naive("prices", 364)
def discount_excess(snapshot: Snapshot, days: int) -> Value:
    return _less(discount(snapshot, days), snapshot.norms.discount)


@naive("prices", 182)
def discount_trend(snapshot: Snapshot, days: int) -> Value:
    return _less(discount(snapshot, days), _discount(priced_within(snapshot, days, ago=days)))


@naive("prices", 182)
def discounted_trend(snapshot: Snapshot, days: int) -> Value:
    return _less(discounted_share(snapshot, days), _discounted(snapshot, priced_within(snapshot, days, ago=days)))


@naive("prices")
def last_discount(snapshot: Snapshot) -> Value:
    rows = priced_within(snapshot, 36_500)
    return _discount([row for row in rows if row["day"] == rows[-1]["day"]]) if rows else None


@naive("prices", 364)
def last_discount_excess(snapshot: Snapshot, days: int) -> Value:
    return _less(last_discount(snapshot), discount(snapshot, days))


@naive("prices", 182)
def squeeze(snapshot: Snapshot, days: int) -> Value:
    def worth(rows: list[Row]) -> Fraction | None:
        orders = _orders(snapshot, rows)
        return Fraction(total(rows, "listed"), len(orders)) if orders else None

    rise, now = discount_trend(snapshot, days), worth(priced_within(snapshot, days))
    before = worth(priced_within(snapshot, days, ago=days))
    if rise is None or now is None or not before:
        return None
    return max(rise, 0.0) * max(float(1 - now / before), 0.0)
