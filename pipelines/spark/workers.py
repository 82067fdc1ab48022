"""What an executor does with its share of the customers: Arrow in, the functions of one machine, Arrow out.

Each function takes the rows of one partition as batches and yields batches; all rows of a customer are in one
partition. One thread each: Spark gives every core a task of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from features.accepted import accepted
from features.catalogue import Catalogue
from features.definition import Churn
from features.history import History
from features.matrix import block_of_matrix, of_cohort
from features.norms import Norms, norms_from, rows_of, summary_from, summary_of
from features.partitions import Partitions
from features.resources import Resources
from features.told import ToldShares
from models.blend import on_threads
from models.churn_model import COHORTS, ChurnModel
from models.margin import MarginModel
from pipelines.build_features import rhythm_from
from pipelines.score import judged
from pipelines.spark.columns import NORMS, SUMMARIES, SUMS, Columns, arrow_schema

Batches = Iterable[pa.RecordBatch]

_ROWS_COUNTED = 500_000


@dataclass(frozen=True, kw_only=True)
class Share:
    """What every executor is told about the rows.

    Attributes
    ----------
    tables : mapping of table name to its columns, without customer_id
    dated : names of the tables whose source itself says when a row became known
    features : Catalogue
        The features in use.
    resources : Resources
        ``memory_gb`` counts for each task.
    """

    tables: Mapping[str, Columns]
    dated: frozenset[str]
    features: Catalogue
    resources: Resources


@dataclass(frozen=True, kw_only=True)
class Task:
    """What every executor is told about snapshots: cutoffs with their norms, the definition, the first unknown day."""

    norms: Mapping[date, Norms]
    churn: Churn
    known_until: date


def sums(batches: Batches, *, table: str) -> Iterator[pa.RecordBatch]:
    """Yield what adds up to a table's digest: rows and the sums of both halves of their MD5, whole numbers as text."""
    for rows in _in_pieces(batches):
        with accepted({table: rows}, threads=1) as known:
            found = [[str(each)] for each in known.sums(table)]
        yield from pa.table([[table], *found], schema=arrow_schema(SUMS)).to_batches()


def summaries(batches: Batches, *, share: Share, cutoffs: Sequence[date]) -> Iterator[pa.RecordBatch]:
    """Yield what the norms of each cutoff need to know of these customers."""
    schema = arrow_schema(SUMMARIES)
    for part in histories(batches, share):
        for cutoff in cutoffs:
            rows = rows_of(summary_of(part, cutoff=cutoff), part.customer_ids)
            dated = rows.append_column("cutoff", pa.repeat(pa.scalar(cutoff, pa.date32()), len(rows)))
            yield from dated.select(schema.names).to_batches()


def norms_of(rows: pa.Table) -> pa.Table:
    """Return the norms of one cutoff from the summaries of all customers, as text."""
    norms = norms_from([summary_from(rows)])
    return pa.table([rows["cutoff"].slice(0, 1), [json.dumps(asdict(norms))]], schema=arrow_schema(NORMS))


def norms_in(text: str) -> Norms:
    """Return the norms that `norms_of` wrote."""
    stored = json.loads(text)
    own: dict[str, Any] = {"rhythm": rhythm_from(stored["rhythm"]), "contacts": tuple(stored["contacts"])}
    own["told"] = ToldShares.from_lists(stored["told"])
    return Norms(**{**stored, **own})


def snapshots(batches: Batches, *, share: Share, task: Task, columns: Columns) -> Iterator[pa.RecordBatch]:
    """Yield the matrix of each cutoff for these customers."""
    for block in _blocks(batches, share, task):
        yield from _as_arrow(block, columns)


def judgements(
    batches: Batches,
    *,
    share: Share,
    task: Task,
    files: Mapping[str, bytes],
    columns: Columns,
    margin_files: Mapping[str, bytes] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield chance, reasons and margin of these customers by the models in files, as far as they are of the cohort."""
    model, families = on_one_thread(ChurnModel.from_files(files)), share.features.families
    margin = None if margin_files is None else MarginModel.from_files(margin_files, threads=1)
    for block in _blocks(batches, share, task):
        yield from _as_arrow(judged(of_cohort(block, COHORTS[model.purpose]), model, families, margin), columns)


def on_one_thread(model: ChurnModel) -> ChurnModel:
    """Return the model so that it takes one core; it says the same."""
    return replace(model, candidate=on_threads(model.candidate, 1))


def histories(batches: Batches, share: Share) -> Iterator[History]:
    """Yield the history of these customers in parts that fit the memory; nothing when nobody ordered or signed."""
    tables = _apart(batches, share.tables)
    if not any(len(rows) for rows in tables.values()):
        return
    memory_gb = share.resources.memory_gb / 2
    with accepted(tables, memory_gb=memory_gb, threads=1, dated=share.dated) as known:
        del tables
        if not len(known.customers):
            return
        parts = Partitions(known, rows_per_part=share.resources.rows_per_part, features=share.features)
    with parts:
        yield from parts


def _blocks(batches: Batches, share: Share, task: Task) -> Iterator[pd.DataFrame]:
    for part in histories(batches, share):
        for cutoff, norms in task.norms.items():
            yield block_of_matrix(part, cutoff=cutoff, churn=task.churn, known_until=task.known_until, norms=norms)


def _apart(batches: Batches, tables: Mapping[str, Columns]) -> dict[str, pa.Table]:
    """Return the rows of each table; they came in one stream, every table in a column of its own."""
    schemas = {name: arrow_schema({"customer_id": "string", **columns}) for name, columns in tables.items()}
    found: dict[str, list[pa.RecordBatch]] = {name: [] for name in tables}
    for batch in batches:
        for name, schema in schemas.items():
            own = batch.filter(batch.column(name).is_valid())
            if len(own):
                columns = [own.column("customer_id"), *own.column(name).flatten()]
                found[name].append(pa.RecordBatch.from_arrays(columns, schema=schema))
    return {name: pa.Table.from_batches(rows, schema=schemas[name]) for name, rows in found.items()}


def _in_pieces(batches: Batches) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(each) for each in waiting) >= _ROWS_COUNTED:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _as_arrow(frame: pd.DataFrame, columns: Columns) -> list[pa.RecordBatch]:
    batches: list[pa.RecordBatch] = pa.Table.from_pandas(
        frame, schema=arrow_schema(columns), preserve_index=False, nthreads=1
    ).to_batches()
    return batches
