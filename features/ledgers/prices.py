"""Ledger of the prices: what was sold at list price, and how much discount was given on it."""

from __future__ import annotations

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import Number, Rows, Whole, added_up, flags, picked, starts_of

_UNKNOWN = -1
_FREE = 1000
"""Discount of what costs nothing [thousandths]: its list price cannot be told from what was paid."""

NUMBERS = (
    Number(
        name="discount",
        sql="coalesce(round(discount_share * 1000)::SMALLINT, -1::SMALLINT)",
        needs="discount_share",
        absent=_UNKNOWN,
    ),
)


def listed(lines: Rows) -> dict[str, Whole]:
    """List price of each line sold with a known discount, and the discount given on it [cents]; else both 0."""
    discount, amount = lines["discount"], lines["amount"]
    if not (discount > _UNKNOWN).any():
        return {name: np.zeros(len(amount), dtype=np.int64) for name in ("listed", "given")}
    is_priced = (amount > 0) & (discount > _UNKNOWN) & (discount < _FREE)
    sold, left = np.where(is_priced, amount, 0), _FREE - discount * is_priced
    given = (2 * sold * discount + left) // (2 * left)  # sold * discount / left, rounded to whole cents
    return {"listed": sold + given, "given": given}


def price_days(bookings: Rows, is_order: Whole) -> Ledger:
    """Days on which something was sold with a known discount; returns and credit notes are no sales.

    ``listed`` is the list price of what was sold, ``given`` the discount on it [cents], ``orders`` how many orders
    count on the day and ``discounted`` how many of them had a discount.
    """
    chosen = np.flatnonzero((bookings["listed"] > 0) & (bookings["amount"] > 0))
    rows = picked({**bookings, "orders": is_order}, chosen)
    starts = starts_of(rows["customer"], rows["day"])
    discounted = rows["orders"] * flags(rows["given"] > 0)
    summed = {**{name: rows[name] for name in ("listed", "given", "orders")}, "discounted": discounted}
    values = {name: added_up(each, starts) for name, each in summed.items()}
    return Ledger(customer=rows["customer"][starts], day=rows["day"][starts], values=values)
