"""Texts of own features: the author's where there are any, else a sentence; never a raw name, never empty."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import Catalogue, Group
from features.errors import ConfigError
from features.ledger import Column, Past
from features.own import OwnFeatures, own_catalogue
from retention.own_texts import texts_for
from retention.reasons import rank_reasons
from retention.sentences import sentences
from retention.texts import reason_texts

NAMES = {"de": {"weekend": "Wochenende"}, "en": {"weekend": "Weekend orders"}}


def catalogue_with(*, texts: Any = None, unit: str = "share", family: str = "weekend", doc: str = "") -> Catalogue:
    group = Group("own", needs={"orders": ()}, texts=NAMES if texts is None else texts)

    def weekend_share(bookings: Past, days: int) -> Column:
        return bookings.count(days)

    weekend_share.__doc__ = doc or (
        "Share of orders inside the window on weekends [share]; missing without an order.\n\n"
        "de: Anteil der Bestellungen am Wochenende im Zeitraum; fehlt ohne Bestellung."
    )
    group.feature(unit=unit, family=family, windows=(91, 364))(weekend_share)
    return own_catalogue(OwnFeatures(), root=Path(), groups=[group], extras={})


def told(features: Catalogue, language: Any, value: float, *, name: str = "own__weekend_share_91d") -> tuple[str, str]:
    """Return the sentences where the feature endangers and where it binds."""
    index = pd.Index(["a", "b"], name="customer_id")
    matrix = pd.DataFrame({name: [value, value], "cutoff": "2024-01-01"}, index=index)
    reasons = rank_reasons(pd.DataFrame({name: [0.5, -0.5]}, index=index), features.families)
    texts = texts_for(features, language)
    made = sentences(reasons, matrix, texts, families=features.families, purpose="churn", currency="EUR")
    return made["text_1"].iloc[0], made["text_1"].iloc[1]


def test_without_own_features_the_texts_are_ours() -> None:
    assert texts_for(own_catalogue(OwnFeatures(), root=Path(), extras={}), "de") == reason_texts("de")


@pytest.mark.parametrize(
    ("language", "value", "sentence"),
    [
        ("de", 0.25, "Anteil der Bestellungen am Wochenende in den letzten 91 Tagen: 25 %"),
        ("en", 0.25, "Share of orders in the last 91 days on weekends: 25%"),
        ("de", np.nan, "Anteil der Bestellungen am Wochenende in den letzten 91 Tagen: kein Wert (ohne Bestellung)"),
        ("en", np.nan, "Share of orders in the last 91 days on weekends: no value (without an order)"),
    ],
)
def test_a_sentence_is_made_of_meaning_value_and_unit(language: str, value: float, sentence: str) -> None:
    signs = reason_texts(language).signs["churn"]
    assert told(catalogue_with(), language, value) == (f"{signs.raises}: {sentence}", f"{signs.lowers}: {sentence}")


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [("currency", 1234.5, "1.235 €"), ("orders", 2.0, "2"), ("ratio", -0.4, "-0,4"), ("days", 0.0, "0")],
)
def test_a_value_is_written_in_its_unit(unit: str, value: float, shown: str) -> None:
    raises, _ = told(catalogue_with(unit=unit), "de", value, name="own__weekend_share_364d")
    assert raises == f"Gefährdet: Anteil der Bestellungen am Wochenende in den letzten 52 Wochen: {shown}"


def test_what_cannot_be_written_falls_back_to_the_name_of_the_family() -> None:
    raises, lowers = told(catalogue_with(), "de", -1.0)
    assert raises == "Gefährdet: Das Merkmal „Wochenende“ ist wie bei Kunden, die nicht mehr kauften"
    assert lowers == "Bindet: Das Merkmal „Wochenende“ ist wie bei Kunden, die weiter kauften"


def test_a_meaning_that_does_not_speak_of_the_window_gets_it_in_brackets() -> None:
    features = catalogue_with(doc="Turnover against before [ratio].\n\nde: Umsatz des Zeitraums gegenüber davor.")
    assert told(features, "en", 0.5)[0] == "At risk: Turnover against before (91 days): 50%"
    assert told(features, "de", 0.5)[0] == "Gefährdet: Umsatz der letzten 91 Tage gegenüber davor: 50 %"


def test_the_author_may_write_all_texts_of_a_family() -> None:
    said = {
        "label": "Wochenende",
        "subject": "Das Bestellen am Wochenende",
        "raises": [
            {"text": "Nur {own__weekend_share_91d:share} am Wochenende", "when": "own__weekend_share_91d < 0.1"}
        ],
    }
    features = catalogue_with(texts={**NAMES, "de": {"weekend": said}})
    assert told(features, "de", 0.05)[0] == "Gefährdet: Nur 5 % am Wochenende"
    assert (
        told(features, "de", 0.5)[0]
        == "Gefährdet: Das Bestellen am Wochenende ist wie bei Kunden, die nicht mehr kauften"
    )


def test_an_own_feature_may_join_a_family_of_ours_which_stays_as_it_was() -> None:
    features = catalogue_with(family="order_frequency", texts={})
    ours, both = reason_texts("de").families["order_frequency"], texts_for(features, "de").families["order_frequency"]
    assert (both.label, both.raises, both.facts[: len(ours.facts)]) == (ours.label, ours.raises, ours.facts)
    assert told(features, "de", 0.25)[0].endswith("Anteil der Bestellungen am Wochenende in den letzten 91 Tagen: 25 %")


def test_no_sentence_of_an_own_feature_is_empty_or_shows_a_raw_name() -> None:
    for language in ("de", "en"):
        for unit in ("share", "currency", "orders", "days"):
            for value in (0.0, 1.0, 12345.678, -3.0, np.nan):
                for sentence in told(catalogue_with(unit=unit), language, value):
                    assert re.fullmatch(r"[^:]+: \S.+", sentence)
                    assert "__" not in sentence
                    assert "{" not in sentence


@pytest.mark.parametrize(
    ("changed", "language", "message"),
    [
        ({"texts": {}}, "de", r'`weekend` is new and has no name in German; give Group\(….*{"de": {"weekend": "…"}}'),
        ({"texts": {"de": {"weekend": "x"}}}, "en", "`weekend` is new and has no name in English"),
        (
            {"doc": "Share [share]."},
            "de",
            "feature own__weekend_share_91d has no meaning in German; add a paragraph `de:",
        ),
        ({"texts": {"de": {"weekends": "x"}}}, "de", "texts.de.weekends: no feature .* family; nearest is `weekend`"),
        (
            {"texts": {"de": {"weekend": {"lable": "x"}}}},
            "de",
            "texts.de.weekend.lable: Extra inputs are not permitted",
        ),
        ({"texts": {"de": {"weekend": ""}}}, "de", "texts.de.weekend: "),
        (
            {"texts": {"de": {"weekend": {"label": "x", "facts": ["{own__weekend_91d:share}"]}}}},
            "de",
            "there is no feature or fact `own__weekend_91d`; nearest is `own__weekend_share_91d`",
        ),
        (
            {"texts": {"de": {"weekend": {"label": "x", "facts": ["{own__weekend_share_91d:shares}"]}}}},
            "de",
            "unknown unit shares of own__weekend_share_91d",
        ),
        (
            {"texts": {"de": {"weekend": {"label": "x", "facts": [{"text": "y", "when": "z above 1"}]}}}},
            "de",
            "texts.de.weekend.facts.0.when: cannot read the condition 'z above 1'",
        ),
    ],
)
def test_wrong_texts_end_in_one_line(changed: dict[str, Any], language: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        texts_for(catalogue_with(**changed), language)
    assert str(caught.value).startswith("features: group `own`")
