"""Stage 2: choose, fit and register the models: one for the loss of active, one for the return of lapsed customers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from features.errors import ModelError
from features.matrix import of_cohort, stack
from features.outputs import read_manifest, write_bytes, write_json, write_manifest, write_parquet
from models.churn_model import COHORTS, ChurnModel, Purpose
from models.digest import digest_of
from models.early import finished
from models.ladder import train as train_ladder
from models.margin import MarginModel, fit_margin
from models.plots import backtest_plots
from models.promotion import Judgement, judge
from models.registry import EVENTS, Event, RegisteredVersion, Registry, registry_in, text_of
from models.runs import Child, fold_runs, trial_runs
from models.signature import SIGNATURE, key_from, require_signature, signature_of
from models.trees import trials_on
from pipelines.build_features import read_matrix
from pipelines.cards import cards, described_for
from pipelines.master import master_data
from pipelines.places import Places
from pipelines.progress import watched
from pipelines.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Champions:
    """The models in use at a cutoff: loss, return, and the forecast of margins (None where there is none yet)."""

    churn: ChurnModel
    back: ChurnModel
    margin: MarginModel | None = None


@dataclass(frozen=True, kw_only=True)
class Forced:
    """Who lets a model into use whatever the rule says, and why."""

    by: str
    why: str


def train(settings: Settings, cutoff: date, forced: Forced | None = None) -> Path:
    """Train both models from the matrices of ``cutoff``'s run, register them, and return the backtest's folder.

    Each goes into use if it meets the rule of promotion (``models.promotion``) or is ``forced``.
    """
    places = Places(Path(settings.output))
    manifest = read_manifest(places.matrix(cutoff))
    newest = read_matrix(places.matrix(cutoff))
    snapshots = snapshots_of(places, manifest["training_cutoffs"]) if manifest["training_cutoffs"] else newest.head(0)
    younger = manifest.get("early_cutoffs", [])  # older Treues wrote none
    early = snapshots_of(places, younger) if younger else newest.head(0)
    registry, master = open_registry(settings), master_data(settings, cutoff)
    train_margin(settings, cutoff, snapshots, recipe=manifest["recipe"])
    tested = [
        _train_one(settings, cutoff, purpose, stack([snapshots, early]), manifest, registry, forced, master)
        for purpose in watched(list(COHORTS), "Training")
    ]
    return _write_backtest(places.backtest(cutoff), tested, cutoff)


def snapshots_of(places: Places, days: Sequence[str]) -> pd.DataFrame:
    """Return the snapshots of the matrices of these cutoffs, at least one, in their order."""
    return stack([read_matrix(places.matrix(date.fromisoformat(day))) for day in days])


def champions(settings: Settings, cutoff: date) -> Champions | None:
    """Return the models a run at ``cutoff`` uses: the newest promoted ones of its recipe; None where one is missing.

    A model trained for a later cutoff does not exist for an earlier one, nor does a later promotion or roll-back.
    """
    recipe, registry = _recipe_at(settings, cutoff), open_registry(settings)
    found = {
        purpose: registry.champion(model_name(settings, purpose), cutoff=cutoff, recipe=recipe, not_before=date.min)
        for purpose in COHORTS
    }
    if found["churn"] is None or found["return"] is None:
        return None
    return Champions(
        churn=ChurnModel.from_files(found["churn"]),
        back=ChurnModel.from_files(found["return"]),
        margin=margin_in_use(settings, cutoff),
    )


def train_margin(settings: Settings, cutoff: date, snapshots: pd.DataFrame, *, recipe: str) -> Path:
    """Fit the forecast of margins on all cohorts' snapshots, write it and return its folder."""
    model = fit_margin(snapshots, cutoff=cutoff, churn=settings.churn, training=settings.training, value=settings.value)
    folder, files = Places(Path(settings.output)).margin(cutoff), model.to_files()
    for name, content in files.items():
        write_bytes(folder / name, content)
    facts = {"cutoff": cutoff, "recipe": recipe, "digest": model.digest, "assumed": _assumed(settings)}
    key = key_from(os.environ)
    signed = {} if key is None else {SIGNATURE: signature_of(_signed(settings, facts), key)}
    write_manifest(folder, rows=dict.fromkeys(files, 1), facts={**facts, **signed})
    return folder


