"""The words of the page of losses, of the guide and of the form, read from ``configs/losses.<language>.yaml``."""

from __future__ import annotations

from functools import cache

from pydantic import Field

from features.section import Section
from retention.documents import parse_section, shipped
from retention.formats import Language

Words = dict[str, str]


class LossTexts(Section):
    """All words about lost customers in one language."""

    language: Language = Field(description="Language of the texts.")
    sheet: Words = Field(description="Headings and sentences of the page.")
    groups: Words = Field(description="Names of the groups customers are told apart by.")
    levels: Words = Field(description="Words for levels that are codes.")
    known_by: Words = Field(description="Words for how a reason is known.")
    lost: Words = Field(description="Headings of the table of lost customers.")
    guide: Words = Field(description="Headings and sentences of the interview guide.")
    questions: tuple[str, ...] = Field(min_length=1, description="Questions of the guide, in order.")
    rules: tuple[str, ...] = Field(min_length=1, description="What whoever asks has to observe.")
    form: Words = Field(description="Headings of the form.")
    answers: Words = Field(description="Answers that the form takes.")


@cache
def loss_texts(language: Language) -> LossTexts:
    """Return the shipped words of ``language``."""
    name = f"losses.{language}.yaml"
    return parse_section(shipped(name), LossTexts, where=f"configs/{name}")
