from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from features.catalogue import catalogue
from features.errors import OutputError
from features.outputs import read_manifest, write_json, write_manifest, write_parquet
from pipelines.places import Places
from pipelines.report import report, report_inputs
from pipelines.settings import Settings
from retention.lists import EARLY_WARNING_COLUMNS, WIN_BACK_COLUMNS
from retention.movement import GONE_COLUMNS
from retention.plan import COLUMNS as PLAN_COLUMNS

CUTOFF, EARLIER = date(2026, 7, 1), date(2026, 6, 10)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    customers = tmp_path / "customers.csv"
    customers.write_text("customer_id,owner\nc0,Anna\nc1,Bernd\n")
    sources = {"orders": {"uri": str(tmp_path / "orders.csv")}, "customers": {"uri": str(customers)}}
    return Settings.model_validate({"name": "x", "output": str(tmp_path / "out"), "sources": sources})


@pytest.fixture
def run(settings: Settings) -> Places:
    """Leave what the other stages leave: ten active customers, nobody lapsed, empty lists, no backtest yet."""
    places = Places(Path(settings.output))
    data = {"balances": [{"table": "orders", "read": 5, "accepted": 5, "quarantined": 0, "later": 0}], "data": "d"}
    missing = [feature.name for feature in catalogue() if "orders" not in feature.needs]
    facts = {**data, "notes": [], "features": [], "missing_features": missing, "last_known": "2026-06-30"}
    write_manifest(places.matrix(CUTOFF), rows={}, facts=facts)
    versions = {"model_version": "m1", "return_model_version": "m2"}
    tables = {"scores.parquet": scores(10), "returns.parquet": scores(0)}
    leave(places.scores(CUTOFF), tables, {"cutoff": CUTOFF, "run_id": "r1", "data": "d", "config": "c", **versions})
    lists = {
        "early_warning.parquet": pd.DataFrame(columns=list(EARLY_WARNING_COLUMNS)),
        "win_back.parquet": pd.DataFrame(columns=list(WIN_BACK_COLUMNS)),
        "plan.parquet": pd.DataFrame(columns=list(PLAN_COLUMNS)),
        "gone.parquet": pd.DataFrame(columns=list(GONE_COLUMNS)),
        "not_contactable.parquet": pd.DataFrame(columns=["customer_id", "list", "why_not"]),
    }
    leave(places.lists(CUTOFF), lists, {})
    return places


def scores(rows: int) -> pd.DataFrame:
    places = range(1, 6)
    return pd.DataFrame(
        {
            "customer_id": pd.Series([f"c{number}" for number in range(rows)], dtype="str"),
            **{name: [0.3] * rows for name in ("probability", "probability_low", "probability_high")},
            "risk_band": pd.Series(["low"] * rows, dtype="str"),
            "segment": pd.Series(["A"] * rows, dtype="str"),
            "value": [100.0] * rows,
            "value_at_risk": [30.0] * rows,
            **{f"reason_{place}": pd.Series(["sales__recency_days"] * rows, dtype="str") for place in places},
            **{f"contribution_{place}": [0.1] * rows for place in places},
        }
    )


def leave(folder: Path, tables: dict[str, pd.DataFrame], facts: dict[str, Any]) -> None:
    for name, frame in tables.items():
        write_parquet(folder / name, pa.Table.from_pandas(frame, preserve_index=False))
    write_manifest(folder, rows={name: len(frame) for name, frame in tables.items()}, facts=facts)


def leave_backtest(places: Places, cutoff: date, *, version: str, rule_auc: float) -> None:
    folder = places.backtest(cutoff)
    evidence = {"chosen": "rule", "metrics": {"rule": {"auc": rule_auc}}, "model_version": version}
    folds = pd.DataFrame({"purpose": "churn", "candidate": "rule", "label": [0, 1], "probability": [0.1, 0.9]})
    write_json(folder / "metrics.json", {"churn": evidence})
    write_parquet(folder / "folds.parquet", pa.Table.from_pandas(folds, preserve_index=False))
    write_manifest(folder, rows={"metrics.json": 1, "folds.parquet": 2}, facts={})


