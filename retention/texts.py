"""The texts of reasons and lists in one language, read from ``configs/reasons.<language>.yaml``.

A template states facts about one customer. Its placeholders are ``{column:unit}``: a feature or a derived fact and
how to write it. ``when`` says where the template is true: ``column < number``, ``column >= column``,
``column missing``, ``column known``, joined by ``and``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from features.errors import ConfigError
from features.section import Section
from retention.documents import parse_section, shipped
from retention.formats import Language

Purpose = Literal["churn", "return"]
"""What the model foresees: the loss of an active customer, or the return of a lapsed one."""
Side = Literal["raises", "lowers"]
"""raises: endangers the relation; lowers: binds the customer."""

UNITS = ("money", "number", "count", "share", "date")
"""Units every language has; nouns come on top."""

_CLAUSE = re.compile(
    r"(?P<left>[a-z_]\w*) (?:(?P<test>missing|known)|(?P<op><=|>=|<|>|=) (?P<right>[a-z_]\w*|-?\d+(?:\.\d+)?))"
)


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One comparison of a ``when``: a column with a test, a number or another column."""

    left: str
    test: str
    right: str | float = 0.0

    @property
    def columns(self) -> frozenset[str]:
        """Columns the clause reads."""
        return frozenset({self.left} | ({self.right} if isinstance(self.right, str) else set()))


