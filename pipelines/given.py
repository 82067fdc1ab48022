"""What a notebook gives: days as dates or text, sections of the configuration as models or mappings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel

from features.errors import ConfigError

Language = Literal["de", "en"]
Day = date | str
"""A cutoff: a date, a timestamp or ISO text ("2026-01-01")."""


def day_given(cutoff: Day) -> date:
    """Return a cutoff as a date."""
    if isinstance(cutoff, datetime):
        return cutoff.date()
    if isinstance(cutoff, date):
        return cutoff
    try:
        return date.fromisoformat(cutoff)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"cutoff: expected a date or text such as 2026-01-01, got {cutoff!r}") from error


def section_given(section: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a section as plain values; None is one with nothing set."""
    return section.model_dump(mode="json") if isinstance(section, BaseModel) else dict(section or {})
