"""Two runs of one company, far enough apart: the second says what has become of what the first foretold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.outputs import read_manifest, read_parquet, write_manifest, write_parquet
from pipelines import flows, stages
from pipelines.build_features import read_matrix
from pipelines.demo.company import demo_company, write_demo
from pipelines.matured import MATURED
from pipelines.places import Places
from pipelines.report import report_inputs
from pipelines.settings import Settings, settings_from
from retention.report.page import report_page

FIRST, SECOND = date(2025, 9, 1), date(2026, 1, 15)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small company after both runs."""
    folder = tmp_path_factory.mktemp("matured")
    write_demo(folder, demo_company(customers=120, seed=11))
    sources = {name: {"uri": str(folder / "data" / f"{name}.csv")} for name in ("customers", "orders")}
    content = {"name": "c", "output": str(folder / "out"), "sources": sources,
               "churn": {"horizon_days": 90, "lead_days": 14}, "training": {"most": 2, "threads": 1}}  # fmt: skip
    made = settings_from(content, place="test")
    for stage in (stages.build_features, stages.train, stages.score):
        stage(made, FIRST)
    for stage in (stages.build_features, stages.score, stages.matured, stages.publish, stages.report):
        stage(made, SECOND)
    return made


def test_the_second_run_judges_the_first_by_the_labels_that_training_would_use(settings: Settings) -> None:
    places = Places(Path(settings.output))
    rows = read_parquet(places.matured(SECOND), MATURED).to_pandas()
    said = read_parquet(places.scores(FIRST), "scores.parquet").to_pandas()
    assert set(rows["cutoff"].dropna()) == {FIRST}
    (lost,) = rows[(rows["purpose"] == "churn") & rows["cutoff"].notna()].to_dict("records")
    assert (lost["customers"], lost["promised"]) == (len(said), pytest.approx(said["probability"].mean()))
    training = settings.training.model_copy(update={"cutoffs": (FIRST,)})
    redone = settings.model_copy(update={"output": f"{settings.output}-labels", "training": training})
    stages.build_features(redone, SECOND)
    truth = read_matrix(Places(Path(redone.output)).matrix(FIRST))
    active = truth[truth["cohort"] == "active"]
    assert set(active["customer_id"]) == set(said["customer_id"])
    assert lost["share"] == pytest.approx(float(active["label"].mean()))


def test_the_page_says_it_in_both_languages(settings: Settings) -> None:
    found = report_inputs(settings, SECOND)
    assert "Von 1 Stichtag ist der Zeitraum vorbei" in report_page(found)
    assert "Of 1 cutoff the period is over" in report_page(replace(found, language="en"))


def test_every_run_and_every_new_list_checks_earlier_promises_before_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("features", "train", "score", "signals", "matured", "lists", "report", "export"):
        monkeypatch.setattr(flows, f"{name}_task", lambda *_, name=name: done.append(name))
    monkeypatch.setattr(flows, "_settings", lambda _: None)
    monkeypatch.setattr(stages, "training_is_due", lambda *_: False)
    for flow in (flows.run, flows.publish):
        done.clear()
        flow.fn("c.yaml", SECOND)
        assert done.index("matured") < done.index("report"), flow.name


def test_a_planted_drift_of_the_first_run_stands_as_a_caution_on_the_page_of_the_second(settings: Settings) -> None:
    places = Places(Path(settings.output))
    folder, page = places.scores(FIRST), stages.report(settings, SECOND).read_text()
    assert "über den Zufall hinaus mehr eingetreten" not in page
    facts = {name: value for name, value in read_manifest(folder).items() if name != "files"}
    frames = {name: read_parquet(folder, name).to_pandas() for name in ("scores.parquet", "returns.parquet")}
    frames["scores.parquet"] = played_down(frames["scores.parquet"])
    for name, frame in frames.items():
        write_parquet(folder / name, pa.Table.from_pandas(frame, preserve_index=False))
    write_manifest(folder, rows={name: len(frame) for name, frame in frames.items()}, facts=facts)
    stages.matured(settings, SECOND)
    assert "über den Zufall hinaus mehr eingetreten" in stages.report(settings, SECOND).read_text()


def played_down(scores: pd.DataFrame) -> pd.DataFrame:
    names = ("probability", "probability_low", "probability_high")
    return scores.assign(
        **{name: np.minimum(scores[name] / 20, low) for name, low in zip(names, (0.02, 0.01, 0.03), strict=True)}
    )
