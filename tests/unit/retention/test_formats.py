from __future__ import annotations

from datetime import date

import pytest

from retention.formats import date_text, money_text, number_text, rough_money_text, share_text, short_number_text


@pytest.mark.parametrize(
    ("value", "decimals", "german", "english"),
    [
        (1234.56, 2, "1.234,56", "1,234.56"),
        (1234567.0, 0, "1.234.567", "1,234,567"),
        (-1234.5, 1, "-1.234,5", "-1,234.5"),
        (2.675, 2, "2,68", "2.68"),
        (0.5, 0, "1", "1"),
        (-0.4, 0, "0", "0"),
        (999.995, 2, "1.000,00", "1,000.00"),
    ],
)
def test_numbers_follow_the_language_and_round_half_away_from_zero(value, decimals, german, english):
    assert number_text(value, language="de", decimals=decimals) == german
    assert number_text(value, language="en", decimals=decimals) == english


@pytest.mark.parametrize(
    ("currency", "german", "english"),
    [
        ("EUR", "1.234,56 €", "€1,234.56"),
        ("GBP", "1.234,56 £", "£1,234.56"),
        ("CHF", "1.234,56 CHF", "CHF 1,234.56"),
    ],
)
def test_money_puts_the_currency_where_the_language_does(currency, german, english):
    assert money_text(1234.56, language="de", currency=currency) == german
    assert money_text(1234.56, language="en", currency=currency) == english


def test_a_negative_amount_keeps_its_sign_before_the_symbol():
    assert money_text(-5, language="en", currency="EUR") == "-€5.00"
    assert money_text(-5, language="de", currency="EUR") == "-5,00 €"


@pytest.mark.parametrize(("value", "expected"), [(3400.4, "3.400 €"), (99.95, "99,95 €"), (20.0, "20 €"), (0.0, "0 €")])
def test_rough_money_is_whole_from_a_hundred_on(value, expected):
    assert rough_money_text(value, language="de", currency="EUR") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0%"),
        (0.0001, "under 0.1%"),
        (0.034, "3.4%"),
        (0.03, "3%"),
        (0.0996, "10%"),
        (0.455, "46%"),
        (1.0, "100%"),
    ],
)
def test_shares_are_whole_per_cent_unless_small(value, expected):
    assert share_text(value, language="en") == expected


@pytest.mark.parametrize(("value", "expected"), [(2.0, "2"), (2.44, "2,4"), (0.15, "0,15"), (0.0, "0"), (99.96, "100")])
def test_short_numbers_drop_what_says_nothing(value, expected):
    assert short_number_text(value, language="de") == expected


def test_dates_follow_the_language():
    assert date_text(date(2026, 12, 31), language="de") == "31.12.2026"
    assert date_text(date(2026, 12, 31), language="en") == "31 Dec 2026"
