"""What the page says of lost customers: reasons by how they are known, the cost, the way to the page of losses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retention.loss_reasons import shipped_loss_reasons
from retention.report.lost import LossesFound, lost_in
from retention.report.page import report_page
from retention.report.words import report_texts

PAGE = "../../losses/cutoff=2026-07-01/losses.html"


def found(language: str = "en", *, value: float = 1000.0, customers: tuple[int, ...] = (4, 3, 0)) -> LossesFound:
    table = pd.DataFrame(
        {
            "reason": ["price", "moved", "quality"],
            "curable": [True, False, True],
            "customers": customers,
            "share": [0.6, 0.4, 0.0],
            "told": [1, 2, 0],
            "noted": [1, 0, 0],
            "inferred": [2, 0, 0],
            "value": [value, np.nan, np.nan],
        }
    )
    titles = shipped_loss_reasons().titles(language)  # type: ignore[arg-type]
    return LossesFound(by_reason=table, titles=titles, page=PAGE)


@pytest.mark.parametrize(("language", "price", "quality"), [("de", "Preis", "Qualität"), ("en", "Price", "Quality")])
def test_reasons_stand_with_how_they_are_known_what_was_lost_and_a_link(make: Any, language, price, quality) -> None:
    page = report_page(replace(make(), language=language, losses=found(language)))
    section = page[page.index('<section id="lost">') :]
    section = section[: section.index("</section>")]
    words = report_texts(language).lost
    assert '<a href="#lost">' in page
    assert f'href="{PAGE}"' in section
    assert price in section
    assert quality not in section
    for key in ("told", "noted", "inferred", "note"):
        assert words[key] in section
    assert section.count("–</td>") == 1


def test_counts_add_up_and_the_most_frequent_comes_first() -> None:
    lost = lost_in(found())
    assert lost is not None
    assert (lost.customers, lost.said, lost.inferred, lost.value) == (7, 4, 2, 1000.0)
    assert [row["reason"] for row in lost.rows] == ["price", "moved"]


def test_where_no_value_is_known_none_is_told(make: Any) -> None:
    page = report_page(replace(make(), language="en", losses=found(value=np.nan)))
    assert "Customer value lost with them" not in page
    assert 'id="lost"' in page


def test_without_the_stage_or_anybody_lost_there_is_no_section(make: Any) -> None:
    assert 'id="lost"' not in report_page(make())
    assert lost_in(found(customers=(0, 0, 0))) is None
