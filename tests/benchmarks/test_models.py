"""Models against rivals: fair to the rivals, and goals that a loss, a bias or a find in noise would break."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from benchmarks.contest.cases import Contest, purchases_in, said_by_peers
from benchmarks.contest.cost import made_up
from benchmarks.contest.figures import Case, figures_of, goals_of, small_means
from benchmarks.contest.small_bases import on_one_base
from models.backtest import DELIVERED
from models.verdict import Verdict
from pipelines.demo.company import demo_company
from pipelines.library import Company

GOOD = Verdict(rival="bgnbd", difference=0.03, low=0.01, high=0.05)
CASE = Case(
    set="resellers",
    origin=date(2013, 1, 1),
    customers=300,
    base_rate=0.2,
    chosen="lightgbm",
    finds="better",
    auc={DELIVERED: 0.80, "bgnbd": 0.77, "last_order": 0.70},
    calibration_error=0.02,
    verdict=GOOD,
    first_year=False,
)
NOISE = replace(CASE, set="ravenstack", finds="level", auc={DELIVERED: 0.51, "bgnbd": 0.5, "last_order": 0.5})
DRAWN = [{"set": "resellers", "base": 150, "draw": at, "auc": CASE.auc} for at in range(3)]


def test_all_goals_are_met_where_everything_is_well() -> None:
    assert set(goals_of([CASE, NOISE], DRAWN).values()) == {True}


@pytest.mark.parametrize(
    ("broken", "goal"),
    [
        ({"verdict": replace(GOOD, difference=-0.03, low=-0.05, high=-0.01)}, "best or within"),
        ({"auc": {DELIVERED: 0.77, "bgnbd": 0.765, "last_order": 0.7}}, "mean AUC"),
        ({"calibration_error": 0.031}, "calibration error"),
    ],
)
def test_a_planted_fault_breaks_its_goal(broken: dict[str, Any], goal: str) -> None:
    missed = [name for name, met in goals_of([replace(CASE, **broken), NOISE], DRAWN).items() if not met]
    assert len(missed) == 1
    assert missed[0].startswith(goal)


def test_a_find_in_noise_breaks_both_goals_of_the_control() -> None:
    found = replace(NOISE, finds="better", auc={DELIVERED: 0.56, "bgnbd": 0.5})
    assert [name for name, met in goals_of([CASE, found], DRAWN).items() if not met] == [
        "control at 0.50 give or take 0.05",
        "control: the model says that it finds nothing",
    ]


def test_a_bias_in_the_first_year_does_not_count_and_nothing_measured_is_no_success() -> None:
    early = replace(CASE, calibration_error=0.2, first_year=True)
    assert goals_of([early], [])["calibration error at most 0.03 after the first year"] is None
    assert set(goals_of([], []).values()) == {None}


def test_small_bases_are_held_against_the_rival_that_is_best_over_all_draws() -> None:
    behind = [{**row, "auc": {DELIVERED: 0.70, "bgnbd": 0.72, "last_order": 0.9 * (row["draw"] == 0)}} for row in DRAWN]
    assert small_means(behind)["150"] == {
        "draws": 3, "treue": 0.70, "best_rival": "bgnbd", "ahead": -0.02, "standard_error": 0.0,
    }  # fmt: skip
    assert goals_of([CASE], behind)["small bases at most 0.01 behind the best rival"] is False


def test_the_lead_is_over_one_rival_for_all_cases_and_the_control_is_apart() -> None:
    other = replace(CASE, origin=date(2014, 1, 1), auc={DELIVERED: 0.80, "bgnbd": 0.71, "last_order": 0.79})
    figures = figures_of([CASE, other, NOISE], DRAWN)
    assert figures["ahead_of_best_single_rival"] == pytest.approx(0.055), "0.03 and 0.10 behind, 0.09 and 0.01 behind"
    assert figures["mean_auc"][DELIVERED] == 0.80


def test_a_purchase_is_an_order_that_brought_something() -> None:
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "order_id": ["1", "1", "2", "3"],
            "occurred_on": pd.to_datetime(["2025-01-01", "2025-01-01", "2025-02-01", "2025-03-01"]),
            "known_at": pd.to_datetime(["2025-01-01", "2025-01-05", "2025-02-01", "2025-03-01"]),
            "amount": [10.0, -4.0, -5.0, 7.0],
        }
    )
    found = purchases_in(orders)
    assert found[["customer_id", "amount", "lines"]].to_numpy().tolist() == [["a", 6.0, 2], ["b", 7.0, 1]]
    assert found["known_at"].iloc[0] == pd.Timestamp("2025-01-05")


@pytest.fixture(scope="module")
def contest() -> Contest:
    tables = demo_company(customers=120).tables
    company = Company({"orders": tables["orders"]}, training={"most": 5, "threads": 1}, lead_days=0)
    origin = company.cutoffs(company.newest_cutoff())[-1]

    def nosy(known: pd.DataFrame, who: pd.Index, at: pd.Timestamp, horizon: int, active: int) -> np.ndarray:
        assert known["at_"].max() < at
        return np.where(np.arange(len(who)) == 0, np.nan, np.arange(len(who), dtype=float))

    def missing(*_: object) -> np.ndarray:
        raise ImportError("not here")

    peers = cast(ModuleType, SimpleNamespace(PEERS={"nosy": nosy, "missing": missing}))
    return Contest(name="made_up", company=company, origins=(origin,), peers=peers)


def test_peers_see_what_was_known_and_an_absent_one_is_left_out(contest: Contest) -> None:
    told = said_by_peers(contest, contest.origins[-1], ["a", "b", "c"], ["nosy", "missing"])
    assert list(told) == ["peers_nosy"]
    assert told["peers_nosy"].tolist() == [1.5, 1.0, 2.0], "who is not known counts as the middle"


def test_a_small_base_has_its_customers_and_knows_as_much_of_time(contest: Contest) -> None:
    ids = sorted(contest.purchases["customer_id"].unique())[:40]
    last = contest.tables["orders"].sort_values(["known_at", "customer_id"])["customer_id"].iloc[-1]
    part = contest.of_customers([*ids, last])
    assert set(part.purchases["customer_id"]) == {*ids, last}
    assert part.company.newest_cutoff() == contest.newest
    row = on_one_base(replace(contest, peers=None), base=110, draw=0)
    assert row is None or {DELIVERED, "bgnbd"} <= set(row["auc"])
    assert on_one_base(contest, base=5000, draw=0) is None, "a base larger than the company is left out"


def test_the_matrix_that_training_is_timed_on_is_learnable_and_has_gaps() -> None:
    x, label = made_up(2000, 12)
    assert x.shape == (2000, 12)
    assert 0.1 < label.mean() < 0.6
    assert 0.03 < np.isnan(x).mean() < 0.07
