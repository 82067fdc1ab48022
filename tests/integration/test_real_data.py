"""The main job on real public data, with the configurations that are shipped; skipped where the data are not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipelines import stages
from pipelines.places import Places
from pipelines.settings import Settings, load_settings

PROJECT = Path(__file__).parents[2]
DATA = PROJECT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data are not at {DATA}")


def run(name: str, cutoff: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, pd.DataFrame]:
    """Do the main job of a shipped configuration in ``tmp_path``; return settings and scores."""
    monkeypatch.chdir(PROJECT)
    settings = load_settings(PROJECT / "configs" / f"{name}.yaml").model_copy(update={"output": str(tmp_path / name)})
    for stage in (stages.build_features, stages.train, stages.score, stages.publish, stages.report, stages.export):
        stage(settings, cutoff)
    return settings, pd.read_parquet(Places(Path(settings.output)).scores(cutoff) / "scores.parquet")


@pytest.mark.parametrize(
    ("name", "cutoff"),
    [
        ("online_retail", date(2011, 9, 10)),
        ("webshop", date(2013, 6, 30)),
        ("ravenstack", date(2024, 7, 1)),
        pytest.param("ibm_telco", date(2019, 12, 15), marks=pytest.mark.slow),
    ],
)
def test_a_shipped_configuration_runs_through_and_refuses_no_row(
    name: str, cutoff: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, scores = run(name, cutoff, tmp_path, monkeypatch)
    places = Places(Path(settings.output))
    written = {path.name for folder in (places.lists(cutoff), places.report(cutoff)) for path in folder.iterdir()}
    assert {"early_warning.csv", "win_back.csv", "plan.csv", "not_contactable.parquet", "report.html"} <= written
    assert len(scores) > 100
    assert scores["probability"].between(0, 1).all()
    assert all(pd.read_parquet(path).empty for path in places.quarantine.glob("*.parquet"))


@pytest.mark.parametrize(
    ("name", "cutoff", "days", "least"),
    [("online_retail_90", date(2011, 9, 10), 90, 0.745), ("resellers", date(2013, 5, 31), 180, 0.96)],
)
def test_the_ranking_beats_the_usual_ways_on_what_happened_afterwards(
    name: str, cutoff: date, days: int, least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, scores = run(name, cutoff, tmp_path, monkeypatch)
    later = _bought(name, cutoff, days)
    silent = ~scores["customer_id"].isin(later)
    found = roc_auc_score(silent, scores["probability"])
    assert found >= least, f"{name}: {len(scores)} customers, {silent.mean():.3f} silent, AUC {found:.4f}"


def _bought(name: str, cutoff: date, days: int) -> set[str]:
    """Who bought in the ``days`` from ``cutoff`` on, read from the raw file by pandas alone."""
    if name == "resellers":
        rows = pd.read_parquet(DATA / "adventureworks_dw" / "FactResellerSales.parquet")
        customer, day = rows["ResellerKey"], rows["OrderDate"]
    else:
        rows = pd.read_parquet(DATA / "online_retail" / "transactions.parquet")
        rows = rows[(rows["Quantity"] > 0) & (rows["UnitPrice"] > 0) & ~rows["InvoiceNo"].str.startswith("C")]
        rows = rows[rows["CustomerID"].notna()]
        customer, day = rows["CustomerID"], rows["InvoiceDate"]
    start = pd.Timestamp(cutoff)
    inside = (day >= start) & (day < start + pd.Timedelta(days=days))
    return set(customer[inside].astype(np.int64).astype(str))
