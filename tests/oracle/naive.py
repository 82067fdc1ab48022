"""An independent oracle: every feature of the catalogue as a plain loop over rows, one customer and cutoff at a time.

Written from the feature dictionary alone: lists of dicts, dates, ints of cents; no NumPy, nothing imported from
``features``. Slow on purpose. To add a feature, write a function and decorate it with ``naive("group", …)``.

What a function returns decides how it is compared: ``int`` exactly, ``float`` to 1e-9, ``None`` is a missing value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Value = int | float | None

YEAR, QUARTER = 364, 91


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was known of one customer on the morning of ``cutoff``: rows with their ``day``, oldest first."""

    cutoff: date
    bookings: Sequence[Row]
    purchases: Sequence[Row]
    complaints: Sequence[Row]
    settlements: Sequence[Row]
    contacts: Sequence[Row]
    contracts: Sequence[Row]

    def age(self, row: Row) -> int:
        """Return the age of a row [days]; always at least 1."""
        happened: date = row["day"]
        return (self.cutoff - happened).days


FEATURES: dict[str, Callable[[Snapshot], Value]] = {}
"""Every naive feature by its name in the catalogue."""


def naive(group: str, *windows: int) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register the decorated function under its name, once per window."""

    def register(compute: Callable[..., Value]) -> Callable[..., Value]:
        name = f"{group}__{compute.__name__.removeprefix(group + '_')}"
        if not windows:
            FEATURES[name] = compute
        for days in windows:
            FEATURES[f"{name}_{days}d"] = partial(compute, days=days)
        return compute

    return register


# --- What was known -------------------------------------------------------------------------------------------------


def snapshot_of(tables: Mapping[str, list[Row]], customer: str, cutoff: date, *, timezone: str) -> Snapshot:
    """Return what the tables hold of ``customer`` as it stood on the morning of ``cutoff``."""
    own = {
        name: [_known_row(row, cutoff, timezone=timezone) for row in rows if row["customer_id"] == customer]
        for name, rows in tables.items()
    }
    past = {name: [row for row in rows if row is not None] for name, rows in own.items()}
    bookings = _bookings(past.get("orders", []))
    complaints = sorted(past.get("complaints", []), key=lambda row: (row["day"], row["complaint_id"]))
    return Snapshot(
        cutoff=cutoff,
        bookings=bookings,
        purchases=_purchases(bookings),
        complaints=complaints,
        settlements=_settlements(complaints, cutoff),
        contacts=sorted(past.get("contacts", []), key=lambda row: (row["day"], row["contact_id"])),
        contracts=sorted(past.get("contracts", []), key=lambda row: row["day"]),
    )


def _known_row(row: Row, cutoff: date, *, timezone: str) -> Row | None:
    happened = row["occurred_on"] if "occurred_on" in row else row["starts_on"]
    day = happened.astimezone(ZoneInfo(timezone)).date() if isinstance(happened, datetime) else happened
    known = row.get("known_at") or day
    return {**row, "day": day, "known": known} if known < cutoff and day < cutoff else None


def _cents(amount: float) -> int:
    return round(amount * 100)


def _bookings(lines: list[Row]) -> list[Row]:
    """Lines of one order that happened and became known together are one booking; its sign is that of their sum."""
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    for line in lines:
        grouped.setdefault((line["day"], line["order_id"], line["known"]), []).append(line)
    return [
        {
            "day": day,
            "order_id": order_id,
            "known": known,
            "amount": sum(_cents(line["amount"]) for line in own),
            "margin": sum(_cents(line["margin"]) for line in own if line["margin"] is not None),
            "margin_base": sum(_cents(line["amount"]) for line in own if line["margin"] is not None),
            "lines": len(own),
        }
        for (day, order_id, known), own in sorted(grouped.items())
    ]


def _purchases(bookings: list[Row]) -> list[Row]:
    """Of every order the positive booking that became known first (of several the earliest): the purchase itself."""
    first: dict[str, Row] = {}
    for booking in bookings:
        if booking["amount"] > 0:
            held = first.get(booking["order_id"])
            if held is None or (booking["known"], booking["day"]) < (held["known"], held["day"]):
                first[booking["order_id"]] = booking
    return sorted(first.values(), key=lambda row: row["day"])


def _settlements(complaints: list[Row], cutoff: date) -> list[Row]:
    """Complaints closed before the cutoff; their day is the one on which both could be known."""
    return [
        {**row, "opened": row["day"], "day": max(row["closed_on"], row["known"])}
        for row in complaints
        if row["closed_on"] is not None and row["closed_on"] < cutoff
    ]


# --- Small words ----------------------------------------------------------------------------------------------------


def within(snapshot: Snapshot, rows: Sequence[Row], days: int, *, ago: int = 0) -> list[Row]:
    """Return the rows aged ``ago + 1`` to ``ago + days`` days."""
    return [row for row in rows if ago + 1 <= snapshot.age(row) <= ago + days]


def total(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def money(cents: int) -> float:
    return cents / 100


def ratio(above: Fraction | float | None, below: Fraction | float | None) -> float | None:
    return None if above is None or not below else float(above / below)


def mean(values: Sequence[Any]) -> float | None:
    return float(sum(Fraction(value) for value in values) / len(values)) if values else None


def log_change(now: float, before: float, *, floor: float) -> float | None:
    if now == 0 and before == 0:
        return None
    return math.log(max(now, 0) + floor) - math.log(max(before, 0) + floor)


def distinct_days(rows: Sequence[Row]) -> list[date]:
    return sorted({row["day"] for row in rows})


def gaps(days: Sequence[date]) -> list[int]:
    return [(later - earlier).days for earlier, later in itertools.pairwise(days)]


def age_of_last(snapshot: Snapshot, rows: Sequence[Row]) -> int | None:
    return min((snapshot.age(row) for row in rows), default=None)


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


def _purchase_gaps(snapshot: Snapshot) -> list[int]:
    return gaps(distinct_days(snapshot.purchases))


@naive("sales")
def gap_mean_days(snapshot: Snapshot) -> float | None:
    return mean(_purchase_gaps(snapshot))


@naive("sales")
def gap_sd_days(snapshot: Snapshot) -> float | None:
    own = _purchase_gaps(snapshot)
    if len(own) < 2:
        return None
    middle = Fraction(sum(own), len(own))
    return math.sqrt(sum((gap - middle) ** 2 for gap in own) / len(own))


@naive("sales")
def gap_longest_days(snapshot: Snapshot) -> Value:
    return max(_purchase_gaps(snapshot), default=None)


@naive("sales")
def gap_last_days(snapshot: Snapshot) -> Value:
    own = _purchase_gaps(snapshot)
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


# --- Complaints -----------------------------------------------------------------------------------------------------


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
    return money(sum(_cents(row["goodwill_amount"]) for row in rows if row["goodwill_amount"] is not None))


# --- Contacts -------------------------------------------------------------------------------------------------------


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


# --- Relationship ---------------------------------------------------------------------------------------------------


@naive("relationship")
def recurring_amount(snapshot: Snapshot) -> Value:
    running = [row for row in snapshot.contracts if row["ends_on"] is None or row["ends_on"] >= snapshot.cutoff]
    return money(sum(_cents(row["recurring_amount"]) for row in running if row["recurring_amount"] is not None))


@naive("relationship")
def contract_days(snapshot: Snapshot) -> Value:
    return max((snapshot.age(row) for row in snapshot.contracts), default=None)


# --- Rhythm: the formulas, given the fitted parameters ----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Parameters that the rhythm features take as given, and the days to look ahead."""

    r: float
    alpha: float
    a: float
    b: float
    mean_gap_days: float
    gap_variation: float
    lead_days: int
    horizon_days: int


