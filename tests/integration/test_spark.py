"""Spark in local mode and the embedded mode: the same features, scores, reasons and files, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import LeakageError
from features.intake import Tables
from features.matrix import feature_names, of_cohort
from features.outputs import MANIFEST
from features.own import OwnFeatures
from models.boosting import BoostingSettings, fit_boosted
from models.churn_model import COHORTS, ChurnModel
from models.margin import MarginModel
from pipelines import stages
from pipelines.demo.company import demo_company
from pipelines.library import Company
from pipelines.places import Places
from pipelines.settings import Settings, load_settings, settings_from
from pipelines.spark import SparkCompany, session
from tests.local_spark import require_spark
from tests.oracle.companies import COLUMNS, TIMEZONE, company

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    # PySpark leaves the sockets through which it fetches results to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


@dataclass(frozen=True)
class Both:
    """One company, embedded and as accepted rows for Spark."""

    embedded: Company
    cutoff: date

    @cached_property
    def rows(self) -> dict[str, pa.Table]:
        """All rows accepted, those known later than the cutoff included."""
        return accepted_rows(self.embedded.check()._tables)

    def frames(self, spark: Any) -> dict[str, Any]:
        return {name: spark.createDataFrame(table) for name, table in self.rows.items()}

    def matrix(self, day: date) -> pd.DataFrame:
        return self.embedded.matrix(day, known_at=self.cutoff)


def accepted_rows(tables: Tables) -> dict[str, pa.Table]:
    return {name: tables.arrow(name, tables.mapped(name)) for name in tables.names}


def difficult(*, without: frozenset[str] = frozenset()) -> Both:
    """Return a small company with late rows, days of clock changes, contracts alone and customers who never order.

    ``without`` names tables or ``table.column`` to leave out.
    """
    made = company(Random(11), customers=40)
    frames = {
        name: pd.DataFrame(
            [{each: row.get(each) for each in COLUMNS[name] if f"{name}.{each}" not in without} for row in rows],
            dtype=object,
        )
        for name, rows in made.items()
        if name not in without
    }
    sizes = {"active_within_days": 400, "lapsed_within_days": 3650, "lead_days": 7, "horizon_days": 60}
    return Both(Company(frames, timezone=TIMEZONE, **sizes), date(2024, 12, 31))


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two frames agree in columns, order of rows and every bit of every number."""
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return False
    numbers = [name for name in one.columns if one[name].dtype == np.float64]
    others = [name for name in one.columns if name not in numbers]
    bits = one[numbers].to_numpy().tobytes() == other[numbers].to_numpy(np.float64).tobytes()
    return bits and one[others].equals(other[others].astype(one[others].dtypes.to_dict()))


def forecast(company: Company, model: ChurnModel) -> MarginModel | None:
    """Return the forecast of margins that a notebook's scores of active customers stand on."""
    return company._margin(model.cutoff) if model.purpose == "churn" else None


def spread_matrices(made: SparkCompany, cutoffs: list[date]) -> dict[date, pd.DataFrame]:
    return {day: table.to_pandas() for day, table in made.matrices(cutoffs)}


CUTOFFS = [date(2023, 6, 1), date(2024, 2, 29), date(2024, 12, 31)]


@pytest.fixture(scope="module")
def everything() -> Both:
    return difficult()


@pytest.mark.parametrize("partitions", [1, 50], ids=["one partition", "more partitions than customers"])
def test_features_and_labels_are_those_of_one_machine(spark: Any, everything: Both, partitions: int) -> None:
    frames = everything.frames(spark)
    with SparkCompany(frames, everything.embedded.settings, cutoff=everything.cutoff, partitions=partitions) as made:
        assert made._united.rdd.getNumPartitions() == partitions
        found = spread_matrices(made, CUTOFFS)
    for cutoff in CUTOFFS:
        expected = everything.matrix(cutoff)
        assert len(expected) > 15
        assert same(expected, found[cutoff]), cutoff


@pytest.mark.parametrize(
    "without",
    [{"contracts", "customers.known_at", "orders.known_at"}, {*COLUMNS} - {"orders"}],
    ids=["some", "all but orders"],
)
def test_missing_tables_and_columns_take_the_same_features_with_them(spark: Any, without: set[str]) -> None:
    both = difficult(without=frozenset(without))
    with SparkCompany(both.frames(spark), both.embedded.settings, cutoff=both.cutoff) as made:
        assert same(both.matrix(both.cutoff), spread_matrices(made, [both.cutoff])[both.cutoff])


