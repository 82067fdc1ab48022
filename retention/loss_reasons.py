"""The reasons for which customers leave: their names, what cures them, and how a told text is understood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache, cached_property
from typing import Any

import pandas as pd
from pydantic import Field, model_validator

from features.errors import ConfigError
from features.section import Section
from retention.documents import parse_section, shipped
from retention.formats import Language
from retention.measures import Titles

UNKNOWN = "unknown"
"""The reason of whoever told none, or one that nobody understands; every taxonomy has it."""


class LossReason(Section):
    """One reason for which customers leave."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Machine name.")
    titles: Titles = Field(description="Title in every language.")
    curable: bool = Field(description="Whether we could do something about it; if not, nobody is to be won back.")
    cure: Titles = Field(description="What would cure it, in every language.")
    words: tuple[str, ...] = Field(default=(), description="Beginnings of words by which a told text is recognised.")
    families: tuple[str, ...] = Field(default=(), description="Families of the model's reasons that point to it.")

    def title(self, language: Language) -> str:
        """Return the title in ``language``."""
        return self.titles.de if language == "de" else self.titles.en

    def cure_in(self, language: Language) -> str:
        """Return what would cure it in ``language``."""
        return self.cure.de if language == "de" else self.cure.en


class LossReasons(Section):
    """All reasons; names, words and families belong to one each, and ``unknown`` is there."""

    reasons: tuple[LossReason, ...] = Field(min_length=1, description="The reasons that are told apart.")

    @model_validator(mode="after")
    def _sound(self) -> LossReasons:
        for kind, found in (
            ("names", [reason.name for reason in self.reasons]),
            ("words", [_plain(word) for reason in self.reasons for word in reason.words]),
            ("families", [family for reason in self.reasons for family in reason.families]),
        ):
            if twice := sorted({each for each in found if found.count(each) > 1}):
                raise ValueError(f"{kind} must belong to one reason, {', '.join(twice)} comes more than once")
        if UNKNOWN not in self.names:
            raise ValueError(f"a reason `{UNKNOWN}` is needed for what nobody understands; add it")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the reasons, in order."""
        return tuple(reason.name for reason in self.reasons)

    @property
    def curable(self) -> frozenset[str]:
        """Names of the reasons we could do something about."""
        return frozenset(reason.name for reason in self.reasons if reason.curable)

    @property
    def family_reasons(self) -> dict[str, str]:
        """The reason each family points to."""
        return {family: reason.name for reason in self.reasons for family in reason.families}

    def titles(self, language: Language) -> dict[str, str]:
        """Return the title of every reason by name."""
        return {reason.name: reason.title(language) for reason in self.reasons}

    def understood(self, text: str | None) -> str:
        """Return the reason a told text means: a name or title itself, else by its longest known word.

        Examples
        --------
        >>> reasons = shipped_loss_reasons()
        >>> [reasons.understood(text) for text in ("Zu teuer geworden", "Competitor made better offer", "hm", None)]
        ['price', 'competitor', 'unknown', 'unknown']
        """
        plain = "" if text is None else _plain(text)
        if plain in self._exact:
            return self._exact[plain]
        return next((name for begins, name in self._by_length if begins.search(plain)), UNKNOWN)

    def understood_all(self, told: pd.Series[Any]) -> pd.Series[Any]:
        """Return the reasons of many texts, each different text looked at once; missing is unknown."""
        known = {text: self.understood(text) for text in told.dropna().unique()}
        return told.map(known).fillna(UNKNOWN).astype("str")

    @cached_property
    def _exact(self) -> dict[str, str]:
        titles = {_plain(text): reason.name for reason in self.reasons for text in (reason.titles.de, reason.titles.en)}
        return {**titles, **{reason.name: reason.name for reason in self.reasons}}

    @cached_property
    def _by_length(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        words = [(_plain(word), reason.name) for reason in self.reasons for word in reason.words]
        longest = sorted(words, key=lambda pair: (-len(pair[0]), pair))
        return tuple((re.compile(rf"(?<!\w){re.escape(word)}"), name) for word, name in longest)


def shipped_loss_reasons() -> LossReasons:
    """Return the reasons of ``configs/loss_reasons.yaml``."""
    return _shipped()


def parse_loss_reasons(text: str, *, where: str, families: Iterable[str]) -> LossReasons:
    """Return the reasons of a user's YAML.

    Parameters
    ----------
    text : str
        YAML with one key ``reasons``, see the shipped ``configs/loss_reasons.yaml``.
    where : str
        Name of the file, for messages.
    families : iterable of str
        Families of the model's reasons that exist.

    Raises
    ------
    ConfigError
        If the YAML breaks the section or names a family that does not exist.
    """
    found, known = parse_section(text, LossReasons, where=where), sorted(set(families))
    for family in sorted(set(found.family_reasons) - set(known)):
        near = get_close_matches(family, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise ConfigError(
            f"{where}: reason {found.family_reasons[family]}: no family of reasons is called {family}; {hint}"
        )
    return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


@cache
def _shipped() -> LossReasons:
    return parse_section(shipped("loss_reasons.yaml"), LossReasons, where="configs/loss_reasons.yaml")
