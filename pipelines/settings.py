"""The configuration of a run: composed of the sections of the four packages, validated as a whole."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, ValidationError, field_validator

from features.definition import Churn
from features.errors import ConfigError
from features.expressions import parse
from features.intake import check_sources
from features.nearest import suggestion
from features.own import OwnFeatures
from features.resources import Resources
from features.section import Section
from features.sources import Source
from models.settings import Training, Value
from pipelines.yamlfile import read_yaml
from retention.settings import Lists, Losses, Plan, Signals, Target

_NOT_IN_DIGEST: Any = {
    "name": True,
    "output": True,
    "export": True,
    "sources": True,
    "training": {"threads"},
    "resources": True,
}
_NAME, _CURRENCY = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", r"^[A-Z]{3}$"
_FORMS = {
    _NAME: "at most 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
    _CURRENCY: "three capital letters such as EUR",
}
_PLAIN_NAME = re.compile(r"[\w .-]+")


class Settings(Section):
    """One configuration, as read from its YAML file."""

    name: str = Field(pattern=_NAME, description="Name of the company or data set; part of paths and model names.")
    language: Literal["de", "en"] = Field(default="de", description="Language of reasons, lists and report.")
    currency: str = Field(default="EUR", pattern=_CURRENCY, description="Currency of all amounts (ISO 4217).")
    timezone: str = Field(
        default="Europe/Berlin", description="IANA zone in which days begin; times without offset are meant in it."
    )
    output: str = Field(
        default_factory=lambda known: f"out/{known.get('name')}",
        json_schema_extra={"default": "out/<name>"},
        min_length=1,
        description="Folder for everything Treue writes, from the working directory.",
    )
    sources: dict[str, Source] = Field(
        description="Where the tables of the contract come from; only `orders` is compulsory, a table left out removes"
        " its features and reasons."
    )
    features: OwnFeatures = Field(
        default_factory=OwnFeatures, description="Features of your own, and features that are not used."
    )
    churn: Churn = Field(default_factory=Churn, description="What it means for a customer to be lost.")
    training: Training = Field(default_factory=Training, description="How models are trained.")
    value: Value = Field(default_factory=Value, description="How the value of a customer is reckoned.")
    lists: Lists = Field(default_factory=Lists, description="How long the lists are.")
    plan: Plan = Field(default_factory=Plan, description="What may be spent on keeping customers.")
    signals: Signals = Field(default_factory=Signals, description="Rules that a person can read, measured on the past.")
    losses: Losses = Field(default_factory=Losses, description="Why customers leave, and how it is told.")
    export: tuple[Target, ...] = Field(default=(), description="Where scores and lists are delivered to.")
    resources: Resources = Field(default_factory=Resources, description="What a run may take of the machine.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("expected an IANA zone such as Europe/Berlin") from error
        return value

    @property
    def digest(self) -> str:
        """SHA-256 of all that affects results besides the rows.

        Not the name, the output, where it is exported to or the number of threads; nor the sources: what counts is
        which rows they gave, and ``Tables.digest`` says that, wherever they lay.
        """
        content = self.model_dump(mode="json", exclude=_NOT_IN_DIGEST)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def load_settings(path: Path) -> Settings:
    """Read and validate a configuration file.

    Raises
    ------
    ConfigError
        One line with all that is wrong: file, dotted key, what was expected, what came.
    """
    return settings_from(read_yaml(path), place=str(path))


def settings_from(raw: Mapping[str, Any], *, place: str) -> Settings:
    """Validate settings given as plain values; ``place`` names them in errors, which are those of `load_settings`."""
    try:
        settings = Settings.model_validate_json(json.dumps(raw, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(f"{place}: " + "; ".join(dict.fromkeys(_explained(error, raw)))) from error
    problems = tuple(dict.fromkeys(_disagreements(settings)))
    if problems:
        raise ConfigError(f"{place}: " + "; ".join(problems))
    return settings


def _explained(error: ValidationError, raw: Mapping[str, Any]) -> Iterator[str]:
    for each in error.errors(include_url=False):
        if each["type"] == "default_factory_not_called":
            continue
        key, got, known = _located(each["loc"], raw)
        context = each.get("ctx", {})
        if each["type"] == "extra_forbidden":
            yield f"key `{key}` is unknown; {suggestion(key.rsplit('.', 1)[-1], known)}"
        elif each["type"] in ("missing", "union_tag_not_found"):
            missing = f"{key}.to" if each["type"] == "union_tag_not_found" else key
            yield f"key `{missing}` is missing; add it"
        else:
            yield f"key `{key}`: {_expected(each['type'], context, each['msg'])}, got {_shown(got)}"


def _located(location: tuple[int | str, ...], raw: Any) -> tuple[str, Any, tuple[str, ...]]:
    """Return dotted key, value and known sibling keys; names of union members in ``location`` are skipped."""
    key, value = "", raw
    model: Any = Settings
    known: tuple[str, ...] = tuple(Settings.model_fields)
    for place, part in enumerate(location):
        is_last = place == len(location) - 1
        inside = (isinstance(value, dict) and part in value) or (isinstance(value, list) and isinstance(part, int))
        if not inside and not (is_last and isinstance(value, dict)):
            model = _member(model, part)
            known = tuple(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else known
            continue
        known = tuple(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else ()
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
        value = value.get(part) if isinstance(value, dict) else value[part] if isinstance(part, int) else None
        model = _below(model, part)
    return key, value, known


def _below(model: Any, part: int | str) -> Any:
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(str(part))
        return field.annotation if field else None
    inner = [each for each in get_args(model) if each is not str and each is not Ellipsis]
    return inner[-1] if inner else None


def _member(model: Any, tag: int | str) -> Any:
    options = [each for option in get_args(model) for each in (option, *get_args(option))]
    for option in options:
        fields = option.model_fields if isinstance(option, type) and issubclass(option, BaseModel) else {}
        if "to" in fields and tag in get_args(fields["to"].annotation):
            return option
    return model


def _expected(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "value_error":
        return str(context.get("error", message))
    bounds = {
        "greater_than_equal": "at least {ge}", "greater_than": "more than {gt}", "less_than_equal": "at most {le}",
        "less_than": "less than {lt}", "literal_error": "{expected}", "string_too_short": "a text",
        "string_too_long": "at most {max_length} characters", "union_tag_invalid": "one of {expected_tags}",
        "string_pattern_mismatch": "a text of the form {pattern}",
    }  # fmt: skip
    if kind == "string_pattern_mismatch" and context["pattern"] in _FORMS:
        return f"expected {_FORMS[context['pattern']]}"
    if kind in bounds:
        return "expected " + bounds[kind].format(**context)
    words = {
        "int": "a whole number",
        "float": "a number",
        "string": "a text",
        "bool": "true or false",
        "date": "a date",
        "dict": "keys and values",
        "model": "keys and values",
        "tuple": "a list",
        "list": "a list",
    }
    return "expected " + words.get(kind.split("_", 1)[0], message)


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1…@", text)[:80]


def _disagreements(settings: Settings) -> Iterator[str]:
    try:
        check_sources(settings.sources)
    except ConfigError as error:
        yield str(error)
    for place, text in _expressions(settings.sources):
        try:
            if not _PLAIN_NAME.fullmatch(text):
                parse(text, place=place)
        except ConfigError as error:
            yield str(error)
    if settings.churn.definition == "contract" and "contracts" not in settings.sources:
        yield "churn.definition: `contract` needs the table contracts; add sources.contracts or choose inactivity"


def _expressions(sources: Mapping[str, Source]) -> Iterator[tuple[str, str]]:
    for name, source in sources.items():
        for column, text in source.columns.items():
            yield f"sources.{name}.columns.{column}", text
        for key, condition in (("where", source.where), ("currency", source.currency)):
            if condition is not None:
                yield f"sources.{name}.{key}", condition
