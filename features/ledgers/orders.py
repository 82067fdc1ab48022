"""Ledgers of the orders: ``bookings`` (as booked), ``returned_goods``, and ``purchases`` (days of purchase)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.ledger import Ledger
from features.ledgers import assortment, payments, prices
from features.ledgers.rows import (
    History,
    Number,
    Reading,
    Rows,
    added_up,
    code_of,
    flags,
    gaps,
    is_distinct,
    picked,
    running_most,
    starts_of,
)

_NUMBERS = (
    Number(name="order", sql=code_of("order_id")),
    Number(name="amount", sql="round(amount * 100)::BIGINT"),
    Number(name="margin", sql="coalesce(round(margin * 100)::BIGINT, 0)", needs="margin"),
    Number(name="has_margin", sql="(margin IS NOT NULL)::BIGINT", needs="margin"),
    Number(name="quantity", sql="coalesce(round(quantity * 1000)::BIGINT, 0)", needs="quantity"),
    *assortment.NUMBERS,
    *prices.NUMBERS,
    *payments.NUMBERS,
)


def _booked(lines: Rows) -> History:
    """Join the lines of one order that happened and became known together: one row, amounts added up [cents].

    Those of them that are invoices with a due day are given by the name ``invoices`` too; the lines on which something
    known was sold stay what they are, by the name ``items``.
    """
    starts = starts_of(*(lines[name] for name in ("customer", "day", "order", "known")))
    booked = {name: lines[name][starts] for name in ("customer", "day", "known", "order")}
    added = {name: lines[name] for name in ("amount", "margin", "quantity")}
    added["margin_base"] = lines["amount"] * lines["has_margin"]
    added["lines"] = np.ones(len(lines["day"]), dtype=np.int64)
    added |= prices.listed(lines)
    orders = booked | {name: added_up(values, starts) for name, values in added.items()}
    invoices = payments.issued(orders, payments.billed(lines, starts))
    return {"orders": orders, "invoices": invoices, "items": assortment.items(lines)}


def bookings(history: History) -> Ledger:
    """Orders and returns as booked, amounts in cents; an order counts where its purchase became known first."""
    rows = history["orders"]
    amount, is_purchase = rows["amount"], _first_of_order(rows)
    values = {
        "is_order": flags(is_purchase),
        "amount": amount,
        "returned": np.maximum(-amount, 0),
        "is_return": flags(amount < 0),
        "sold": np.maximum(amount, 0),
        "margin": rows["margin"],
        "margin_base": rows["margin_base"],
        "quantity": rows["quantity"],
        "lines": np.where(is_purchase, rows["lines"], 0),
    }
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def returned_goods(history: History) -> Ledger:
    """Returns and credit notes, with what was returned [cents]."""
    returned = picked(history["orders"], history["orders"]["amount"] < 0)
    return Ledger(customer=returned["customer"], day=returned["day"], values={"returned": -returned["amount"]})


def _first_of_order(rows: Rows) -> NDArray[np.bool_]:
    """True on the part of each order with a positive amount that became known first: the purchase itself."""
    is_positive: NDArray[np.bool_] = rows["amount"] > 0
    positive = np.flatnonzero(is_positive)
    if is_distinct(rows["order"][positive]):
        return is_positive
    keys = tuple(rows[name][positive] for name in ("day", "known", "order", "customer"))
    by_knowledge = np.lexsort(keys)
    chosen = np.zeros(len(is_positive), dtype=bool)
    chosen[positive[by_knowledge[starts_of(keys[3][by_knowledge], keys[2][by_knowledge])]]] = True
    return chosen


def purchases(history: History) -> Ledger:
    """Days of purchase with all that was sold on them and the gap to the one before (first: gap 0, ``has_gap`` 0)."""
    rows = history["orders"]
    starts = starts_of(rows["customer"], rows["day"])
    bought = added_up(flags(_first_of_order(rows)), starts) > 0
    customer, day = rows["customer"][starts][bought], rows["day"][starts][bought]
    gap = gaps(customer, day)
    values = {
        "sold": added_up(np.maximum(rows["amount"], 0), starts)[bought],
        "gap": gap,
        "gap_squared": gap * gap,
        "has_gap": flags(gap > 0),
        "longest_gap": running_most(customer, gap),
    }
    return Ledger(customer=customer, day=day, values=values)


def price_days(history: History) -> Ledger:
    """Days on which something was sold with a known discount (see ``features.ledgers.prices``)."""
    rows = history["orders"]
    return prices.price_days(rows, flags(_first_of_order(rows)))


READING = Reading(
    table="orders",
    numbers=_NUMBERS,
    ties=("order",),
    prepared=_booked,
    ledgers={
        "bookings": bookings,
        "purchases": purchases,
        "returned_goods": returned_goods,
        **assortment.LEDGERS,
        "prices": price_days,
        **payments.LEDGERS,
    },
)
