"""What the page says of the movement since the run before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from retention.movement import GONE, GONE_COLUMNS
from retention.report import movement as shown
from retention.report.inputs import ReportInputs
from retention.report.movement import movement
from retention.report.page import report_page
from retention.report.words import report_texts
from retention.texts import reason_texts
from tests.unit.retention.report.test_page import ATTACK, Reader

LAST = date(2026, 6, 24)


def left(*codes: str) -> pd.DataFrame:
    """Return one who left by each of these codes, each with 100 at stake before and a sentence of their own."""
    rows = [
        {
            **dict.fromkeys(GONE_COLUMNS),
            "customer_id": f"G{place}",
            "gone": code,
            "because": f"Grund {code}",
            "probability_before": 0.5,
            "probability": None if code == "absent" else 0.1,
            "value_at_risk_before": 100.0,
        }
        for place, code in enumerate(codes)
    ]
    return pd.DataFrame(rows, columns=list(GONE_COLUMNS))


@pytest.fixture
def second(make: Any) -> ReportInputs:
    """The second run: of 30 listed 4 are new, of the others 20 rose, 5 fell and one stayed; one left by each code."""
    inputs: ReportInputs = make()
    early = inputs.early_warning
    step = pd.Series([-0.01] * 20 + [0.01] * 5 + [0.0] + [0.2] * 4)
    since = pd.Series([LAST] * 26 + [inputs.cutoff] * 4, dtype=object)
    told = [f"Neu: Fall {place}" for place in range(30)]
    known = early.assign(probability_before=early["probability"] + step, since=since, new_because=told)
    return replace(inputs, early_warning=known, gone=left(*GONE), since_run=LAST)


def section(page: str) -> str:
    found = re.search(r'<section id="movement".*?</section>', page, re.DOTALL)
    assert found
    return Reader(found[0]).text


def test_who_came_and_left_adds_up_to_the_lists_of_both_runs(second: ReportInputs) -> None:
    found = movement(second, reason_texts("de"))
    assert found is not None
    assert (found.before, found.gone, found.new, found.now) == (33, 7, 4, 30)
    assert (found.stayed, found.rose, found.fell) == (26, 20, 5)
    assert [each.because for each in found.came] == [f"Fall {place}" for place in range(26, 30)]
    assert [(each.what, each.customers, each.stake) for each in found.causes] == [
        (reason_texts("de").lists.gone[code], 1, 100.0) for code in GONE
    ]


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_tells_everybody_who_moved_and_why(second: ReportInputs, language: Any) -> None:
    text = section(report_page(replace(second, language=language)))
    for code in GONE:
        assert f"{reason_texts(language).lists.gone[code]} Grund {code}" in text
    for place in range(30):
        assert (f" Fall {place} " in f"{text} ") == (place >= 26)


def untold(inputs: ReportInputs) -> list[str]:
    """Return what should be said of those who left or came and is not on the page."""
    came = inputs.early_warning.loc[26:, "new_because"].str.removeprefix("Neu: ").tolist()
    text = section(report_page(inputs))
    return [each for each in (*inputs.gone["because"], *came) if each not in text]


def test_a_row_lost_on_the_way_to_the_page_is_found(second: ReportInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: the first row of each table is dropped."""
    assert untold(second) == []
    whole = shown._records
    monkeypatch.setattr(shown, "_records", lambda frame: whole(frame)[1:])
    assert untold(second) == ["Grund lost", "Fall 26"]


def test_a_first_run_says_one_sentence_and_nothing_else(make: Any) -> None:
    words = report_texts("en").movement
    assert section(report_page(make(language="en"))) == f"{words['title']} {words['first']}"


def test_when_nothing_moved_it_says_so(second: ReportInputs) -> None:
    calm = second.early_warning.assign(since=LAST)
    text = section(report_page(replace(second, early_warning=calm, gone=left())))
    assert "Niemand ist neu auf der Liste." in text
    assert "Niemand hat die Liste verlassen." in text


@pytest.mark.parametrize(("rows", "is_open"), [(10, True), (11, False)])
def test_long_tables_are_folded(second: ReportInputs, rows: int, is_open: bool) -> None:
    page = report_page(replace(second, gone=left(*["fell"] * rows)))
    assert ('<details id="moved-gone" open>' in page) == is_open
    assert ('<details id="moved-gone">' in page) != is_open


def test_of_hundreds_200_are_shown_and_all_are_counted(second: ReportInputs) -> None:
    text = section(report_page(replace(second, gone=left(*["fell"] * 250))))
    assert text.count("Grund fell") == 200
    assert "die ersten 200 von 250; alle stehen in lists/cutoff=2026-07-01/gone.csv" in text


def test_names_and_sentences_are_shown_as_text(second: ReportInputs) -> None:
    attacked = second.gone.assign(name=ATTACK, owner=ATTACK, because=ATTACK)
    page = report_page(replace(second, gone=attacked, list_note=ATTACK))
    assert page.count("<script>") == 1
    assert section(page).count(ATTACK) == 3 * len(GONE)


def test_a_note_on_the_whole_list_stands_above_it_and_only_where_there_is_one(make: Any) -> None:
    note = reason_texts("de").lists.notes["small_base"]
    page = report_page(make(list_note=note))
    assert page.index(note) < page.index('<table class="list"')
    assert note not in report_page(make())
