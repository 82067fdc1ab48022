"""The page of lost customers and the interview guide: self-contained HTML that asks nothing of any network."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.definition import Churn
from models.survival import Survival
from retention.formats import Language, date_text, money_text, number_text, share_text
from retention.loss_reasons import UNKNOWN, LossReasons
from retention.losses.agreement import Agreement
from retention.losses.statistics import LEAST_IN_GROUP
from retention.losses.words import LossTexts, loss_texts
from retention.report.charts import Plot

if TYPE_CHECKING:
    from jinja2 import Environment

YEAR_DAYS = 365.25
MOST_MONTHS = 24
"""Months of losses that the page shows; the file has all."""


@dataclass(frozen=True, kw_only=True)
class LossInputs:
    """All that the page is made from; tables as :mod:`retention.losses.statistics` gives them.

    ``curves`` has a mapping of level to curve per column ("cohort", "segment"); ``form`` and ``guide`` are paths as
    the reader may type them.
    """

    name: str
    language: Language
    currency: str
    cutoff: date
    churn: Churn
    lost: pd.DataFrame
    reasons: LossReasons
    by_reason: pd.DataFrame
    by_month: pd.DataFrame
    by_group: pd.DataFrame
    curves: Mapping[str, Mapping[str, Survival]]
    agreement: Agreement
    has_model: bool
    has_told: bool
    with_owners: bool
    form: str
    guide: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One curve as drawn: points of its steps and of its band, and what is told of it."""

    level: str
    customers: int
    line: str
    band: str
    median_years: float | None
    after_year: float
    after_three: float


def losses_page(inputs: LossInputs) -> str:
    """Return the page as one HTML text; the same inputs give the same text."""
    words = loss_texts(inputs.language)
    plot = Plot(width=420, height=310, left=54)
    span = max((curve.followed_days for each in inputs.curves.values() for curve in each.values()), default=1.0)
    years = max(1, int(-(-span // YEAR_DAYS)))
    drawn = {column: [drawn_curve(level, c, plot, years) for level, c in each.items()] for column, each in
             inputs.curves.items()}  # fmt: skip
    context = {
        "i": inputs, "curves": drawn, "plot": plot, "years": years, "least": LEAST_IN_GROUP,
        "titles": inputs.reasons.titles(inputs.language),
        "cures": {reason.name: reason.cure_in(inputs.language) for reason in inputs.reasons.reasons},
        "told": int(inputs.lost["known_by"].isin(["told", "noted"]).sum()),
        "months": inputs.by_month.tail(MOST_MONTHS).to_dict("records"),
    }  # fmt: skip
    return _rendered("losses.html.jinja", words, inputs.currency, context)


def guide_page(reasons: LossReasons, *, language: Language, name: str) -> str:
    """Return the interview guide, ready to print."""
    context = {
        "name": name,
        "titles": [title for reason, title in reasons.titles(language).items() if reason != UNKNOWN],
    }
    return _rendered("guide.html.jinja", loss_texts(language), "", context)


def drawn_curve(level: str, curve: Survival, plot: Plot, years: int) -> Curve:
    """Return one curve in the plot, whose width is so many years."""
    ends = [0.0, *curve.days, curve.followed_days]
    across = [day / YEAR_DAYS / years for day in ends]
    share, low, high = (
        _steps(across, [1.0, *each, each[-1] if len(each) else 1.0]) for each in (curve.share, curve.low, curve.high)
    )
    median = curve.median_days
    return Curve(
        level=level,
        customers=curve.customers,
        line=plot.line(*zip(*share, strict=True)),
        band=plot.line(*zip(*high, *reversed(low), strict=True)),
        median_years=None if median is None else median / YEAR_DAYS,
        after_year=_after(curve, years=1),
        after_three=_after(curve, years=3),
    )


def _after(curve: Survival, *, years: int) -> float:
    """Return the share still there after so many years; NaN where nobody was followed for so long."""
    return curve.at(years * YEAR_DAYS) if curve.followed_days >= years * YEAR_DAYS else float("nan")


def _steps(across: Sequence[float], up: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of a staircase that falls at each place."""
    corners = [(across[0], up[0])]
    for place in range(1, len(across)):
        corners += [(across[place], up[place - 1]), (across[place], up[place])]
    return corners


def _rendered(template: str, words: LossTexts, currency: str, context: Mapping[str, Any]) -> str:
    environment = _environment(words, currency)
    sheets = ("page.css", "losses.css")
    style = "".join(environment.get_template(name).render() for name in sheets)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(w=words, style=style, policy=f"'sha256-{digest}'", **context)


def _environment(words: LossTexts, currency: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("retention.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters(words, currency))
    return environment


def _filters(words: LossTexts, currency: str) -> Mapping[str, Callable[..., Any]]:
    language = words.language
    return {
        "number": lambda value, decimals=0: number_text(value, language=language, decimals=decimals),
        "share": lambda value: "–" if value != value else share_text(value, language=language),
        "money": lambda value: (
            "–" if value != value else money_text(value, language=language, currency=currency, decimals=0)
        ),
        "day": lambda value: date_text(value, language=language),
        "month": lambda value: f"{value:%m/%Y}" if language == "de" else f"{value:%b %Y}",
        "fill": lambda text, **parts: text.format(**parts),
        "level": lambda value: words.levels.get(value, value),
    }
