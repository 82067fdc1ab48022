"""An independent oracle: every feature of the catalogue as a plain loop over rows, one customer and cutoff at a time.

Written from the feature dictionary alone: lists of dicts, dates, ints of cents; no NumPy, nothing imported from
``features``. Slow on purpose. To add a feature, write a function and decorate it with ``naive("group", …)``.

What a function returns decides how it is compared: ``int`` exactly, ``float`` to 1e-9, ``None`` is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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


@naive("sales", 91, 364, 728)
def basket(snapshot: Snapshot, days: int) -> Value:
    return ratio(Fraction(_sold(snapshot, days), 100), len(within(snapshot, snapshot.purchases, days)))


@naive("sales")
def basket_last(snapshot: Snapshot) -> Value:
    if not snapshot.purchases:
        return None
    last = max(row["day"] for row in snapshot.purchases)
    return money(sum(row["amount"] for row in snapshot.bookings if row["day"] == last and row["amount"] > 0))


@naive("sales", 28, 91)
def turnover_trend(snapshot: Snapshot, days: int) -> Value:
    now, before = (total(within(snapshot, snapshot.bookings, days, ago=ago), "amount") for ago in (0, days))
    return log_change(money(now), money(before), floor=1.0)


@naive("sales", 91)
def orders_trend(snapshot: Snapshot, days: int) -> Value:
    now, before = (len(within(snapshot, snapshot.purchases, days, ago=ago)) for ago in (0, days))
    return log_change(now, before, floor=0.5)


@naive("sales", 28, 91)
def turnover_season(snapshot: Snapshot, days: int) -> Value:
    if (sales_tenure_days(snapshot) or 0) <= YEAR:
        return None
    now, before = (total(within(snapshot, snapshot.bookings, days, ago=ago), "amount") for ago in (0, YEAR))
    return log_change(money(now), money(before), floor=1.0)


@naive("sales", 28, 91)
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


@naive("sales", 91, 364)
def returns(snapshot: Snapshot, days: int) -> Value:
    return sum(1 for row in within(snapshot, snapshot.bookings, days) if row["amount"] < 0)


@naive("sales", 364)
def returns_share(snapshot: Snapshot, days: int) -> Value:
    returned = sum(-row["amount"] for row in within(snapshot, snapshot.bookings, days) if row["amount"] < 0)
    return ratio(returned, _sold(snapshot, days))


@naive("sales", 91, 364, 728)
def margin(snapshot: Snapshot, days: int) -> Value:
    return money(total(within(snapshot, snapshot.bookings, days), "margin"))


@naive("sales", 91, 364)
def margin_share(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.bookings, days)
    return ratio(total(rows, "margin"), total(rows, "margin_base"))


@naive("sales", 364)
def lines_per_order(snapshot: Snapshot, days: int) -> Value:
    rows = within(snapshot, snapshot.purchases, days)
    return ratio(total(rows, "lines"), len(rows))


@naive("sales", 91, 364, 728)
def quantity(snapshot: Snapshot, days: int) -> Value:
    return float(sum(row["quantity"] for row in within(snapshot, snapshot.bookings, days)))


@naive("sales")
def return_days(snapshot: Snapshot) -> Value:
    return age_of_last(snapshot, [row for row in snapshot.bookings if row["amount"] < 0])


@naive("sales", 91)
def season_level(snapshot: Snapshot, days: int) -> Value:
    share = snapshot.norms.season_share
    if share is None or (sales_tenure_days(snapshot) or 0) <= YEAR + days:
        return None
    now = total(within(snapshot, snapshot.bookings, days), "amount")
    base = total(within(snapshot, snapshot.bookings, YEAR, ago=days), "amount")
    return log_change(money(now), base * share / 100, floor=1.0)


def _parabola(snapshot: Snapshot) -> tuple[Fraction, Fraction] | None:
    """Slope and bend of the least-squares parabola through the 13 blocks, over their mean, by its normal equations."""
    if (sales_tenure_days(snapshot) or 0) <= YEAR:
        return None
    blocks = [total(within(snapshot, snapshot.bookings, 28, ago=28 * back), "amount") for back in range(12, -1, -1)]
    if sum(blocks) <= 0:
        return None
    y, x = [Fraction(block * 13, sum(blocks)) for block in blocks], range(13)
    line = _solved([[sum(each ** (i + j) for each in x) for j in range(2)] for i in range(2)], _moments(x, y, 2))
    curve = _solved([[sum(each ** (i + j) for each in x) for j in range(3)] for i in range(3)], _moments(x, y, 3))
    return line[1], 2 * curve[2]


def _moments(x: Sequence[int], y: Sequence[Fraction], count: int) -> list[Fraction]:
    return [sum((each**power * value for each, value in zip(x, y, strict=True)), Fraction(0)) for power in range(count)]


def _solved(rows: list[list[int]], right: list[Fraction]) -> list[Fraction]:
    """Gauss-Jordan in fractions."""
    table = [[*map(Fraction, row), value] for row, value in zip(rows, right, strict=True)]
    for pivot in range(len(table)):
        table[pivot] = [value / table[pivot][pivot] for value in table[pivot]]
        for other in range(len(table)):
            if other != pivot:
                factor = table[other][pivot]
                table[other] = [a - factor * b for a, b in zip(table[other], table[pivot], strict=True)]
    return [row[-1] for row in table]


@naive("sales", 364)
def turnover_slope(snapshot: Snapshot, days: int) -> Value:
    found = _parabola(snapshot)
    return None if found is None else float(found[0])


@naive("sales", 364)
def turnover_acceleration(snapshot: Snapshot, days: int) -> Value:
    found = _parabola(snapshot)
    return None if found is None else float(found[1])


@naive("sales")
def first_basket(snapshot: Snapshot) -> Value:
    if not snapshot.purchases:
        return None
    first = min(row["day"] for row in snapshot.purchases)
    return money(sum(row["amount"] for row in snapshot.bookings if row["day"] == first and row["amount"] > 0))


@naive("sales")
def second_purchase_days(snapshot: Snapshot) -> Value:
    own = purchase_gaps(snapshot)
    return own[0] if own else None