class Template(Section):
    """A sentence with placeholders and the condition under which it is true."""

    text: str = Field(min_length=1, description="Sentence with {column:unit} placeholders.")
    when: str = Field(default="", description="Where the sentence is true; empty: wherever its numbers are known.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @field_validator("when")
    @classmethod
    def _parsable(cls, value: str) -> str:
        clauses(value)
        return value

    @property
    def placeholders(self) -> tuple[tuple[str, str], ...]:
        """Pairs of column and unit, in order."""
        return tuple((name, unit or "") for _, name, unit, _ in Formatter().parse(self.text) if name)

    @property
    def columns(self) -> frozenset[str]:
        """Every column the template reads, in its text or its condition."""
        compared = (clause.columns for clause in clauses(self.when))
        return frozenset(name for name, _ in self.placeholders).union(*compared)


class Noun(Section):
    """A counted noun in its forms; ``{n}`` is the number."""

    none: str | None = Field(default=None, description="For zero; without it a sentence with zero does not fit.")
    one: str = Field(description="For one.")
    many: str = Field(description="For all others; holds {n}.")


class Sides(Section):
    """One wording where a fact endangers, one where it binds."""

    raises: str = Field(min_length=1, description="Wording where the fact speaks for the foreseen event.")
    lowers: str = Field(min_length=1, description="Wording where it speaks against it.")


class FamilyTexts(Section):
    """What can be said about one family of reasons."""

    label: str = Field(min_length=1, description="Name of the family in tables and charts.")
    subject: str = Field(min_length=1, description="Subject of the sentence without numbers.")
    raises: tuple[Template, ...] = Field(default=(), description="Sentences where the family endangers, tried first.")
    lowers: tuple[Template, ...] = Field(default=(), description="Sentences where it binds, tried first.")
    speaks_for_return: tuple[Template, ...] = Field(
        default=(), description="Sentences where it speaks for the return of a lapsed customer, tried before all."
    )
    speaks_against_return: tuple[Template, ...] = Field(
        default=(), description="Sentences where it speaks against that return, tried before all."
    )
    facts: tuple[Template, ...] = Field(default=(), description="Neutral sentences for both sides, tried next.")

    @property
    def every(self) -> tuple[Template, ...]:
        """Every sentence."""
        return self.raises + self.lowers + self.speaks_for_return + self.speaks_against_return + self.facts

    def templates(self, side: Side, purpose: Purpose = "churn") -> tuple[Template, ...]:
        """Return the templates of ``side`` in the order they are tried; for return its own come first."""
        usual = (self.raises if side == "raises" else self.lowers) + self.facts
        if purpose == "churn":
            return usual
        return (self.speaks_against_return if side == "raises" else self.speaks_for_return) + usual


class ListTexts(Section):
    """Words of the lists: headings by column, and phrases by code."""

    headings: dict[str, str] = Field(description="Heading of every column of every list.")
    lists: dict[str, str] = Field(description="Name of every list.")
    risk_bands: dict[str, str] = Field(description="Word for every risk band.")
    channels: dict[str, str] = Field(description="Word for every channel.")
    why_not: dict[str, str] = Field(description="Phrase for every code that forbids a channel.")
    evidence: dict[str, str] = Field(description="Phrase for evidence that is a code.")
    notes: dict[str, str] = Field(
        description="Notes: on a row (control group, no measure), on a signal, on the whole list."
    )
    changes: dict[str, str] = Field(description="Why a customer is on the list now, by kind of change.")
    obstacles: dict[str, str] = Field(description="Sentence for why somebody is not to be won back, by obstacle.")
    moments: dict[str, str] = Field(description="Where a lapsed customer stands to the best moment for a return.")
    gone: dict[str, str] = Field(description="Word for why a customer left the early-warning list.")
    gone_because: dict[str, str] = Field(description="Sentence for the same, with its numbers.")
    no_owner: str = Field(description="Shown where no account manager is known.")


class LeverTexts(Section):
    """What is said of one lever."""

    title: str = Field(min_length=1, description="What to do, in a few words.")
    state: str = Field(min_length=1, description="What then holds of the customer, as a clause that follows a comma.")


class ChangeTexts(Section):
    """How it is told what would change the probability."""

    sentence: dict[Purpose, str] = Field(description="Sentence with {state}, {before} and {after}.")
    none_helps: dict[Purpose, str] = Field(description="Where levers apply but none helps.")
    none_applies: str = Field(min_length=1, description="Where there is nothing to mend.")
    levers: dict[str, LeverTexts] = Field(description="Texts of every lever.")


class ReasonTexts(Section):
    """All texts of one language."""

    language: Language = Field(description="Language of the texts and of their numbers.")
    signs: dict[Purpose, Sides] = Field(description="Word before each sentence: which way the fact speaks.")
    fallbacks: Sides = Field(description="Sentence without numbers; {subject} is the family's.")
    no_count: str = Field(min_length=1, description="Zero of the unit count.")
    nouns: dict[str, Noun] = Field(description="Counted nouns, usable as units.")
    families: dict[str, FamilyTexts] = Field(description="Texts of every family of reasons.")
    changes: ChangeTexts = Field(description="What would change the probability.")
    lists: ListTexts = Field(description="Words of the lists.")

    @model_validator(mode="after")
    def _complete(self) -> ReasonTexts:
        if missing := set(get_args(Purpose)) - set(self.signs):
            raise ValueError(f"signs need {', '.join(sorted(missing))}")
        for family, texts in self.families.items():
            for template in texts.every:
                _check_units(template, family, self.nouns)
        return self


def reason_texts(language: Language) -> ReasonTexts:
    """Return the shipped texts of ``language``; ConfigError when there are none."""
    if language not in get_args(Language):
        raise ConfigError(f"language: expected one of {', '.join(get_args(Language))}, got {language}; correct it")
    return _shipped_texts(language)


def parse_texts(text: str, *, where: str) -> ReasonTexts:
    """Return texts from YAML; ``where`` names the file in the ConfigError that any breach raises."""
    return parse_section(text, ReasonTexts, where=where)


@cache
def _shipped_texts(language: Language) -> ReasonTexts:
    name = f"reasons.{language}.yaml"
    return parse_texts(shipped(name), where=f"configs/{name}")


@cache
def clauses(when: str) -> tuple[Clause, ...]:
    """Return the comparisons of a condition; ValueError when one cannot be read."""
    return tuple(_clause(part.strip()) for part in when.split(" and ")) if when else ()


def _clause(part: str) -> Clause:
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise ValueError(f"cannot read the condition '{part}'; write e.g. 'sales__recency_days > 30'")
    if found["test"]:
        return Clause(left=found["left"], test=found["test"])
    right = found["right"]
    return Clause(left=found["left"], test=found["op"], right=right if right[0].isalpha() else float(right))


def _check_units(template: Template, family: str, nouns: Mapping[str, Noun]) -> None:
    for name, unit in template.placeholders:
        if unit not in UNITS and unit not in nouns:
            raise ValueError(f"family {family}: unknown unit {unit} of {name}; known: {', '.join((*UNITS, *nouns))}")
