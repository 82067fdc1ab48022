"""The catalogue of measures: what can be done, for whom, at what cost and with what assumed effect."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from features.errors import ConfigError
from features.section import Section
from retention.documents import parse_section, shipped
from retention.formats import Language

ListName = Literal["early_warning", "win_back"]
"""The lists customers are on."""
Item = TypeVar("Item")


class Titles(Section):
    """The name of a measure in every language."""

    de: str = Field(min_length=1, description="German title, shown on lists.")
    en: str = Field(min_length=1, description="English title, shown on lists.")


class Measure(Section):
    """One measure of the catalogue."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Machine name; effects are measured under it.")
    titles: Titles = Field(description="Title in every language.")
    cost: float = Field(ge=0, allow_inf_nan=False, description="Paid per customer [currency], hours apart.")
    hours: float = Field(ge=0, allow_inf_nan=False, description="Working hours of the owner per customer.")
    channel: Literal["visit", "phone", "email", "letter"] = Field(description="Channel that must be allowed.")
    families: tuple[str, ...] = Field(default=(), description="Reasons that call for it; empty: any.")
    loss_reasons: tuple[str, ...] = Field(
        default=(),
        description="win_back: told reasons of the loss that it cures (configs/loss_reasons.yaml); empty: any.",
    )
    for_lists: tuple[ListName, ...] = Field(min_length=1, description="Lists it is for.")
    segments: tuple[Literal["A", "B", "C"], ...] = Field(
        default=("A", "B", "C"), min_length=1, description="Segments by value it is for."
    )
    assumed_effect: float = Field(
        ge=0,
        le=1,
        description="ASSUMED until measured by the control group. early_warning: share of those who would leave that"
        " stay; win_back: share by which the chance of return rises.",
    )

    @field_validator("families", "loss_reasons", "for_lists", "segments")
    @classmethod
    def _once(cls, value: tuple[Item, ...]) -> tuple[Item, ...]:
        if len(set(value)) < len(value):
            raise ValueError("every entry may come once")
        return value

    def title(self, language: Language) -> str:
        """Return the title in ``language``."""
        return self.titles.de if language == "de" else self.titles.en


class Measures(Section):
    """All measures; names are unique."""

    measures: tuple[Measure, ...] = Field(min_length=1, description="The measures of the firm.")

    @model_validator(mode="after")
    def _unique(self) -> Measures:
        names = [measure.name for measure in self.measures]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"measure names must be unique, {', '.join(twice)} comes more than once")
        return self


def shipped_measures() -> tuple[Measure, ...]:
    """Return the measures of ``configs/measures.yaml``."""
    return _shipped_measures()


def parse_measures(text: str, *, where: str, families: Iterable[str]) -> tuple[Measure, ...]:
    """Return the measures of a user's YAML.

    Parameters
    ----------
    text : str
        YAML with one key ``measures``, see the shipped ``configs/measures.yaml``.
    where : str
        Name of the file, for messages.
    families : iterable of str
        Families of reasons that exist.

    Raises
    ------
    ConfigError
        If the YAML breaks the section or names a family that does not exist.
    """
    measures = parse_section(text, Measures, where=where).measures
    known = sorted(set(families))
    for measure in measures:
        for family in sorted(set(measure.families) - set(known)):
            near = get_close_matches(family, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"{where}: measure {measure.name}: no family of reasons is called {family}; {hint}")
    return measures


@cache
def _shipped_measures() -> tuple[Measure, ...]:
    return parse_section(shipped("measures.yaml"), Measures, where="configs/measures.yaml").measures
