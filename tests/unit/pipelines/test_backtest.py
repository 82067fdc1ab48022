"""The backtest of a company: replayed from its sources, blind to later rows, leaving nothing but its results."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import LeakageError
from features.outputs import read_manifest, read_parquet
from models.standing import DELIVERED
from pipelines.backtest import SEGMENTS, as_of, backtest, described, stated
from pipelines.build_features import build_features
from pipelines.library import Company
from pipelines.mornings import mornings_of
from pipelines.places import Places
from pipelines.settings import Settings, settings_from

CUTOFF = date(2026, 1, 1)
CHURN = {"active_within_days": 120, "lead_days": 0, "horizon_days": 60}


def write_orders(folder: Path, *, late: int = 0) -> Path:
    """Write two years of orders of 80 customers, monthly, of whom some fall silent; ``late`` rows come late."""
    rng, rows = np.random.default_rng(5), []
    for customer in range(80):
        gone = rng.integers(200, 1100)
        days = np.cumsum(rng.integers(15, 45, size=60))
        rows += [(customer, int(day)) for day in days[days < min(gone, 730)]]
    frame = pd.DataFrame(rows, columns=["customer", "day"])
    frame["occurred_on"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["day"], unit="D")
    frame["known_at"] = frame["occurred_on"]
    if late:
        chosen = frame.sample(late, random_state=1).index
        frame.loc[chosen, "known_at"] += timedelta(days=40)
    columns = {"order_id": [f"o{at}" for at in range(len(frame))], "customer_id": frame["customer"], "amount": 10.0}
    orders = pd.DataFrame({**columns, "occurred_on": frame["occurred_on"], "known_at": frame["known_at"]})
    path = folder / "orders.parquet"
    orders[orders["known_at"] < pd.Timestamp(CUTOFF)].to_parquet(path)
    return path


def settings_of(folder: Path, orders: Path, **training: object) -> Settings:
    content = {
        "name": "small",
        "language": "en",
        "output": str(folder / "out"),
        "sources": {"orders": {"uri": str(orders)}},
        "churn": CHURN,
        "training": {"most": 6, "threads": 1, **training},
        "lists": {"early_warning": {"size": 10}},
    }
    return settings_from(content, place="test")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    folder = tmp_path_factory.mktemp("backtest")
    settings = settings_of(folder, write_orders(folder, late=60))
    build_features(settings, CUTOFF)
    return settings, backtest(settings, CUTOFF, most=3)


def folds_in(folder: Path) -> pd.DataFrame:
    found: pd.DataFrame = read_parquet(folder, "folds.parquet").to_pandas()
    return found


def test_the_folder_holds_folds_figures_and_page_named_by_its_manifest(done: tuple[Settings, Path]) -> None:
    settings, folder = done
    assert folder == Places(Path(settings.output)).rolling(CUTOFF)
    assert set(read_manifest(folder)["files"]) == {"folds.parquet", "metrics.json", "backtest.html"}
    metrics = json.loads((folder / "metrics.json").read_text())["churn"]
    assert metrics["rankings"][DELIVERED]["mean"]["auc"] is not None
    assert {"beats_rivals", "verdict", "best_rival", "difference"} <= set(metrics)
    assert metrics["list_size"] == 10
    assert set(metrics["origins"]) == set(folds_in(folder)["test"].astype(str))


def test_nothing_else_is_left_behind(done: tuple[Settings, Path]) -> None:
    settings, _ = done
    root = Path(settings.output)
    assert [path.name for path in root.iterdir() if path.name.startswith(".backtest")] == []
    assert not (root / "mlflow.db").exists()


def test_a_notebook_gets_the_same_from_the_same_rows(done: tuple[Settings, Path]) -> None:
    settings, folder = done
    orders = pd.read_parquet(settings.sources["orders"].uri)
    company = Company({"orders": orders}, training=settings.training, language="en", **CHURN)
    folds = folds_in(folder)
    told = folds[(folds["purpose"] == "churn").to_numpy(dtype=bool)]
    origins = sorted(set(told["test"].astype(str)))
    found = pd.concat([each.folds for each in company.judged(CUTOFF, origins=origins)])
    keys = ["test", "candidate", "customer_id"]
    sides = [
        frame.assign(test=frame["test"].astype(str)).sort_values(keys)[["label", "probability"]].to_numpy(float)
        for frame in (told, found)
    ]
    assert sides[0] == pytest.approx(sides[1], abs=1e-9)


def test_what_was_recorded_late_is_not_known_at_an_origin_before(tmp_path: Path) -> None:
    """A purchase inside a learned horizon that was recorded after the origin: the fold must hold the customer lost."""
    orders = pd.read_parquet(write_orders(tmp_path))
    company = Company({"orders": orders}, training={"most": 6, "threads": 1}, **CHURN)
    origin = company.cutoffs(CUTOFF)[-1]
    learned = company.snapshots(origin)
    newest = learned[(learned["cutoff"] == max(learned["cutoff"])).to_numpy(dtype=bool)]
    stayed = newest[((newest["label"] == 0) & (newest["cohort"] == "active")).to_numpy(dtype=bool)].iloc[0]
    inside = (
        (orders["customer_id"] == stayed["customer_id"])
        & (orders["occurred_on"] >= pd.Timestamp(stayed["cutoff"]))
        & (orders["occurred_on"] < pd.Timestamp(origin))
    )
    late = orders.assign(known_at=orders["known_at"].mask(inside, pd.Timestamp(origin) + timedelta(days=5)))
    known = Company({"orders": late}, training={"most": 6, "threads": 1}, **CHURN)
    (morning,) = mornings_of(known, CUTOFF, "churn", origins=[origin])
    mine = morning.learn[
        (
            (morning.learn["customer_id"] == str(stayed["customer_id"])) & (morning.learn["cutoff"] == stayed["cutoff"])
        ).to_numpy(dtype=bool)
    ]
    assert mine["label"].tolist() == [1]


def test_configured_cutoffs_are_those_finished_by_then(tmp_path: Path) -> None:
    days = [date(2024, 6, 1), date(2024, 9, 1), date(2025, 6, 1)]
    settings = settings_of(tmp_path, tmp_path / "x.parquet", cutoffs=days)
    assert as_of(settings, date(2024, 10, 31)).training.cutoffs == (days[0], days[1])
    assert as_of(settings, date(2024, 10, 30)).training.cutoffs == (days[0],)
    automatic = settings_of(tmp_path, tmp_path / "x.parquet")
    assert as_of(automatic, date(2024, 10, 31)) is automatic


def test_an_unfinished_origin_is_refused(tmp_path: Path) -> None:
    company = Company({"orders": pd.read_parquet(write_orders(tmp_path))}, training={"most": 4}, **CHURN)
    with pytest.raises(LeakageError, match="cutoff 2025-12-20 has no finished label"):
        company.judged(CUTOFF, origins=["2025-12-20"])


def test_segments_come_from_turnover_history_and_master_data() -> None:
    ranked = pd.DataFrame(
        {
            "customer_id": pd.Series(["a", "b", "c"], dtype="str"),
            "sales__turnover_364d": [80.0, 19.0, np.nan],
            "sales__purchase_days": [12.0, 3.0, 1.0],
        }
    )
    folds = pd.DataFrame({"customer_id": pd.Series(["c", "a", "b", "a"], dtype="str"), "candidate": list("xxyy")})
    master = pd.DataFrame({"customer_id": pd.Series(["a", "b"], dtype="str"), "type": ["b2b", "b2c"]})
    settings = settings_from({"name": "n", "sources": {"orders": {"uri": "x"}}}, place="test")
    found = described(folds, ranked, churn=settings.churn, master=master)
    assert found["customer_id"].tolist() == ["c", "a", "b", "a"]
    assert found["stake"].tolist() == [0.0, 80.0, 19.0, 80.0]
    assert found["segment"].tolist() == ["C", "A", "B", "A"]
    assert found["history"].tolist() == ["1", "10+", "2-4", "10+"]
    assert found["type"].isna().tolist() == [True, False, False, False]
    assert set(SEGMENTS) <= set(found.columns)


def test_a_history_that_is_too_short_says_so() -> None:
    found = stated(pd.DataFrame(columns=["candidate", "kind"]), {}, places=5)
    assert found == {"origins": {}, "rankings": {}, "segments": {}, "list_size": 5}
