"""The register of signals: rules that a person can read, over features of the catalogue, read from YAML.

A rule's ``when`` is comparisons joined by ``and`` and ``or``; ``and`` binds closer, as in
``complaints__oldest_open_days > 14 or complaints__unanswered >= 2 and sales__recency_days < 90``. Comparisons are those
of the reasons' texts (`retention.texts`): ``column < number``, ``column >= column``, ``column missing``,
``column known``. Nothing is evaluated: the text is parsed into these comparisons or refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from features.catalogue import Catalogue
from features.errors import ConfigError
from features.nearest import suggestion
from features.section import Section
from retention.documents import parse_section, shipped
from retention.facts import DERIVED_FACTS, with_derived_facts
from retention.formats import Language
from retention.sentences import Mask, capital, filled, fits_where, holds
from retention.texts import UNITS, Clause, ReasonTexts, Template, clauses, reason_texts

SHIPPED = "signals.yaml"
_NAME = r"^[a-z][a-z0-9_]{0,39}$"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Comparisons of which all of one group must hold, in any of the groups."""

    any_of: tuple[tuple[Clause, ...], ...]

    @property
    def columns(self) -> frozenset[str]:
        """Every feature or derived fact the condition reads."""
        return frozenset(name for group in self.any_of for clause in group for name in clause.columns)

    def holds(self, facts: pd.DataFrame) -> Mask:
        """Return where the condition is true; a comparison with a missing value is not."""
        groups = (np.logical_and.reduce([holds(facts, clause) for clause in group]) for group in self.any_of)
        found: Mask = np.logical_or.reduce(list(groups))
        return found


class Said(Section):
    """A text in German, English or both."""

    de: str | None = Field(default=None, min_length=1, description="In German.")
    en: str | None = Field(default=None, min_length=1, description="In English.")

    @model_validator(mode="after")
    def _is_said(self) -> Self:
        if self.de is None and self.en is None:
            raise ValueError("expected a text in German (de), English (en) or both")
        return self

    def told(self, language: Language) -> str:
        """Return the text in ``language``, else in the other one."""
        found = (self.de or self.en) if language == "de" else (self.en or self.de)
        return str(found)


class Rule(Section):
    """One signal: a name, what it is called, what it says of a customer, and when it fires."""

    name: str = Field(pattern=_NAME, description="Name: small letters, digits, underscores.")
    title: Said = Field(description="What the signal is called in tables.")
    text: Said = Field(description="What it says of one customer, with {column:unit} for the customer's own numbers.")
    when: str = Field(min_length=1, description="Condition under which it fires.")

    @field_validator("when")
    @classmethod
    def _parsable(cls, value: str) -> str:
        condition(value)
        return value

    @property
    def condition(self) -> Condition:
        """When the rule fires."""
        return condition(self.when)

    @property
    def columns(self) -> frozenset[str]:
        """Every feature or derived fact the rule names."""
        return self.condition.columns.union(*(template.columns for template in self.templates))

    @property
    def templates(self) -> tuple[Template, ...]:
        """The texts that are there, as templates."""
        return tuple(Template(text=each) for each in (self.text.de, self.text.en) if each)


