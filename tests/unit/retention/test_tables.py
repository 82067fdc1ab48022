from __future__ import annotations

from datetime import date

import pandas as pd

from retention.measures import shipped_measures
from retention.tables import for_people
from retention.texts import reason_texts


def shown(language: str, **columns: object) -> dict[str, str]:
    frame = pd.DataFrame({name: [value] for name, value in columns.items()})
    people = for_people(frame, texts=reason_texts(language), measures=shipped_measures(), currency="EUR")
    return people.iloc[0].to_dict()


def test_codes_become_words_and_numbers_follow_the_language():
    row = {"risk_band": "high", "measure": "visit", "channel": "visit", "value": 1234.5, "by_when": date(2026, 6, 12)}
    assert shown("de", **row) == {
        "Risiko": "hoch",
        "Maßnahme": "Besuch durch den Betreuer",
        "Kanal": "Besuch",
        "Kundenwert": "1.235 €",
        "Bis wann": "12.06.2026",
    }
    assert list(shown("en", **row).values()) == [
        "high",
        "Visit by the account manager",
        "Visit",
        "€1,235",
        "12 Jun 2026",
    ]


def test_what_is_missing_is_left_empty_and_nobody_is_named_so():
    assert shown("de", owner=None, name=None, measure=None, probability=None) == {
        "Betreuer": "nicht zugeordnet",
        "Name": "",
        "Maßnahme": "",
        "Wahrscheinlichkeit": "",
    }


def test_joined_codes_are_each_translated():
    assert shown("de", allowed_channels="visit, letter", why_not="no_consent, objection") == {
        "Erlaubte Kanäle": "Besuch, Brief",
        "Warum nicht": "keine Einwilligung bekannt, Kunde hat der Werbung widersprochen",
    }


def test_a_measure_of_an_earlier_catalogue_keeps_its_name():
    assert shown("en", measure="carrier_pigeon") == {"Measure": "carrier_pigeon"}


def test_numbers_stay_numbers_where_no_format_is_known():
    assert shown("en", rank=3) == {"Rank": "3"}
