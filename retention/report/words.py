"""The words of the page in one language, read from ``configs/report.<language>.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import get_args

from pydantic import Field, field_validator

from features.errors import ConfigError
from features.section import Section
from retention.documents import parse_section, shipped
from retention.formats import Language, number_text
from retention.texts import Noun

Words = dict[str, str]


class Saying(Section):
    """How a remark of another stage, which comes in English, is said on the page."""

    pattern: str = Field(min_length=1, description="Regular expression of the whole remark, with named groups.")
    text: str = Field(min_length=1, description="What the page says; {group} stands for what the group found.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"expected a regular expression ({error})") from error
        return value


class ReportTexts(Section):
    """All words of the page; every group of words is one part of it."""

    language: Language = Field(description="Language of the page.")
    nouns: dict[str, Noun] = Field(description="Counted nouns.")
    page: Words = Field(description="Title, navigation, general words.")
    headline: Words = Field(description="Part 1: what came out.")
    lists: Words = Field(description="Part 2: the lists.")
    movement: Words = Field(description="Part 2b: what has moved since the run before.")
    why: Words = Field(description="Part 3: what drives the risk.")
    signals: Words = Field(description="Part 3b: readable rules and what they are worth.")
    verdicts: Words = Field(description="What a rule's figures mean.")
    spread: Words = Field(description="Part 4: how risk and value are distributed.")
    worth: Words = Field(description="Part 4b: what customers are worth, and what is at stake where.")
    lost: Words = Field(description="Part 4c: why customers were lost, and what was lost with them.")
    trust: Words = Field(description="Part 5: how far the figures can be trusted.")
    matured: Words = Field(description="Part 5b: what has become of earlier promises.")
    cautions: Words = Field(description="What makes the figures less sure.")
    data: Words = Field(description="Part 6: the data.")
    foot: Words = Field(description="Part 7: what the figures are and are not.")
    definitions: Words = Field(description="What counts as lost, by definition of churn.")
    candidates: Words = Field(description="Names of the candidates.")
    rivals: Words = Field(description="Names of the rivals built in.")
    metrics: Words = Field(description="Names of the metrics.")
    metric_notes: Words = Field(description="What each metric says.")
    tables: Words = Field(description="Names of the tables.")
    costs: Words = Field(description="What a missing table or column costs.")
    sayings: tuple[Saying, ...] = Field(description="Remarks of other stages, the first that fits is taken.")


def report_texts(language: Language) -> ReportTexts:
    """Return the shipped words of ``language``; ConfigError when there are none."""
    if language not in get_args(Language):
        raise ConfigError(f"language: expected one of {', '.join(get_args(Language))}, got {language}; correct it")
    return _shipped_words(language)


@cache
def _shipped_words(language: Language) -> ReportTexts:
    name = f"report.{language}.yaml"
    return parse_section(shipped(name), ReportTexts, where=f"configs/{name}")


def said(remark: str, words: ReportTexts) -> str:
    """Return a remark of another stage in the language of the page; unchanged when no saying fits.

    Numbers found by a group are written as the language does, names of tables, columns, candidates and rivals are
    replaced by their words.

    Examples
    --------
    >>> said("blend is the best", report_texts("en"))
    'It was the best candidate on later time.'
    """
    glossary = {**words.candidates, **words.rivals, **words.costs, **words.tables}
    for saying in words.sayings:
        found = re.fullmatch(saying.pattern, remark)
        if found is not None:
            parts = {name: _word(part or "", glossary, words.language) for name, part in found.groupdict().items()}
            return saying.text.format(**parts)
    return remark


def counted(n: float, noun: str, words: ReportTexts) -> str:
    """Return a number with its noun: 1 Kunde, 2.787 Kunden."""
    forms = words.nouns[noun]
    return forms.one if n == 1 else forms.many.format(n=number_text(n, language=words.language))


def _word(part: str, glossary: Mapping[str, str], language: Language) -> str:
    if not _NUMBER.fullmatch(part):
        return glossary.get(part, part)
    decimals = len(part.partition(".")[2])
    return number_text(float(part.replace(",", "")), language=language, decimals=decimals)


_NUMBER = re.compile(r"-?\d+(,\d{3})*(\.\d+)?")
