"""Stage 3: probability, value and reasons of every customer at one cutoff."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.catalogue import catalogue
from features.errors import ModelError
from features.matrix import of_cohort
from features.outputs import MANIFEST, read_manifest, read_parquet, write_manifest, write_parquet
from features.rhythm import RhythmParameters
from features.timeline import horizon_of
from models.churn_model import COHORTS, ChurnModel
from models.horizons import LOST_COLUMNS
from models.margin import MarginModel
from models.value import READ_COLUMNS
from models.worth import WORTH_COLUMNS, margins_of, worth_of
from pipelines.build_features import read_matrix, read_rhythm
from pipelines.history import built_on, read_before
from pipelines.master import master_data
from pipelines.own_features import catalogue_of_run
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.train import Champions, champions, margin_in_use
from retention.reasons import MOST, first_kept, rank_reasons
from retention.segments import abc, risk_bands, standing

_log = logging.getLogger(__name__)

SCORES, RETURNS = "scores.parquet", "returns.parquet"
"""The chance of loss of active customers, and the chance of return of lapsed ones: same columns."""

COLUMNS = (
    *("customer_id", "cutoff", "horizon_end", "probability", "probability_low", "probability_high", "score", "rank"),
    *("percentile", "risk_band", "segment", *WORTH_COLUMNS, "turnover_segment", "standing"),
    *(f"reason_{place}" for place in range(1, MOST + 1)),
    *(f"contribution_{place}" for place in range(1, MOST + 1)),
    *LOST_COLUMNS,
    *("model_version", "run_id"),
)
"""Columns of the scores, in their order."""


def score(settings: Settings, cutoff: date) -> Path:
    """Score both cohorts of ``cutoff`` and return the folder; a second run writes the same bytes.

    Raises
    ------
    ModelError
        If no model fits the cutoff: train first.
    """
    folder = Places(Path(settings.output)).matrix(cutoff)
    matrix, rhythm = read_matrix(folder), read_rhythm(folder)
    families = catalogue_of_run(settings, read_manifest(folder)).families
    about, margin = master_data(settings, cutoff), margin_in_use(settings, cutoff)

    def scores_by(model: ChurnModel, run_id: str) -> pd.DataFrame:
        cohort, forecast = of_cohort(matrix, COHORTS[model.purpose]), margin if model.purpose == "churn" else None
        known: dict[str, Any] = {"families": families, "margin": forecast, "about": about}
        return scored(cohort, model, rhythm, settings, cutoff=cutoff, run_id=run_id, **known)

    return write_scores(settings, cutoff, scores_by)


def write_scores(settings: Settings, cutoff: date, scores_by: Callable[[ChurnModel, str], pd.DataFrame]) -> Path:
    """Write what ``scores_by`` gives for each champion and the run's id; return the folder."""
    places = Places(Path(settings.output))
    manifest, models = read_manifest(places.matrix(cutoff)), champions(settings, cutoff)
    if models is None:
        raise ModelError(f"no model for {cutoff} is registered (recipe {manifest['recipe']}); run `treue train` first")
    run_id = run_id_of(settings, cutoff, data=manifest["data"], models=models)
    folder, parts = places.scores(cutoff), {SCORES: models.churn, RETURNS: models.back}
    frames = {name: scores_by(model, run_id) for name, model in parts.items()}
    base_rate = base_rate_of(models.churn, frames[SCORES]["probability"])
    families, before = catalogue_of_run(settings, manifest).families, read_before(places, cutoff)
    frames[SCORES] = _with_held_bands(frames[SCORES], before, base_rate, settings)
    said = {SCORES: before, RETURNS: _returns_before(places, cutoff)}
    frames = {name: _calmed(frame, said[name], families) for name, frame in frames.items()}
    rows = {name: _write(folder / name, frame) for name, frame in frames.items()}
    facts: dict[str, Any] = {"cutoff": cutoff, "run_id": run_id, "config": settings.digest, "base_rate": base_rate}
    facts["churn"] = settings.churn.model_dump(mode="json")
    facts |= {key: manifest[key] for key in ("data", "own_features")}
    versions = {"model_version": models.churn.version, "return_model_version": models.back.version}
    versions["margin_model_version"] = models.margin.version if models.margin else ""
    explained_by = {"churn": models.churn.explained_by, "return": models.back.explained_by}
    _log.info("reasons of %s: churn by %s, return by %s", cutoff, explained_by["churn"], explained_by["return"])
    write_manifest(folder, rows=rows, facts={**facts, **versions, "explained_by": explained_by})
    return folder


def _calmed(scores: pd.DataFrame, before: pd.DataFrame, families: Mapping[str, str]) -> pd.DataFrame:
    """Return the scores with the first reasons of the run before in front while they weigh about as much."""
    return first_kept(scores.set_index("customer_id"), before, families).reset_index()


