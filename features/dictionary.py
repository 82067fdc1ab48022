"""The dictionary of features, generated from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from features.catalogue import GROUPS, Feature
from features.meanings import absent_when, english_of, german_of, plain

_HEAD = """\
# Features

Every column of the matrix, generated from the catalogue (`features/dictionary.py`); do not edit it.

A value says what was known on the morning of the cutoff: rows with `known_at` before it, and of those the ones that
happened 1 to *window* days before (*all*: the whole history). A feature is there when its tables and columns are.
*Expected* is what people expect of a higher value: **+** endangers, **−** binds the customer; the model may learn
otherwise. Features of one *family* join into one reason. *Missing* says when there is no value (NaN); 0 is a value.

Jede Spalte der Matrix. Ein Wert sagt, was am Morgen des Stichtags bekannt war; der Zeitraum (*window*) sind die Tage
davor. *Fehlt* sagt, wann es keinen Wert gibt; 0 ist ein Wert.
"""
_COLUMNS = (
    *("feature", "meaning", "Bedeutung", "unit", "tables (columns)", "window", "family", "expected", "missing"),
    "fehlt",
)


def features_markdown() -> str:
    """Return ``docs/features.md``: one table per group, one row per feature, in the order of the matrix."""
    return "\n".join([_HEAD, *(part for name in GROUPS for part in _group(name))])


def missing_when(feature: Feature) -> str:
    """Return when a feature has no value, as its docstring says it; empty when it always has one."""
    return absent_when(feature.meaning, "en")


def _group(name: str) -> Iterator[str]:
    module = import_module(f"features.groups.{name}")
    yield f"## {name}\n\n{english_of(module)}\n\n{german_of(module)}\n"
    yield _line(_COLUMNS)
    yield "|---" * len(_COLUMNS) + "|"
    yield from (_line(_cells(feature)) for feature in module.GROUP.features)
    yield ""


def _cells(feature: Feature) -> tuple[str, ...]:
    return (
        f"`{feature.name}`",
        plain(feature.meaning, "en"),
        plain(feature.german, "de"),
        feature.unit,
        ", ".join(_needed(table, columns) for table, columns in feature.needs.items()),
        "all" if feature.days is None else f"{feature.days} days",
        f"`{feature.family}`",
        {"+": "+", "-": "−", "": ""}[feature.expected],
        missing_when(feature) or "never",
        absent_when(feature.german, "de") or "nie",
    )


def _needed(table: str, columns: tuple[str, ...]) -> str:
    return f"{table} ({', '.join(columns)})" if columns else table


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