def margin_in_use(settings: Settings, cutoff: date) -> MarginModel | None:
    """Return the forecast of margins trained with the churn model in use, so that a roll-back takes both back.

    It must be of the same recipe and assumptions. Where none is that old the next one after it speaks, if there is one.
    """
    places, recipe = Places(Path(settings.output)), _recipe_at(settings, cutoff)
    name, registry = model_name(settings, "churn"), open_registry(settings)
    churn = registry.champion_version(name, cutoff=cutoff, recipe=recipe, not_before=date.min)
    known = list(places.finished_before("margin", cutoff + timedelta(days=1)))
    with_churn = cutoff if churn is None else churn.cutoff
    earlier = [folder for day, folder in known if day <= with_churn]
    later = [folder for day, folder in known if day > with_churn]
    models = (_margin_in(folder, settings, recipe) for folder in (*reversed(earlier), *later))
    return next((model for model in models if model is not None), None)


def _margin_in(folder: Path, settings: Settings, recipe: str) -> MarginModel | None:
    """Return a folder's forecast; None if it stands on other features or assumptions.

    Raises
    ------
    ModelError
        If it is not signed with our key, or is not what was written; told before any of it is read.
    """
    said = read_manifest(folder)
    if said["recipe"] != recipe or said["assumed"] != _assumed(settings):
        return None
    where = f"the forecast of margins in {folder}"
    require_signature(_signed(settings, said), said.get(SIGNATURE, ""), key_from(os.environ), where=where)
    files = {name: (folder / name).read_bytes() for name in said["files"]}
    if digest_of(files) != said["digest"]:
        raise ModelError(f"{where} is not what was written; bring the folder back, or delete it and run `treue train`")
    return MarginModel.from_files(files, threads=settings.training.threads)


