"""One customer from the tables of a notebook: what a run over the same rows says of them."""

from __future__ import annotations

from html import unescape

import pandas as pd
import pytest

from features.errors import ContractError
from pipelines.explain import explain
from pipelines.explained import Explained
from pipelines.library import Company
from pipelines.settings import Settings
from pipelines.train import champions
from tests.unit.pipelines.finished_run import CUTOFF


@pytest.fixture(scope="module")
def company(finished: Settings) -> Company:
    text = {"postcode": str}  # a leading zero counts
    tables = {name: pd.read_csv(source.uri, low_memory=False, dtype=text) for name, source in finished.sources.items()}
    return Company(tables, language="de", training={"most": 3, "threads": 1})


@pytest.mark.parametrize(("purpose", "file"), [("churn", "scores"), ("return", "returns")])
def test_a_notebook_says_of_a_customer_what_a_run_says(company, finished, scored, purpose, file):
    customer, models = scored[file]["customer_id"].iloc[0], champions(finished, CUTOFF)
    model = {"churn": models.churn, "return": models.back}[purpose]
    ours, theirs = company.explain_customer(CUTOFF, model, customer).view, explain(finished, CUTOFF, customer)
    assert ours.purpose == purpose
    assert ours.steps == theirs.steps
    assert ours.levers == theirs.levers
    assert ours.past.orders == theirs.past.orders
    same = ("probability", "low", "high", "value", "name", "owner", "channels", "would_change", "start")
    assert [getattr(ours, name) for name in same] == [getattr(theirs, name) for name in same]
    assert (ours.listed, ours.signals) == (None, None)
    assert ours.past.scores == ((CUTOFF, ours.probability, purpose),)


@pytest.fixture(scope="module")
def explained(company: Company, finished: Settings, scored: dict[str, pd.DataFrame]) -> Explained:
    models = champions(finished, CUTOFF)
    assert models is not None
    customer = scored["scores"]["customer_id"].iloc[0]
    return company.explain_customer(CUTOFF, models.churn, customer, signals=company.signals(CUTOFF), language="en")


def test_it_is_text_page_frame_and_values(explained: Explained) -> None:
    assert "What must not be done" in str(explained)
    assert explained.html.startswith("<!DOCTYPE html>")
    assert explained.steps["after"].iloc[-1] == pytest.approx(explained.view.probability, abs=1e-9)
    assert explained.steps["family"].iloc[-1] == ""


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(explained: Explained) -> None:
    shown = explained._repr_html_()
    assert shown.count('"') == 4  # nothing of the page ends the attribute
    assert unescape(shown.split('"')[1]) == explained.html


def test_signals_are_told_where_they_are_given(explained: Explained, company: Company) -> None:
    firing = company.signals(CUTOFF).firing
    own = firing[firing["customer_id"].astype(str) == explained.view.customer_id]
    assert explained.view.signals is not None
    assert len(explained.view.signals) == len(own)


def test_a_customer_of_another_cohort_is_one_line_with_the_nearest_ids(company, finished, scored):
    lapsed, models = scored["returns"]["customer_id"].iloc[0], champions(finished, CUTOFF)
    with pytest.raises(ContractError, match=f"{lapsed}.* is unknown, or not active on {CUTOFF}; the nearest ids are"):
        company.explain_customer(CUTOFF, models.churn, lapsed)
