"""Ledger of the losses: what was noted about why a customer left, by the day of the loss."""

from __future__ import annotations

from features.ledger import Ledger
from features.ledgers.rows import History, Number, Reading, flags
from features.told import CAUSES
from features.told_words import cause_sql

_NO, _YES = 1, 2
_NUMBERS = (
    Number(
        name="opinion",
        sql="CASE WHEN winnable IS NULL THEN 0 WHEN winnable THEN 2 ELSE 1 END::BIGINT",
        needs="winnable",
    ),
    Number(name="is_told", sql="coalesce(source <> 'inferred', true)::BIGINT", needs="source", absent=1),
    Number(name="cause", sql=cause_sql("reason", CAUSES), needs="reason"),
)


def losses(history: History) -> Ledger:
    """Losses by the day they happened; ``is_winnable`` and ``is_hopeless`` are both 0 where nobody says.

    ``cause`` numbers the reasons of ``features.told`` from 1 on; it is 0 for others, and where nobody understands.
    Of one loss noted more than once the note known last comes last.
    """
    rows = history["losses"]
    values = {
        "is_winnable": flags(rows["opinion"] == _YES),
        "is_hopeless": flags(rows["opinion"] == _NO),
        "is_told": rows["is_told"],
        "cause": rows["cause"],
    }
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


READING = Reading(
    table="losses",
    numbers=_NUMBERS,
    ledgers={"losses": losses},
    ties=("known", *(number.name for number in _NUMBERS)),
)
