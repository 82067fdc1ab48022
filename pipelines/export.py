"""Stage 5: deliver scores and lists to the configured targets, and note what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.outputs import read_manifest, read_parquet, write_bytes
from pipelines.places import Places
from pipelines.publish import LISTS
from pipelines.score import SCORES
from pipelines.settings import Settings
from retention.export.address import address_of
from retention.export.ledger import DeliveryLedger, open_ledger
from retention.export.sql import upsert
from retention.settings import FileTarget, SqlTarget


def export(settings: Settings, cutoff: date) -> tuple[Mapping[str, Any], ...]:
    """Deliver to every target of the configuration; return one record per target: target, rows and counts."""
    places = Places(Path(settings.output))
    manifest = read_manifest(places.scores(cutoff))
    run_id = manifest["run_id"]
    with open_ledger(places.ledger) as ledger:
        ledger.record_run(run_id, cutoff=cutoff, model_version=manifest["model_version"])
        return tuple(_deliver(target, places, cutoff, run_id=run_id, ledger=ledger) for target in settings.export)


def _deliver(
    target: FileTarget | SqlTarget, places: Places, cutoff: date, *, run_id: str, ledger: DeliveryLedger
) -> Mapping[str, Any]:
    if isinstance(target, SqlTarget):
        sent, record = _to_sql(target, places, cutoff, run_id)
    else:
        sent, record = _to_folder(target, places, cutoff)
    return {**record, "news": ledger.record_sent(sent, run_id=run_id, target=record["target"])}


def _to_sql(target: SqlTarget, places: Places, cutoff: date, run_id: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Upsert the scores of all active customers."""
    scores = read_parquet(places.scores(cutoff), SCORES).to_pandas()
    scores = with_ids_as_they_came(scores, places.matrix(cutoff))
    counts = upsert(target.uri, target.table, scores, run_id=run_id)
    done = {"inserted": counts.inserted, "updated": counts.updated, "unchanged": counts.unchanged}
    return scores, {"target": f"{address_of(target.uri).shown} {target.table}", "rows": counts.rows, **done}


def _to_folder(target: FileTarget, places: Places, cutoff: date) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Copy the lists of one format, each whole or not at all."""
    lists, suffix = places.lists(cutoff), f".{target.format}"
    files = [name for name in read_manifest(lists)["files"] if name.endswith(suffix)]
    for name in files:
        write_bytes(Path(target.path) / name, (lists / name).read_bytes())
    listed = [read_parquet(lists, f"{name}.parquet").to_pandas().assign(list=name) for name in LISTS]
    sent = pd.concat([part[["customer_id", "list", "rank"]] for part in listed], ignore_index=True)
    return sent.assign(cutoff=cutoff), {"target": f"folder {target.path}", "rows": len(sent), "files": len(files)}


def with_ids_as_they_came(scores: pd.DataFrame, matrix: Path) -> pd.DataFrame:
    """Return ``scores`` with ``customer_id`` in the type it had in the orders source."""
    kind = read_manifest(matrix)["customer_id_type"]
    if not kind.startswith(("int", "uint")):
        return scores
    return scores.assign(customer_id=scores["customer_id"].astype("int64"))
