from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.catalogue import catalogue
from features.errors import ConfigError
from retention.reasons import rank_reasons
from retention.sentences import sentences
from retention.texts import reason_texts

FAMILIES = {feature.name: feature.family for feature in catalogue()}


def told(feature: str, weight: float, *, language: str = "de", purpose: str = "churn", **facts: float) -> str:
    """Return the sentence for one reason of one customer with these facts."""
    index = pd.Index(["c1"], name="customer_id")
    reasons = pd.DataFrame({"reason_1": [feature], "contribution_1": [weight]}, index=index)
    matrix = pd.DataFrame(
        {"cutoff": [pd.Timestamp(2026, 3, 1).date()], **{k: [v] for k, v in facts.items()}}, index=index
    )
    texts = reason_texts(language)
    told = sentences(reasons, matrix, texts, families=FAMILIES, purpose=purpose, currency="EUR")
    return told.at["c1", "text_1"]


SEASON = {"sales__turnover_91d": 3400.0, "sales__turnover_season_base_91d": 7900.0, "sales__turnover_season_91d": -0.84}


def test_a_fall_against_last_year_names_both_amounts():
    german = told("sales__turnover_season_91d", 0.8, **SEASON)
    assert german == "Gefährdet: Umsatz der letzten 91 Tage nur 3.400 €, im Vorjahr 7.900 €"
    english = told("sales__turnover_season_91d", 0.8, language="en", **SEASON)
    assert english == "At risk: Turnover of only €3,400 in the last 91 days, €7,900 in the same days a year ago"


def test_for_return_the_sign_is_worded_anew_and_the_facts_stay():
    assert told("sales__turnover_season_91d", -0.8, purpose="return", **SEASON).startswith(
        "Spricht gegen Rückkehr: Umsatz der letzten 91 Tage nur 3.400 €"
    )
    assert told("sales__turnover_season_91d", 0.8, purpose="return", **SEASON) == (
        "Spricht für Rückkehr: Umsatz der letzten 91 Tage 3.400 €, im Vorjahr 7.900 €"
    )


@pytest.mark.parametrize(
    ("language", "days", "expected"),
    [
        ("de", 1, "Gefährdet: Letzte Bestellung am 28.02.2026, vor 1 Tag"),
        ("de", 2, "Gefährdet: Letzte Bestellung am 27.02.2026, vor 2 Tagen"),
        ("en", 1, "At risk: Last order on 28 Feb 2026, 1 day ago"),
        ("en", 2, "At risk: Last order on 27 Feb 2026, 2 days ago"),
    ],
)
def test_one_is_singular(language, days, expected):
    assert told("sales__recency_days", 0.5, language=language, sales__recency_days=days) == expected


def test_nothing_is_said_as_nothing():
    facts = {"sales__orders_91d": 0.0, "sales__orders_182d": 4.0, "sales__tenure_days": 500.0}
    assert told("sales__orders_91d", 0.5, **facts) == (
        "Gefährdet: Keine Bestellung in den letzten 91 Tagen, in den 91 Tagen davor 4"
    )
    assert told("complaints__open_count", -0.5, complaints__open_count=0.0) == "Bindet: Keine offene Reklamation"


def test_a_missing_number_takes_the_next_sentence():
    assert told(
        "sales__recency_days", 0.5, sales__recency_days=9.0, sales__gap_mean_days=np.nan, sales__orders_728d=5.0
    ) == ("Gefährdet: Letzte Bestellung am 20.02.2026, vor 9 Tagen")


def test_without_any_number_the_family_still_speaks():
    assert told("sales__margin_364d", 0.5) == "Gefährdet: Die Marge ist wie bei Kunden, die nicht mehr kauften"
    assert (
        told("sales__margin_364d", -0.5, language="en")
        == "Binds: The margin is like that of customers who went on buying"
    )


def test_the_leading_feature_is_spoken_of_before_others_of_its_family():
    facts = {"sales__orders_91d": 2.0, "sales__orders_28d": 1.0, "sales__orders_728d": 9.0, "sales__orders_364d": 4.0}
    assert "zwei Jahren" in told("sales__orders_728d", 0.5, **facts)
    assert "28 Tagen" in told("sales__orders_28d", 0.5, **facts)


RHYTHM = {
    "rhythm__silent_chance": 0.49,
    "rhythm__expected_orders": 0.8,
    "sales__gap_mean_days": 49.0,
    "sales__recency_days": 195.0,
}


