"""The page: facts, words and template put together."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from retention.own_texts import texts_for
from retention.report import charts, portfolio
from retention.report.formatting import filters
from retention.report.inputs import ReportInputs
from retention.report.lost import lost_in
from retention.report.movement import movement
from retention.report.origin import origin_in
from retention.report.rows import first_rows, planned
from retention.report.signals import shown_rules, speak_beside
from retention.report.trust import staleness, trust_in
from retention.report.words import ReportTexts, report_texts
from retention.report.worth import worth_in
from retention.texts import Purpose, ReasonTexts

FIRST_ROWS = 25
"""Rows of a list that are open from the start."""
FOLDED_FROM = 10
"""Most rows of a table of movement that stands open."""
TOP_SHARE = 0.1
"""Share of customers whose part of the value at risk is told."""


def report_page(inputs: ReportInputs) -> str:
    """Return the report as one HTML page that asks nothing of any network; the same inputs give the same text.

    Parameters
    ----------
    inputs : ReportInputs
        Results of the stages. Lists are shown up to ``retention.report.rows.MOST_ROWS`` rows; scores are aggregated.

    Returns
    -------
    str
        HTML with styles, charts (inline SVG) and the script that sorts tables; its policy forbids any request.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    words, texts = report_texts(inputs.language), texts_for(inputs.features, inputs.language)
    environment = Environment(
        loader=PackageLoader("retention.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters(words, currency=inputs.currency))
    policy = {name: _source_digest(environment.get_template(name).render()) for name in ("page.css", "page.js")}
    return environment.get_template("page.html.jinja").render(policy=policy, **_context(inputs, words, texts))


def _source_digest(text: str) -> str:
    """Return how a content security policy names an inline style or script."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _context(inputs: ReportInputs, words: ReportTexts, texts: ReasonTexts) -> dict[str, Any]:
    return {
        "inputs": inputs,
        "w": words,
        "texts": texts,
        "labels": {family: each.label for family, each in texts.families.items()},
        "first_rows": FIRST_ROWS,
        "folded_from": FOLDED_FROM,
        "movement": movement(inputs, texts),
        **_lists(inputs, texts),
        **_portfolio(inputs, words),
        "worth": worth_in(inputs, words),
        "lost": lost_in(inputs.losses),
        **_grounds(inputs),
        "signals": shown_rules(inputs.signals, words),
        "signals_beside": speak_beside(inputs.evidence.get("churn", {})),
    }


def _lists(inputs: ReportInputs, texts: ReasonTexts) -> dict[str, Any]:
    measures, firing = inputs.measures, inputs.firing
    return {
        "early_warning": first_rows(
            inputs.early_warning, "early_warning", texts=texts, measures=measures, firing=firing
        ),
        "win_back": first_rows(inputs.win_back, "win_back", texts=texts, measures=measures),
        "planned": planned(inputs.plan, texts=texts, measures=measures),
        "control": int((inputs.plan["arm"] == "control").sum()) if len(inputs.plan) else 0,
    }


def _portfolio(inputs: ReportInputs, words: ReportTexts) -> dict[str, Any]:
    scores, names = inputs.scores, words.spread
    return {
        "total": portfolio.total(scores),
        "weights": portfolio.family_weights(scores, inputs.features.families),
        "histogram": charts.histogram(portfolio.distribution(scores)),
        "stakes": portfolio.stakes(scores),
        "top_share": portfolio.top_share(scores, share=TOP_SHARE),
        "segments": portfolio.by_segment(scores),
        "owners": portfolio.by_owner(scores, inputs.owners, nobody=names["nobody"], others=names["others"]),
        "square": charts.SQUARE,
    }


_PURPOSES: tuple[Purpose, ...] = ("churn", "return")


def _grounds(inputs: ReportInputs) -> dict[str, Any]:
    scored = {"churn": inputs.scores, "return": inputs.returns}
    trusts = [
        trust_in(
            purpose,
            evidence=inputs.evidence.get(purpose, {}),
            folds=inputs.folds,
            scores=scored[purpose],
            challenger=inputs.challengers.get(purpose, {}),
            matured=inputs.matured.get(purpose),
        )
        for purpose in _PURPOSES
    ]
    stale = staleness(inputs.last_known, cutoff=inputs.cutoff)
    base_rate = inputs.evidence.get("churn", {}).get("base_rate")
    return {"trusts": trusts, "stale": stale, "base_rate": base_rate, "origin": origin_in(inputs.data, inputs.features)}
