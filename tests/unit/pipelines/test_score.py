"""What the stage of scores writes beside the probabilities, and what it remembers of the run before."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from features.outputs import read_manifest, read_parquet, write_manifest, write_parquet
from pipelines.history import SCHEMA, append
from pipelines.places import Places
from pipelines.score import write_scores
from pipelines.settings import Settings
from pipelines.train import champions
from tests.unit.pipelines.finished_run import CUTOFF

BEFORE = date(2026, 1, 8)


FILE = {"churn": "scores", "return": "returns"}
FIRST, SECOND = "rhythm__silent_chance", "complaints__open_count"


def two_reasons(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores as if everybody had two reasons of almost the same weight."""
    return scores.assign(reason_1=FIRST, contribution_1=-1.0, reason_2=SECOND, contribution_2=0.9)


def said_before(places: Places, customer: str, *, file: str, weight: float) -> None:
    """Write a run of the week before in which the second reason came first for one customer."""
    said = {"reason_1": SECOND, "contribution_1": weight}
    known = {**dict.fromkeys(SCHEMA.names), "customer_id": customer, "cutoff": BEFORE, "state": "watched"}
    append(places, BEFORE, pd.DataFrame([{**known, **(said if file == "scores" else {})}]))
    returns = pd.DataFrame([{"customer_id": customer, **said}]).head(int(file == "returns"))
    write_parquet(places.scores(BEFORE) / "returns.parquet", pa.Table.from_pandas(returns, preserve_index=False))
    write_manifest(places.scores(BEFORE), rows={"returns.parquet": len(returns)}, facts={})


@pytest.mark.parametrize("file", ["scores", "returns"])
@pytest.mark.parametrize(("weight", "first"), [(0.2, SECOND), (-0.2, FIRST)])
def test_what_came_first_at_the_run_before_stays_first_if_it_speaks_the_same_way(
    finished: Settings, scored: dict[str, pd.DataFrame], tmp_path: Path, file: str, weight: float, first: str
) -> None:
    settings = finished.model_copy(update={"output": str(shutil.copytree(finished.output, tmp_path / "out"))})
    places, customer = Places(Path(settings.output)), scored[file]["customer_id"].iloc[1]
    shutil.rmtree(places.root / "history")
    said_before(places, customer, file=file, weight=weight)
    write_scores(settings, CUTOFF, lambda model, run_id: two_reasons(scored[FILE[model.purpose]]))
    told = read_parquet(places.scores(CUTOFF), f"{file}.parquet").to_pandas().set_index("customer_id")
    assert told.at[customer, "reason_1"] == first
    assert told.at[customer, "contribution_1"] == {FIRST: -1.0, SECOND: 0.9}[first]
    assert told.drop(index=customer)["reason_1"].eq(FIRST).all()


def test_the_manifest_says_by_what_the_reasons_were_found(finished: Settings) -> None:
    models = champions(finished, CUTOFF)
    assert models is not None
    said = read_manifest(Places(Path(finished.output)).scores(CUTOFF))["explained_by"]
    assert said == {"churn": models.churn.explained_by, "return": models.back.explained_by}
    assert set(said.values()) <= {"treeshap", "linear", "pred_contrib"}
