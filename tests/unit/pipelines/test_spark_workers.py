"""What runs on the executors, without Spark: batches in, batches out, the same for any division of the customers."""

from __future__ import annotations

from datetime import date
from functools import partial
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.catalogue import catalogue
from features.contract import TABLES
from features.definition import Churn
from features.digest import digest_of
from features.history import load_history
from features.matrix import build_matrix, feature_names
from features.norms import norms_at
from features.resources import Resources
from models.boosting import BoostingSettings, fit_boosted
from models.calibrate import Calibration
from models.churn_model import ChurnModel
from pipelines.spark import workers
from pipelines.spark.columns import OF_KIND, matrix_columns
from pipelines.spark.session import reason
from tests.oracle.companies import company, taken_in
from tests.unit.models.snapshots import learned, snapshots

CUTOFF = date(2024, 6, 1)
CHURN = Churn(active_within_days=400, lapsed_within_days=3650)
TAKEN = taken_in(company(Random(12), customers=30), cutoff=CUTOFF)
ROWS = {name: TAKEN.arrow(name, (*TAKEN.columns(name), "known_at")) for name in TAKEN.names}
SHARE = workers.Share(
    tables={
        name: {
            each: "date" if each == "known_at" else OF_KIND[TABLES[name].column(each).kind]
            for each in rows.column_names
            if each != "customer_id"
        }
        for name, rows in ROWS.items()
    },
    dated=frozenset(name for name in TAKEN.names if "known_at" in TAKEN.mapped(name)),
    features=catalogue(),
    resources=Resources(),
)


def shares(count: int) -> list[list[pa.RecordBatch]]:
    """Return the rows of all tables in one stream per executor, as Spark unites them, in small batches."""
    ids = sorted({each for rows in ROWS.values() for each in rows["customer_id"].to_pylist()})
    place = {each: number % count for number, each in enumerate(ids)}
    streams: list[list[pa.RecordBatch]] = [[] for _ in range(count)]
    for name, rows in ROWS.items():
        mine = np.array([place[each] for each in rows["customer_id"].to_pylist()])
        for number, stream in enumerate(streams):
            own = rows.filter(pa.array(mine == number))
            stream.extend(united(name, own).to_batches(max_chunksize=7))
    return streams


def united(name: str, rows: pa.Table) -> pa.Table:
    values = rows.select(list(SHARE.tables[name])).to_struct_array().combine_chunks()
    columns = {each: values if each == name else pa.nulls(len(rows), empty(each).type) for each in ROWS}
    return pa.table({"customer_id": rows["customer_id"], **columns})


def empty(name: str) -> pa.Array:
    return ROWS[name].select(list(SHARE.tables[name])).slice(0, 0).to_struct_array().combine_chunks()


def norms() -> workers.Norms:
    rows = [batch for stream in shares(5)[::-1] for batch in workers.summaries(stream, share=SHARE, cutoffs=[CUTOFF])]
    (text,) = workers.norms_of(pa.Table.from_batches(rows))["norms"].to_pylist()
    return workers.norms_in(text)


def test_norms_from_the_summaries_of_all_executors_are_those_of_one_machine() -> None:
    assert repr(norms()) == repr(norms_at(load_history(TAKEN), cutoff=CUTOFF))


def test_norms_survive_the_journey_even_where_nothing_can_be_said() -> None:
    nobody = workers.norms_of(
        pa.Table.from_batches(list(workers.summaries(shares(1)[0], share=SHARE, cutoffs=[date(2000, 1, 1)])))
    )
    assert nobody["cutoff"].to_pylist() == [date(2000, 1, 1)]
    assert np.isnan(workers.norms_in(nobody["norms"][0].as_py()).season_share)


@pytest.mark.parametrize("count", [1, 4])
def test_snapshots_of_all_executors_are_the_matrix_of_one_machine(count: int) -> None:
    expected = build_matrix(load_history(TAKEN), cutoff=CUTOFF, churn=CHURN, known_until=CUTOFF)
    columns = matrix_columns(feature_names(expected))
    task = workers.Task(norms={CUTOFF: norms()}, churn=CHURN, known_until=CUTOFF)
    work = partial(workers.snapshots, share=SHARE, task=task, columns=columns)
    found = pa.Table.from_batches([batch for stream in shares(count) for batch in work(stream)])
    sorted_found = found.sort_by("customer_id").to_pandas().astype(expected.dtypes.to_dict())
    pd.testing.assert_frame_equal(sorted_found, expected, check_exact=True)


def test_an_executor_without_customers_yields_nothing() -> None:
    task = workers.Task(norms={CUTOFF: norms()}, churn=CHURN, known_until=CUTOFF)
    without_customers = [united("contacts", ROWS["contacts"].slice(0, 3)).to_batches()[0]]
    for stream in ([], without_customers):
        assert list(workers.summaries(stream, share=SHARE, cutoffs=[CUTOFF])) == []
        assert list(workers.snapshots(stream, share=SHARE, task=task, columns={})) == []


def test_parts_of_the_digest_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_ROWS_COUNTED", 20)
    sums = {}
    for name, rows in ROWS.items():
        parts = [
            row for batch in workers.sums(rows.to_batches(max_chunksize=7), table=name) for row in batch.to_pylist()
        ]
        assert {row["table"] for row in parts} == {name}
        sums[name] = TAKEN.columns(name), [sum(int(row[each]) for row in parts) for each in ("rows", "low", "high")]
    assert digest_of(sums) == TAKEN.digest


def test_trees_on_one_thread_say_the_same() -> None:
    features, label = learned(snapshots(1))
    trees = fit_boosted(features, label, lost=True, seed=7, threads=2, settings=BoostingSettings(rounds=10))
    model = ChurnModel(
        purpose="churn",
        candidate=trees,
        calibration=Calibration(intercept=0.0, slope=1.0, covariance=((0.0, 0.0), (0.0, 0.0)), n_rows=0),
        features=tuple(features.columns),
        cutoff=CUTOFF,
    )
    alone = workers.on_one_thread(model)
    assert alone.candidate.threads == 1
    assert alone.score(features).equals(model.score(features))
    assert alone.digest == model.digest


def test_what_a_failing_executor_raised_is_one_line() -> None:
    told = """[UDF_ERROR] An exception was thrown from the Python worker:
    Traceback (most recent call last):
      File "x.py", line 1, in work
    KeyError: 'a'

    During handling of the above exception, another exception occurred:
      File "y.py", line 2, in work
    features.errors.SourceError: orders: 3 rows are odd; mend them
    \tat org.apache.spark.api.python.BasePythonRunner
    Caused by: java.lang.IllegalStateException: closed"""
    assert reason(ValueError(told)) == "features.errors.SourceError: orders: 3 rows are odd; mend them"
    assert (
        reason(ValueError("[PATH_NOT_FOUND] Path does not exist: x.\nmore"))
        == "[PATH_NOT_FOUND] Path does not exist: x."
    )
    assert reason(ValueError()) == "ValueError"
