from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from retention.report.inputs import ReportInputs
from retention.report.page import report_page
from retention.report.words import report_texts
from retention.report.worth import worth_in
from retention.segments import COSTLY, PROMISING


@pytest.fixture
def told(make: Any) -> ReportInputs:
    """Return a page's inputs with what the scores say of worth: every third customer promising, every fifth costly."""
    inputs: ReportInputs = make()
    scores = inputs.scores.reset_index(drop=True)
    place = pd.Series(range(len(scores)))
    names = pd.Series("", index=place).mask(place % 3 == 0, PROMISING).mask(place % 5 == 0, COSTLY)
    more = scores.assign(
        turnover_segment="C",
        standing=names.to_numpy(),
        value_low=0.5 * scores["value"],
        value_high=2 * scores["value"],
        turnover=100.0,
        potential=10.0,
        expected_margin=20.0,
        cost_to_serve=30.0,
        value_at_risk_low=0.5 * scores["value_at_risk"],
        value_at_risk_high=2 * scores["value_at_risk"],
    )
    regions = pd.Series("DE 24", index=scores["customer_id"])
    return replace(inputs, scores=more, regions=regions, contacts_per_year={"A": 12, "B": 4, "C": 1})


def test_scores_of_an_older_treue_say_nothing_of_worth(make: Any) -> None:
    inputs = make()
    assert worth_in(inputs, report_texts("en")) is None
    assert 'id="worth"' not in report_page(inputs)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("de", "Kleiner Umsatz, großes Potenzial"), ("en", "Small turnover, high potential")],
)
def test_the_page_names_the_promising_the_costly_and_what_is_at_stake(
    told: ReportInputs, language: str, sentence: str
) -> None:
    page = report_page(replace(told, language=language))  # type: ignore[arg-type]
    words = report_texts(language).worth  # type: ignore[arg-type]
    assert sentence in page
    for each in (words["costly"], words["more"], words["region"], "DE 24"):
        assert each in page


def test_groups_add_up_to_all_that_is_at_stake(told: ReportInputs) -> None:
    worth = worth_in(told, report_texts("en"))
    assert worth is not None
    for groups in worth.stakes.values():
        assert sum(each.at_risk for each in groups) == pytest.approx(worth.total.at_risk)
        assert sum(each.customers for each in groups) == len(told.scores)
    assert worth.total.low < worth.total.at_risk < worth.total.high
