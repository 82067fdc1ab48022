"""When a version went into use and out of it: a log in one tag, so that every past day finds its own state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

from features.errors import ModelError

EVENTS = "treue.use"
"""Tag of a version that holds its log; a version without it (registered before there was one) is in use."""

_MOST_CHARACTERS = 4000
_MOST_TEXT = 300


@dataclass(frozen=True, kw_only=True)
class Event:
    """From the day ``on`` a version is ``in`` use or ``out`` of it; by whom and why."""

    on: date
    state: Literal["in", "out"]
    by: str
    why: str


def in_use(events: Sequence[Event] | None, day: date) -> bool:
    """Return the state on ``day``: that of the last entry dated on or before it.

    Examples
    --------
    >>> log = (Event(on=date(2025, 1, 1), state="in", by="rule", why="best"),)
    >>> in_use(log, date(2025, 1, 1)), in_use(log, date(2024, 12, 31)), in_use((), date(2025, 1, 1))
    (True, False, False)
    """
    if events is None:
        return True
    known = [event for event in events if event.on <= day]
    return bool(known) and max(enumerate(known), key=lambda each: (each[1].on, each[0]))[1].state == "in"


def text_of(events: Sequence[Event]) -> str:
    """Return the log as the tag holds it.

    Raises
    ------
    ModelError
        If it has grown past what a tag holds.
    """
    rows = [{**asdict(event), "on": event.on.isoformat(), "why": event.why[:_MOST_TEXT]} for event in events]
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True)
    if len(text) > _MOST_CHARACTERS:
        raise ModelError(f"the log of this version is full ({len(events)} entries); train a new one")
    return text


def events_of(text: str | None) -> tuple[Event, ...] | None:
    """Return the log in a tag; None where there is no tag, an empty log where the tag cannot be read."""
    if text is None:
        return None
    try:
        rows = json.loads(text)
        return tuple(
            Event(on=date.fromisoformat(row["on"]), state=row["state"], by=row["by"], why=row["why"]) for row in rows
        )
    except (ValueError, KeyError, TypeError):
        return ()
