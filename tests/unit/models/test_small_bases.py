"""Small bases: training never fails for want of rows, and says in words which candidate speaks and why."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.history import load_history
from features.intake import take_in_frames
from features.matrix import build_matrix, of_cohort, stack
from models.churn_model import COHORTS, Purpose
from models.ladder import ladder, train
from pipelines.demo.company import demo_company
from retention.report.words import report_texts, said
from tests.unit.models.snapshots import CHURN, CUTOFF, TRAINING, cutoffs, snapshots

LAST = date(2026, 7, 1)
DAYS = tuple(LAST - timedelta(days=104 + 52 * back) for back in reversed(range(4)))

WHY = (
    "Es gab weniger als 5 Fälle",
    "Für eine Prüfung gab es zu wenige Fälle",
    "Die Geschichte ist zu kurz",
    "An späterer Zeit war kein Kandidat",
    "Es war der beste Kandidat",
)
WHO = (
    " spricht, weil der beste Kandidat (",
    " war um mehr als einen Standardfehler besser als das Mittel aus dreien.",
)


def demo_snapshots(customers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return labelled snapshots of an invented company on four cutoffs, and those of its last morning."""
    tables = demo_company(customers=customers).tables
    with take_in_frames(tables, cutoff=LAST, timezone="Europe/Berlin") as taken:
        history = load_history(taken)
    parts = [build_matrix(history, cutoff=day, churn=CHURN, known_until=LAST) for day in (*DAYS, LAST)]
    return stack(parts[:-1]), parts[-1]


def said_of(learned: pd.DataFrame, asked: pd.DataFrame, purpose: Purpose) -> str:
    """Train, check that every score is a probability with its interval, and return what the page says of the choice."""
    model, _ = train(
        learned, purpose=purpose, cutoff=max(learned["cutoff"]) + timedelta(days=104), churn=CHURN, training=TRAINING
    )
    assert model.evidence["chosen"] in ladder(purpose, TRAINING)
    found = model.score(asked)
    bounds = found[["probability_low", "probability", "probability_high"]].to_numpy()
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds, axis=1) >= 0).all()
    return said(model.evidence["remark"], report_texts("de"))


@pytest.mark.parametrize(
    "customers",
    [20, 60, 150, pytest.param(300, marks=pytest.mark.slow), pytest.param(600, marks=pytest.mark.slow)],
)
def test_no_size_of_a_company_makes_training_fail_and_the_page_says_why_who_speaks(customers: int) -> None:
    learned, newest = demo_snapshots(customers)
    for purpose, cohort in COHORTS.items():
        told = said_of(of_cohort(learned, cohort), of_cohort(newest, cohort), purpose)
        assert told.startswith(WHY) or any(each in told for each in WHO)


@pytest.mark.parametrize("level", [-6.0, -3.0, 6.0])
@pytest.mark.parametrize("customers", [1, 2, 8, 40])
def test_few_customers_and_rare_outcomes_do_not_fail_either(customers: int, level: float) -> None:
    learned = snapshots(1, customers=customers, level=level)
    told = said_of(learned, snapshots(2, customers=customers, days=(CUTOFF,)), "churn")
    assert told.startswith(WHY) or any(each in told for each in WHO)


def test_a_smaller_base_is_less_sure_of_the_same_customers() -> None:
    asked = snapshots(3, customers=100, days=(CUTOFF,))
    widths = []
    for customers in (30, 120, 600):
        model, _ = train(
            snapshots(4, customers=customers, days=cutoffs(6)),
            purpose="churn",
            cutoff=CUTOFF,
            churn=CHURN,
            training=TRAINING,
        )
        found = model.score(asked)
        widths.append(float((found["probability_high"] - found["probability_low"]).median()))
    assert widths[0] > widths[1] > widths[2]
