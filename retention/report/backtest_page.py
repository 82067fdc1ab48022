"""The page of a backtest: where the model and every rival would have stood, on one self-contained page."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pandas as pd
from pydantic import Field

from features.definition import Churn
from features.section import Section
from retention.documents import parse_section, shipped
from retention.formats import Language, date_text, number_text, share_text
from retention.report.charts import SQUARE
from retention.report.trust import Gains, Point, gains_of, reliability_of
from retention.report.words import Words
from retention.texts import Purpose

DELIVERED = "treue"
FIGURES = (
    "auc", "average_precision", "log_loss", "brier", "calibration_error", "lift_at_list", "gains_at_list",
    "value_captured", "profit_per_contact", "expected_maximum_profit",
)  # fmt: skip
"""Figures of the table, in order."""
_TWO_DIGITS = frozenset({"lift_at_list", "profit_per_contact", "expected_maximum_profit"})
_NO_BETTER_THAN_GUESSING = 0.55


class BacktestTexts(Section):
    """All words of the page; every group of words is one part of it."""

    language: Language = Field(description="Language of the page.")
    sheet: Words = Field(description="Headings and sentences.")
    kinds: Words = Field(description="Kinds of rankings.")
    rankings: Words = Field(description="Names of rankings.")
    figures: Words = Field(description="Names of figures.")
    notes: Words = Field(description="What each figure says.")
    verdicts: Words = Field(description="What is said of the model against the rivals.")
    segments: Words = Field(description="Names of the groups of customers.")


@cache
def backtest_texts(language: Language) -> BacktestTexts:
    """Return the shipped words of ``language``."""
    name = f"backtest.{language}.yaml"
    return parse_section(shipped(name), BacktestTexts, where=f"configs/{name}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the page says of one cohort: its figures and the curves; ``found`` is as ``models.standing`` states it."""

    purpose: Purpose
    found: Mapping[str, Any]
    reliability: tuple[Point, ...]
    gains: tuple[Gains, ...]

    @property
    def rankings(self) -> Mapping[str, Any]:
        """Figures by ranking, what was delivered first."""
        return dict(self.found["rankings"])

    @property
    def delivered(self) -> Mapping[str, Any]:
        """Figures of what was delivered."""
        return dict(self.found["rankings"][DELIVERED])

    def best_rival(self, rankings: Mapping[str, Any], *, origin: str | None = None) -> tuple[str, float] | None:
        """Name and AUC of the rival that ranks best among these figures; None where none ranks."""
        found = {
            name: auc
            for name, each in rankings.items()
            if each["kind"] == "rival"
            if (auc := _auc(each, origin)) is not None
        }
        return max(found.items(), key=lambda pair: pair[1]) if found else None

    @property
    def finds_nothing(self) -> bool:
        """Whether neither the model nor any rival ranks better than guessing."""
        known = [auc for each in self.rankings.values() if (auc := each["mean"]["auc"]) is not None]
        return bool(known) and max(known) < _NO_BETTER_THAN_GUESSING


def _auc(ranking: Mapping[str, Any], origin: str | None) -> float | None:
    figures = ranking["mean"] if origin is None else ranking["by_origin"].get(origin, {})
    found: float | None = figures.get("auc")
    return found


def backtest_page(
    metrics: Mapping[Purpose, Mapping[str, Any]],
    folds: Mapping[Purpose, pd.DataFrame],
    *,
    name: str,
    language: Language,
    cutoff: date,
    churn: Churn,
) -> str:
    """Return the page as one HTML text that asks nothing of any network; the same inputs give the same text.

    Parameters
    ----------
    metrics : mapping of purpose to figures
        Origins, verdict and ``models.standing.standing``; without origins the page says that history is too short.
    folds : mapping of purpose to DataFrame
        candidate, kind, label, probability of every judged snapshot.
    name, language, cutoff, churn
        Company, language of the page, the day by whose knowledge everything was judged, what counts as lost.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    words = backtest_texts(language)
    environment = Environment(
        loader=PackageLoader("retention.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters(words))
    style = environment.get_template("page.css").render() + environment.get_template("backtest.css").render()
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = [_part(purpose, found, folds[purpose]) for purpose, found in metrics.items()]
    context = {"name": name, "cutoff": cutoff, "churn": churn, "square": SQUARE, "figures": FIGURES}
    template = environment.get_template("backtest.html.jinja")
    return template.render(w=words, parts=parts, style=style, policy=f"'sha256-{digest}'", **context)


def _part(purpose: Purpose, found: Mapping[str, Any], folds: pd.DataFrame) -> Part:
    if not found["origins"]:
        return Part(purpose=purpose, found=found, reliability=(), gains=())
    shown = folds.loc[(folds["kind"] != "candidate").to_numpy(dtype=bool)]
    own = shown.loc[(shown["candidate"] == DELIVERED).to_numpy(dtype=bool)]
    names = list(dict.fromkeys(shown["candidate"]))
    rows = {each: shown.loc[(shown["candidate"] == each).to_numpy(dtype=bool)] for each in names}
    curves = tuple(gains_of(each, part) for each, part in rows.items() if part["label"].any())
    return Part(purpose=purpose, found=found, reliability=reliability_of(own), gains=curves)


def _filters(words: BacktestTexts) -> Mapping[str, Callable[..., Any]]:
    language = words.language

    def number(value: float | None, decimals: int = 0) -> str:
        return "–" if value is None else number_text(value, language=language, decimals=decimals)

    def figure(value: float | None, name: str) -> str:
        return number(value, 2 if name in _TWO_DIGITS else 3)

    def signed(value: float | None) -> str:
        return "–" if value is None else f"{'+' if value > 0 else ''}{number(value, 3)}"

    return {
        "number": number,
        "figure": figure,
        "signed": signed,
        "share": lambda value: "–" if value is None else share_text(value, language=language),
        "day": lambda value: date_text(
            value if isinstance(value, date) else date.fromisoformat(value), language=language
        ),
        "fill": lambda text, **parts: text.format(**parts),
        "ranking": lambda name: words.rankings.get(name, name),
    }
