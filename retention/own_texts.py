"""Texts of the company's own features: what their author wrote, else a sentence from meaning, value and unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from pydantic import Field, ValidationError

from features.catalogue import Catalogue, Feature, OwnGroup
from features.errors import ConfigError
from features.meanings import absent_when, plain
from features.nearest import suggestion
from features.section import Section
from retention.facts import DERIVED_FACTS
from retention.formats import Language
from retention.texts import FamilyTexts, ReasonTexts, Template, reason_texts

_LANGUAGES: Mapping[Language, str] = {"de": "German", "en": "English"}
_UNITS = {"currency": "money", "share": "share", "probability": "share"}
_SUBJECT: Mapping[Language, str] = {"de": "Das Merkmal „{label}“", "en": "The signal “{label}”"}
_MISSING: Mapping[Language, str] = {"de": "{what}: kein Wert ({when})", "en": "{what}: no value ({when})"}
_WINDOW: Mapping[Language, Mapping[str, str]] = {
    "de": {"im Zeitraum": "in den letzten {span}", "des Zeitraums": "der letzten {span}"},
    "en": {"inside the window": "in the last {span}", "of the window": "of the last {span}"},
}
_SPANS: Mapping[Language, tuple[str, str]] = {"de": ("{n} Wochen", "{n} Tage"), "en": ("{n} weeks", "{n} days")}
_WEEKS_FROM = 182
"""Windows of whole weeks from here on are told in weeks [days]."""


class OwnFamily(Section):
    """What an author says of one family, in one language."""

    label: str | None = Field(default=None, min_length=1, description="Name of the family; compulsory for a new one.")
    subject: str | None = Field(default=None, min_length=1, description="Subject of the sentence without numbers.")
    raises: tuple[Template, ...] = Field(default=(), description="Sentences where the family endangers, tried first.")
    lowers: tuple[Template, ...] = Field(default=(), description="Sentences where it binds, tried first.")
    facts: tuple[Template, ...] = Field(default=(), description="Neutral sentences for both sides, tried next.")

    @property
    def templates(self) -> tuple[Template, ...]:
        """Every sentence."""
        return (*self.raises, *self.lowers, *self.facts)


def texts_for(features: Catalogue, language: Language) -> ReasonTexts:
    """Return the texts of ``language`` for all features in use.

    Every feature of the company's own can be spoken of: where its author wrote no sentence that names it, one is made
    of its meaning in this language, its value and its unit.

    Raises
    ------
    ConfigError
        If a text of an own group cannot be read, names what does not exist, or a new family has no name, or a feature
        no meaning, in this language.
    """
    texts = reason_texts(language)
    for own in features.own:
        texts = _with_group(texts, own, features)
    return texts


def _with_group(texts: ReasonTexts, own: OwnGroup, features: Catalogue) -> ReasonTexts:
    place, language = f"{own.place}: group `{own.group.name}`", texts.language
    written = _written(own, language, place=place)
    by_family = groupby(sorted(own.group.features, key=lambda each: each.family), key=lambda each: each.family)
    members = {family: tuple(found) for family, found in by_family}
    _check_names(written, members, features, place=f"{place}, texts.{language}")
    families = dict(texts.families)
    for family, found in members.items():
        given = written.get(family, OwnFamily())
        base = families.get(family) or _new_family(family, given, language, place=place)
        families[family] = _extended(base, given, found, language, place=place)
    return _checked(texts.model_copy(update={"families": families}), place)


def _written(own: OwnGroup, language: Language, *, place: str) -> Mapping[str, OwnFamily]:
    said: Mapping[str, Any] = own.group.texts.get(language, {})
    return {family: _family(family, given, f"{place}, texts.{language}") for family, given in said.items()}


def _family(family: str, given: object, place: str) -> OwnFamily:
    if isinstance(given, str) and given:
        return OwnFamily(label=given)
    try:
        return OwnFamily.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in (family, *first["loc"]))
        raise ConfigError(f"{place}.{where}: {str(first['msg']).removeprefix('Value error, ')}; correct it") from error


def _check_names(
    written: Mapping[str, OwnFamily], members: Mapping[str, tuple[Feature, ...]], features: Catalogue, *, place: str
) -> None:
    """Raise a ConfigError when texts are about a family the group does not have, or name an unknown column."""
    known = {*(feature.name for feature in features), *DERIVED_FACTS}
    known |= {feature.name for own in features.own_groups for feature in own.features}
    for family, said in written.items():
        if family not in members:
            raise ConfigError(
                f"{place}.{family}: no feature of the group has this family; {suggestion(family, members)}"
            )
        for name in sorted({name for template in said.templates for name in template.columns} - known):
            raise ConfigError(f"{place}.{family}: there is no feature or fact `{name}`; {suggestion(name, known)}")


def _new_family(family: str, given: OwnFamily, language: Language, *, place: str) -> FamilyTexts:
    if given.label is None:
        raise ConfigError(
            f"{place}: its family `{family}` is new and has no name in {_LANGUAGES[language]}; give Group(…,"
            f' texts={{"{language}": {{"{family}": "…"}}}}), or use a family of docs/features.md'
        )
    return FamilyTexts(label=given.label, subject=given.subject or _SUBJECT[language].format(label=given.label))


def _extended(
    base: FamilyTexts, given: OwnFamily, members: Iterable[Feature], language: Language, *, place: str
) -> FamilyTexts:
    spoken_of = {name for template in given.templates for name in template.columns}
    made = [each for feature in members if feature.name not in spoken_of for each in _made(feature, language, place)]
    extended: FamilyTexts = base.model_copy(
        update={
            "raises": base.raises + given.raises,
            "lowers": base.lowers + given.lowers,
            "facts": base.facts + given.facts + tuple(made),
        }
    )
    return extended


def _made(feature: Feature, language: Language, place: str) -> list[Template]:
    """Return the sentences made of meaning, value and unit, and of when there is no value."""
    line = feature.german if language == "de" else feature.meaning
    if not line:
        raise ConfigError(
            f"{place}: feature {feature.name} has no meaning in German; add a paragraph `de: …` to its docstring"
        )
    what, when = _in_window(plain(line, language), feature.days, language), absent_when(line, language)
    told = [Template(text=f"{what}: {{{feature.name}:{_UNITS.get(feature.unit, 'number')}}}")]
    if when:
        told.append(Template(text=_MISSING[language].format(what=what, when=when), when=f"{feature.name} missing"))
    return told


def _in_window(what: str, days: int | None, language: Language) -> str:
    """Return the meaning with the days of its window in place of the word for it."""
    if days is None:
        return what
    weeks, day = _SPANS[language]
    in_weeks = days >= _WEEKS_FROM and days % 7 == 0
    span = (weeks if in_weeks else day).format(n=days // 7 if in_weeks else days)
    dative = f"{span}n" if language == "de" and not in_weeks else span
    for word, instead in _WINDOW[language].items():
        if word in what:
            return what.replace(word, instead.format(span=dative if word == "im Zeitraum" else span))
    return f"{what} ({span})"


def _checked(texts: ReasonTexts, place: str) -> ReasonTexts:
    """Return the texts, validated as a whole: units of the author's sentences are known."""
    try:
        return ReasonTexts.model_validate(texts.model_dump())
    except ValidationError as error:
        message = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{place}: {message}; correct its texts") from error
