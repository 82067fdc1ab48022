"""Three Mondays in one output folder: the list remembers, the history is appended, past Mondays stay what they were."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml

from features.catalogue import families
from features.outputs import read_manifest, sha256_of
from pipelines import stages
from pipelines.demo.company import demo_company, write_demo
from pipelines.history import HISTORY, read_history, revisions
from pipelines.places import Places
from pipelines.settings import Settings, load_settings
from retention.reasons import first_kept

WEEKS = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(3)]
FILES = ("early_warning.csv", "early_warning.parquet", "gone.csv", "gone.parquet")


def configured(folder: Path, *, size: int) -> Settings:
    tables = ("customers", "orders", "treatments")
    content = {
        "name": "company",
        "output": str(folder / "out"),
        "sources": {table: {"uri": str(folder / "data" / f"{table}.csv")} for table in tables},
        "training": {"most": 3, "retrain_after_days": 60},
        "lists": {"early_warning": {"size": size}},
    }
    path = folder / f"size{size}.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_settings(path)


def run(settings: Settings, day: date) -> dict[str, str]:
    stages.build_features(settings, day)
    if stages.training_is_due(settings, day):
        stages.train(settings, day)
    for stage in (stages.score, stages.publish, stages.report):
        stage(settings, day)
    folder = Places(Path(settings.output)).lists(day)
    return {name: sha256_of(folder / name) for name in FILES}


@pytest.mark.slow
def test_weeks_follow_each_other_and_a_past_one_can_be_done_again(tmp_path: Path) -> None:
    write_demo(tmp_path, demo_company(customers=120, seed=11))
    settings, places = configured(tmp_path, size=8), Places(tmp_path / "out")
    first = [run(settings, day) for day in WEEKS]

    history = read_history(tmp_path / "out")
    assert sorted(set(history["cutoff"].dt.date)) == WEEKS
    for before, day in pairwise(WEEKS):
        then, now = (
            set(pd.read_parquet(places.lists(each) / "early_warning.parquet")["customer_id"]) for each in (before, day)
        )
        left = pd.read_parquet(places.lists(day) / "gone.parquet")
        assert set(left["customer_id"]) == then - now
        assert left["because"].str.len().gt(5).all()
        listed = history[(history["cutoff"].dt.date == day) & (history["state"] == "listed")]
        assert set(listed["customer_id"]) == now
        assert read_manifest(places.lists(day))["since_run"] == before.isoformat()
        for name in ("scores", "returns"):
            said, says = (
                pd.read_parquet(places.scores(each) / f"{name}.parquet").set_index("customer_id")
                for each in (before, day)
            )
            assert first_kept(says, said, families()).equals(says)

    assert run(settings, WEEKS[1]) == first[1]
    assert [len(revisions(places, day)) for day in WEEKS] == [1, 1, 1]

    kept = sha256_of(revisions(places, WEEKS[0])[0].folder / HISTORY)
    run(configured(tmp_path, size=4), WEEKS[0])
    assert [len(revisions(places, day)) for day in WEEKS] == [2, 1, 1]
    assert sha256_of(revisions(places, WEEKS[0])[0].folder / HISTORY) == kept
    assert run(settings, WEEKS[1]) == first[1]
