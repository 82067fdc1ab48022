"""Ledger of the contracts by the day they begin."""

from __future__ import annotations

from features.ledger import Ledger
from features.ledgers.rows import NEVER, History, Number, Reading

_NUMBERS = (
    Number(name="ends", sql="coalesce(ends_on - DATE '1970-01-01', 1 << 20)", needs="ends_on", absent=NEVER),
    Number(name="recurring", sql="coalesce(round(recurring_amount * 100)::BIGINT, 0)", needs="recurring_amount"),
)


def contracts(history: History) -> Ledger:
    """Contracts by the day they begin."""
    rows = history["contracts"]
    values = {"recurring": rows["recurring"], "ends": rows["ends"]}
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


READING = Reading(table="contracts", day="starts_on", numbers=_NUMBERS, ledgers={"contracts": contracts})
