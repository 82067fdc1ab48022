"""The benchmark of margins: its figures, and that an oracle would win it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks.kundenwert import contest, rivals
from benchmarks.kundenwert.contest import Result
from benchmarks.kundenwert.cost import cost_of_value
from benchmarks.kundenwert.figures import figures_of, goals_of, table_of


def test_whoever_knows_the_truth_is_never_off_and_finds_all_of_the_best() -> None:
    brought = np.arange(50.0) ** 2
    assert contest.figures_of(brought, brought) == {"mae": 0.0, "rank": pytest.approx(1.0), "best_found": 1.0}
    assert contest.figures_of(brought, -brought)["best_found"] == 0
    assert contest.figures_of(brought, np.ones(50))["rank"] == 0


def test_the_average_month_counts_days_since_the_first_purchase() -> None:
    rows = pd.DataFrame({"sales__turnover_364d": [364.0, 100.0], "sales__tenure_days": [900.0, 50.0]})
    assert rivals.average_month(rows, days=180, share=0.5).tolist() == pytest.approx([90.0, 180.0])
    assert rivals.last_year(rows, days=365, share=0.5).tolist() == pytest.approx([182.0, 50.0])


def result(name: str, covered: float, ours: float, theirs: float) -> Result:
    said = {"treue": ours, "average month": theirs, "last year's turnover": theirs}
    figures = {way: {"mae": 1 / each, "rank": each, "best_found": each} for way, each in said.items()}
    return Result(
        name=name, days=180, morning=date(2025, 1, 1), customers=9, chosen="months", figures=figures, covered=covered
    )


def test_goals_are_met_only_by_whoever_is_better_and_covers_what_is_said() -> None:
    good, bad = result("good", 0.81, 0.8, 0.7), result("bad", 0.6, 0.7, 0.8)
    goals = goals_of([good, bad])
    assert all(met for goal, met in goals.items() if goal.startswith("good"))
    assert not any(met for goal, met in goals.items() if goal.startswith("bad"))
    assert figures_of([good, bad])["good 180"]["average month"]["mae_over_treue"] == pytest.approx(1.143)
    assert "81.0% inside" in table_of([good])


def test_the_value_of_many_customers_is_quick() -> None:
    found = cost_of_value(20_000, 20)
    assert found["seconds"] < 10
    assert found["memory_gb"] < 2
