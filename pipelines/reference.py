"""The generated pages of the docs: configuration, from the model that validates it, and features, from the catalogue.

``python -m pipelines.reference`` writes them into ``docs/``; with ``--check`` it only says which are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from features.contract import KNOWN_AT, TABLES, Table
from features.dictionary import features_markdown
from pipelines.settings import Settings

_HEAD = """\
# Configuration

One YAML file, validated as a whole: an unknown key is an error that names its nearest neighbour. This page is
generated from the model that validates (`pipelines/reference.py`); do not edit it.
Paths start at the working directory. Secrets come only from the environment: write `${NAME}`.
"""
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", date: "date", NoneType: "empty"}


def configuration_markdown() -> str:
    """Return ``docs/configuration.md``: every key with type, default and meaning, then the tables of the contract."""
    parts = [_HEAD, *(_section(title, model) for title, model in _sections("", Settings)), *_contract()]
    return "\n".join(parts)


def _sections(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        below = f"{path}.{name}" if path else name
        for inner, suffix in _models_in(field.annotation):
            yield from _sections(below + suffix, inner)


def _models_in(annotation: Any, suffix: str = "") -> list[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        tag = annotation.model_fields.get("to")
        return [(annotation, f"{suffix} (to: {get_args(tag.annotation)[0]})" if tag else suffix)]
    marks = {dict: ".<table>", tuple: "[]"}
    below = suffix + marks.get(get_origin(annotation), "")
    return [found for each in get_args(annotation) for found in _models_in(each, below)]


def _section(title: str, model: type[BaseModel]) -> str:
    heading = f"## `{title}`" if title else "## Top level"
    summary = (model.__doc__ or "").strip().split("\n", 1)[0]
    rows = [f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(field.description or '')} |"
            for name, field in model.model_fields.items()]  # fmt: skip
    return "\n".join([heading, "", summary, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _type(field: FieldInfo) -> str:
    bounds = [_bound(each) for each in field.metadata]
    return ", ".join([_words(field.annotation), *(each for each in bounds if each)])


def _bound(constraint: object) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [f"{sign} {getattr(constraint, name):g}" for name, sign in signs.items() if hasattr(constraint, name)]
    return " ".join(found)


def _words(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{each}`" if each else "empty" for each in inner)
    if origin in (Union, UnionType):
        return " or ".join(_words(each) for each in inner if each is not NoneType)
    if origin is tuple:
        return f"list of {_words(inner[0])}"
    if origin is dict:
        return "keys and values"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return _WORDS.get(annotation, "section")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**compulsory**"
    if isinstance(field.json_schema_extra, dict):
        return f"`{field.json_schema_extra['default']}`"
    if field.default_factory is not None:
        return "see below" if _words(field.annotation) == "section" else "empty"
    if field.default is PydanticUndefined or field.default in (None, (), ""):
        return "none"
    return f"`{field.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _contract() -> Iterator[str]:
    yield "## The tables and their columns\n\nColumns with * are compulsory; every table may also carry `known_at`:"
    yield f"{KNOWN_AT.meaning}\n"
    for table in TABLES.values():
        yield _table(table)


def _table(table: Table) -> str:
    key = f" Key: {', '.join(f'`{each}`' for each in table.key)}." if table.key else ""
    rows = [f"| `{column.name}`{'*' if column.required else ''} | {_kind(column)} | {_cell(column.meaning)} |"
            for column in table.columns]  # fmt: skip
    return "\n".join(
        [f"### {table.name}", "", f"One row per {table.grain}.{key}", "",
         "| column | kind | meaning |", "|---|---|---|",
         *rows, ""]
    )  # fmt: skip


def _kind(column: Any) -> str:
    if column.choices:
        return " or ".join(f"`{each}`" for each in column.choices)
    bounds = {"≥": column.low, "≤": column.high}
    return " ".join([column.kind, *(f"{sign} {bound:g}" for sign, bound in bounds.items() if bound is not None)])


PAGES: Mapping[str, Callable[[], str]] = {"configuration.md": configuration_markdown, "features.md": features_markdown}
"""Every generated page by its name in ``docs/``."""


def write_pages(folder: Path) -> None:
    """Write every generated page into ``folder``."""
    for name, content in PAGES.items():
        (folder / name).write_text(content(), encoding="utf-8")


def stale_pages(folder: Path) -> tuple[str, ...]:
    """Return the generated pages of ``folder`` that are missing or not up to date."""
    return tuple(
        name
        for name, content in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content()
    )


def main(arguments: Sequence[str]) -> int:
    """Write the pages of ``docs/``, or with ``--check`` return 1 when one is stale."""
    folder = Path("docs")
    if list(arguments) != ["--check"]:
        write_pages(folder)
        return 0
    stale = stale_pages(folder)
    if stale:
        sys.stderr.write(f"stale in {folder}/: {', '.join(stale)}; run `make docs`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
