"""How the page writes figures: the formats of lists, and rounder ones for large amounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from retention.formats import (
    Language,
    date_text,
    money_text,
    number_text,
    rough_money_text,
    share_text,
)
from retention.report.words import ReportTexts, counted, said

_MILLION = {"de": "Mio.", "en": "m"}
_MILLION_FROM = 1e6


def big_money_text(value: float, *, language: Language, currency: str) -> str:
    """Return a large amount as one says it: 1,23 Mio. € (de), €1.23m (en); whole units below a million.

    Examples
    --------
    >>> big_money_text(1234567, language="de", currency="EUR"), big_money_text(1234567, language="en", currency="EUR")
    ('1,23 Mio. €', '€1.23m')
    """
    if abs(value) < _MILLION_FROM:
        return money_text(value, language=language, currency=currency, decimals=0)
    amount = money_text(value / 1e6, language=language, currency=currency, decimals=2 if abs(value) < 1e7 else 1)
    if language == "en":
        return f"{amount}{_MILLION['en']}"
    number, _, symbol = amount.rpartition(" ")
    return f"{number} {_MILLION['de']} {symbol}"


def points_text(value: float, *, language: Language) -> str:
    """Return a difference of shares in percentage points, without the unit: 2,1."""
    return number_text(100 * value, language=language, decimals=1)


def filters(words: ReportTexts, *, currency: str) -> Mapping[str, Callable[..., Any]]:
    """Return the filters of the template, bound to language and currency."""
    language = words.language
    return {
        "number": lambda value, decimals=0: number_text(value, language=language, decimals=decimals),
        "share": lambda value: share_text(value, language=language),
        "points": lambda value: points_text(value, language=language),
        "money": lambda value: rough_money_text(round(value), language=language, currency=currency),
        "big_money": lambda value: big_money_text(value, language=language, currency=currency),
        "day": lambda value: date_text(_day(value), language=language),
        "counted": lambda value, noun: counted(value, noun, words),
        "said": lambda remark: said(remark, words),
        "label": lambda family, labels: labels.get(family, family),
        "cost": lambda column, table: words.costs.get(f"{table}.{column}", ""),
        "fill": lambda text, **parts: text.format(**parts),
    }


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
