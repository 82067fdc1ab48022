"""The forecast of margins: learned only from windows that are over, chosen on later time, the same for any order."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.definition import Churn
from features.errors import LeakageError, ModelError
from features.outcomes import OUTCOME_DAYS, margin_ahead, turnover_ahead
from models.margin import MarginModel, fit_margin
from models.margin.basis import Usual, own_margin_share
from models.margin.spread import COVERED, spread_of, spread_over_mornings
from models.margin.steps import fit_regression, losses
from models.settings import Training, Value

CHURN, CUTOFF = Churn(lead_days=14, horizon_days=90), date(2025, 1, 1)


def snapshots(*, customers: int = 150, cutoffs: int = 20, until: date = CUTOFF, seed: int = 1) -> pd.DataFrame:
    """Return snapshots every 52 days up to ``until``: buyers of lasting size, a third gone."""
    rng = np.random.default_rng(seed)
    size, share = rng.lognormal(5, 1, customers), rng.uniform(0.1, 0.4, customers)
    parts = []
    for back in range(cutoffs, 0, -1):
        cutoff = until - timedelta(days=52 * back)
        gone = rng.random(customers) < 0.3
        year = size * rng.lognormal(0, 0.3, customers)
        part = pd.DataFrame(
            {
                "customer_id": [f"c{at:04}" for at in range(customers)],
                "cutoff": cutoff,
                "cohort": "active",
                "label": pd.array(gone.astype(int), dtype="Int8"),
                "sales__turnover_364d": year,
                "sales__turnover_728d": 2 * year,
                "sales__orders_728d": 12.0,
                "sales__margin_728d": 2 * year * share,
                "sales__tenure_days": 900.0,
                "sales__recency_days": np.where(gone, 80.0, 20.0),
                "sales__purchase_days": 12.0,
                "rhythm__expected_orders": np.where(gone, 1.0, 6.0),
                "rhythm__alive_chance": np.where(gone, 0.2, 0.9),
            }
        )
        for days in OUTCOME_DAYS:
            brought = np.where(gone, 0.0, size * rng.lognormal(0, 0.3, customers)) * days / 365
            is_over = cutoff + timedelta(days=days) <= until
            part[turnover_ahead(days)] = brought if is_over else np.nan
            part[margin_ahead(days)] = brought * share if is_over else np.nan
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def fitted(rows: pd.DataFrame, *, cutoff: date = CUTOFF) -> MarginModel:
    return fit_margin(rows, cutoff=cutoff, churn=CHURN, training=Training(threads=1), value=Value())


@pytest.fixture(scope="module")
def model() -> MarginModel:
    return fitted(snapshots())


def test_the_level_is_right_and_four_of_five_lie_inside_on_customers_never_seen(model: MarginModel) -> None:
    later = snapshots(customers=2000, cutoffs=8, seed=2)
    later = later.loc[later[margin_ahead(365)].notna()]
    said, truth = model.expected(later, days=365), later[margin_ahead(365)]
    assert said["margin"].sum() == pytest.approx(truth.sum(), rel=0.15)
    inside = (truth >= said["margin_low"] - 1e-6) & (truth <= said["margin_high"] + 1e-6)
    assert inside.mean() == pytest.approx(COVERED, abs=0.05)


def test_a_year_is_learned_from_windows_of_a_year_and_tested_on_later_time(model: MarginModel) -> None:
    assert model.evidence["days"] == 365
    assert model.evidence["tested_on"].startswith("later time")
    assert set(model.evidence["losses"]) == {"months", "rhythm", "regression", "lightgbm"}


def test_a_margin_known_too_early_is_caught() -> None:
    rows = snapshots()
    with pytest.raises(LeakageError, match=r"the margin of \d+ days from \S+ ends after 2024-06-01"):
        fitted(rows, cutoff=date(2024, 6, 1))


def test_outcomes_are_no_features(model: MarginModel) -> None:
    assert not [name for name in model.turnover.columns if "next" in name]


def test_row_order_does_not_matter_and_files_give_the_model_back(model: MarginModel) -> None:
    rows = snapshots()
    shuffled = rows.sample(frac=1, random_state=3)
    assert fitted(shuffled).digest == model.digest
    back = MarginModel.from_files(model.to_files())
    assert back.digest == model.digest
    pd.testing.assert_frame_equal(back.expected(rows, days=180), model.expected(rows, days=180), check_exact=True)


def test_a_customer_is_forecast_alike_alone_and_among_others(model: MarginModel) -> None:
    rows = snapshots().head(20)
    alone = pd.concat([model.expected(rows.iloc[[at]], days=365) for at in range(len(rows))])
    pd.testing.assert_frame_equal(alone, model.expected(rows, days=365), rtol=1e-12)
    assert model.expected(rows.head(0), days=365).empty


def test_a_forged_or_missing_tree_is_refused() -> None:
    files = dict(fitted(snapshots(customers=400)).to_files())
    trees = [name for name in files if name.endswith(".txt")]
    with pytest.raises(ModelError, match="train again"):
        MarginModel.from_files({**files, "more.txt": b""})
    if trees:
        forged = files[trees[0]].replace(b"split_feature=", b"split_feature=99999 ", 1)
        with pytest.raises(ModelError, match="can be read safely"):
            MarginModel.from_files({**files, trees[0]: forged})


def test_a_base_too_small_falls_back_on_the_rhythm() -> None:
    few = fitted(snapshots(customers=3, cutoffs=4))
    assert few.turnover.step == "rhythm"
    assert few.expected(snapshots(customers=3), days=365).notna().all(axis=None)


def test_a_missing_feature_is_named() -> None:
    model = fitted(snapshots(customers=400))
    if model.turnover.columns:
        with pytest.raises(ModelError, match="the matrix lacks sales__turnover_364d"):
            model.expected(snapshots().drop(columns="sales__turnover_364d"), days=365)


def test_a_margin_share_is_drawn_towards_the_companys_and_may_be_negative() -> None:
    usual = Usual(basket=100.0, margin_share=0.3, turnover=500.0)
    rows = pd.DataFrame({"sales__turnover_728d": [0.0, 1e6, 1e6], "sales__margin_728d": [0.0, 1e5, -1e5]})
    assert own_margin_share(rows, usual).tolist() == pytest.approx([0.3, 0.1, -0.1], abs=1e-3)
    assert own_margin_share(rows[["sales__turnover_728d"]], usual).tolist() == [0.3] * 3


def test_the_regression_finds_the_weights_it_was_made_with() -> None:
    rng = np.random.default_rng(6)
    logs = rng.normal(size=(20_000, 2))
    mean = np.exp(0.1 + 0.5 * logs[:, 0] - 0.3 * logs[:, 1])
    found = fit_regression(logs, rng.gamma(2.0, mean / 2))
    assert np.array(found.weights) == pytest.approx([0.5, -0.3], abs=0.05)


def test_the_loss_is_lowest_at_the_truth() -> None:
    y = np.array([3.0])
    assert losses(y, y) < losses(y, np.array([2.9]))
    assert losses(y, y) < losses(y, np.array([3.1]))


def test_a_spread_with_many_who_bring_nothing_covers_what_it_says() -> None:
    rng = np.random.default_rng(8)
    brought = np.where(rng.random(4000) < 0.5, 0.0, rng.lognormal(4, 1, 4000))
    size = np.full(4000, 50.0)
    low, high = spread_of(brought, size, size, days=365).around(size, size, days=365)
    assert low.tolist() == pytest.approx([0.0] * 4000)
    assert ((brought >= low - 1e-9) & (brought <= high)).mean() == pytest.approx(COVERED, abs=0.02)


def coverages(shock: float, *, past: int, companies: int = 40) -> tuple[float, float]:
    """Return what intervals cover on a morning to come, widened by how mornings differ and not; mean over companies.

    Every morning of a company is struck as a whole by a shock of its own. On a single morning to come the intervals
    cover all or little, as its shock is like or unlike those before; only many together tell whether 80 % is meant.
    """
    covered = []
    for seed in range(companies):
        rng = np.random.default_rng(seed)
        morning = np.repeat(np.arange(past + 3), 300)
        size = np.full(len(morning), 100.0)
        brought = size * np.exp(rng.normal(0, 0.3, len(morning)) + rng.normal(0, shock, past + 3)[morning])
        known, coming = morning < past, morning >= past
        misses = brought[known], size[known], size[known]
        found = spread_over_mornings(*misses, days=365, morning=morning[known]), spread_of(*misses, days=365)
        bounds = [each.around(size[coming], size[coming], days=365) for each in found]
        covered.append([((brought[coming] >= low) & (brought[coming] <= high)).mean() for low, high in bounds])
    widened, plain = np.mean(covered, axis=0)
    return float(widened), float(plain)


@pytest.mark.parametrize(("shock", "past"), [(0.0, 3), (0.2, 3), (0.4, 3), (0.2, 6), (0.4, 6)])
def test_intervals_hold_on_a_morning_to_come_whether_mornings_differ_or_not(shock: float, past: int) -> None:
    widened, plain = coverages(shock, past=past)
    assert widened == pytest.approx(COVERED, abs=0.06)
    assert plain <= widened


def test_intervals_that_know_nothing_of_mornings_are_told_apart_from_those_that_do() -> None:
    widened, plain = coverages(0.4, past=3)
    assert plain < COVERED - 0.06 < widened


def test_what_is_expected_is_always_inside() -> None:
    nothing = np.zeros(400)
    found = spread_of(nothing, np.full(400, 5.0), np.full(400, 5.01), days=365)
    low, high = found.around(nothing, np.full(400, 0.01), days=365)
    assert (low <= 0).all()
    assert (high >= 0).all()
