"""Words, figures and tables of a Markdown text in one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_GERMAN = str.maketrans(",.", ".,")
_LONGEST_CELL = 60


@dataclass(frozen=True, kw_only=True)
class Words:
    """Texts of one language, and how it writes figures."""

    language: str
    texts: Mapping[str, Any]

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Return a figure with so many decimals; a dash where there is none."""
        if value is None or value != value:
            return str(self.texts["none"])
        shown = f"{value + 0.0:,.{decimals}f}"
        return shown.translate(_GERMAN) if self.language == "de" else shown

    def share(self, value: float | None) -> str:
        """Return a share (0 to 1) in per cent with one decimal."""
        shown = self.number(None if value is None else 100 * value, 1)
        unit = "" if shown == self.texts["none"] else " %" if self.language == "de" else "%"
        return shown + unit

    def day(self, value: date | str) -> str:
        """Return a date as the language writes it: 01.02.2026 (de), 2026-02-01 (en)."""
        day = date.fromisoformat(str(value))
        return f"{day:%d.%m.}{day.year:04d}" if self.language == "de" else day.isoformat()


@cache
def card_words(language: str) -> Words:
    """Return the shipped words of the model card."""
    text = files("configs").joinpath(f"card.{language}.yaml").read_text(encoding="utf-8")
    return Words(language=language, texts=yaml.safe_load(text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a Markdown table, the first column to the left, figures to the right.

    Examples
    --------
    >>> print(table(["a", "b"], [["x|y", "1"]]))
    | a | b |
    |---|---:|
    | x\|y | 1 |
    """
    lines = [head, *rows]
    shown = ["| " + " | ".join(cell(text) for text in line) + " |" for line in lines]
    return "\n".join([shown[0], "|---|" + "---:|" * (len(head) - 1), *shown[1:]])


def cell(text: str) -> str:
    """Return a text from the data so that it neither ends a cell nor means anything in Markdown or HTML."""
    flat = " ".join(text.split())[:_LONGEST_CELL]
    for sign in ("\\", "|", "`", "*", "_", "[", "]"):
        flat = flat.replace(sign, f"\\{sign}")
    return flat.replace("&", "&amp;").replace("<", "&lt;")
