"""Stage 3: probability, value and reasons of every customer at one cutoff."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.catalogue import families
from features.errors import ModelError
from features.matrix import of_cohort
from features.outputs import read_manifest, write_manifest, write_parquet
from features.rhythm import RhythmParameters
from features.timeline import horizon_of
from models.churn_model import ChurnModel
from models.value import value_of_buyers, value_of_contracts
from pipelines.build_features import read_matrix, read_rhythm
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.train import Champions, champions
from retention.reasons import rank_reasons
from retention.segments import abc, risk_bands

SCORES, RETURNS = "scores.parquet", "returns.parquet"
"""The chance of loss of active customers, and the chance of return of lapsed ones: same columns."""


def score(settings: Settings, cutoff: date) -> Path:
    """Score both cohorts of ``cutoff`` and return the folder; a second run writes the same bytes.

    Raises
    ------
    ModelError
        If no model fits the cutoff: train first.
    """
    places = Places(Path(settings.output))
    manifest = read_manifest(places.matrix(cutoff))
    models = champions(settings, cutoff)
    if models is None:
        raise ModelError(f"no model for {cutoff} is registered (recipe {manifest['recipe']}); run `treue train` first")
    run_id = run_id_of(settings, cutoff, data=manifest["data"], models=models)
    matrix, rhythm = read_matrix(places.matrix(cutoff)), read_rhythm(places.matrix(cutoff))
    parts = {
        SCORES: scored(of_cohort(matrix, "active"), models.churn, rhythm, settings, cutoff=cutoff, run_id=run_id),
        RETURNS: scored(of_cohort(matrix, "lapsed"), models.back, rhythm, settings, cutoff=cutoff, run_id=run_id),
    }
    folder = places.scores(cutoff)
    for name, part in parts.items():
        write_parquet(folder / name, pa.Table.from_pandas(part, preserve_index=False))
    facts = {"cutoff": cutoff, "run_id": run_id, "data": manifest["data"], "config": settings.digest}
    versions = {"model_version": models.churn.version, "return_model_version": models.back.version}
    write_manifest(folder, rows={name: len(part) for name, part in parts.items()}, facts={**facts, **versions})
    return folder


def run_id_of(settings: Settings, cutoff: date, *, data: str, models: Champions) -> str:
    """Return what names a run: the same configuration, rows, cutoff and models give the same id."""
    content = f"{settings.digest}/{cutoff.isoformat()}/{data}/{models.churn.digest}/{models.back.digest}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def scored(
    matrix: pd.DataFrame,
    model: ChurnModel,
    rhythm: RhythmParameters,
    settings: Settings,
    *,
    cutoff: date,
    run_id: str,
) -> pd.DataFrame:
    """Return the scores of one cohort in the columns of the contract, rank 1 (the likeliest) first."""
    chance = model.score(matrix)
    probability = chance["probability"]
    value = _value(matrix, probability.to_numpy(np.float64), rhythm, settings)
    ids = matrix["customer_id"]
    reasons = rank_reasons(model.contributions(matrix), families())
    frame = pd.DataFrame({"customer_id": ids, "cutoff": cutoff, "horizon_end": horizon_of(cutoff, settings.churn).last})
    frame = pd.concat([frame, chance[["probability", "probability_low", "probability_high", "score"]]], axis=1)
    frame["risk_band"] = risk_bands(probability, base_rate=_base_rate(model, probability))
    frame["segment"] = abc(value["value"].set_axis(ids)).to_numpy()
    frame = pd.concat([frame, value, reasons], axis=1)
    frame["value_at_risk"] = probability * value["value"]
    frame["model_version"], frame["run_id"] = model.version, run_id
    ordered = frame.sort_values(["probability", "customer_id"], ascending=[False, True], ignore_index=True)
    ordered["rank"] = np.arange(1, len(ordered) + 1)
    ordered["percentile"] = 100 * (1 - (ordered["rank"] - 0.5) / max(len(ordered), 1))
    return ordered[list(_columns())]


def _value(
    matrix: pd.DataFrame,
    probability: np.ndarray[tuple[int], np.dtype[np.float64]],
    rhythm: RhythmParameters,
    settings: Settings,
) -> pd.DataFrame:
    if settings.churn.definition == "contract" and "relationship__recurring_amount" in matrix.columns:
        return value_of_contracts(matrix, probability, churn=settings.churn, settings=settings.value)
    return value_of_buyers(matrix, rhythm=rhythm, settings=settings.value)


def _base_rate(model: ChurnModel, probability: pd.Series[float]) -> float:
    """Share lost (or returned) among the snapshots learned from; without any, the mean probability."""
    learned = model.evidence.get("base_rate")
    if learned is None:
        learned = probability.mean() if len(probability) else 0.5
    return float(np.clip(learned, 1e-6, 1 - 1e-6))


def _columns() -> tuple[str, ...]:
    places = range(1, 6)
    return (
        *(
            "customer_id",
            "cutoff",
            "horizon_end",
            "probability",
            "probability_low",
            "probability_high",
            "score",
            "rank",
        ),
        *("percentile", "risk_band", "segment", "value", "value_low", "value_high", "value_at_risk"),
        *(f"reason_{place}" for place in places),
        *(f"contribution_{place}" for place in places),
        *("model_version", "run_id"),
    )
