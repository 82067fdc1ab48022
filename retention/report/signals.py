"""The table of signals: which rules announce losses here and which add nothing, in words of the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retention.formats import number_text, share_text
from retention.report.words import ReportTexts

NOTHING = "–"
"""Shown where there is nothing to reckon from."""


@dataclass(frozen=True, kw_only=True)
class ShownRule:
    """One rule as people read it; ``figures``: coverage, lift, lead time, false alarms, announced share."""

    title: str
    fires_now: int
    works: bool
    figures: tuple[str, ...]
    said: str


@dataclass(frozen=True, kw_only=True)
class ShownRules:
    """The rules that announce losses here, best lift first, the others, and what both were measured on."""

    works: tuple[ShownRule, ...]
    rest: tuple[ShownRule, ...]
    snapshots: int
    base_share: float


def shown_rules(rules: pd.DataFrame | None, words: ReportTexts) -> ShownRules | None:
    """Return the rules as the page shows them; None where the stage was not run."""
    if rules is None:
        return None
    ordered = rules.sort_values("lift", ascending=False, kind="stable", na_position="last")
    rows = [shown(each, words) for each in ordered.to_dict("records")]
    base = rules["base_share"].dropna()
    return ShownRules(
        works=tuple(row for row in rows if row.works),
        rest=tuple(row for row in rows if not row.works),
        snapshots=int(rules["snapshots"].max()) if len(rules) else 0,
        base_share=float(base.iloc[0]) if len(base) else 0.0,
    )


def shown(rule: Mapping[Any, Any], words: ReportTexts) -> ShownRule:
    """Return one row of the table of rules as people read it."""
    verdict = str(rule["verdict"])
    shares = [_share(rule[name], words) for name in ("coverage", "false_alarm_share", "announced_share")]
    return ShownRule(
        title=str(rule["title"]),
        fires_now=int(rule["fires_now"]),
        works=verdict == "lift",
        figures=(shares[0], _lift(rule, words), _days(rule["lead_days"], words), shares[1], shares[2]),
        said=words.verdicts[verdict],
    )


def speak_beside(evidence: Mapping[str, Any]) -> bool:
    """Return whether the model learned so little that signals speak beside the score."""
    return evidence.get("chosen") in ("rule", "rhythm") or not evidence.get("snapshots")


def _lift(rule: Mapping[Any, Any], words: ReportTexts) -> str:
    if pd.isna(rule["lift"]):
        return NOTHING
    parts = {name: number_text(rule[name], language=words.language, decimals=1)
             for name in ("lift", "lift_low", "lift_high") if pd.notna(rule[name])}  # fmt: skip
    if len(parts) == 1:
        return parts["lift"]
    return f"{parts['lift']} ({words.signals['range'].format(low=parts['lift_low'], high=parts['lift_high'])})"


def _days(value: Any, words: ReportTexts) -> str:
    return NOTHING if pd.isna(value) else words.signals["days"].format(n=number_text(value, language=words.language))


def _share(value: Any, words: ReportTexts) -> str:
    return NOTHING if pd.isna(value) else share_text(value, language=words.language)