def _signed(settings: Settings, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what a signature of a forecast of margins holds together."""
    assumed = json.dumps(facts["assumed"], sort_keys=True)
    plain = {name: str(facts[name]) for name in ("cutoff", "recipe", "digest")}
    return {**plain, "assumed": assumed, "name": model_name(settings, "margin")}


def _assumed(settings: Settings) -> dict[str, float]:
    """Return the assumptions about value that a forecast of margins is trained with."""
    value = settings.value
    return {name: getattr(value, name) for name in ("margin_share", "return_share", "staying_concentration")}


def training_is_due(settings: Settings, cutoff: date) -> bool:
    """Return whether a model of ``cutoff``'s recipe is missing, or none was trained within ``retrain_after_days``.

    A challenger that was not promoted counts as trained: the rule would say the same tomorrow.
    """
    recipe, registry = _recipe_at(settings, cutoff), open_registry(settings)
    oldest = cutoff - timedelta(days=settings.training.retrain_after_days - 1)
    for purpose in COHORTS:
        trained = [one for one in registry.versions(model_name(settings, purpose)) if one.recipe == recipe]
        if not any(one.in_use_on(cutoff) for one in trained):
            return True
        if not any(oldest <= one.cutoff <= cutoff for one in trained):
            return True
    return margin_in_use(settings, cutoff) is None


def _recipe_at(settings: Settings, cutoff: date) -> str:
    return str(read_manifest(Places(Path(settings.output)).matrix(cutoff))["recipe"])


def open_registry(settings: Settings) -> Registry:
    """Return the registry: the configured MLflow server, or SQLite and files in the output folder."""
    return registry_in(Path(settings.output), os.environ)


def model_name(settings: Settings, purpose: Purpose | Literal["margin"]) -> str:
    """Return the name a model is registered under."""
    return f"treue-{settings.name}-{purpose}"


def _train_one(
    settings: Settings,
    cutoff: date,
    purpose: Purpose,
    snapshots: pd.DataFrame,
    manifest: Mapping[str, Any],
    registry: Registry,
    forced: Forced | None,
    master: pd.DataFrame,
) -> _Trained:
    cohort = of_cohort(snapshots, COHORTS[purpose])
    model, tested = train_ladder(
        cohort,
        purpose=purpose,
        cutoff=cutoff,
        churn=settings.churn,
        training=settings.training,
        journal=Places(Path(settings.output)).tuning,
    )
    name, recipe = model_name(settings, purpose), manifest["recipe"]
    in_use = registry.in_use(name, cutoff=cutoff, recipe=recipe)
    before = next((one for one in reversed(in_use) if one.digest != model.digest), None)
    champion = None if before is None else ChurnModel.from_files(registry.files(before))
    judgement = judge(model, champion, tested=tested, snapshots=finished(cohort))
    described = described_for(cohort, {date.fromisoformat(day) for day in model.evidence["tests"]}, master)
    order = None if forced is None else (forced.by, forced.why)
    made = cards(settings, manifest, model, tested=tested, described=described, judgement=judgement, order=order)
    use, children = use_of(judgement, cutoff, forced), _children(settings, purpose, cohort, tested)
    version = _register(registry, model, tested, settings, manifest, use, documents=made, children=children)
    if forced is not None and not version.in_use_on(cutoff):
        registry.put([version], "in", on=cutoff, by=forced.by, why=forced.why)
    return _Trained(
        purpose=purpose, model=model, tested=tested, judgement=judgement, forced=forced, before=before, cards=made
    )


def _children(settings: Settings, purpose: Purpose, cohort: pd.DataFrame, tested: pd.DataFrame) -> tuple[Child, ...]:
    """Return the runs below the training's: its folds, and the trials of tuning where there were any."""
    if settings.training.tune.trials == 0:
        return fold_runs(tested)
    path, seed = Places(Path(settings.output)).tuning, settings.training.seed
    noted = trials_on(cohort, purpose=purpose, churn=settings.churn, seed=seed, path=path)
    return (*fold_runs(tested), *trial_runs(noted))


def use_of(judgement: Judgement, cutoff: date, forced: Forced | None) -> tuple[Event, ...]:
    """Return the first entry in a version's log: from ``cutoff`` on in use, by the rule or by force; or none."""
    if judgement.promoted:
        return (Event(on=cutoff, state="in", by="rule", why=judgement.reason),)
    return (Event(on=cutoff, state="in", by=forced.by, why=forced.why),) if forced else ()


@dataclass(frozen=True, kw_only=True)
class _Trained:
    purpose: Purpose
    model: ChurnModel
    tested: pd.DataFrame
    judgement: Judgement
    forced: Forced | None
    before: RegisteredVersion | None
    cards: Mapping[str, bytes]

    def facts(self) -> dict[str, Any]:
        """Evidence of the choice and of the promotion."""
        said = self.judgement.facts() | {"champion": None if self.before is None else self.before.digest[:12]}
        if self.forced is not None and not self.judgement.promoted:
            said |= {"forced_by": self.forced.by, "forced_why": self.forced.why}
        return {**self.model.evidence, "model_version": self.model.version, "promotion": said}


def _register(
    registry: Registry,
    model: ChurnModel,
    tested: pd.DataFrame,
    settings: Settings,
    manifest: Mapping[str, Any],
    use: tuple[Event, ...],
    *,
    documents: Mapping[str, bytes],
    children: tuple[Child, ...],
) -> RegisteredVersion:
    """Log the run with parameters, metrics, plots and hashes, and register the model with its place in use."""
    chosen = model.evidence["metrics"].get(model.evidence["chosen"], {})
    return registry.register(
        model.to_files(),
        name=model_name(settings, model.purpose),
        digest=model.digest,
        tags={
            "cutoff": model.cutoff.isoformat(),
            "recipe": manifest["recipe"],
            "purpose": model.purpose,
            "config": settings.digest,
            "candidate": model.candidate.name,
            EVENTS: text_of(use),
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
        documents=documents,
        children=children,
    )


def _write_backtest(folder: Path, trained: list[_Trained], cutoff: date) -> Path:
    evidence: dict[str, Any] = {each.purpose: each.facts() for each in trained}
    folds = pd.concat([each.tested.assign(purpose=each.purpose) for each in trained], ignore_index=True)
    write_json(folder / "metrics.json", evidence)
    write_parquet(folder / "folds.parquet", pa.Table.from_pandas(folds, preserve_index=False))
    rows = {"metrics.json": len(evidence), "folds.parquet": len(folds)}
    for each in trained:
        for name, content in each.cards.items():
            path = folder / name.replace("model_card.", f"model_card.{each.purpose}.")
            rows[write_bytes(path, content).name] = 1
    write_manifest(folder, rows=rows, facts={"cutoff": cutoff})
    return folder
