"""Ledger of the customers' own rows: one per customer, by the day on which it could be known."""

from __future__ import annotations

import numpy as np

from features.ledger import Ledger
from features.ledgers.rows import NEVER, History, Number, Reading, Rows, Whole, flags, lasting_code_of
from features.told import PEER_FACTS

BUSINESS_FACTS, CONSUMER_FACTS = ("industry", "size"), ("birthday",)
SOFT_FACTS = ("email", "phone", "preferred_channel", *BUSINESS_FACTS, *CONSUMER_FACTS)
"""What a good account manager finds out and writes down; some of it only of businesses or of consumers."""

_NOT_ASKED = -1
_NUMBERS = (
    Number(name="since", sql="coalesce(since - DATE '1970-01-01', 1 << 20)", needs="since", absent=NEVER),
    Number(name="is_consumer", sql="coalesce(type = 'b2c', false)::BIGINT", needs="type"),
    Number(name="is_dated", sql="(known_at > DATE '1900-01-01')::BIGINT"),
    *(Number(name=each, sql=f"({each} IS NOT NULL)::BIGINT", needs=each, absent=_NOT_ASKED) for each in SOFT_FACTS),
    Number(name="of_industry", sql=lasting_code_of("lower(trim(industry))"), needs="industry"),
    Number(name="of_size", sql=lasting_code_of("lower(trim(size))"), needs="size"),
    Number(name="of_region", sql=lasting_code_of("left(trim(postcode), 2)"), needs="postcode"),
)


def customers(history: History) -> Ledger:
    """Rows of the customers by the day they could be known, with how many soft facts are filled in of how many.

    Facts that the source has no column for do not count; nor do those of a row that does not say when it was known,
    because nobody can tell since when they stand there. ``industry``, ``size`` and ``region`` are numbers that
    stand for the text (the region for the first two places of the postcode), 0 where it is empty.
    """
    rows = history["customers"]
    values = {"since": rows["since"], "filled": _counted(rows, 1), "asked": _counted(rows, 0)}
    values |= {name: rows[f"of_{name}"] for name in PEER_FACTS}
    return Ledger(customer=rows["customer"], day=rows["day"], values=values)


def _counted(rows: Rows, least: int) -> Whole:
    """Soft facts that concern the customer and are at least so much: 0 for those asked for, 1 for those filled in."""
    concerned = dict.fromkeys(SOFT_FACTS, rows["is_dated"])
    concerned |= dict.fromkeys(BUSINESS_FACTS, rows["is_dated"] * (1 - rows["is_consumer"]))
    concerned |= dict.fromkeys(CONSUMER_FACTS, rows["is_dated"] * rows["is_consumer"])
    counted: Whole = np.zeros(len(rows["day"]), dtype=np.int64)
    for name, flag in concerned.items():
        counted = counted + flag * flags(rows[name] >= least)
    return counted


READING = Reading(table="customers", day="known_at", numbers=_NUMBERS, ledgers={"customers": customers})
