"""The naive assortment features: products and categories of one customer, from the plain lines."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.oracle.known import Row, Snapshot, Value, cents, distinct_days, gaps, naive, ratio, within

PRODUCT, CATEGORY = "product_id", "category"


def _sold(snapshot: Snapshot, column: str) -> list[Row]:
    """Lines with a positive amount and a known thing, spelled alike."""
    return [
        {"day": line["day"], "thing": line[column].strip().lower(), "amount": cents(line["amount"])}
        for line in snapshot.lines
        if line["amount"] > 0 and line[column] is not None
    ]


def _bought(snapshot: Snapshot, column: str, days: int, *, ago: int = 0) -> dict[str, list[Row]]:
    """The lines of a window by thing."""
    found: dict[str, list[Row]] = defaultdict(list)
    for line in within(snapshot, _sold(snapshot, column), days, ago=ago):
        found[line["thing"]].append(line)
    return found


def _first_days(snapshot: Snapshot, column: str) -> dict[str, date]:
    found: dict[str, date] = {}
    for line in _sold(snapshot, column):
        found[line["thing"]] = min(line["day"], found.get(line["thing"], line["day"]))
    return found


def _new(snapshot: Snapshot, column: str, days: int) -> int:
    return sum(1 for day in _first_days(snapshot, column).values() if (snapshot.cutoff - day).days <= days)


def _new_days(snapshot: Snapshot, column: str) -> Value:
    newest = max(_first_days(snapshot, column).values(), default=None)
    return None if newest is None else (snapshot.cutoff - newest).days


def _first_count(snapshot: Snapshot, column: str) -> Value:
    first = list(_first_days(snapshot, column).values())
    return first.count(min(first)) if first else None


def _single(snapshot: Snapshot, column: str, days: int) -> Value:
    count = len(_bought(snapshot, column, days))
    return int(count == 1) if count else None


def _top_share(snapshot: Snapshot, column: str, days: int) -> Value:
    sums = [sum(line["amount"] for line in lines) for lines in _bought(snapshot, column, days).values()]
    return ratio(max(sums, default=None), sum(sums))


@naive("assortment", 91, 364, 728)
def products(snapshot: Snapshot, days: int) -> Value:
    return len(_bought(snapshot, PRODUCT, days))


@naive("assortment", 91, 364, 728)
def categories(snapshot: Snapshot, days: int) -> Value:
    return len(_bought(snapshot, CATEGORY, days))


@naive("assortment", 728)
def single_product(snapshot: Snapshot, days: int) -> Value:
    return _single(snapshot, PRODUCT, days)


@naive("assortment", 728)
def single_category(snapshot: Snapshot, days: int) -> Value:
    return _single(snapshot, CATEGORY, days)


@naive("assortment", 364)
def new_products(snapshot: Snapshot, days: int) -> Value:
    return _new(snapshot, PRODUCT, days)


@naive("assortment", 364)
def new_categories(snapshot: Snapshot, days: int) -> Value:
    return _new(snapshot, CATEGORY, days)


@naive("assortment")
def new_product_days(snapshot: Snapshot) -> Value:
    return _new_days(snapshot, PRODUCT)


@naive("assortment")
def new_category_days(snapshot: Snapshot) -> Value:
    return _new_days(snapshot, CATEGORY)


@naive("assortment", 91, 364)
def dropped_categories(snapshot: Snapshot, days: int) -> Value:
    return len({*_bought(snapshot, CATEGORY, days, ago=days)} - {*_bought(snapshot, CATEGORY, days)})


def _regular(snapshot: Snapshot, days: int) -> dict[bool, list[list[Row]]]:
    """The lines of every category bought on three days or more, by whether it is silent."""
    found: dict[bool, list[list[Row]]] = {True: [], False: []}
    for lines in _bought(snapshot, CATEGORY, days).values():
        bought = distinct_days(lines)
        if len(bought) >= 3:
            mean = Fraction(sum(gaps(bought)), len(bought) - 1)
            found[(snapshot.cutoff - bought[-1]).days > 2 * mean].append(lines)
    return found


@naive("assortment", 728)
def silent_categories(snapshot: Snapshot, days: int) -> Value:
    return len(_regular(snapshot, days)[True])


@naive("assortment", 728)
def living_categories(snapshot: Snapshot, days: int) -> Value:
    return len(_regular(snapshot, days)[False])


@naive("assortment", 728)
def silent_share(snapshot: Snapshot, days: int) -> Value:
    silent = sum(line["amount"] for lines in _regular(snapshot, days)[True] for line in lines)
    return ratio(silent, sum(line["amount"] for lines in _bought(snapshot, CATEGORY, days).values() for line in lines))


@naive("assortment", 364)
def top_category_share(snapshot: Snapshot, days: int) -> Value:
    return _top_share(snapshot, CATEGORY, days)


@naive("assortment", 364)
def top_product_share(snapshot: Snapshot, days: int) -> Value:
    return _top_share(snapshot, PRODUCT, days)


@naive("assortment")
def first_products(snapshot: Snapshot) -> Value:
    return _first_count(snapshot, PRODUCT)


@naive("assortment")
def first_categories(snapshot: Snapshot) -> Value:
    return _first_count(snapshot, CATEGORY)
