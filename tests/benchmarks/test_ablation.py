"""What a group of features is worth: a planted one something, noise nothing, and nobody looks ahead."""

from __future__ import annotations

import doctest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import ablation
from benchmarks.worth import in_time, measured
from benchmarks.worth.in_time import TimedTest, honest_tests, label_of
from benchmarks.worth.measured import Ablation, ablate, draws, figures, member_scores
from benchmarks.worth.told import at_a_glance, reading, tables
from features.catalogue import GROUPS
from features.matrix import KEYS, feature_names
from pipelines.demo.company import demo_company
from pipelines.library import Company

CHURN = {"horizon_days": 90, "lead_days": 0}
CUSTOMERS = 600


def company_of(tables: Mapping[str, pd.DataFrame]) -> Company:
    return Company(tables, training={"most": 12, "threads": 1}, **CHURN)


@pytest.fixture(scope="module")
def company() -> Company:
    tables = demo_company(customers=CUSTOMERS).tables
    return company_of({name: tables[name] for name in ("orders", "complaints")})


@pytest.fixture(scope="module")
def tests(company: Company) -> tuple[TimedTest, ...]:
    return honest_tests(company, least=2, most=2)


FEW = ("sales__recency_days", "sales__orders_364d", "sales__turnover_364d", "rhythm__silent_chance")


def planted(rows: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
    """Add a group that knows something of the outcome, and two columns that know nothing."""
    count = len(rows)
    noise = {f"noise__draw_{number}": chance.normal(size=count) for number in range(2)}
    known = rows[[*KEYS, *FEW]]
    return known.assign(planted__hint=2 * label_of(rows) + chance.normal(size=count), **noise)


@pytest.fixture(scope="module")
def found(tests: Sequence[TimedTest]) -> Ablation:
    chance = np.random.default_rng(3)
    more = [replace(each, learn=planted(each.learn, chance), ranked=planted(each.ranked, chance)) for each in tests]
    return ablate(more, members=3, resamples=200)


def test_a_planted_group_is_worth_something_and_noise_is_not(found: Ablation) -> None:
    assert (found.everything - found.without("planted")).auc.low > 0
    assert (found.on_base("planted") - found.base).auc.low > 0
    assert (found.everything - found.without("noise")).auc.low <= 0
    assert (found.on_base("noise") - found.base).auc.low <= 0


def test_the_words_say_what_the_figures_say(found: Ablation) -> None:
    said = reading(found)
    assert any(line.startswith("- **planted**: without it the AUC falls by 0.") for line in said)
    assert not any(line.startswith("- **noise**:") for line in said)
    assert any(line.startswith("- Not in this set: ") and "contacts" in line for line in said)
    names = [line.split("|")[1].strip() for line in tables(found) if line.startswith("| ")]
    assert {"all groups", "without noise", "sales only", "sales + planted"} <= set(names)


def test_at_a_glance_every_group_of_the_catalogue_has_its_line(found: Ablation) -> None:
    lines = at_a_glance({"small": found})[2:]
    cells = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in lines}
    assert tuple(cells) == GROUPS
    assert cells["complaints"] == ""
    assert cells["rhythm"] != ""


def test_the_same_question_has_the_same_answer(tests: Sequence[TimedTest]) -> None:
    few = [replace(each, learn=_of_sales(each.learn), ranked=_of_sales(each.ranked)) for each in tests]
    first, again = (ablate(few, members=2, resamples=20) for _ in range(2))
    assert first.everything.auc.resampled.tolist() == again.everything.auc.resampled.tolist()
    assert first.everything.found.error == again.everything.found.error > 0
    assert (first.everything - again.everything).auc.error == 0
    assert first.can_be_left_out == first.can_be_added == ()


def _of_sales(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[name for name in rows.columns if name in KEYS or name.startswith("sales__")]]


def test_what_is_learned_from_was_finished_and_known_on_the_morning(
    company: Company, tests: Sequence[TimedTest]
) -> None:
    assert len(tests) == 2
    for test in tests:
        ends = [cutoff + timedelta(days=CHURN["horizon_days"]) for cutoff in set(test.learn["cutoff"])]
        assert max(ends) <= test.cutoff
        pd.testing.assert_frame_equal(test.learn, in_time._active(company.snapshots(test.cutoff)))
        assert test.stake.tolist() == test.ranked["sales__turnover_364d"].clip(lower=0).tolist()


