from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

import retention.report
from features.contract import TABLES
from features.errors import ConfigError
from features.intake import take_in_frames
from features.notes import COLUMN_COST, COST
from models.rivals import RIVALS
from retention.formats import Language
from retention.report.trust import LADDER
from retention.report.words import ReportTexts, counted, report_texts, said

GROUPS = tuple(name for name, field in ReportTexts.model_fields.items() if name not in ("language", "sayings"))

BUILT = {
    "spread": {"bands_high", "bands_medium", "bands_low", "nobody", "others"},
    "trust": {"churn", "return", "event_churn", "event_return"},
    "foot": {"association", "promise", "value", "effects", "people"},
}
"""Words whose keys the template puts together."""


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("group", GROUPS)
def test_both_languages_have_the_same_words_with_the_same_places_to_fill(group: str) -> None:
    german, english = getattr(report_texts("de"), group), getattr(report_texts("en"), group)
    assert list(german) == list(english)
    for key in german:
        if isinstance(german[key], str):
            assert placeholders(german[key]) == placeholders(english[key]), key


@pytest.mark.parametrize(
    "part", ["page", "headline", "lists", "movement", "why", "spread", "trust", "matured", "data", "foot"]
)
def test_the_page_uses_every_word_there_is_and_none_that_is_not(part: str) -> None:
    folder = Path(retention.report.__path__[0])
    sources = "".join(path.read_text() for path in sorted(folder.rglob("*.jinja")))
    used = set(re.findall(rf"\bw\.{part}\.(\w+)", sources)) | BUILT.get(part, set())
    assert used == set(getattr(report_texts("de"), part))


@pytest.mark.parametrize("language", get_args(Language))
def test_every_table_missing_column_and_candidate_has_words(language: Language) -> None:
    words = report_texts(language)
    assert set(words.tables) == set(TABLES)
    assert set(COST) <= set(words.costs)
    assert {f"{table}.{column}" for table, column in COLUMN_COST} <= set(words.costs)
    assert set(LADDER) == set(words.candidates)
    assert set(RIVALS) == set(words.rivals)


def test_remarks_on_the_data_are_said_in_the_language_of_the_page() -> None:
    orders = pd.DataFrame({"order_id": ["1", "1", "2"], "customer_id": ["a", "a", "b"], "amount": [1.0, 1.0, 2.0]})
    frames = {
        "orders": orders.assign(occurred_on=pd.Timestamp("2026-01-01")),
        "customers": pd.DataFrame({"customer_id": ["a"]}),
    }
    with take_in_frames(frames, cutoff=None, timezone="Europe/Berlin") as tables:
        notes = [note for note in tables.notes if "is missing" not in note]
    assert [said(note, report_texts("de")) for note in notes] == [
        "Aufträge: Zeilen von Kunden, die in den Stammdaten fehlen: 1 (Kunden: 1); sie zählen mit.",
        "Aufträge: Zeilen, die einer anderen völlig gleichen: 1; sie zählen mit, denn Positionen wiederholen sich.",
    ]


def test_refused_rows_are_said_with_numbers_of_the_language() -> None:
    note = "orders: 1234 of 5678 rows were refused (22%), most by `required` in amount; see quarantine/orders.parquet"
    told = "Aufträge: 1.234 von 5.678 Zeilen wurden abgewiesen (22 %), siehe quarantine/orders.parquet."
    assert said(note, report_texts("de")) == told


def test_why_a_candidate_was_chosen_is_said_with_its_name() -> None:
    remark = "blend is within one standard error of the best (lightgbm)"
    assert "the best candidate (LightGBM, starting from the buying rhythm) was" in said(remark, report_texts("en"))


def test_that_held_trees_speak_for_free_ones_is_said() -> None:
    told = said("monotone is within two standard errors of the best (lightgbm)", report_texts("en"))
    assert told.endswith("held to known directions no reason speaks against them.")


@pytest.mark.parametrize(
    ("why", "start"),
    [
        ("later time tells no candidate from chance", "An späterer Zeit war kein Kandidat vom Zufall"),
        ("no test ordered in time has enough of both outcomes", "Die Geschichte ist zu kurz für eine Prüfung"),
    ],
)
@pytest.mark.parametrize("reason", ["is the best", "is better than the blend by more than one standard error"])
def test_that_customers_left_out_chose_is_said_with_the_reason(why: str, start: str, reason: str) -> None:
    told = said(f"{why}; among customers left out of the newest cutoff logistic {reason}", report_texts("de"))
    assert told.startswith(start)
    assert ": Logistische Regression spricht; das Mittel weicht nur" in told


@pytest.mark.parametrize(
    ("why", "start"),
    [
        ("later time tells no candidate from chance", "On later time no candidate could be told from chance."),
        ("no test ordered in time has enough of both outcomes", "The history is too short for a test of the whole"),
    ],
)
def test_that_half_the_horizon_chose_is_said(why: str, start: str) -> None:
    told = said(f"{why}; by half the horizon blend is the best", report_texts("en"))
    assert told.startswith(start)
    assert "So what half" in told
    assert "mean of rhythm" in told.lower() or "speaks; the mean of three" in told


def test_a_remark_without_a_saying_stands_as_it_came() -> None:
    assert said("something new {x}", report_texts("de")) == "something new {x}"


@pytest.mark.parametrize(("n", "shown"), [(0, "0 Kunden"), (1, "1 Kunde"), (2787, "2.787 Kunden")])
def test_nouns_are_counted(n: int, shown: str) -> None:
    assert counted(n, "customers", report_texts("de")) == shown


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"language: expected one of de, en, got fr; correct it"):
        report_texts("fr")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reason", "start"),
    [
        ("log loss +0.0123 against the champion itself on 1300 customers, standard error 0.0040",
         "Sein Log-Verlust liegt um 0,0123 über dem des eingesetzten Modells (Kunden: 1.300)"),
        ("calibration error 0.051, at most 0.040 with 1200 snapshots a test",
         "Vorhergesagte und eingetretene Anteile liegen um 0,051 auseinander; bei 1.200 Fällen"),
        ("rank correlation with the champion -0.31, at least 0.50",
         "Es ordnet die Kunden zu anders als das eingesetzte Modell (Rangkorrelation -0,31, verlangt sind 0,50)"),
        ("120,000 leaves of at most 100,000, 1.2 MB of at most 64",
         "Es ist zu groß: 120.000 Blätter (höchstens 100.000), 1,2 MB (höchstens 64)."),
        ("level in ranking compared with last_order",
         "Es schlägt den besten Rivalen nicht über den Zufall hinaus (Regel der letzten Bestellung)."),
        ("worse in ranking compared with bgnbd", "Ein Rivale ordnet besser (BG/NBD, wie es kommt)."),
    ],
)  # fmt: skip
def test_why_a_model_was_not_promoted_is_said_with_its_numbers(reason: str, start: str) -> None:
    assert said(reason, report_texts("de")).startswith(start)
    assert said(reason, report_texts("en")) != reason