def test_the_page_is_written_with_its_manifest_and_twice_the_same(settings: Settings, run: Places) -> None:
    page = report(settings, CUTOFF)
    first = page.read_bytes()
    assert page == run.report(CUTOFF) / "report.html"
    assert report(settings, CUTOFF).read_bytes() == first
    manifest = read_manifest(page.parent)
    assert manifest["files"]["report.html"]["sha256"] == hashlib.sha256(first).hexdigest()
    assert (manifest["run_id"], manifest["model_version"], manifest["cutoff"]) == ("r1", "m1", "2026-07-01")
    assert "x: keiner der 10 aktiven Kunden fällt als gefährdet auf" in first.decode()


def test_the_test_of_a_model_is_found_where_it_was_trained(settings: Settings, run: Places) -> None:
    leave_backtest(run, EARLIER, version="m1", rule_auc=0.7)
    leave_backtest(run, CUTOFF, version="another", rule_auc=0.9)
    found = report_inputs(settings, CUTOFF)
    assert found.evidence["churn"]["metrics"]["rule"]["auc"] == 0.7
    assert "return" not in found.evidence
    assert found.folds["label"].tolist() == [0, 1]


def test_a_newer_model_that_is_not_in_use_is_a_challenger(settings: Settings, run: Places) -> None:
    leave_backtest(run, EARLIER, version="m1", rule_auc=0.7)
    assert report_inputs(settings, CUTOFF).challengers == {}
    leave_backtest(run, CUTOFF, version="another", rule_auc=0.9)
    (challenger,) = report_inputs(settings, CUTOFF).challengers.values()
    assert (challenger["model_version"], challenger["cutoff"]) == ("another", "2026-07-01")


def test_a_test_from_later_than_the_cutoff_does_not_exist(settings: Settings, run: Places) -> None:
    leave_backtest(run, date(2026, 7, 2), version="m1", rule_auc=0.7)
    assert report_inputs(settings, CUTOFF).evidence == {}


def test_without_any_backtest_the_page_says_so(settings: Settings, run: Places) -> None:
    assert "Zum Modell liegt kein Prüfbericht vor." in report(settings, CUTOFF).read_text()


def test_owners_come_from_the_master_data(settings: Settings, run: Places) -> None:
    assert report_inputs(settings, CUTOFF).owners.to_dict() == {"c0": "Anna", "c1": "Bernd"}


def test_without_lists_there_is_no_report(settings: Settings, run: Places) -> None:
    (run.lists(CUTOFF) / "manifest.json").unlink()
    with pytest.raises(OutputError, match=r"lists/cutoff=2026-07-01 has no manifest.json: .* run it first"):
        report(settings, CUTOFF)


def test_the_page_says_since_when_who_is_gone_and_what_holds_for_the_list(settings: Settings, run: Places) -> None:
    assert "Dies ist der erste Lauf" in report(settings, CUTOFF).read_text()
    left = {**dict.fromkeys(GONE_COLUMNS), "customer_id": "c9", "gone": "lost", "because": "Nicht mehr aktiv"}
    tables = {name: pd.read_parquet(run.lists(CUTOFF) / name) for name in read_manifest(run.lists(CUTOFF))["files"]}
    gone = {"gone.parquet": pd.DataFrame([left])}
    leave(run.lists(CUTOFF), tables | gone, {"since_run": "2026-06-24", "note": "Die Datenbasis ist klein."})
    found = report_inputs(settings, CUTOFF)
    assert (found.since_run, found.list_note) == (date(2026, 6, 24), "Die Datenbasis ist klein.")
    page = report(settings, CUTOFF).read_text()
    assert "Beim letzten Lauf (24.06.2026) nannte die Frühwarnliste 1 Kunde" in page
    assert "Nicht mehr aktiv" in page
