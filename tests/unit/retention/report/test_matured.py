"""The page says whether earlier promises came true, in both languages, and warns where they did not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from models.matured import Matured, Recheck
from retention.formats import Language
from retention.report.page import report_page
from retention.report.trust import drift_in
from retention.texts import Purpose

SOUND = Matured(
    cutoff=date(2026, 1, 15), snapshots=1200, customers=1200, outcomes=396, promised=0.31, promised_low=0.27,
    promised_high=0.35, share=0.33, share_low=0.308, share_high=0.353, calibration_error=0.024, error_by_chance=0.021,
    intercept=0.09, intercept_low=-0.01, intercept_high=0.19, slope=0.97, slope_low=0.88, slope_high=1.06, auc=0.744,
    is_told=True, level_drifts=False, slope_drifts=False,
)  # fmt: skip


def recheck(**pooled: Any) -> Recheck:
    later = replace(SOUND, cutoff=date(2026, 2, 15), slope=float("nan"), auc=float("nan"))
    return Recheck(by_cutoff=(SOUND, later), pooled=replace(SOUND, cutoff=None, **pooled))


def page_of(make: Any, found: Recheck, *, language: Language = "en") -> str:
    return report_page(make(language=language, matured={"churn": found}, matures_on=date(2026, 10, 13)))


def keys(found: Recheck | None, purpose: Purpose = "churn") -> list[str]:
    return [each.key for each in drift_in(found, purpose)]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "Was vorhergesagt wurde, lässt sich ab dem Lauf vom 13.10.2026 nachprüfen."),
        ("en", "The period of no earlier run is over yet. What was foretold can be checked from the run of"),
    ],
)  # fmt: skip
def test_while_nothing_has_matured_the_page_says_when_it_will(make: Any, language: Language, told: str) -> None:
    assert told in page_of(make, Recheck(by_cutoff=(), pooled=None), language=language)


def test_a_page_without_the_stage_says_nothing_of_it(make: Any) -> None:
    assert "Have earlier probabilities come true?" not in report_page(make(language="en"))


def test_matured_cutoffs_stand_with_what_was_promised_and_what_came_true(make: Any) -> None:
    page = page_of(make, recheck(), language="de")
    assert "Von 2 Stichtagen ist der Zeitraum vorbei (mit 1.200 Fällen)." in page
    assert "Vorhergesagt war ein Anteil von 31 % (90-%-Bereich 27 % bis 35 %); eingetreten sind 33 %" in page
    assert "Die Eichung hält." in page
    assert '<th scope="row">15.01.2026</th><td class="number">1.200</td><td class="number">31 %</td>' in page
    assert '0,97 (0,88 bis 1,06)</td><td class="number">0,744</td>' in page
    assert '<td class="number">–</td><td class="number">–</td>' in page
    assert re.search(r"\bnan\b", page) is None


@pytest.mark.parametrize("language", get_args(Language))
def test_drift_is_a_caution_in_the_trust_section_and_at_the_top(make: Any, language: Language) -> None:
    found = recheck(level_drifts=True, promised=0.2)
    page = page_of(make, found, language=language)
    told = {"de": "über den Zufall hinaus mehr eingetreten als vorhergesagt (33 % statt 20 %)",
            "en": "In earlier runs more came true than was foretold (33% instead of 20%), beyond chance"}  # fmt: skip
    assert page.count(told[language]) == 2
    assert {"de": "Die Eichung hat sich verschoben", "en": "Calibration has drifted"}[language] in page
    assert told[language] not in page_of(make, recheck(promised=0.2), language=language)


def test_each_kind_of_drift_has_its_own_caution() -> None:
    assert keys(None) == keys(recheck()) == keys(Recheck(by_cutoff=(), pooled=None)) == []
    assert keys(recheck(level_drifts=True, promised=0.5)) == ["drift_less", "drift_measures"]
    assert keys(recheck(level_drifts=True, promised=0.5), "return") == ["drift_less"]
    assert keys(recheck(level_drifts=True, promised=0.1), "return") == ["drift_more", "drift_measures"]
    assert keys(recheck(slope_drifts=True, slope=0.6)) == ["drift_apart"]
    assert keys(recheck(slope_drifts=True, level_drifts=True, slope=1.5)) == ["drift_more", "drift_close"]


@pytest.mark.parametrize("key", ["drift_apart", "drift_close"])
def test_a_slope_that_drifts_is_told_with_its_number(make: Any, key: str) -> None:
    slope = {"drift_apart": 0.61, "drift_close": 1.61}[key]
    assert f"(slope {slope} instead of 1)" in page_of(make, recheck(slope_drifts=True, slope=slope))


def test_too_few_outcomes_are_said_to_be_too_few(make: Any) -> None:
    assert "There are too few outcomes to tell drift from chance." in page_of(make, recheck(is_told=False))
