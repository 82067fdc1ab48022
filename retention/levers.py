"""The levers: what a company can do about one customer within a day, as rows that would stand in its tables.

A lever never touches what only the customer decides (orders, answers, satisfaction). How the features change follows
from the rows, see :mod:`features.what_if`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.ledger import Column
from features.what_if import (
    Act,
    Codes,
    Way,
    contacted,
    days_silent,
    days_without_person,
    open_complaints,
    settled,
    unanswered_complaints,
)

SILENT_DAYS = 28
"""A contact of ours restores what has been silent for so long [days]."""
NOBODY_DAYS = 91
"""Who has heard no named person of ours for so long has a gap in the contact person [days]."""


@dataclass(frozen=True, kw_only=True)
class Lever:
    """One lever.

    Attributes
    ----------
    name : str
        Its key in the texts.
    act : Act
        What it changes.
    gap : callable
        Takes history, codes and cutoff; returns how much there is to mend: the lever applies above 0.
    channel : str, optional
        The channel it advertises by, which must be allowed. To deal with a complaint is no advertising.
    """

    name: str
    act: Act
    gap: Callable[[History, Codes, int], Column]
    channel: str | None = None

    def applies(self, history: History, customers: Codes, cutoff: int) -> NDArray[np.bool_]:
        """Return for which customers there is something to mend."""
        found: NDArray[np.bool_] = self.gap(history, customers, cutoff) > 0
        return found


def _settle(history: History, customers: Codes, cutoff: int) -> History:
    return _answer(settled(history, customers, cutoff), customers, cutoff)


def _settle_with_goodwill(history: History, customers: Codes, cutoff: int, *, cents: int) -> History:
    return _answer(settled(history, customers, cutoff, goodwill_cents=cents), customers, cutoff)


def _answer(history: History, customers: Codes, cutoff: int) -> History:
    """We get in touch by telephone; without a table of contacts nothing of that could be seen."""
    return contacted(history, customers, cutoff, way="is_call") if "contacts" in history.rows else history


def _silence(history: History, customers: Codes, cutoff: int) -> Column:
    return days_silent(history, customers, cutoff) - SILENT_DAYS


def _nobody(history: History, customers: Codes, cutoff: int) -> Column:
    return days_without_person(history, customers, cutoff) - NOBODY_DAYS


def levers(*, goodwill_cents: int) -> tuple[Lever, ...]:
    """Return every lever; that of goodwill only where the company grants any.

    Parameters
    ----------
    goodwill_cents : int
        What the company usually grants, see :func:`features.what_if.usual_goodwill_cents`.
    """
    goodwill = partial(_settle_with_goodwill, cents=goodwill_cents)
    return (
        Lever(name="answer_complaint", act=_answer, gap=unanswered_complaints),
        Lever(name="settle_complaint", act=_settle, gap=open_complaints),
        *((Lever(name="settle_with_goodwill", act=goodwill, gap=open_complaints),) if goodwill_cents else ()),
        _contact("call", "is_call", _silence, channel="phone"),
        _contact("visit", "is_visit", _silence, channel="visit"),
        _contact("write", "is_written", _silence, channel="letter"),
        _contact("contact_person", "is_call", _nobody, channel="phone"),
        _contact("contact_person_visit", "is_visit", _nobody, channel="visit"),
    )


def _contact(name: str, way: Way, gap: Callable[[History, Codes, int], Column], *, channel: str) -> Lever:
    return Lever(name=name, act=partial(contacted, way=way), gap=gap, channel=channel)


NAMES = tuple(lever.name for lever in levers(goodwill_cents=1))
"""Names of all levers; the texts of every language speak of each."""
