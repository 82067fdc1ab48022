"""The stages on Spark: they write what the embedded ones write, file for file, so that these may go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from features.matrix import require_somebody
from features.outputs import ParquetStream
from models.churn_model import ChurnModel
from pipelines.build_features import MATRIX, finish_matrix
from pipelines.places import Places
from pipelines.score import write_scores
from pipelines.spark.company import SparkCompany
from pipelines.train import margin_in_use, train, training_is_due


def build_features(company: SparkCompany) -> Path:
    """Write the matrices of the cutoff and of the cutoffs to learn from; return the folder of the former."""
    return _write_matrices(company, [*company.cutoffs, *company.early_cutoffs, company.cutoff])


def score(company: SparkCompany) -> Path:
    """Score both cohorts and return the folder; train before, on the driver, when there is no model or it is due.

    The matrices to learn from are built only when training is due.
    """
    settings, cutoff = company.settings, company.cutoff
    _write_matrices(company, [cutoff])
    if training_is_due(settings, cutoff):
        _write_matrices(company, [*company.cutoffs, *company.early_cutoffs])
        train(settings, cutoff)

    margin = margin_in_use(settings, cutoff)

    def scores_by(model: ChurnModel, run_id: str) -> pd.DataFrame:
        forecast = margin if model.purpose == "churn" else None
        scores: pd.DataFrame = company.score(model, run_id=run_id, margin=forecast).toArrow().to_pandas()
        return scores

    return write_scores(settings, cutoff, scores_by)


def _write_matrices(company: SparkCompany, cutoffs: Sequence[date]) -> Path:
    places, facts, norms = Places(Path(company.settings.output)), company.facts, company.norms(cutoffs)
    for day, matrix in company.matrices(cutoffs):
        require_somebody(len(matrix), day)
        with ParquetStream(places.matrix(day) / MATRIX) as stream:
            stream.write(_as_pandas_gives_it(matrix))
        finish_matrix(places.matrix(day), day, norms[day], rows=len(matrix), facts=facts)
    return places.matrix(company.cutoff)


def _as_pandas_gives_it(table: pa.Table) -> pa.Table:
    """Return the table with long texts, in one piece: so the embedded stage writes it."""
    fields = [field.with_type(pa.large_string()) if field.type == pa.string() else field for field in table.schema]
    return table.cast(pa.schema(fields)).combine_chunks()