def _returns_before(places: Places, cutoff: date) -> pd.DataFrame:
    """Return what was said of the lapsed by the run that a run of ``cutoff`` builds on, index customer_id."""
    earlier = built_on(places, cutoff)
    folder = None if earlier is None else places.scores(earlier.cutoff)
    if folder is None or not (folder / MANIFEST).is_file():
        return pd.DataFrame(columns=list(COLUMNS)).set_index("customer_id")
    returns: pd.DataFrame = read_parquet(folder, RETURNS).to_pandas()
    return returns.set_index("customer_id")


def _with_held_bands(scores: pd.DataFrame, before: pd.DataFrame, base_rate: float, settings: Settings) -> pd.DataFrame:
    """Return the scores with bands that fall only once the odds are clearly below the line of the band reached."""
    section = settings.lists.early_warning
    reached = scores["customer_id"].map(before["risk_band"])
    hold = section.leave_odds / section.enter_odds
    bands = risk_bands(scores["probability"], base_rate=base_rate, before=reached, hold=hold)
    return scores.assign(risk_band=bands)


def _write(path: Path, scores: pd.DataFrame) -> int:
    write_parquet(path, pa.Table.from_pandas(scores, preserve_index=False))
    return len(scores)


def run_id_of(settings: Settings, cutoff: date, *, data: str, models: Champions) -> str:
    """Return what names a run: the same configuration, rows, cutoff and models give the same id."""
    digests = (models.churn.digest, models.back.digest, models.margin.digest if models.margin else "")
    content = "/".join((settings.digest, cutoff.isoformat(), data, *digests))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def scored(
    matrix: pd.DataFrame,
    model: ChurnModel,
    rhythm: RhythmParameters,
    settings: Settings,
    *,
    cutoff: date,
    run_id: str,
    families: Mapping[str, str] | None = None,
    margin: MarginModel | None = None,
    about: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the scores of one cohort in the columns of the contract, rank 1 (the likeliest) first."""
    frame = judged(matrix, model, families, margin)
    frame = pd.concat([frame, compared(frame, model, rhythm, settings, margin=margin, about=about)], axis=1)
    frame = frame.assign(**stamped(model, settings, cutoff=cutoff, run_id=run_id))
    return frame.sort_values("rank", ignore_index=True)[list(COLUMNS)]


def judged(
    matrix: pd.DataFrame,
    model: ChurnModel,
    families: Mapping[str, str] | None = None,
    margin: MarginModel | None = None,
) -> pd.DataFrame:
    """Return what is said of each customer alone: chance, reasons, margin, and the columns the value is reckoned from.

    ``families`` are those of the features in use; without them ours.
    """
    reasons = rank_reasons(model.contributions(matrix), catalogue().families if families is None else families)
    known, chance = [name for name in ("customer_id", *READ_COLUMNS) if name in matrix.columns], model.score(matrix)
    lost = model.lost_within(matrix, chance["probability"])
    return pd.concat([matrix[known], margins_of(matrix, margin), chance, reasons, lost], axis=1)


def compared(
    judged: pd.DataFrame,
    model: ChurnModel,
    rhythm: RhythmParameters,
    settings: Settings,
    *,
    margin: MarginModel | None = None,
    about: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what is said of each customer of a cohort among the others: value, segment, band, rank; index as given.

    Of ``judged`` it reads customer_id, probability with its bounds, and what the value is reckoned from; ``about`` is
    the master data by which customers are compared.
    """
    probability, ids = judged["probability"], judged["customer_id"]
    frame = worth_of(judged, rhythm=rhythm, churn=settings.churn, settings=settings.value, margin=margin, about=about)
    frame["segment"] = abc(frame["value"].set_axis(ids)).to_numpy()
    frame["turnover_segment"] = abc(frame["turnover"].set_axis(ids)).to_numpy()
    frame["standing"] = standing(frame)
    frame["risk_band"] = risk_bands(probability, base_rate=base_rate_of(model, probability))
    ordered = judged[["probability", "customer_id"]].sort_values(
        ["probability", "customer_id"], ascending=[False, True]
    )
    frame["rank"] = pd.Series(np.arange(1, len(ordered) + 1), index=ordered.index)
    frame["percentile"] = 100 * (1 - (frame["rank"] - 0.5) / max(len(ordered), 1))
    return frame


def stamped(model: ChurnModel, settings: Settings, *, cutoff: date, run_id: str) -> dict[str, Any]:
    """Return what is the same for all customers: the days, the model and the run."""
    last = horizon_of(cutoff, settings.churn).last
    return {"cutoff": cutoff, "horizon_end": last, "model_version": model.version, "run_id": run_id}


def base_rate_of(model: ChurnModel, probability: pd.Series[float]) -> float:
    """Return the share lost (or returned) among the snapshots learned from; without any, the mean probability."""
    learned = model.evidence.get("base_rate")
    if learned is None:
        learned = probability.mean() if len(probability) else 0.5
    return float(np.clip(learned, 1e-6, 1 - 1e-6))
