"""One made-up company embedded and on Spark in local mode: equal features, scores and reasons, and the seconds of both.

    SIZE=small   6,000 orders of 200 customers
    SIZE=full    1,000,000 orders of 40,000 customers

Needs ``make spark`` and Java 17. Both ways get two cores and the same Parquet files; training is embedded, once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # benchmarks/features.py would hide the package

import numpy as np
import pandas as pd

from benchmarks.rivals.simulated import company, cutoffs
from features.outputs import read_parquet
from models.churn_model import ChurnModel
from pipelines import stages
from pipelines.build_features import read_matrix
from pipelines.places import Places
from pipelines.score import RETURNS, SCORES
from pipelines.settings import Settings, settings_from
from pipelines.spark import SparkCompany
from pipelines.spark.session import sources, started

SIZES = {"small": "tiny", "full": "million"}
TABLES = ("orders", "complaints", "contacts")
GOALS = {"differing_values": 0, "differing_scores": 0}
Result = TypeVar("Result")


def main() -> None:
    """Run both ways, compare, print one JSON object on the last line."""
    size = os.environ.get("SIZE", "small")
    if shutil.which("java") is None or importlib.util.find_spec("pyspark") is None:
        sys.exit("bench-spark needs Spark and Java 17: make spark")
    (cutoff,) = cutoffs(1)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(company(SIZES[size]), Path(folder))
        figures = embedded(settings, cutoff)
        with session() as (spark, seconds):
            figures |= {"spark_start_seconds": seconds} | on_spark(spark, settings, cutoff)
    met = all(figures[name] == goal for name, goal in GOALS.items())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result = {"bench": "spark", "size": size, "machine": machine, "figures": figures, "goals": GOALS, "met": met}
    print(json.dumps(result))
    sys.exit(0 if met else 1)


def settings_of(tables: Path, output: Path) -> Settings:
    content = {
        "name": "spark-bench",
        "output": str(output),
        "sources": {name: {"uri": str(tables / f"{name}.parquet")} for name in TABLES},
        "training": {"most": 5},
    }
    return settings_from(content, place="benchmarks/spark.py")


def embedded(settings: Settings, cutoff: date) -> dict[str, Any]:
    """Do the stages of one machine; return their seconds and the number of snapshots."""
    folder, features = timed(lambda: stages.build_features(settings, cutoff))
    stages.train(settings, cutoff)
    _, scores = timed(lambda: stages.score(settings, cutoff))
    days = sorted(Places(folder.parents[1]).root.glob("matrix/cutoff=*"))
    snapshots = sum(len(read_matrix(day)) for day in days)
    return {
        "snapshots": snapshots,
        "cutoffs": len(days),
        "embedded_features_seconds": features,
        "embedded_scores_seconds": scores,
    }


@contextmanager
def session() -> Iterator[tuple[Any, float]]:
    """Yield a session with two cores and how long it took to start [s]."""
    began = time.perf_counter()
    with started("benchmark", "local[2]") as spark:
        spark.sparkContext.setLogLevel("OFF")
        yield spark, round(time.perf_counter() - began, 1)


def on_spark(spark: Any, settings: Settings, cutoff: date) -> dict[str, Any]:
    """Do the same on Spark; return its seconds and how many values and scores differ in any bit."""
    models = stages.champions(settings, cutoff)
    places = Places(Path(settings.output))

    def matrices() -> int:
        days = [*made.cutoffs, cutoff]
        return sum(differing(read_matrix(places.matrix(day)), found.to_pandas()) for day, found in made.matrices(days))

    def scores(name: str, model: ChurnModel) -> int:
        expected = read_parquet(places.scores(cutoff), name).to_pandas()
        found = made.score(model, run_id=expected["run_id"].iloc[0]).toArrow().to_pandas()
        return differing(expected, found)

    made, opening = timed(lambda: SparkCompany(sources(spark, settings), settings, cutoff=cutoff))
    with made:
        values, features = timed(matrices)
        both = {SCORES: models.churn, RETURNS: models.back}
        wrong, scoring = timed(lambda: sum(scores(name, model) for name, model in both.items()))
    return {
        "partitions": made._united.rdd.getNumPartitions(),
        "spark_features_seconds": round(opening + features, 1),
        "spark_scores_seconds": scoring,
        "differing_values": values,
        "differing_scores": wrong,
    }


def differing(expected: pd.DataFrame, found: pd.DataFrame) -> int:
    """Return how many cells differ in any bit; all of them where rows or columns do."""
    if list(expected.columns) != list(found.columns) or len(expected) != len(found):
        return expected.size
    return sum(int(unequal(expected[name], found[name]).sum()) for name in expected.columns)


def unequal(one: pd.Series, other: pd.Series) -> np.ndarray:
    if one.dtype == np.float64:
        return one.to_numpy().view(np.int64) != other.to_numpy(np.float64).view(np.int64)
    first, second = (each.astype("object").where(each.notna(), None).to_numpy() for each in (one, other))
    return first != second


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    return work(), round(time.perf_counter() - began, 1)


if __name__ == "__main__":
    main()