def rhythm(snapshot: Snapshot, fitted: Fitted) -> dict[str, float | None]:
    """Return the features of the group rhythm; all are missing for a customer who never bought."""
    names = ("alive_chance", "silent_chance", "expected_orders", "gap_survival")
    days = distinct_days(snapshot.purchases)
    if not days:
        return {f"rhythm__{name}": None for name in names}
    x, last = len(days) - 1, (days[-1] - days[0]).days / 7
    age = (snapshot.cutoff - days[0]).days / 7
    alive = _alive(fitted, x, last, age)
    values = (alive, _silent(fitted, x, age, alive), alive * _expected(fitted, x, age), _survival(snapshot, fitted))
    return {f"rhythm__{name}": value for name, value in zip(names, values, strict=True)}


def _alive(fitted: Fitted, x: int, last: float, age: float) -> float:
    if x == 0:
        return 1.0
    stretch = math.pow((fitted.alpha + age) / (fitted.alpha + last), fitted.r + x)
    return 1 / (1 + fitted.a / (fitted.b + x - 1) * stretch)


def _silent(fitted: Fitted, x: int, age: float, alive: float) -> float:
    lead, horizon = fitted.lead_days / 7, fitted.horizon_days / 7
    leaving = fitted.a / (fitted.a + fitted.b + x)

    def nothing_for(weeks: float) -> float:
        return math.pow((fitted.alpha + age) / (fitted.alpha + age + weeks), fitted.r + x)

    left_in_lead, stays_silent = 1 - nothing_for(leaving * lead), nothing_for(leaving * lead + horizon)
    return (1 - alive) + alive * (left_in_lead + stays_silent)


def _expected(fitted: Fitted, x: int, age: float) -> float:
    """Expected purchases of a living customer within a year, the hypergeometric function as its series."""
    weeks, a, b = YEAR / 7, fitted.a, fitted.b
    z = weeks / (fitted.alpha + age + weeks)
    term = series = 1.0
    for n in range(1_000_000):
        term *= (fitted.r + x + n) * (b + x + n) / ((a + b + x - 1 + n) * (n + 1)) * z
        series += term
        if term < series * 1e-17:
            break
    return (a + b + x - 1) / (a - 1) * (1 - math.pow(1 - z, fitted.r + x) * series)


def _survival(snapshot: Snapshot, fitted: Fitted) -> float:
    """P(gap > now + lead + horizon) / P(gap > now) of a Gamma gap, integrated by a fine midpoint rule."""
    own = _purchase_gaps(snapshot)
    middle = (sum(own) + fitted.mean_gap_days) / (len(own) + 1)
    variation, weight = fitted.gap_variation * 4, 4
    if len(own) >= 2:
        squares = sum((gap - Fraction(sum(own), len(own))) ** 2 for gap in own) / (len(own) - 1)
        variation += float(squares / Fraction(sum(own), len(own)) ** 2) * len(own)
        weight += len(own)
    shape = 1 / max(variation / weight, 0.01)
    now = age_of_last(snapshot, snapshot.purchases) or 0
    through = _gamma_tail(shape, shape * (now + fitted.lead_days + fitted.horizon_days) / middle)
    so_far = _gamma_tail(shape, shape * now / middle)
    return through / so_far if so_far > 1e-12 else 1.0


def _gamma_tail(shape: float, x: float) -> float:
    """Regularised upper incomplete gamma function: series below, continued fraction (Lentz) above the mean."""
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape)) if x > 0 else 0.0
    if x < shape + 1:
        term = series = 1 / shape
        n = shape
        while term > series * 1e-17:
            n += 1
            term *= x / n
            series += term
        return 1 - front * series
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 10_000):
        an = -i * (i - shape)
        b += 2
        d = 1 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return front * h
