"""Numbers, shares, money and dates as people write them in German and English.

Rounding is half away from zero on the shortest decimal form, so 2.675 becomes 2.68 as on paper.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Language = Literal["de", "en"]
"""The languages of lists, reasons and report."""

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WHOLE_FROM = 100
"""Amounts from here on are shown without cents in sentences."""


def number_text(value: float, *, language: Language, decimals: int = 0) -> str:
    """Return a number with exactly ``decimals`` decimals: 1.234,5 (de), 1,234.5 (en).

    Examples
    --------
    >>> number_text(1234.56, language="de", decimals=2), number_text(1234.56, language="en", decimals=2)
    ('1.234,56', '1,234.56')
    """
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    english = f"{abs(rounded) if rounded == 0 else rounded:,f}"
    return english.translate(str.maketrans(",.", ".,")) if language == "de" else english


def short_number_text(value: float, *, language: Language) -> str:
    """Return a number with at most one decimal, two below 1: 12; 2,4; 0,15.

    Examples
    --------
    >>> [short_number_text(value, language="de") for value in (12.0, 2.44, 0.15, 1200.4)]
    ['12', '2,4', '0,15', '1.200']
    """
    size = abs(float(value))
    decimals = 0 if size >= _WHOLE_FROM else 1 if size >= 1 else 2
    shown = number_text(value, language=language, decimals=decimals)
    return shown.rstrip("0").rstrip(",.") if decimals else shown


def share_text(value: float, *, language: Language) -> str:
    """Return a share (0 to 1) as whole per cent, with one decimal below 10 and from 99.5 on: 45 % (de), 45% (en).

    Only what is everything is told as 100 per cent.

    Examples
    --------
    >>> share_text(0.452, language="de"), share_text(0.034, language="en"), share_text(0.0001, language="de")
    ('45 %', '3.4%', 'unter 0,1 %')
    >>> share_text(0.07, language="de"), share_text(0.9999, language="de"), share_text(0.997, language="en")
    ('7 %', 'über 99,9 %', '99.7%')
    """
    unit = " %" if language == "de" else "%"
    per_cent = round(100 * float(value), 9)
    if 0 < per_cent < 0.05:
        return ("unter " if language == "de" else "under ") + number_text(0.1, language=language, decimals=1) + unit
    if 99.95 <= per_cent < 100:
        return ("über " if language == "de" else "over ") + number_text(99.9, language=language, decimals=1) + unit
    if 99.5 <= per_cent < 100:
        return number_text(per_cent, language=language, decimals=1) + unit
    if abs(per_cent) >= 9.95 or per_cent == round(per_cent):
        return number_text(per_cent, language=language) + unit
    return number_text(per_cent, language=language, decimals=1) + unit


def money_text(value: float, *, language: Language, currency: str, decimals: int = 2) -> str:
    """Return an amount with its currency: 1.234,56 € (de), €1,234.56 (en), 10 CHF (de), CHF 10 (en).

    Examples
    --------
    >>> money_text(1234.56, language="de", currency="EUR"), money_text(-1234.56, language="en", currency="EUR")
    ('1.234,56 €', '-€1,234.56')
    """
    shown = number_text(value, language=language, decimals=decimals)
    symbol = _SYMBOLS.get(currency, currency)
    if language == "de":
        return f"{shown} {symbol}"
    sign = "-" if shown.startswith("-") else ""
    return f"{sign}{symbol}{'' if currency in _SYMBOLS else ' '}{shown.removeprefix('-')}"


def rough_money_text(value: float, *, language: Language, currency: str) -> str:
    """Return an amount as one says it: whole from 100 on, with cents below unless they are zero.

    Examples
    --------
    >>> [rough_money_text(value, language="de", currency="EUR") for value in (3400.4, 49.9, 20.0)]
    ['3.400 €', '49,90 €', '20 €']
    """
    decimals = 0 if abs(value) >= _WHOLE_FROM or float(value).is_integer() else 2
    return money_text(value, language=language, currency=currency, decimals=decimals)


def date_text(value: date, *, language: Language) -> str:
    """Return a date: 31.12.2026 (de), 31 Dec 2026 (en).

    Examples
    --------
    >>> date_text(date(2026, 3, 1), language="de"), date_text(date(2026, 3, 1), language="en")
    ('01.03.2026', '1 Mar 2026')
    """
    if language == "de":
        return f"{value.day:02d}.{value.month:02d}.{value.year:04d}"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year:04d}"