def test_rows_from_after_the_test_cutoff_change_nothing_that_is_learned(tests: Sequence[TimedTest]) -> None:
    test = tests[0]
    story = demo_company(customers=CUSTOMERS).tables
    known = {
        name: story[name].loc[story[name]["known_at"] < pd.Timestamp(test.cutoff)] for name in ("orders", "complaints")
    }
    pd.testing.assert_frame_equal(test.learn, in_time._active(company_of(known).snapshots(test.cutoff)))


def test_a_company_too_young_for_a_test_has_none() -> None:
    orders = demo_company(customers=60).tables["orders"]
    first = orders["occurred_on"].min()
    young = company_of({"orders": orders.loc[orders["known_at"] < first + timedelta(days=200)]})
    assert honest_tests(young, least=2, most=2) == ()


def test_without_the_rhythm_nothing_of_it_reaches_the_scores(tests: Sequence[TimedTest]) -> None:
    test = tests[0]
    columns = [name for name in feature_names(test.ranked) if not name.startswith("rhythm__")]
    other = replace(
        test, learn=test.learn.assign(rhythm__silent_chance=0.9), ranked=test.ranked.assign(rhythm__silent_chance=0.1)
    )
    said, again = (member_scores(each, columns, members=2) for each in (test, other))
    assert said.tolist() == again.tolist()
    assert member_scores(test, list(feature_names(test.ranked)), members=2).tolist() != said.tolist()


def naive_found(at_risk: np.ndarray, loss: np.ndarray) -> float:
    places = int(np.ceil(len(at_risk) / 10))
    return float(loss[np.argsort(-at_risk)[:places]].sum() / loss.sum())


def test_figures_are_those_of_customers_written_down_as_often_as_they_were_drawn() -> None:
    chance = np.random.default_rng(5)
    log_odds, stake = chance.normal(size=97), chance.exponential(size=97)
    lost = (chance.random(97) < 0.3).astype(np.int8)
    weights = chance.multinomial(97, np.full(97, 1 / 97), size=6).astype(np.float64)
    for at, counts in enumerate(weights):
        who = np.repeat(np.arange(97), counts.astype(int))
        auc, share = figures(log_odds, lost, stake, weights)[:, at]
        assert auc == pytest.approx(roc_auc_score(lost[who], log_odds[who]), abs=1e-12)
        at_risk = stake[who] / (1 + np.exp(-log_odds[who]))
        assert share == pytest.approx(naive_found(at_risk, (lost * stake)[who]), abs=1e-12)


def test_equal_scores_share_their_places() -> None:
    lost, stake = np.array([1, 0, 0, 0, 1] * 4, dtype=np.int8), np.ones(20)
    assert figures(np.zeros(20), lost, stake, np.ones((1, 20))).ravel() == pytest.approx([0.5, 0.1])


def test_a_draw_with_one_outcome_only_has_no_figures() -> None:
    lost = np.array([1, 0], dtype=np.int8)
    assert np.isnan(figures(np.zeros(2), lost, np.ones(2), np.array([[0.0, 2.0]]))).all()


def test_a_customer_drawn_twice_counts_twice_at_every_cutoff(tests: Sequence[TimedTest]) -> None:
    first, second = draws(tests, resamples=5)
    ids = [test.ranked["customer_id"].tolist() for test in tests]
    assert (first[0] == 1).all()
    for who in set(ids[0]) & set(ids[1]):
        assert first[:, ids[0].index(who)].tolist() == second[:, ids[1].index(who)].tolist()


def test_the_page_is_only_written_from_the_full_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SIZE", "small")
    assert ablation.main(["--write"]) == 2
    assert "--write needs SIZE=full" in capsys.readouterr().err
    monkeypatch.setattr(ablation, "PAGE", tmp_path / "ablation.md")
    ablation.write([], missing=["resellers"])
    assert capsys.readouterr().out == "ablation.md not written: resellers missing\n"
    assert not (tmp_path / "ablation.md").exists()


def test_without_the_data_a_set_is_left_out_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(ablation, "ROOT", tmp_path / "main")
    assert ablation.measure("resellers", ablation.SIZES["full"]) is None
    assert capsys.readouterr().out == "resellers left out: it needs ../shared/data, which is no part of the project\n\n"


@pytest.mark.parametrize("module", [in_time, measured])
def test_the_examples_run(module: object) -> None:
    assert doctest.testmod(module).failed == 0
