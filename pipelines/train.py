"""Stage 2: choose, fit and register the models: one for the loss of active, one for the return of lapsed customers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.matrix import of_cohort, stack
from features.outputs import read_manifest, write_json, write_manifest, write_parquet
from models.churn_model import COHORTS, ChurnModel, Purpose
from models.ladder import train as train_ladder
from models.plots import backtest_plots
from models.registry import Registry, registry_in
from pipelines.build_features import read_matrix
from pipelines.places import Places
from pipelines.progress import watched
from pipelines.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Champions:
    """The two models in use at a cutoff."""

    churn: ChurnModel
    back: ChurnModel


def train(settings: Settings, cutoff: date) -> Path:
    """Train both models from the matrices of ``cutoff``'s run, register them, and return the backtest's folder."""
    places = Places(Path(settings.output))
    manifest = read_manifest(places.matrix(cutoff))
    days = [date.fromisoformat(day) for day in manifest["training_cutoffs"]]
    newest = read_matrix(places.matrix(cutoff))
    snapshots = stack([read_matrix(places.matrix(day)) for day in days]) if days else newest.head(0)
    registry = open_registry(settings)
    tested = [
        _train_one(settings, cutoff, purpose, snapshots, manifest, registry)
        for purpose in watched(list(COHORTS), "Training")
    ]
    return _write_backtest(places.backtest(cutoff), tested, cutoff)


def champions(settings: Settings, cutoff: date) -> Champions | None:
    """Return the models a run at ``cutoff`` uses: trained for it or at most ``retrain_after_days`` before; else None.

    A model trained for a later cutoff does not exist for an earlier one.
    """
    recipe = read_manifest(Places(Path(settings.output)).matrix(cutoff))["recipe"]
    registry = open_registry(settings)
    oldest = cutoff - timedelta(days=settings.training.retrain_after_days - 1)
    found = {
        purpose: registry.champion(model_name(settings, purpose), cutoff=cutoff, recipe=recipe, not_before=oldest)
        for purpose in COHORTS
    }
    if found["churn"] is None or found["return"] is None:
        return None
    return Champions(churn=ChurnModel.from_files(found["churn"]), back=ChurnModel.from_files(found["return"]))


def open_registry(settings: Settings) -> Registry:
    """Return the registry: the configured MLflow server, or SQLite and files in the output folder."""
    return registry_in(Path(settings.output), os.environ)


def model_name(settings: Settings, purpose: Purpose) -> str:
    """Return the name a model is registered under."""
    return f"treue-{settings.name}-{purpose}"


def _train_one(
    settings: Settings,
    cutoff: date,
    purpose: Purpose,
    snapshots: pd.DataFrame,
    manifest: Mapping[str, Any],
    registry: Registry,
) -> tuple[Purpose, ChurnModel, pd.DataFrame]:
    cohort = of_cohort(snapshots, COHORTS[purpose])
    model, tested = train_ladder(
        cohort, purpose=purpose, cutoff=cutoff, churn=settings.churn, training=settings.training
    )
    _register(registry, model, tested, settings, manifest)
    return purpose, model, tested


def _register(
    registry: Registry, model: ChurnModel, tested: pd.DataFrame, settings: Settings, manifest: Mapping[str, Any]
) -> None:
    """Log the run with parameters, metrics, plots and hashes, and register the model."""
    chosen = model.evidence["metrics"].get(model.evidence["chosen"], {})
    registry.register(
        model.to_files(),
        name=model_name(settings, model.purpose),
        digest=model.digest,
        tags={
            "cutoff": model.cutoff.isoformat(),
            "recipe": manifest["recipe"],
            "purpose": model.purpose,
            "config": settings.digest,
        },
        parameters={
            "candidate": model.candidate.name,
            "remark": model.evidence["remark"],
            "snapshots": model.evidence["snapshots"],
            "features": len(model.features),
            **settings.churn.model_dump(mode="json"),
            **settings.training.model_dump(mode="json", exclude={"cutoffs", "tune"}),
        },
        metrics={name: value for name, value in chosen.items() if value == value},
        plots=backtest_plots(tested, chosen=model.evidence["chosen"]),
        signature_features=model.features,
        data_digest=manifest["data"],
    )


def _write_backtest(folder: Path, trained: list[tuple[Purpose, ChurnModel, pd.DataFrame]], cutoff: date) -> Path:
    evidence: dict[str, Any] = {
        purpose: {**model.evidence, "model_version": model.version} for purpose, model, _ in trained
    }
    folds = pd.concat([tested.assign(purpose=purpose) for purpose, _, tested in trained], ignore_index=True)
    write_json(folder / "metrics.json", evidence)
    write_parquet(folder / "folds.parquet", pa.Table.from_pandas(folds, preserve_index=False))
    write_manifest(folder, rows={"metrics.json": len(evidence), "folds.parquet": len(folds)}, facts={"cutoff": cutoff})
    return folder
