"""Stage 5: deliver scores and lists to the configured targets, and note what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import ExportError
from features.outputs import MANIFEST, read_manifest, read_parquet, write_bytes
from pipelines.places import Places
from pipelines.score import SCORES
from pipelines.settings import Settings
from retention.export.ledger import open_ledger
from retention.export.sql import upsert
from retention.settings import FileTarget, SqlTarget


def export(settings: Settings, cutoff: date) -> tuple[Mapping[str, Any], ...]:
    """Deliver to every target of the configuration; return one record per target: target, rows and counts."""
    places = Places(Path(settings.output))
    manifest = read_manifest(places.scores(cutoff))
    scores = with_ids_as_they_came(read_parquet(places.scores(cutoff), SCORES).to_pandas(), places.matrix(cutoff))
    records = []
    with open_ledger(places.ledger) as ledger:
        ledger.record_run(manifest["run_id"], cutoff=cutoff, model_version=manifest["model_version"])
        for target in settings.export:
            record = _deliver(target, scores, places.lists(cutoff), run_id=manifest["run_id"])
            news = ledger.record_sent(scores, run_id=manifest["run_id"], target=record["target"])
            records.append({**record, "news": news})
    return tuple(records)


def with_ids_as_they_came(scores: pd.DataFrame, matrix: Path) -> pd.DataFrame:
    """Return ``scores`` with ``customer_id`` in the type it had in the orders source."""
    kind = read_manifest(matrix)["customer_id_type"]
    if not kind.startswith(("int", "uint")):
        return scores
    return scores.assign(customer_id=scores["customer_id"].astype("int64"))


def _deliver(target: FileTarget | SqlTarget, scores: pd.DataFrame, lists: Path, *, run_id: str) -> dict[str, Any]:
    if isinstance(target, SqlTarget):
        counts = upsert(target.uri, target.table, scores, run_id=run_id)
        where = f"{target.uri.partition('://')[0]} table {target.table}"
        done = {"inserted": counts.inserted, "updated": counts.updated, "unchanged": counts.unchanged}
        return {"target": where, "rows": counts.rows, **done}
    written = _copy_lists(lists, Path(target.path), suffix=f".{target.format}")
    return {"target": f"folder {target.path}", "rows": written}


def _copy_lists(lists: Path, folder: Path, *, suffix: str) -> int:
    """Write the lists of one format into ``folder``, whole or not at all each; return their rows."""
    files = {name: entry for name, entry in read_manifest(lists)["files"].items() if name.endswith(suffix)}
    if not files:
        raise ExportError(f"{lists / MANIFEST} names no {suffix} list; run `treue lists` again")
    for name in files:
        write_bytes(folder / name, (lists / name).read_bytes())
    return sum(int(entry["rows"]) for entry in files.values())
