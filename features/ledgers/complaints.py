"""Ledgers of the complaints: by the day they were raised, settled, judged, answered, or first taken up."""

from __future__ import annotations

import numpy as np

from features.ledger import DAYS_SPAN, Ledger
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
    day_before,
    flags,
    picked,
    starts_of,
)

GRAVE = 4000
"""Severity from which a complaint is grave [thousandths of 1 to 5]."""
REPEATED_WITHIN_DAYS = 364

_NUMBERS = (
    Number(name="closed", sql="coalesce(closed_on - DATE '1970-01-01', 1 << 20)", needs="closed_on", absent=NEVER),
    Number(name="severity", sql="coalesce(round(severity * 1000)::BIGINT, 0)", needs="severity"),
    Number(name="is_rated", sql="(severity IS NOT NULL)::BIGINT", needs="severity"),
    Number(name="category", sql=code_of("lower(trim(category))"), needs="category"),
    Number(name="goodwill", sql="coalesce(round(goodwill_amount * 100)::BIGINT, 0)", needs="goodwill_amount"),
    Number(name="is_satisfied", sql="coalesce(satisfied, false)::BIGINT", needs="satisfied"),
    Number(name="is_unsatisfied", sql="coalesce(NOT satisfied, false)::BIGINT", needs="satisfied"),
)


def complaints(history: History) -> Ledger:
    """Complaints by the day they were raised; ``same_cause_before`` is the day of the one before with that cause."""
    rows = history["complaints"]
    before = day_before(rows["customer"], rows["category"], rows["day"])
    values = {
        **{name: rows[name] for name in ("closed", "severity", "is_rated")},
        "is_grave": flags(rows["severity"] >= GRAVE),
        "same_cause_before": before,
        "is_repeat": flags((before >= rows["day"] - REPEATED_WITHIN_DAYS) & (before < NEVER)),
    }
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def settlements(history: History) -> Ledger:
    """Settled complaints by the day on which both complaint and settlement could be known."""
    settled = _settled(history["complaints"])
    values = {name: settled[name] for name in ("goodwill", "is_satisfied", "is_unsatisfied")}
    values["is_judged"] = values["is_satisfied"] + values["is_unsatisfied"]
    values["days_open"] = settled["closed"] - settled["raised"]
    return Ledger(customer=settled["customer"], day=settled["day"], values=values)


def verdicts(history: History) -> Ledger:
    """Days on which customers were satisfied with settlements or not, with how many they were not satisfied."""
    settled = _settled(history["complaints"])
    judged = picked(settled, settled["is_satisfied"] + settled["is_unsatisfied"] > 0)
    starts = starts_of(judged["customer"], judged["day"])
    values = {"is_unsatisfied": flags(added_up(judged["is_unsatisfied"], starts) > 0)}
    return Ledger(customer=judged["customer"][starts], day=judged["day"][starts], values=values)


def answers(history: History) -> Ledger:
    """Complaints by the day on which our first contact on or after them could be known, with the days until then."""
    rows = history["complaints"]
    day, known = _first_contact_after(rows, history)
    answered = picked({**rows, "raised": rows["day"], "answered": day}, day < NEVER)
    answered = by_day(answered, np.maximum(answered["known"], known[day < NEVER]))
    values = {"days_to_answer": answered["answered"] - answered["raised"]}
    return Ledger(customer=answered["customer"], day=answered["day"], values=values)


def first_steps(history: History) -> Ledger:
    """Complaints by the day on which it could be known that they were answered or settled, whichever came first."""
    rows = history["complaints"]
    taken_up = np.maximum(np.minimum(_first_contact_after(rows, history)[1], rows["closed"]), rows["known"])
    taken = by_day(picked(rows, taken_up < NEVER), taken_up[taken_up < NEVER])
    return Ledger(customer=taken["customer"], day=taken["day"], values={})


def _settled(rows: Rows) -> Rows:
    settled = picked(rows, rows["closed"] < NEVER)
    return by_day({**settled, "raised": settled["day"]}, np.maximum(settled["closed"], settled["known"]))


def _first_contact_after(complaints: Rows, history: History) -> tuple[Whole, Whole]:
    """Day of our first contact on or after each complaint, and the day on which it could be known; NEVER without."""
    nobody: Whole = np.full(len(complaints["day"]), NEVER, dtype=np.int64)
    ours = picked(history["contacts"], history["contacts"]["is_outbound"] > 0) if "contacts" in history else {}
    if not ours or not len(ours["day"]):
        return nobody, nobody
    starts = starts_of(ours["customer"], ours["day"])
    known, day = np.minimum.reduceat(ours["known"], starts), ours["day"][starts]
    keys = ours["customer"][starts] * DAYS_SPAN + day
    wanted = complaints["customer"] * DAYS_SPAN + complaints["day"]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = (ours["customer"][starts][place] == complaints["customer"]) & (day[place] >= complaints["day"])
    return np.where(found, day[place], NEVER), np.where(found, known[place], NEVER)


READING = Reading(
    table="complaints",
    numbers=_NUMBERS,
    ledgers={
        "complaints": complaints,
        "settlements": settlements,
        "verdicts": verdicts,
        "answers": answers,
        "first_steps": first_steps,
    },
)
