"""The page of a backtest, in both languages: figures, verdict, curves; and a history that is too short."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import retention.report
from features.definition import Churn
from models.standing import DELIVERED, standing
from retention.formats import Language
from retention.report.backtest_page import FIGURES, backtest_page, backtest_texts
from tests.unit.models.test_standing import DAYS, folds

CUTOFF = date(2026, 1, 1)
VERDICT = {
    "beats_rivals": True,
    "verdict": "better",
    "best_rival": "bgnbd",
    "difference": 0.1,
    "low": 0.05,
    "high": 0.2,
}


def page(language: Language, *, rows: pd.DataFrame | None = None, **verdict: Any) -> str:
    judged = folds({DELIVERED: 0.2, "bgnbd": 3.0}) if rows is None else rows
    choices = {str(day): {"chosen": "lightgbm"} for day in DAYS}
    found = {"origins": choices, **VERDICT, **verdict, "customers": 200}
    found |= standing(judged, places=20, segments=["segment"])
    empty = {"origins": {}, **standing(judged.head(0), places=10)}
    return backtest_page(
        {"churn": found, "return": empty},
        {"churn": judged, "return": judged.head(0)},
        name="muster",
        language=language,
        cutoff=CUTOFF,
        churn=Churn(),
    )


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_ranking_morning_and_group_stands_on_the_page(language: Language) -> None:
    html, words = page(language), backtest_texts(language)
    for text in (words.rankings["treue"], words.rankings["bgnbd"], words.rankings["lightgbm"], words.sheet["nothing"]):
        assert text in html
    assert all(words.figures[figure] in html for figure in FIGURES)
    assert f"{words.segments['segment']} A" in html
    assert html.count("<svg viewBox") == 2
    assert html.count('class="dot"') == 10
    assert ("01.01.2025" if language == "de" else "1 January 2025") in html or "2025" in html


@pytest.mark.parametrize("says", ["better", "level", "worse"])
def test_the_verdict_is_said_with_its_interval(says: str) -> None:
    html = page("en", verdict=says)
    start = backtest_texts("en").verdicts[says].split("{")[0].split(".")[0]
    assert start in html
    assert "BG/NBD" in html
    assert "0.050" in html


def test_data_with_nothing_to_find_are_told_so() -> None:
    rows = folds({DELIVERED: 50.0, "bgnbd": 60.0})
    assert backtest_texts("en").verdicts["nothing"] in page("en", rows=rows, verdict="level")
    assert backtest_texts("en").verdicts["nothing"] not in page("en")


def test_the_page_asks_nothing_of_any_network_and_is_the_same_twice() -> None:
    html = page("de")
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert "default-src 'none'" in html
    assert page("de") == html


def test_both_languages_say_the_same_things() -> None:
    german, english = (backtest_texts(language).model_dump() for language in ("de", "en"))
    for part in german:
        if part != "language":
            assert german[part].keys() == english[part].keys()
            for key, text in german[part].items():
                assert re.findall(r"\{\w+\}", text).sort() == re.findall(r"\{\w+\}", english[part][key]).sort()


def test_the_page_uses_every_word_there_is_and_none_that_is_not() -> None:
    template = Path(retention.report.__path__[0]) / "templates" / "backtest.html.jinja"
    used = set(re.findall(r"\bw\.sheet\.(\w+)", template.read_text())) | {"churn", "return"}
    assert used == set(backtest_texts("de").sheet)
