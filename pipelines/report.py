"""Stage 5: one page that says what came out, why, how sure it is, and what it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from features.outputs import MANIFEST, read_manifest, read_parquet, write_bytes, write_manifest
from features.timeline import horizon_of
from pipelines.losses import read_losses
from pipelines.master import master_data
from pipelines.matured import read_matured
from pipelines.own_features import catalogue_of_run
from pipelines.places import Places
from pipelines.publish import measures_of
from pipelines.score import RETURNS, SCORES
from pipelines.settings import Settings
from pipelines.signals import read_signals
from pipelines.told_losses import reasons_of
from retention.formats import Language
from retention.report.inputs import FOLD_COLUMNS, SCORE_COLUMNS, WORTH_COLUMNS, ReportInputs
from retention.report.page import report_page
from retention.texts import Purpose
from retention.worth import regions_of, texts_of

PAGE = "report.html"
_VERSIONS: Mapping[Purpose, str] = {"churn": "model_version", "return": "return_model_version"}


def report(settings: Settings, cutoff: date) -> Path:
    """Write the report of ``cutoff`` from what the other stages left; return the path of the page.

    Raises
    ------
    OutputError
        If matrix, scores or lists of ``cutoff`` are not finished, or differ from their manifests.
    """
    places = Places(Path(settings.output))
    inputs = report_inputs(settings, cutoff)
    page = write_bytes(places.report(cutoff) / PAGE, report_page(inputs).encode())
    facts = {key: inputs.run[key] for key in ("cutoff", "run_id", "config", "data", *_VERSIONS.values())}
    write_manifest(places.report(cutoff), rows={PAGE: 1}, facts=facts)
    return page


def report_inputs(settings: Settings, cutoff: date) -> ReportInputs:
    """Return what the page of ``cutoff`` is made from."""
    places, horizon = Places(Path(settings.output)), horizon_of(cutoff, settings.churn)
    run, scores = read_manifest(places.scores(cutoff)), places.scores(cutoff)
    features = catalogue_of_run(settings, run)
    evidence, folds = _backtests(places, cutoff, run)
    signals = read_signals(settings, cutoff, data=run["data"])
    about = read_manifest(places.lists(cutoff))
    since = about.get("since_run")
    lists = {name: read_parquet(places.lists(cutoff), f"{name}.parquet").to_pandas() for name in _LISTS}
    customers, scored = master_data(settings, cutoff), read_parquet(scores, SCORES)
    return ReportInputs(
        name=settings.name,
        language=settings.language,
        currency=settings.currency,
        cutoff=cutoff,
        horizon_first=horizon.first,
        horizon_last=horizon.last,
        churn=settings.churn,
        scores=scored.select(known_columns(scored.column_names)).to_pandas(),
        returns=read_parquet(scores, RETURNS).select(SCORE_COLUMNS).to_pandas(),
        owners=texts_of(customers, "owner"),
        names=texts_of(customers, "name"),
        regions=regions_of(customers),
        contacts_per_year={str(name): count for name, count in settings.value.service.contacts_per_year.items()},
        measures=measures_of(settings, features),
        evidence=evidence,
        folds=folds,
        data=read_manifest(places.matrix(cutoff)),
        run=run,
        features=features,
        signals=None if signals is None else signals.rules,
        firing=None if signals is None else signals.firing,
        since_run=None if since is None else date.fromisoformat(since),
        list_note=about.get("note") or "",
        challengers=_challengers(places, cutoff, run),
        losses=read_losses(settings, cutoff, data=run["data"], reasons=reasons_of(settings, features)),
        cards=_cards(places, cutoff, run, settings.language),
        **_rechecked(settings, cutoff, run),
        **lists,
    )


_LISTS = ("early_warning", "win_back", "plan", "not_contactable", "gone")


def _rechecked(settings: Settings, cutoff: date, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has become of earlier promises; nothing where that stage was not run."""
    rechecked = read_matured(settings, cutoff, data=run["data"])
    return {} if rechecked is None else {"matured": rechecked.found, "matures_on": rechecked.matures_on}


def _backtests(
    places: Places, cutoff: date, run: Mapping[str, Any]
) -> tuple[dict[Purpose, Mapping[str, Any]], pd.DataFrame]:
    """Return evidence and folds of the models in use, which may have been trained for an earlier cutoff."""
    evidence: dict[Purpose, Mapping[str, Any]] = {}
    parts = []
    for purpose, version in _VERSIONS.items():
        found = _tested(places, cutoff, purpose, run[version])
        if found is not None:
            folder, evidence[purpose] = found
            parts.append(_folds(folder, purpose))
    empty = pd.DataFrame({name: pd.Series(dtype="object") for name in FOLD_COLUMNS})
    return evidence, pd.concat(parts, ignore_index=True) if parts else empty


def _tested(places: Places, cutoff: date, purpose: Purpose, version: str) -> tuple[Path, Mapping[str, Any]] | None:
    """Return the newest backtest that chose this version of the model, and what it states."""
    for folder in _newest_first(places, cutoff):
        stated = _stated(folder).get(purpose, {})
        if stated.get("model_version") == version:
            return folder, stated
    return None


def _newest_first(places: Places, cutoff: date) -> Iterator[Path]:
    """Yield the folders of finished backtests up to ``cutoff``, the newest first."""
    earlier = [folder for _, folder in places.finished_before("backtest", cutoff)]
    for folder in (places.backtest(cutoff), *reversed(earlier)):
        if (folder / MANIFEST).is_file() and "metrics.json" in read_manifest(folder)["files"]:
            yield folder


def _stated(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    stated: Mapping[str, Mapping[str, Any]] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return stated


def _challengers(places: Places, cutoff: date, run: Mapping[str, Any]) -> dict[Purpose, Mapping[str, Any]]:
    """Return what the newest backtest states of models that are not in use, each with the day it was trained for."""
    found: dict[Purpose, Mapping[str, Any]] = {}
    folder = next(_newest_first(places, cutoff), None)
    for purpose, version in _VERSIONS.items():
        stated = {} if folder is None else _stated(folder).get(purpose, {})
        if folder is not None and stated and stated.get("model_version") != run[version]:
            found[purpose] = {**stated, "cutoff": folder.name.removeprefix("cutoff=")}
    return found


def _cards(places: Places, cutoff: date, run: Mapping[str, Any], language: Language) -> dict[Purpose, str]:
    """Return the cards of the models in use; none for models from before there were cards."""
    found: dict[Purpose, str] = {}
    for purpose, version in _VERSIONS.items():
        tested, name = _tested(places, cutoff, purpose, run[version]), f"model_card.{purpose}.{language}.md"
        if tested is not None and name in read_manifest(tested[0])["files"]:
            found[purpose] = (tested[0] / name).read_text(encoding="utf-8")
    return found


def _folds(folder: Path, purpose: Purpose) -> pd.DataFrame:
    table = read_parquet(folder, "folds.parquet").select(FOLD_COLUMNS)
    folds: pd.DataFrame = table.filter(pc.equal(table["purpose"], purpose)).to_pandas()
    return folds


def known_columns(there: Sequence[str]) -> list[str]:
    """Return the columns of the scores that the page reads, without those that an older Treue did not write."""
    return [*SCORE_COLUMNS, *(name for name in WORTH_COLUMNS if name in there)]
