"""Ledgers of the contacts: all of them, those from us and from them, noted moods, and changes of the contact person."""

from __future__ import annotations

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import (
    History,
    Number,
    Reading,
    Rows,
    Whole,
    code_of,
    day_before,
    following,
    gaps,
    picked,
)

_WORD = "coalesce(lower(trim(channel)) IN ({}), false)::BIGINT"
_NUMBERS = (
    Number(name="place", sql="dense_rank() OVER (ORDER BY contact_id)"),
    Number(name="is_inbound", sql="coalesce(direction = 'in', false)::BIGINT", needs="direction"),
    Number(name="is_outbound", sql="coalesce(direction = 'out', false)::BIGINT", needs="direction"),
    Number(name="is_visit", sql=_WORD.format("'visit'"), needs="channel"),
    Number(name="is_call", sql=_WORD.format("'phone'"), needs="channel"),
    Number(name="is_written", sql=_WORD.format("'email', 'letter'"), needs="channel"),
    Number(name="has_channel", sql="(channel IS NOT NULL)::BIGINT", needs="channel"),
    Number(name="agent", sql=code_of("agent"), needs="agent"),
    Number(name="mood", sql="coalesce(round(sentiment * 1000)::BIGINT, 0)", needs="sentiment"),
    Number(name="has_mood", sql="(sentiment IS NOT NULL)::BIGINT", needs="sentiment"),
)
_READ = ("is_inbound", "is_outbound", "is_visit", "is_call", "is_written", "has_channel", "mood", "has_mood")


def contacts(history: History) -> Ledger:
    """Contacts in both directions; those of one day follow each other by their id."""
    rows = history["contacts"]
    values = {name: rows[name] for name in _READ}
    values["gap"] = gaps(rows["customer"], rows["day"])
    values["has_gap"] = following(rows["customer"])
    values["is_change"] = _is_change(rows)
    values["same_agent_before"] = day_before(rows["customer"], rows["agent"], rows["day"])
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def inbound(history: History) -> Ledger:
    """Contacts that the customer started."""
    return _chosen(history["contacts"], "is_inbound")


def outbound(history: History) -> Ledger:
    """Contacts that we started."""
    return _chosen(history["contacts"], "is_outbound")


def moods(history: History) -> Ledger:
    """Contacts whose mood was noted, with the mood [thousandths of -1 to 1]."""
    return _chosen(history["contacts"], "has_mood", "mood")


def handovers(history: History) -> Ledger:
    """Contacts in which another person spoke for us than in the one before."""
    rows = history["contacts"]
    return _chosen({**rows, "is_change": _is_change(rows)}, "is_change")


def _chosen(rows: Rows, flag: str, *names: str) -> Ledger:
    chosen = picked(rows, rows[flag] > 0)
    return Ledger(customer=chosen["customer"], day=chosen["day"], values={name: chosen[name] for name in names})


def _is_change(rows: Rows) -> Whole:
    """1 where the person who spoke for us is another than in the contact before, as far as persons were noted."""
    changes: Whole = np.zeros(len(rows["day"]), dtype=np.int64)
    noted = rows["agent"] > 0
    customer, agent = rows["customer"][noted], rows["agent"][noted]
    changed = (following(customer) > 0) & np.r_[False, agent[1:] != agent[:-1]][: len(agent)]
    changes[np.flatnonzero(noted)[changed]] = 1
    return changes


READING = Reading(
    table="contacts",
    numbers=_NUMBERS,
    ledgers={
        "contacts": contacts,
        "inbound": inbound,
        "outbound": outbound,
        "moods": moods,
        "handovers": handovers,
    },
)
