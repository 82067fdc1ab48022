"""Meanings come from the docstring: the first line in English, the paragraph `de:` in German."""

from __future__ import annotations

from features.meanings import absent_when, english_of, german_of, plain


def described() -> None:
    """Mean gap, of all [days]; missing below two.

    de: Mittlerer Abstand,
    über alle; fehlt, wenn es
    weniger als zwei sind.

    More for those who read on; de: is no mark inside a paragraph.
    """


def in_english_only() -> None:
    """Mean gap [days].

    Said de: nothing.
    """


def without() -> None: ...


def test_the_first_line_is_english_and_the_marked_paragraph_german() -> None:
    assert english_of(described) == "Mean gap, of all [days]; missing below two."
    assert german_of(described) == "Mittlerer Abstand, über alle; fehlt, wenn es weniger als zwei sind."
    assert (german_of(in_english_only), english_of(without), german_of(without)) == ("", "", "")


def test_unit_and_absence_are_told_apart_from_the_meaning() -> None:
    assert plain(english_of(described), "en") == "Mean gap, of all"
    assert plain(german_of(described), "de") == "Mittlerer Abstand, über alle"
    assert absent_when(english_of(described), "en") == "below two"
    assert absent_when(german_of(described), "de") == "wenn es weniger als zwei sind"
    assert absent_when(english_of(in_english_only), "en") == ""
