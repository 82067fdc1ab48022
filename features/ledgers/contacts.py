"""Ledger of the contacts, with gaps, mood and whether the person who spoke for us changed."""

from __future__ import annotations

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import History, Number, Reading, code_of, following, gaps

_NUMBERS = (
    Number(name="place", sql="dense_rank() OVER (ORDER BY contact_id)"),
    Number(name="is_inbound", sql="coalesce(direction = 'in', false)::BIGINT", needs="direction"),
    Number(name="is_outbound", sql="coalesce(direction = 'out', false)::BIGINT", needs="direction"),
    Number(name="agent", sql=code_of("agent"), needs="agent"),
    Number(name="mood", sql="coalesce(round(sentiment * 1000)::BIGINT, 0)", needs="sentiment"),
    Number(name="has_mood", sql="(sentiment IS NOT NULL)::BIGINT", needs="sentiment"),
)


def contacts(history: History) -> Ledger:
    """Contacts in both directions; those of one day follow each other by their id."""
    rows = history["contacts"]
    values = {name: rows[name] for name in ("is_inbound", "is_outbound", "mood", "has_mood")}
    values["gap"] = gaps(rows["customer"], rows["day"])
    values["has_gap"] = following(rows["customer"])
    values["is_change"] = np.zeros(len(rows["day"]), dtype=np.int64)
    known_agent = rows["agent"] > 0
    customer, agent = rows["customer"][known_agent], rows["agent"][known_agent]
    changed = (following(customer) > 0) & np.r_[False, agent[1:] != agent[:-1]][: len(agent)]
    values["is_change"][np.flatnonzero(known_agent)[changed]] = 1
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


READING = Reading(table="contacts", numbers=_NUMBERS, ledgers={"contacts": contacts})
