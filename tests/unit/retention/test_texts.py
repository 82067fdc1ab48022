from __future__ import annotations

from collections.abc import Iterator

import pytest

from features.catalogue import catalogue
from features.errors import ConfigError
from retention.consent import CHANNELS, LEGITIMATE_INTEREST, WHY_NOT
from retention.documents import shipped
from retention.facts import DERIVED_FACTS
from retention.lists import EARLY_WARNING_COLUMNS, WIN_BACK_COLUMNS
from retention.texts import ReasonTexts, Template, clauses, parse_texts, reason_texts

FEATURES = {feature.name: feature.family for feature in catalogue()}
LANGUAGES = ("de", "en")


def templates(texts: ReasonTexts) -> Iterator[tuple[str, Template]]:
    for name, family in texts.families.items():
        for template in family.every:
            yield name, template


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("family", sorted(set(FEATURES.values())))
def test_every_family_of_the_catalogue_has_texts(language, family):
    texts = reason_texts(language).families[family]
    assert texts.templates("raises")
    assert texts.templates("lowers")


@pytest.mark.parametrize("purpose", ["churn", "return"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_of_the_catalogue_is_spoken_of_in_both_directions(language, purpose):
    families = reason_texts(language).families
    forms = {name: {name, *(key for key, fact in DERIVED_FACTS.items() if fact.form_of == name)} for name in FEATURES}
    for side in ("raises", "lowers"):
        silent = [
            name
            for name, family in FEATURES.items()
            if not any(forms[name] & template.columns for template in families[family].templates(side, purpose))
        ]
        assert silent == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_name_only_features_and_facts_that_exist(language):
    known = set(FEATURES) | set(DERIVED_FACTS)
    unknown = {name for _, template in templates(reason_texts(language)) for name in template.columns} - known
    assert unknown == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_shows_a_machine_name_once_its_numbers_are_filled_in(language):
    for _, template in templates(reason_texts(language)):
        bare = template.text
        for name, unit in template.placeholders:
            bare = bare.replace(f"{{{name}:{unit}}}", "1")
        assert "_" not in bare
        assert "{" not in bare


def test_both_languages_say_the_same():
    german, english = (
        [(family, sorted(template.columns)) for family, template in templates(reason_texts(language))]
        for language in LANGUAGES
    )
    assert {family for family, _ in german} == {family for family, _ in english}
    assert {name for _, columns in german for name in columns} == {name for _, columns in english for name in columns}
    assert reason_texts("de").lists.headings.keys() == reason_texts("en").lists.headings.keys()
    assert reason_texts("de").lists.changes.keys() == reason_texts("en").lists.changes.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_and_column_of_the_lists_has_its_word(language):
    words = reason_texts(language).lists
    assert set(words.channels) == set(CHANNELS)
    assert set(words.why_not) == set(WHY_NOT)
    assert set(words.evidence) == {LEGITIMATE_INTEREST}
    assert set(words.risk_bands) == {"high", "medium", "low"}
    assert {*EARLY_WARNING_COLUMNS, *WIN_BACK_COLUMNS} <= set(words.headings)
    assert len(set(words.headings.values())) == len(words.headings)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (("orders_before_91d:count", "orders_before_91d:pieces"), "unknown unit pieces of orders_before_91d"),
        (("orders_before_91d > 0", "orders_before_91d above 0"), "cannot read the condition"),
        (("    label: Umsatz\n", ""), "families.turnover.label: Field required"),
        (("  churn: {raises", "  chrun: {raises"), "signs"),
        (("lowers: Bindet}", "lowers: Bindet, both: x}"), "unknown key signs.churn.both"),
    ],
)
def test_broken_texts_are_refused_in_one_line(broken, message):
    text = shipped("reasons.de.yaml")
    assert broken[0] in text
    with pytest.raises(ConfigError, match=rf"^own\.yaml: .*{message}"):
        parse_texts(text.replace(*broken), where="own.yaml")


def test_a_language_without_texts_is_refused():
    with pytest.raises(ConfigError, match="expected one of de, en, got fr"):
        reason_texts("fr")


def test_conditions_are_read_as_written():
    first, second = clauses("a__x_91d <= b and c missing")
    assert (first.left, first.test, first.right) == ("a__x_91d", "<=", "b")
    assert (second.left, second.test) == ("c", "missing")
    assert clauses("a = -0.5")[0].right == -0.5