class Rules(Section):
    """A file of signals."""

    rules: tuple[Rule, ...] = Field(min_length=1, description="The signals, in the order in which they are told.")

    @model_validator(mode="after")
    def _one_of_each_name(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected every name once, {', '.join(twice)} stands there twice")
        return self


@cache
def condition(text: str) -> Condition:
    """Return the parsed condition; ValueError when a comparison cannot be read."""
    return Condition(any_of=tuple(clauses(group.strip()) or _nothing(text) for group in text.split(" or ")))


def parse_rules(text: str, *, where: str, features: Catalogue) -> tuple[Rule, ...]:
    """Return the rules of a YAML text.

    Parameters
    ----------
    text : str
        YAML with the key ``rules``.
    where : str
        Name of the file, for messages.
    features : Catalogue
        The features that rules may name, beside the derived facts.

    Raises
    ------
    ConfigError
        If the text is no such file, a condition cannot be read, or a feature or unit is unknown; the nearest is named.
    """
    rules = parse_section(text, Rules, where=where).rules
    known = {*(each.name for group in (*features.ours, *features.own_groups) for each in group.features)}
    for rule in rules:
        _check_names(rule, known | set(DERIVED_FACTS), where)
    return rules


def shipped_rules(features: Catalogue) -> tuple[Rule, ...]:
    """Return the rules that come with Treue."""
    return parse_rules(shipped(SHIPPED), where=f"configs/{SHIPPED}", features=features)


def joined(ours: Iterable[Rule], own: Iterable[Rule], *, leave_out: Collection[str] = ()) -> tuple[Rule, ...]:
    """Return our rules and a company's own; one of its own takes the place of ours of the same name.

    Raises
    ------
    ConfigError
        If ``leave_out`` names a rule that there is not.
    """
    by_name = {rule.name: rule for rule in (*ours, *own)}
    for name in leave_out:
        if name not in by_name:
            raise ConfigError(f"signals.leave_out: there is no signal `{name}`; {suggestion(name, by_name)}")
    return tuple(rule for rule in by_name.values() if rule.name not in leave_out)


def missing_columns(rule: Rule, facts: pd.DataFrame) -> tuple[str, ...]:
    """Return what the condition reads and the company does not have: with any of these the rule falls away."""
    return tuple(sorted(rule.condition.columns - set(facts.columns)))


def firings(matrix: pd.DataFrame, rules: Iterable[Rule]) -> pd.DataFrame:
    """Return where each rule fires: one column of bool per rule the company has the features for, rows as given."""
    facts = with_derived_facts(matrix)
    found = {rule.name: rule.condition.holds(facts) for rule in rules if not missing_columns(rule, facts)}
    return pd.DataFrame(found, index=matrix.index, dtype="bool")


def told(matrix: pd.DataFrame, rule: Rule, texts: ReasonTexts, *, currency: str) -> list[str]:
    """Return what a rule says of each customer, with a capital; its title where a number it tells of is not known."""
    facts, title = with_derived_facts(matrix), rule.title.told(texts.language)
    template = Template(text=rule.text.told(texts.language))
    fits = fits_where(facts, template, texts)
    sentences = filled(facts[fits], template, texts, currency)
    return [capital(next(sentences)) if fit else title for fit in fits]


def _check_names(rule: Rule, known: Collection[str], where: str) -> None:
    for name in sorted(rule.columns - set(known)):
        raise ConfigError(f"{where}: signal `{rule.name}`: there is no feature `{name}`; {suggestion(name, known)}")
    nouns = reason_texts("en").nouns
    for template in rule.templates:
        for name, unit in template.placeholders:
            if unit not in UNITS and unit not in nouns:
                raise ConfigError(
                    f"{where}: signal `{rule.name}`: unknown unit `{unit}` of {name};"
                    f" {suggestion(unit, (*UNITS, *nouns))}"
                )


def _nothing(text: str) -> tuple[Clause, ...]:
    raise ValueError(f"expected a comparison on both sides of `or`, got '{text}'")


def told_firings(firing: pd.DataFrame, texts: ReasonTexts) -> list[str]:
    """Return what fires in words, marked where the rule has no lift here or the past is too short to tell.

    Parameters
    ----------
    firing : DataFrame
        verdict and text of every customer and rule.
    texts : ReasonTexts
    """
    notes = texts.lists.notes
    forms = {"lift": "{signal}", "none": notes["signal_without_lift"]}
    return [
        forms.get(verdict, notes["signal_unproven"]).format(signal=text)
        for text, verdict in zip(firing["text"].tolist(), firing["verdict"].tolist(), strict=True)
    ]
