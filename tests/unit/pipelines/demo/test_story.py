from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from features.catalogue import catalogue
from features.errors import OutputError
from features.outputs import write_manifest, write_parquet
from pipelines.demo.story import story
from pipelines.places import Places
from pipelines.settings import Settings

CUTOFF = date(2026, 7, 1)


def settings(root: Path) -> Settings:
    return Settings(name="demo", output=str(root), sources={})


def put(folder: Path, **frames: pd.DataFrame) -> None:
    for name, frame in frames.items():
        write_parquet(folder / f"{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False))
    write_manifest(folder, rows={f"{name}.parquet": len(frame) for name, frame in frames.items()}, facts={})


def scores(customers: int) -> pd.DataFrame:
    frame = pd.DataFrame({"customer_id": [str(10001 + i) for i in range(customers)]})
    frame["probability"] = [0.5, 0.4, 0.1, 0.05, 0.05][:customers]
    frame["risk_band"] = ["high", "high", "low", "low", "low"][:customers]
    frame["value_at_risk"] = [2500.0, 1000.4, 10.0, 5.0, 5.0][:customers]
    frame["horizon_end"] = date(2026, 10, 12)
    frame["reason_1"], frame["contribution_1"] = "sales__recency_days", 1.0
    frame["reason_2"], frame["contribution_2"] = "complaints__count_91d", -0.5
    for place in (3, 4, 5):
        frame[f"reason_{place}"], frame[f"contribution_{place}"] = pd.Series(dtype="str"), float("nan")
    return frame


def outputs(root: Path, *, customers: int = 5, listed: int = 2) -> Settings:
    places, scored = Places(root), scores(customers)
    matrix = pd.DataFrame({"customer_id": scored["customer_id"], "cutoff": CUTOFF, "cohort": "active"})
    matrix["label"] = pd.array([None] * customers, dtype="Int8")
    features = pd.DataFrame(float("nan"), index=matrix.index, columns=[feature.name for feature in catalogue()])
    matrix = pd.concat([matrix, features], axis=1)
    matrix["sales__recency_days"] = 83.0
    top = scored.head(listed).assign(
        rank=range(1, listed + 1), name=["Möller Bau GmbH", None, None, None, None][:listed]
    )
    plan = pd.DataFrame({"arm": ["treatment", "control"], "cost": [60.0, 0.0]})
    put(places.scores(CUTOFF), scores=scored)
    put(places.matrix(CUTOFF), matrix=matrix)
    put(places.lists(CUTOFF), early_warning=top, plan=plan)
    put(places.quarantine, orders=pd.DataFrame({"rule": ["a", "b", "c"]}))
    return settings(root)


def test_it_says_how_many_are_at_risk_who_stands_at_the_top_and_why(tmp_path: Path) -> None:
    told = " ".join(story(outputs(tmp_path), CUTOFF).split())
    assert "Of 5 active customers, 2 are at high risk of not buying until 12 Oct 2026" in told
    assert "with them €3,500 of customer value (probability × value) are at stake" in told
    assert "The two at the top of the early-warning list, by what is at stake: 1. Möller Bau GmbH: 50% likely" in told
    assert "2. customer 10002: 40% likely to be lost, €1,000 at stake." in told
    assert told.count("Why: ") == 2
    assert "83 days" in told


def test_it_names_what_endangers_not_what_binds(tmp_path: Path) -> None:
    told = story(outputs(tmp_path), CUTOFF)
    assert "omplaint" not in told
    assert "Binds" not in told
    assert "sales__" not in told


def test_it_ends_with_the_files_to_open(tmp_path: Path) -> None:
    opened = story(outputs(tmp_path), CUTOFF).split("\nOpen\n")[1].splitlines()
    assert opened[0] == f"  {tmp_path}/report/cutoff=2026-07-01/report.html in a browser"
    assert opened[1].startswith(f"  {tmp_path}/lists/cutoff=2026-07-01/early_warning.csv in a spreadsheet")
    assert "Treue never reads that folder" in opened[2]


def test_it_says_what_the_plan_asks_for_and_how_many_rows_were_refused(tmp_path: Path) -> None:
    told = " ".join(story(outputs(tmp_path), CUTOFF).split())
    assert "asks for 1 contact for €60 and withholds 1 at random" in told
    assert "3 broken rows" in told


@pytest.mark.parametrize(("customers", "listed", "said"), [
    (1, 1, "Of 1 active customer, 1 is at high risk"),
    (1, 0, "The early-warning list is empty."),
    (0, 0, "No customer is active: there is nobody to warn of."),
])  # fmt: skip
def test_a_tiny_or_empty_company_is_told_as_well(tmp_path: Path, customers: int, listed: int, said: str) -> None:
    assert said in story(outputs(tmp_path, customers=customers, listed=listed), CUTOFF)


def test_without_a_finished_run_there_is_no_story(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"has no manifest\.json: the step that writes it has not finished"):
        story(settings(tmp_path), CUTOFF)
