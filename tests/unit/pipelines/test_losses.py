"""``treue losses`` on a small invented company: what is written, what a form changes, and that nothing is foreseen."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from features.outputs import read_manifest, read_parquet
from pipelines import cli, stages
from pipelines.demo.company import csv_bytes, demo_company
from pipelines.last_seen import last_seen
from pipelines.lives import lives_of
from pipelines.losses import LOST_COLUMNS, curves_of, losses, read_losses
from pipelines.places import Places
from pipelines.settings import Settings, settings_from
from pipelines.told_losses import told_losses
from retention.loss_reasons import shipped_loss_reasons

CUTOFF = date(2026, 1, 15)
REASONS = shipped_loss_reasons()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    for name, table in demo_company(customers=150, seed=5).tables.items():
        (folder / f"{name}.csv").write_bytes(csv_bytes(table))
    return folder


def settings_at(data: Path, output: Path, **more: object) -> Settings:
    sources = {path.stem: {"uri": str(path)} for path in sorted(data.glob("*.csv"))}
    content = {"name": "x", "output": str(output), "sources": sources, "training": {"most": 3, "threads": 1}, **more}
    return settings_from(content, place="test")


@pytest.fixture(scope="module")
def settings(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_at(data, tmp_path_factory.mktemp("out"))
    for stage in (stages.build_features, stages.train, losses):
        stage(made, CUTOFF)
    return made


@pytest.fixture(scope="module")
def lost(settings: Settings) -> pd.DataFrame:
    return read_parquet(Places(Path(settings.output)).losses(CUTOFF), "lost.parquet").to_pandas()


def test_everybody_silent_for_too_long_is_lost_and_nobody_else(settings, lost, data):
    orders = pd.read_csv(data / "orders.csv", parse_dates=["occurred_on", "known_at"], dtype={"customer_id": "str"})
    known = orders[(orders["known_at"] < pd.Timestamp(CUTOFF)) & (orders["amount"] > 0)]
    last = known.groupby("customer_id")["occurred_on"].max()
    silent = last[(pd.Timestamp(CUTOFF) - last).dt.days > settings.churn.active_within_days]
    assert lost["customer_id"].tolist() == sorted(silent.index)
    assert tuple(lost.columns) == LOST_COLUMNS
    on = pd.to_datetime(lost["lost_on"])
    assert (on <= pd.Timestamp(CUTOFF)).all()
    assert ((on - pd.to_datetime(lost["last_on"])).dt.days == settings.churn.active_within_days + 1).all()


def test_a_reason_is_told_noted_inferred_or_unknown_and_marked_so(lost):
    assert set(lost["loss_reason"]) <= set(REASONS.names)
    told = lost["known_by"] == "told"
    assert told.any()
    assert (lost.loc[told, "loss_reason"] == lost.loc[told, "told_reason"]).all()
    inferred = lost["known_by"] == "inferred"
    assert (lost.loc[inferred, "loss_reason"] == lost.loc[inferred, "inferred_reason"]).all()
    assert (lost.loc[lost["known_by"] == "nobody", "loss_reason"] == "unknown").all()


def test_inferred_reasons_look_at_a_day_on_which_the_customer_was_still_active(lost):
    seen = lost.dropna(subset=["last_seen_on"])
    assert len(seen)
    assert (pd.to_datetime(seen["last_seen_on"]) < pd.to_datetime(seen["lost_on"])).all()


def test_what_is_told_on_or_after_the_cutoff_counts_for_nothing(data, tmp_path, settings):
    """The planted fault: rows of the future for every lost customer, none of which may be seen."""
    folder = tmp_path / "data"
    folder.mkdir()
    for path in data.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    rows = pd.read_csv(folder / "losses.csv", dtype="str")
    everyone = pd.read_csv(folder / "customers.csv", dtype="str")["customer_id"]
    future = pd.DataFrame({"customer_id": everyone, "occurred_on": "2025-12-01", "reason": "Insolvenz",
                           "winnable": "false", "source": "interview", "known_at": CUTOFF.isoformat()})  # fmt: skip
    pd.concat([rows, future], ignore_index=True).to_csv(folder / "losses.csv", index=False)
    tampered = settings_at(folder, tmp_path / "out")
    seen, expected = (told_losses(each, CUTOFF, REASONS) for each in (tampered, settings))
    pd.testing.assert_frame_equal(seen, expected)
    next_day = told_losses(tampered, date(2026, 1, 16), REASONS)
    assert (next_day["loss_reason"] == "insolvency").sum() >= len(everyone)


def test_all_files_are_there_and_named_by_the_manifest(settings):
    folder = Places(Path(settings.output)).losses(CUTOFF)
    named = set(read_manifest(folder)["files"])
    assert {"losses.html", "guide.html", "form.csv", "lost.csv", "lost.parquet", "confusion.parquet"} <= named
    assert {path.name for path in folder.iterdir()} - {"manifest.json"} == named


def test_account_managers_are_nowhere_unless_asked_for(settings, data):
    folder = Places(Path(settings.output)).losses(CUTOFF)
    managers = pd.read_csv(data / "customers.csv")["owner"].dropna().unique()
    people = set(pd.read_csv(data / "customers.csv")["name"].dropna())

    def shown() -> set[str]:
        page = (folder / "losses.html").read_text()
        return {name for name in managers if name in page and name not in people}

    assert shown() == set()
    losses(settings, CUTOFF, with_owners=True)
    assert shown()
    assert "Betriebsrat" in (folder / "losses.html").read_text()
    losses(settings, CUTOFF)


def test_the_same_run_twice_gives_the_same_bytes(settings):
    folder = Places(Path(settings.output)).losses(CUTOFF)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    losses(settings, CUTOFF)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_curves_are_those_of_everybody_with_a_class_or_cohort(settings):
    everyone = lives_of(settings, CUTOFF)
    curves = curves_of(everyone, "cohort")
    assert "before" in curves
    assert sum(curve.customers for curve in curves.values()) <= len(everyone)
    assert all(np.all(np.diff(curve.share) <= 0) for curve in curves.values())


def test_a_filled_form_is_read_back_and_counts_from_its_day_on(settings, lost, capsys, monkeypatch, tmp_path):
    """Through the command line; the flow is the stage itself here, Prefect has a test of its own."""
    monkeypatch.setattr(cli, "_settings", lambda _: settings)
    monkeypatch.setattr(cli, "_flow", lambda *_: str(losses(settings, CUTOFF)))
    folder = Places(Path(settings.output)).losses(CUTOFF)
    lines = (folder / "form.csv").read_text(encoding="utf-8-sig").splitlines()
    first, second = lines[1].split(";"), lines[2].split(";")
    first[4:8], second[4:6] = ["14.01.2026", "zu teuer", "Toolnet", "ja"], ["morgen", "Preis"]
    form = tmp_path / "filled.csv"
    form.write_text("\n".join([lines[0], ";".join(first), ";".join(second)]), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["treue", "losses", "--config", "x.yaml", "--read", str(form)])
    with pytest.raises(SystemExit, match=r"^1$"):
        cli.main()
    said = capsys.readouterr()
    assert "filled.csv, row 3, column Gefragt am: expected a date such as" in said.out
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err + said.out
    after = read_parquet(folder, "lost.parquet").to_pandas().set_index("customer_id")
    assert after.loc[first[0], ["loss_reason", "known_by", "competitor"]].tolist() == ["price", "told", "Toolnet"]
    assert first[0] not in (folder / "form.csv").read_text(encoding="utf-8-sig")
    assert first[0] not in set(told_losses(settings, date(2026, 1, 14), REASONS).query("source == 'interview'")
                               .loc[lambda rows: rows["reason"] == "zu teuer", "customer_id"])  # fmt: skip
    Places(Path(settings.output)).told_losses.unlink()
    losses(settings, CUTOFF)


def test_with_orders_alone_and_no_model_the_page_says_what_is_missing(data, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "orders.csv").write_bytes((data / "orders.csv").read_bytes())
    bare = settings_at(folder, tmp_path / "out", language="en")
    stages.build_features(bare, CUTOFF)
    page = (losses(bare, CUTOFF) / "losses.html").read_text()
    assert "There is no model yet" in page
    assert "The table losses is missing or empty" in page
    assert "nothing can be checked" in page
    seen = last_seen(bare, CUTOFF, lives_of(bare, CUTOFF), families={}, reasons=REASONS)
    assert not seen.has_model
    assert seen.inferred.empty


def test_a_damaged_store_of_told_losses_is_one_line(settings, tmp_path):
    own = settings.model_copy(update={"output": str(tmp_path), "sources": {}})
    place = Places(tmp_path).told_losses
    place.parent.mkdir(parents=True)
    place.write_text("customer_id,occurred_on,winnable,known_at\nK1,some day,perhaps,2026-01-01\n")
    with pytest.raises(ContractError, match=r"told\.csv cannot be read \(.*\); bring it back, or delete it"):
        told_losses(own, CUTOFF, REASONS)


def test_the_report_reads_what_was_found_on_the_same_rows_and_settings_only(settings, lost):
    data = read_manifest(Places(Path(settings.output)).matrix(CUTOFF))["data"]
    found = read_losses(settings, CUTOFF, data=data, reasons=REASONS)
    assert found is not None
    assert found.by_reason["customers"].sum() == len(lost)
    assert (Places(Path(settings.output)).report(CUTOFF) / found.page).resolve().is_file()
    assert read_losses(settings, CUTOFF, data="other rows", reasons=REASONS) is None
    assert read_losses(settings, date(2025, 1, 15), data=data, reasons=REASONS) is None
