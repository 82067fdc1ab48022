"""The main job, end to end on an invented company: same run same bytes, nothing from after the cutoff, small bases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import logit

from features.matrix import of_cohort
from features.outputs import read_manifest, sha256_of
from pipelines import stages
from pipelines.build_features import read_matrix
from pipelines.demo.company import demo_company, write_demo
from pipelines.places import Places
from pipelines.settings import Settings, load_settings
from pipelines.train import champions

CUTOFF = date(2026, 1, 15)

Configure = Callable[..., Settings]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write_demo(folder, demo_company(customers=250, seed=11))
    return folder / "data"


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a configuration over the tables of a folder and load it."""

    def settings(
        data: Path, *, name: str = "company", tables: tuple[str, ...] | None = None, **more: object
    ) -> Settings:
        found = tables or tuple(sorted(path.stem for path in data.glob("*.csv")))
        content = {
            "name": name,
            "language": "de",
            "output": str(tmp_path / name),
            "sources": {table: {"uri": str(data / f"{table}.csv")} for table in found},
            "training": {"most": 8},
            **more,
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_settings(path)

    return settings


def main_job(settings: Settings, cutoff: date) -> dict[str, str]:
    """Run every stage; return the SHA-256 of every score and list."""
    stages.build_features(settings, cutoff)
    if stages.training_is_due(settings, cutoff):
        stages.train(settings, cutoff)
    for stage in (stages.score, stages.publish, stages.report):
        stage(settings, cutoff)
    places = Places(Path(settings.output))
    folders = (places.scores(cutoff), places.lists(cutoff))
    return {path.name: sha256_of(path) for folder in folders for path in sorted(folder.iterdir())}


def test_the_same_run_twice_and_a_fresh_run_elsewhere_give_the_same_bytes(data: Path, configure: Configure) -> None:
    settings = configure(data)
    first = main_job(settings, CUTOFF)
    assert main_job(settings, CUTOFF) == first
    assert main_job(configure(data, name="elsewhere", training={"most": 8, "threads": 1}), CUTOFF) == first
    expected = {"scores.parquet", "returns.parquet", "early_warning.csv", "early_warning.parquet", "win_back.csv"}
    assert expected | {"win_back.parquet", "plan.csv", "plan.parquet", "not_contactable.parquet"} <= set(first)


def test_rows_known_later_make_no_difference(data: Path, configure: Configure, tmp_path: Path) -> None:
    truncated = tmp_path / "truncated"
    truncated.mkdir()
    removed = sum(_without_later_rows(path, truncated / path.name) for path in data.glob("*.csv"))
    assert removed > 1000
    assert main_job(configure(truncated, name="truncated"), CUTOFF) == main_job(configure(data), CUTOFF)


def _without_later_rows(source: Path, target: Path) -> int:
    """Copy a table without rows that happened or became known on or after the cutoff; return how many fell away."""
    rows = pd.read_csv(source, dtype=str)
    times = [name for name in ("known_at", "occurred_on", "starts_on", "assigned_on") if name in rows.columns]
    day = rows[times].bfill(axis=1).iloc[:, 0] if times else pd.Series("", index=rows.index)
    later = day.fillna("") >= CUTOFF.isoformat()
    rows[~later].to_csv(target, index=False)
    return int(later.sum())


def test_every_score_is_explained_to_the_last_digit(data: Path, configure: Configure) -> None:
    settings = configure(data)
    main_job(settings, CUTOFF)
    places, models = Places(Path(settings.output)), champions(settings, CUTOFF)
    assert models is not None
    matrix = read_matrix(places.matrix(CUTOFF))
    for model, cohort in ((models.churn, "active"), (models.back, "lapsed")):
        rows = of_cohort(matrix, cohort)
        told = model.contributions(rows).to_numpy().sum(axis=1)
        np.testing.assert_allclose(told, logit(model.score(rows)["probability"]), atol=1e-9)


def test_without_optional_tables_the_run_goes_through_and_the_report_says_what_falls_away(
    data: Path, configure: Configure
) -> None:
    settings = configure(data, tables=("orders",), language="en")
    main_job(settings, CUTOFF)
    places = Places(Path(settings.output))
    manifest = read_manifest(places.matrix(CUTOFF))
    assert "complaints__open_count" in manifest["missing_features"]
    page = (places.report(CUTOFF) / "report.html").read_text(encoding="utf-8")
    assert "complaints__open_count" in page
    assert "Open complaint, " in page  # a reason that cannot come, by its name


def test_150_customers_work_and_the_intervals_are_wider_in_log_odds_than_with_all(
    data: Path, configure: Configure, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    orders = pd.read_csv(data / "orders.csv", dtype=str)
    chosen = sorted(orders["customer_id"].dropna().unique())[:150]
    for path in data.glob("*.csv"):
        rows = pd.read_csv(path, dtype=str)
        rows[rows["customer_id"].isin(chosen)].to_csv(few / path.name, index=False)
    widths = {}
    for name, folder in (("all", data), ("few", few)):
        settings = configure(folder, name=name)
        main_job(settings, CUTOFF)
        scores = pd.read_parquet(Places(Path(settings.output)).scores(CUTOFF) / "scores.parquet")
        low, high = (logit(scores[f"probability_{end}"].clip(1e-9, 1 - 1e-9)) for end in ("low", "high"))
        widths[name] = float((high - low).mean())
        evidence = json.loads((Places(Path(settings.output)).backtest(CUTOFF) / "metrics.json").read_text())
        assert evidence["churn"]["remark"]
    assert widths["few"] > widths["all"]


def test_a_young_company_without_a_finished_horizon_is_scored_by_its_rhythm(data: Path, configure: Configure) -> None:
    settings = configure(data)
    orders = pd.read_csv(data / "orders.csv", dtype=str)
    young = date.fromisoformat(orders["occurred_on"].dropna().min()) + timedelta(days=60)
    main_job(settings, young)
    evidence = json.loads((Places(Path(settings.output)).backtest(young) / "metrics.json").read_text())
    assert evidence["churn"]["chosen"] == "rhythm"
    assert evidence["churn"]["tests"] == []


def test_a_model_trained_for_a_later_day_is_not_used_for_an_earlier_one(data: Path, configure: Configure) -> None:
    settings = configure(data)
    main_job(settings, CUTOFF)
    earlier = CUTOFF - timedelta(days=40)
    stages.build_features(settings, earlier)
    assert stages.training_is_due(settings, earlier)
    later = CUTOFF + timedelta(days=settings.training.retrain_after_days - 1)
    stages.build_features(settings, later)
    assert not stages.training_is_due(settings, later)
