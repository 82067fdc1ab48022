"""An independent oracle: every feature of the catalogue as a plain loop over rows, one customer and cutoff at a time.

Written from the feature dictionary alone: lists of dicts, dates, ints of cents; no NumPy, nothing imported from
``features``. Slow on purpose. To add a feature, write a function and decorate it with ``naive("group", …)``.

What a function returns decides how it is compared: ``int`` exactly, ``float`` to 1e-9, ``None`` is a missing value.
"""

from __future__ import annotations

import math
from fractions import Fraction

from tests.oracle.known import (
    YEAR,
    Snapshot,
    Value,
    age_of_last,
    distinct_days,
    gaps,
    log_change,
    mean,
    money,
    naive,
    ratio,
    total,
    within,
)

# --- Sales ----------------------------------------------------------------------------------------------------------


@naive("sales", 28, 91, 182, 364, 728)
def orders(snapshot: Snapshot, days: int) -> Value:
    return len(within(snapshot, snapshot.purchases, days))


@naive("sales", 28, 91, 182, 364, 728)
def turnover(snapshot: Snapshot, days: int) -> Value:
    return money(total(within(snapshot, snapshot.bookings, days), "amount"))


def _sold(snapshot: Snapshot, days: int) -> int:
    return sum(row["amount"] for row in within(snapshot, snapshot.bookings, days) if row["amount"] > 0)


@naive("sales", 364)
def basket(snapshot: Snapshot, days: int) -> Value:
    return ratio(Fraction(_sold(snapshot, days), 100), len(within(snapshot, snapshot.purchases, days)))


@naive("sales")
def basket_last(snapshot: Snapshot) -> Value:
    if not snapshot.purchases:
        return None
    last = max(row["day"] for row in snapshot.purchases)
    return money(sum(row["amount"] for row in snapshot.bookings if row["day"] == last and row["amount"] > 0))


@naive("sales", 91)
def turnover_trend(snapshot: Snapshot, days: int) -> Value:
    now, before = (total(within(snapshot, snapshot.bookings, days, ago=ago), "amount") for ago in (0, days))
    return log_change(money(now), money(before), floor=1.0)


@naive("sales", 91)
def orders_trend(snapshot: Snapshot, days: int) -> Value:
    now, before = (len(within(snapshot, snapshot.purchases, days, ago=ago)) for ago in (0, days))
    return log_change(now, before, floor=0.5)


@naive("sales", 91)
def turnover_season(snapshot: Snapshot, days: int) -> Value:
    if (sales_tenure_days(snapshot) or 0) <= YEAR:
        return None
    now, before = (total(within(snapshot, snapshot.bookings, days, ago=ago), "amount") for ago in (0, YEAR))
    return log_change(money(now), money(before), floor=1.0)


@naive("sales", 91)
def turnover_season_base(snapshot: Snapshot, days: int) -> Value:
    if (sales_tenure_days(snapshot) or 0) <= YEAR:
        return None
    return money(total(within(snapshot, snapshot.bookings, days, ago=YEAR), "amount"))


@naive("sales")
def sales_recency_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, snapshot.purchases)


@naive("sales")
def sales_tenure_days(snapshot: Snapshot) -> int | None:
    return max((snapshot.age(row) for row in snapshot.purchases), default=None)


@naive("sales")
def purchase_days(snapshot: Snapshot) -> Value:
    return len(distinct_days(snapshot.purchases))


def purchase_gaps(snapshot: Snapshot) -> list[int]:
    return gaps(distinct_days(snapshot.purchases))


@naive("sales")
def gap_mean_days(snapshot: Snapshot) -> float | None:
    return mean(purchase_gaps(snapshot))


@naive("sales")
def gap_sd_days(snapshot: Snapshot) -> float | None:
    own = purchase_gaps(snapshot)
    if len(own) < 2:
        return None
    middle = Fraction(sum(own), len(own))
    return math.sqrt(sum((gap - middle) ** 2 for gap in own) / len(own))


@naive("sales")
def gap_longest_days(snapshot: Snapshot) -> Value:
    return max(purchase_gaps(snapshot), default=None)


@naive("sales")
def gap_last_days(snapshot: Snapshot) -> Value:
    own = purchase_gaps(snapshot)
    return own[-1] if own else None


@naive("sales")
def overdue_ratio(snapshot: Snapshot) -> Value:
    return ratio(age_of_last(snapshot, snapshot.purchases), gap_mean_days(snapshot))


@naive("sales")
def overdue_z(snapshot: Snapshot) -> Value:
    middle, spread, since = gap_mean_days(snapshot), gap_sd_days(snapshot), age_of_last(snapshot, snapshot.purchases)
    return None if middle is None or spread is None or since is None else (since - middle) / (spread + 1)


@naive("sales", 364)
def returns(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.bookings, days) if row["amount"] < 0)


@naive("sales", 364)
def returns_share(snapshot: Snapshot, days: int) -> Value:
    returned = sum(-row["amount"] for row in within(snapshot, snapshot.bookings, days) if row["amount"] < 0)
    return ratio(returned, _sold(snapshot, days))


@naive("sales", 364)
def margin(snapshot: Snapshot, days: int) -> Value:
    return money(total(within(snapshot, snapshot.bookings, days), "margin"))


@naive("sales", 364)
def margin_share(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.bookings, days)
    return ratio(total(rows, "margin"), total(rows, "margin_base"))


@naive("sales", 364)
def lines_per_order(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.purchases, days)
    return ratio(total(rows, "lines"), len(rows))