def test_rows_of_one_customer_on_different_executors_would_be_seen(
    spark: Any, everything: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = everything.frames(spark)
    kind = type(frames["orders"])
    by_customer = kind.repartition
    monkeypatch.setattr(kind, "repartition", lambda self, count, key: by_customer(self, count, "contacts"))
    with SparkCompany(frames, everything.embedded.settings, cutoff=everything.cutoff, partitions=3) as made:
        found = spread_matrices(made, [everything.cutoff])[everything.cutoff]
    assert not same(everything.matrix(everything.cutoff), found)


OWN = """
from features.catalogue import Group
from features.ledger import Column, Past

GROUP = Group("basket", needs={"orders": ()}, texts={"de": {"size": "Größe"}, "en": {"size": "Size"}})

def in_hundreds(amount: Column) -> Column:
    return amount / 10_000.0

@GROUP.feature(unit="hundred EUR", family="size", windows=(364,))
def bought(purchases: Past, days: int) -> Column:
    '''Sales inside the window [hundred EUR].

    de: Verkaufswert im Zeitraum.
    '''
    return in_hundreds(purchases.total("sold", days))
"""


def test_features_of_the_company_s_own_travel_to_the_executors(
    spark: Any, everything: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN, encoding="utf-8")
    used = OwnFeatures(files=("own.py",), leave_out=("contacts",))
    settings = everything.embedded.settings.model_copy(update={"features": used})
    with SparkCompany(everything.frames(spark), settings, cutoff=everything.cutoff) as made:
        found = spread_matrices(made, [everything.cutoff])[everything.cutoff]
    assert "basket__bought_364d" in found
    assert not [name for name in found if name.startswith("contacts__")]
    common = [name for name in found if name != "basket__bought_364d"]
    assert same(everything.matrix(everything.cutoff)[common], found[common])


def test_the_digest_is_that_of_the_same_rows_on_one_machine(spark: Any, everything: Both) -> None:
    expected = everything.embedded.check(everything.cutoff)._tables.digest
    with SparkCompany(everything.frames(spark), everything.embedded.settings, cutoff=everything.cutoff) as made:
        assert made.digest == expected
    with SparkCompany(everything.frames(spark), everything.embedded.settings, cutoff=CUTOFFS[1]) as made:
        assert made.digest != expected


# --- Scores with reasons ---


DEMO = demo_company(customers=250).tables


def demo_of(tables: Mapping[str, pd.DataFrame]) -> Both:
    return Both(Company(tables, training={"most": 6, "threads": 1}), date(2026, 1, 1))


@pytest.fixture(scope="module")
def demo() -> Both:
    return demo_of(DEMO)


@pytest.fixture(scope="module")
def models(demo: Both) -> Mapping[str, ChurnModel]:
    churn = demo.embedded.train(demo.cutoff)
    trees = with_trees(churn, demo.embedded.snapshots(demo.cutoff))
    return {"churn": churn, "trees": trees, "return": demo.embedded.train(demo.cutoff, purpose="return")}


def with_trees(model: ChurnModel, snapshots: pd.DataFrame) -> ChurnModel:
    """Return the model with LightGBM as its candidate, whatever the ladder chose."""
    cohort = of_cohort(snapshots, COHORTS[model.purpose])
    features, label = cohort[list(feature_names(cohort))], cohort["label"].to_numpy(np.int8)
    trees = fit_boosted(features, label, lost=True, seed=7, threads=1, settings=BoostingSettings(rounds=10))
    return replace(model, candidate=trees, features=tuple(features.columns))


def test_scores_and_reasons_are_those_of_one_machine(spark: Any, demo: Both, models: Mapping[str, ChurnModel]) -> None:
    with SparkCompany(demo.frames(spark), demo.embedded.settings, cutoff=demo.cutoff, partitions=3) as made:
        for name, model in models.items():
            found = made.score(model, run_id="notebook", margin=forecast(demo.embedded, model)).toArrow().to_pandas()
            expected = demo.embedded.score(demo.cutoff, model)
            assert expected["reason_1"].notna().any()
            assert same(expected, found), name


def test_scores_of_customers_who_are_alone_on_their_executor_are_the_same(
    spark: Any, models: Mapping[str, ChurnModel]
) -> None:
    ids = set(DEMO["customers"]["customer_id"].iloc[:12])
    few = demo_of({name: rows[rows["customer_id"].isin(ids)] for name, rows in DEMO.items()})
    with SparkCompany(few.frames(spark), few.embedded.settings, cutoff=few.cutoff, partitions=16) as made:
        for name in ("churn", "trees"):
            found = (
                made.score(models[name], run_id="notebook", margin=forecast(few.embedded, models[name]))
                .toArrow()
                .to_pandas()
            )
            assert len(found) > 5
            assert same(few.embedded.score(few.cutoff, models[name]), found), name


def test_a_model_of_a_later_day_is_refused(spark: Any, demo: Both, models: Mapping[str, ChurnModel]) -> None:
    earlier = demo.cutoff - timedelta(days=30)
    with SparkCompany(demo.frames(spark), demo.embedded.settings, cutoff=earlier) as made:
        with pytest.raises(LeakageError, match=f"trained for {demo.cutoff} and has seen what came after {earlier}"):
            made.score(models["churn"])
        with pytest.raises(LeakageError, match=f"rows are known until {earlier} only, got cutoff {demo.cutoff}"):
            made.matrix(demo.cutoff)


# --- Files, tables, the script ---


def config_of(folder: Path, rows: Mapping[str, pa.Table], output: str) -> Settings:
    """Write accepted rows and a configuration that names them; return it."""
    sources = {}
    for name, table in rows.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        half = len(table) // 2
        pq.write_table(table.slice(0, half), folder / name / "part-0.parquet")
        pq.write_table(table.slice(half), folder / name / "part-1.parquet")
        sources[name] = {"uri": str(folder / name)}
    training = {"most": 6, "threads": 1}
    content = {"name": "demo", "output": str(folder / output), "sources": sources, "training": training}
    return settings_from(content, place="test")


def written(settings: Settings) -> dict[str, bytes]:
    """Return all files of matrices, scores and backtests, by path."""
    root = Path(settings.output)
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for kind in ("matrix", "scores", "backtest")
        for path in sorted((root / kind).rglob("*.*"))
    }


