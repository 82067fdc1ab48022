"""Reading YAML documents into validated sections, with errors of one line that name the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from features.errors import ConfigError
from features.section import Section

AnySection = TypeVar("AnySection", bound=Section)


def shipped(name: str) -> str:
    """Return the text of the file ``name`` that is shipped in ``configs``."""
    return files("configs").joinpath(name).read_text(encoding="utf-8")


def parse_section(text: str, section: type[AnySection], *, where: str) -> AnySection:
    """Return the YAML ``text`` as a validated ``section``.

    Parameters
    ----------
    text : str
        A YAML mapping.
    section : type of Section
        What it must hold; unknown keys are errors.
    where : str
        Name of the file, for messages.

    Raises
    ------
    ConfigError
        If the text is no YAML mapping or breaks the section; the first breach is described, the others counted.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: expected YAML, got {error}; mend the line") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: expected keys and values, got {type(content).__name__}; see the shipped file")
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_describe(error, section, where)) from error


def _describe(error: ValidationError, section: type[Section], where: str) -> str:
    breaches = error.errors(include_url=False)
    first, *others = sorted(breaches, key=lambda breach: breach["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"]) or "the whole file"
    more = f" (and {len(others)} more)" if others else ""
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key {place}{_nearest(str(first['loc'][-1]), section)}; remove or rename it{more}"
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {place}: {message}, got {_short(first.get('input'))}; correct it{more}"


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _nearest(key: str, section: type[Section]) -> str:
    near = get_close_matches(key, sorted(set(_keys(section.model_json_schema()))), n=1)
    return f", did you mean {near[0]}?" if near else ""


def _keys(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {})
    for definition in schema.get("$defs", {}).values():
        yield from _keys(definition)
