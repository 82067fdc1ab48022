"""What a function means in English and in German, as its docstring says it.

The first line is English and names the unit in []; a paragraph that begins with ``de:`` says the same in German::

    Mean sales per order inside the window [currency]; missing without an order.

    de: Mittlerer Verkaufswert je Bestellung im Zeitraum; fehlt ohne Bestellung.
"""

from __future__ import annotations

import inspect
import re
from typing import Literal

Language = Literal["de", "en"]

_MISSING = {"en": r"; missing ", "de": r"; fehlt,? "}


def english_of(described: object) -> str:
    """Return the first line of the docstring; empty without one."""
    return (inspect.getdoc(described) or "").partition("\n")[0]


def german_of(described: object) -> str:
    """Return the paragraph ``de: …`` of the docstring on one line, without its mark; empty without one."""
    paragraphs = re.split(r"\n\s*\n", inspect.getdoc(described) or "")
    found = next((each for each in paragraphs[1:] if each.startswith("de:")), "")
    return " ".join(found.removeprefix("de:").split())


def plain(line: str, language: Language) -> str:
    """Return what the value is, without its unit and without when it is missing.

    Examples
    --------
    >>> plain("Days since the last purchase [days]; missing without a purchase.", "en")
    'Days since the last purchase'
    """
    return re.split(rf" \[|{_MISSING[language]}", line)[0].rstrip(".")


def absent_when(line: str, language: Language) -> str:
    """Return when there is no value; empty when there always is one.

    Examples
    --------
    >>> absent_when("Tage seit der ältesten offenen Reklamation; fehlt, wenn keine offen ist.", "de")
    'wenn keine offen ist'
    """
    said = re.split(_MISSING[language], line, maxsplit=1)
    return said[1].rstrip(".") if len(said) == 2 else ""
