"""The base of every section of the configuration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One frozen section of the configuration; an unknown key is an error.

    Every field carries a description that states its meaning, unit and consequence: the reference in
    ``docs/configuration.md`` is generated from them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
