"""Ledgers of the invoices: issued, fallen due, paid, unpaid past their day, and unpaid for so long that we remind.

A payment exists from its own day on. So each ledger counts an invoice from the day on which the invoice could be known
and what the ledger says of it had come true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import NEVER, History, Number, Rows, Whole, added_up, by_day, flags, picked, starts_of

REMINDED_AFTER_DAYS = 14
"""Days past the due day after which a reminder is usual."""

_DAY = "coalesce({} - DATE '1970-01-01', 1 << 20)::INTEGER"
NUMBERS = (
    Number(name="due", sql=_DAY.format("due_on"), needs="due_on", absent=NEVER),
    Number(name="paid", sql=_DAY.format("paid_on"), needs="paid_on", absent=NEVER),
)


def billed(lines: Rows, starts: Whole) -> dict[str, Whole]:
    """What is sold with a due day in each booking [cents], due with the first of its lines and paid with the last.

    Which lines share an invoice depends on nothing that comes later; so an invoice paid in parts is open until the
    last of them, and no cutoff sees more of it than was known. Bookings begin at ``starts``.
    """
    is_billed = (lines["amount"] > 0) & (lines["due"] < NEVER)
    if not is_billed.any():
        return dict.fromkeys(("billed", "due", "paid"), np.zeros(len(starts), dtype=np.int64))
    return {
        "billed": added_up(np.where(is_billed, lines["amount"], 0), starts),
        "due": np.minimum.reduceat(np.where(is_billed, lines["due"], NEVER), starts),
        "paid": np.maximum.reduceat(np.where(is_billed, lines["paid"], -NEVER), starts),
    }


def issued(bookings: Rows, bills: Rows) -> Rows:
    """Return the bookings that are invoices with a due day: customer, day, known, billed, due and paid."""
    chosen = np.flatnonzero((bills["billed"] > 0) & (bookings["amount"] > 0))
    return picked({**{name: bookings[name] for name in ("customer", "day", "known")}, **bills}, chosen)


def invoices(history: History) -> Ledger:
    """Invoices with a due day, by the day they were issued; returns and credit notes are none."""
    issued = history["invoices"]
    return Ledger(customer=issued["customer"], day=issued["day"], values={"billed": issued["billed"]})


def payments(history: History) -> Ledger:
    """Days of payment: invoices, their amounts, and the days from due to paid (negative: early), added up."""
    paid = _from(history["invoices"], "paid")
    starts = starts_of(paid["customer"], paid["day"])
    days_late = paid["paid"] - paid["due"]
    summed = {"invoices": np.ones_like(days_late), "billed": paid["billed"], "days_late": days_late}
    values = {name: added_up(each, starts) for name, each in summed.items()}
    return Ledger(customer=paid["customer"][starts], day=paid["day"][starts], values=values)


def dues(history: History) -> Ledger:
    """Invoices fallen due, by their due day; ``is_late``: not paid by then, which is known from that day on."""
    due = _from(history["invoices"], "due")
    values = {"is_late": flags(due["paid"] > due["due"]), "due": due["due"], "paid": due["paid"]}
    return Ledger(customer=due["customer"], day=due["day"], values=values)


def arrears(history: History) -> Ledger:
    """Invoices that were not paid by their due day, by that day; ``paid`` before the cutoff: no longer overdue."""
    late = _late(history["invoices"])
    values = {name: late[name] for name in ("billed", "due", "paid")}
    return Ledger(customer=late["customer"], day=late["day"], values=values)


def clearances(history: History) -> Ledger:
    """Invoices paid after their due day, by the day of payment."""
    cleared = _from(_late(history["invoices"]), "paid")
    return Ledger(customer=cleared["customer"], day=cleared["day"], values={"billed": cleared["billed"]})


def reminders(history: History) -> Ledger:
    """Invoices not paid `REMINDED_AFTER_DAYS` after they were due, by that day."""
    rows = history["invoices"]
    after = _from({**rows, "reminded": rows["due"] + REMINDED_AFTER_DAYS}, "reminded")
    unpaid = picked(after, after["paid"] > after["reminded"])
    return Ledger(customer=unpaid["customer"], day=unpaid["day"], values={})


def _late(invoices: Rows) -> Rows:
    due = _from(invoices, "due")
    return picked(due, due["paid"] > due["due"])


def _from(invoices: Rows, name: str) -> Rows:
    """Invoices for which the day ``name`` comes, by that day or, if later, the one on which they could be known."""
    chosen = picked(invoices, invoices[name] < NEVER)
    since = np.maximum(chosen[name], np.maximum(chosen["day"], chosen["known"]))
    return by_day(chosen, since)


LEDGERS: Mapping[str, Callable[[History], Ledger]] = {
    "invoices": invoices,
    "payments": payments,
    "dues": dues,
    "arrears": arrears,
    "clearances": clearances,
    "reminders": reminders,
}
"""By the names that features use."""