def test_the_script_writes_the_files_of_one_machine_and_the_lists_go_on_from_them(demo: Both, tmp_path: Path) -> None:
    require_spark()
    here, there = (config_of(tmp_path, demo.rows, output) for output in ("embedded", "spark"))
    for stage in (stages.build_features, stages.train, stages.score):
        stage(here, demo.cutoff)
    config = tmp_path / "treue.yaml"
    config.write_text(there.model_dump_json(exclude_defaults=True))
    command = [sys.executable, "-m", "pipelines.spark", "score", "--config", str(config), "--master", "local[2]"]
    done = subprocess.run(
        [*command, "--cutoff", str(demo.cutoff), "--partitions", "2"],
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == [str(Places(Path(there.output)).scores(demo.cutoff))]
    expected, found = written(here), written(there)
    assert list(found) == list(expected)
    differing = [path for path in expected if found[path] != expected[path]]
    assert [path for path in differing if not path.startswith("matrix/") or not path.endswith(MANIFEST)] == []
    stages.publish(there, demo.cutoff)
    assert stages.report(there, demo.cutoff).is_file()


def test_tables_of_the_catalogue_and_folders_of_parquet_are_read_alike(
    spark: Any, everything: Both, tmp_path: Path
) -> None:
    by_file = config_of(tmp_path, everything.rows, "out")
    sources = {}
    for name, table in everything.rows.items():
        spark.createDataFrame(table).write.saveAsTable(f"crm_{name}")
        sources[name] = {"uri": session.TABLE_SCHEME, "table": f"crm_{name}"}
    by_table = settings_from({"name": "demo", "sources": sources}, place="test")
    matrices = []
    for settings in (by_file, by_table):
        tables = session.sources(spark, settings)
        assert session.newest_cutoff(tables) == everything.embedded.newest_cutoff()
        with SparkCompany(tables, everything.embedded.settings, cutoff=everything.cutoff) as made:
            matrices.append(spread_matrices(made, [everything.cutoff])[everything.cutoff])
    assert same(everything.matrix(everything.cutoff), matrices[0])
    assert same(matrices[0], matrices[1])


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data are not at {DATA}")
def test_online_retail_gives_the_same_features_scores_and_reasons(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    cutoff = date(2011, 9, 10)
    settings = load_settings(ROOT / "configs" / "online_retail.yaml")
    both = Both(Company.from_config(ROOT / "configs" / "online_retail.yaml"), cutoff)
    trained = [both.embedded.train(cutoff), both.embedded.train(cutoff, purpose="return")]
    with SparkCompany(both.frames(spark), settings, cutoff=cutoff, partitions=4) as made:
        days = [*made.cutoffs, cutoff]
        assert len(days) > 4
        for day, matrix in made.matrices(days):
            assert same(both.matrix(day), matrix.to_pandas()), day
        for model in trained:
            found = made.score(model, run_id="notebook", margin=forecast(both.embedded, model)).toArrow().to_pandas()
            assert same(both.embedded.score(cutoff, model), found), model.purpose


@pytest.mark.night
def test_a_million_simulated_orders_give_the_same_features_scores_and_reasons() -> None:
    require_spark()
    done = subprocess.run(
        [sys.executable, "benchmarks/spark.py"],
        env={**os.environ, "SIZE": "full"}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert (figures["differing_values"], figures["differing_scores"]) == (0, 0)
    assert figures["snapshots"] > 100_000
