"""Ledgers of the complaints: ``complaints`` by the day they were raised, ``settlements`` by the day of settlement."""

from __future__ import annotations

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import NEVER, History, Number, Reading, by_day, picked

_NUMBERS = (
    Number(name="closed", sql="coalesce(closed_on - DATE '1970-01-01', 1 << 20)", needs="closed_on", absent=NEVER),
    Number(name="severity", sql="coalesce(round(severity * 1000)::BIGINT, 0)", needs="severity"),
    Number(name="is_rated", sql="(severity IS NOT NULL)::BIGINT", needs="severity"),
    Number(name="goodwill", sql="coalesce(round(goodwill_amount * 100)::BIGINT, 0)", needs="goodwill_amount"),
    Number(name="is_unsatisfied", sql="coalesce(NOT satisfied, false)::BIGINT", needs="satisfied"),
)


def complaints(history: History) -> Ledger:
    """Complaints by the day they were raised."""
    rows = history["complaints"]
    values = {name: rows[name] for name in ("closed", "severity", "is_rated")}
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def settlements(history: History) -> Ledger:
    """Settled complaints by the day on which both complaint and settlement could be known."""
    rows = history["complaints"]
    settled = picked(rows, rows["closed"] < NEVER)
    settled = by_day({**settled, "raised": settled["day"]}, np.maximum(settled["closed"], settled["known"]))
    values = {name: settled[name] for name in ("goodwill", "is_unsatisfied")}
    values["days_open"] = settled["closed"] - settled["raised"]
    return Ledger(customer=settled["customer"], day=settled["day"], values=values)


READING = Reading(table="complaints", numbers=_NUMBERS, ledgers={"complaints": complaints, "settlements": settlements})
