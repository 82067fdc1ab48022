"""Ledgers of the contracts: their beginnings and ends, notices given, and products under contract."""

from __future__ import annotations

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import (
    NEVER,
    History,
    Number,
    Reading,
    Rows,
    Whole,
    added_up,
    by_day,
    code_of,
    picked,
    starts_of,
)
from features.pairs import PairLedger

_UNKNOWN = -1
_NUMBERS = (
    Number(name="ends", sql="coalesce(ends_on - DATE '1970-01-01', 1 << 20)", needs="ends_on", absent=NEVER),
    Number(
        name="cancelled",
        sql="coalesce(cancelled_on - DATE '1970-01-01', 1 << 20)",
        needs="cancelled_on",
        absent=NEVER,
    ),
    Number(name="term", sql="coalesce(agreed_until - DATE '1970-01-01', 1 << 20)", needs="agreed_until", absent=NEVER),
    Number(name="notice", sql="coalesce(round(notice_days)::BIGINT, -1)", needs="notice_days", absent=_UNKNOWN),
    Number(name="product", sql=code_of("lower(trim(product))"), needs="product"),
    Number(name="recurring", sql="coalesce(round(recurring_amount * 100)::BIGINT, 0)", needs="recurring_amount"),
)


def contracts(history: History) -> Ledger:
    """Contracts by the day they begin.

    ``term`` is the last day of the agreed term, ``deadline`` the last day on which notice can be given to end with
    it; what lies on or after a cutoff of ``ends`` and ``cancelled`` was not known then.
    """
    rows = history["contracts"]
    has_deadline = (rows["term"] < NEVER) & (rows["notice"] > _UNKNOWN)
    values = {name: rows[name] for name in ("recurring", "ends", "cancelled", "term")}
    values["deadline"] = np.where(has_deadline, rows["term"] - rows["notice"], NEVER)
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def beginnings(history: History) -> Ledger:
    """Days on which contracts begin, with the amounts of all that begin on them."""
    rows = history["contracts"]
    starts = starts_of(rows["customer"], rows["day"])
    values = {"recurring": added_up(rows["recurring"], starts)}
    return Ledger(customer=rows["customer"][starts], day=rows["day"][starts], values=values)


def endings(history: History) -> Ledger:
    """Contracts that ended, by their last day."""
    rows = history["contracts"]
    ended = picked(rows, rows["ends"] < NEVER)
    ended = by_day(ended, ended["ends"])
    return Ledger(customer=ended["customer"], day=ended["day"], values={"recurring": ended["recurring"]})


def notices(history: History) -> Ledger:
    """Contracts under notice: 1 from the day on which notice was given and the contract ran, -1 after its last day."""
    rows = history["contracts"]
    given = picked(rows, rows["cancelled"] < NEVER)
    since, ends = np.maximum(given["cancelled"], given["day"]), given["ends"]
    over = ends < NEVER
    day = np.r_[since, np.maximum(since, ends)[over]]
    return _running(np.r_[given["customer"], given["customer"][over]], day, begun=len(since))


def products(history: History) -> PairLedger:
    """Contracts of each customer and product: 1 from the first day of each, -1 after its last."""
    rows = history["contracts"]
    named = picked(rows, rows["product"] > 0)
    order = np.lexsort((named["product"], named["customer"]))
    sorted_rows: Rows = picked(named, order)
    starts = starts_of(sorted_rows["customer"], sorted_rows["product"])
    pair = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(order)]))
    over = sorted_rows["ends"] < NEVER
    day = np.r_[sorted_rows["day"], sorted_rows["ends"][over]]
    ledger = _running(np.r_[pair, pair[over]], day, begun=len(pair))
    owner = sorted_rows["customer"][starts]
    return PairLedger(owner=owner, pair=ledger.customer, day=ledger.day, values=ledger.values)


def _running(customer: Whole, day: Whole, *, begun: int) -> Ledger:
    """Return a ledger whose ``running`` adds up to how many run: 1 in the first ``begun`` rows, -1 in the others."""
    step = np.where(np.arange(len(day)) < begun, 1, -1)
    order = np.lexsort((day, customer))
    return Ledger(customer=customer[order], day=day[order], values={"running": step[order]})


READING = Reading(
    table="contracts",
    day="starts_on",
    numbers=_NUMBERS,
    ledgers={
        "contracts": contracts,
        "beginnings": beginnings,
        "endings": endings,
        "notices": notices,
        "products": products,
    },
)