def test_the_rhythm_is_told_by_the_side_it_speaks_for():
    assert told("rhythm__silent_chance", 0.5, **RHYTHM) == (
        "Gefährdet: Nach dem bisherigen Kaufrhythmus kommt mit 49 % Wahrscheinlichkeit in nächster Zeit keine"
        " Bestellung"
    )
    assert told("rhythm__silent_chance", -0.5, **RHYTHM) == (
        "Bindet: Nach dem bisherigen Kaufrhythmus kommt mit 51 % Wahrscheinlichkeit in nächster Zeit eine Bestellung"
    )
    assert told("rhythm__silent_chance", 0.5, purpose="return", language="en", **RHYTHM) == (
        "Speaks for a return: Going by the buying rhythm so far: 51% chance of another order"
    )


def test_what_would_read_against_its_sign_for_a_return_is_told_by_own_numbers():
    assert told("rhythm__expected_orders", 0.5, purpose="return", **RHYTHM) == (
        "Spricht für Rückkehr: Kaufte früher im Schnitt alle 49 Tage, zuletzt vor 195 Tagen"
    )
    assert told("rhythm__expected_orders", -0.5, purpose="return", **RHYTHM) == (
        "Spricht gegen Rückkehr: Nach dem bisherigen Kaufrhythmus ist in den nächsten 52 Wochen höchstens eine"
        " Bestellung zu erwarten"
    )
    late = {"sales__overdue_ratio": 4.0, "sales__recency_days": 195.0, "sales__gap_mean_days": 49.0}
    assert told("sales__overdue_ratio", -0.5, purpose="return", **late) == (
        "Spricht gegen Rückkehr: Bestellung überfällig, letzte vor 195 Tagen, üblicher Abstand 49 Tage"
    )
    assert told("sales__overdue_ratio", 0.5, purpose="return", **late) == (
        "Spricht für Rückkehr: Letzte Bestellung vor 195 Tagen, üblicher Abstand 49 Tage"
    )


def test_no_count_is_a_word_and_not_a_zero():
    facts = {"contacts__count_91d": 3.0, "contacts__count_364d": 0.0}
    assert told("contacts__count_91d", 0.5, **facts).endswith(
        "3 Kontakte in den letzten 91 Tagen, keine in den letzten 52 Wochen"
    )
    none = {"contacts__count_91d": 0.0, "contacts__count_364d": 0.0}
    assert told("contacts__count_91d", 0.5, **none) == "Gefährdet: Kein Kontakt in den letzten 52 Wochen"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("purpose", ["churn", "return"])
@pytest.mark.parametrize("known", [0.0, 0.6, 1.0])
def test_every_reason_gets_a_whole_sentence_whatever_is_missing(language, purpose, known):
    rng = np.random.default_rng(3)
    index = pd.Index([f"c{row:03d}" for row in range(200)], name="customer_id")
    names = sorted(FAMILIES)
    values = np.where(rng.random((200, len(names))) < known, rng.lognormal(1, 1.5, (200, len(names))).round(1), np.nan)
    matrix = pd.DataFrame(values, columns=names, index=index).assign(cutoff=pd.Timestamp(2026, 3, 1))
    reasons = rank_reasons(pd.DataFrame(rng.normal(size=values.shape), columns=names, index=index), FAMILIES)
    texts = reason_texts(language)
    result = sentences(reasons, matrix, texts, families=FAMILIES, purpose=purpose, currency="EUR")
    assert result.notna().all(axis=None)
    signs = (texts.signs[purpose].raises + ": ", texts.signs[purpose].lowers + ": ")
    for text in result.stack():
        assert text.startswith(signs)
        assert not any(part in text for part in ("__", "{", "}", "nan", "None", "  "))
        assert text.split(": ", 1)[1][:1] == text.split(": ", 1)[1][:1].upper()


def test_no_reason_is_no_sentence():
    index = pd.Index(["c1"], name="customer_id")
    reasons = pd.DataFrame({"reason_1": pd.Series([None], dtype="str"), "contribution_1": [np.nan]}).set_axis(index)
    result = sentences(
        reasons, pd.DataFrame(index=index), reason_texts("de"), families=FAMILIES, purpose="churn", currency="EUR"
    )
    assert result["text_1"].isna().all()


def test_a_family_without_texts_and_a_foreign_matrix_are_refused():
    with pytest.raises(ConfigError, match=r"reasons\.de\.yaml: no texts for the family nobody"):
        sentences(
            pd.DataFrame({"reason_1": ["x"], "contribution_1": [1.0]}),
            pd.DataFrame(index=[0]),
            reason_texts("de"),
            families={"x": "nobody"},
            purpose="churn",
            currency="EUR",
        )
    with pytest.raises(ValueError, match="expected the same customers in reasons and matrix"):
        sentences(
            pd.DataFrame({"reason_1": ["x"], "contribution_1": [1.0]}),
            pd.DataFrame(index=[7]),
            reason_texts("de"),
            families=FAMILIES,
            purpose="churn",
            currency="EUR",
        )
