"""Stage 1: from sources to matrices, for the cutoff to be scored and for the cutoffs to learn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.errors import OutputError
from features.matrix import EARLY_LABEL, require_somebody
from features.norms import Norms
from features.one_pass import build_blocks, norms_of
from features.outputs import ParquetStream, read_manifest, read_parquet, write_manifest
from features.partitions import Partitions
from features.proving import require_kept
from features.rhythm import RhythmParameters
from features.timeline import early_cutoffs, require_finished, training_cutoffs
from pipelines.check import open_tables, write_quarantine
from pipelines.own_features import catalogue_of
from pipelines.places import Places
from pipelines.progress import counted
from pipelines.settings import Settings

MATRIX = "matrix.parquet"


def build_features(settings: Settings, cutoff: date) -> Path:
    """Check the sources and write the matrices; return the folder of the one at ``cutoff``.

    The manifest of that folder names the training cutoffs, the digest of the data, the rhythm and what is missing.
    Features of the company's own are first put to the test on one part of the customers (``features.proving``).
    """
    places, features = Places(Path(settings.output)), catalogue_of(settings)
    with open_tables(settings, cutoff) as tables:
        quarantine = write_quarantine(tables, places, cutoff=cutoff)
        known_until = min(cutoff, tables.last_known + timedelta(days=1))
        learn_from = cutoffs_to_learn_from(settings, first_known=tables.first_known, known_until=known_until)
        early = early_cutoffs_of(settings, first_known=tables.first_known, known_until=known_until)
        columns = {name: tables.mapped(name) for name in tables.names}
        facts = facts_of(
            settings, columns, data=tables.digest, id_type=str(tables.id_type), last_known=tables.last_known,
            learn_from=learn_from, early=early, notes=tables.notes, balances=quarantine["balances"],
        )  # fmt: skip
        parts = Partitions(tables, rows_per_part=settings.resources.rows_per_part, features=features)
    with parts:
        norms = norms_of(parts, [*learn_from, *early, cutoff])
        if features.own:
            require_kept(parts[0], norms=norms, churn=settings.churn)
        rows = _write_matrices(parts, norms, settings, places, known_until=known_until)
    for day, norm in norms.items():
        finish_matrix(places.matrix(day), day, norm, rows=rows[day], facts=facts)
    return places.matrix(cutoff)


def finish_matrix(folder: Path, cutoff: date, norms: Norms, *, rows: int, facts: Mapping[str, Any]) -> None:
    """Write the manifest of a matrix of so many rows, which makes it one that may be read."""
    own = {"cutoff": cutoff.isoformat(), "rhythm": asdict(norms.rhythm), "norms": norms.to_facts()}
    write_manifest(folder, rows={MATRIX: rows}, facts={**facts, **own})


def read_matrix(folder: Path) -> pd.DataFrame:
    """Return the matrix of a finished folder, typed as ``features.matrix.build_matrix`` gives it."""
    frame: pd.DataFrame = read_parquet(folder, MATRIX).to_pandas()
    kinds = {"label": "Int8", EARLY_LABEL: "Int8", "customer_id": "str", "cohort": "str"}
    return frame.astype({name: kind for name, kind in kinds.items() if name in frame.columns})


def read_rhythm(folder: Path) -> RhythmParameters:
    """Return the rhythm fitted at the cutoff of a finished folder."""
    return rhythm_from(read_manifest(folder)["rhythm"])


def read_norms(folder: Path) -> Norms:
    """Return what was usual in the company at the cutoff of a finished folder.

    Raises
    ------
    OutputError
        If the folder was written before norms were kept.
    """
    manifest = read_manifest(folder)
    if "norms" not in manifest:
        raise OutputError(f"{folder} was written by an older Treue; run `treue run` with this cutoff again")
    return Norms.from_facts(manifest["norms"], rhythm_from(manifest["rhythm"]))


def rhythm_from(stored: Mapping[str, Any]) -> RhythmParameters:
    """Return the rhythm from its plain values."""
    return RhythmParameters.from_facts(stored)


def cutoffs_to_learn_from(settings: Settings, *, first_known: date, known_until: date) -> tuple[date, ...]:
    """Return the training cutoffs: those of the configuration, or as many as the history gives; oldest first.

    Raises
    ------
    LeakageError
        If the horizon of a configured cutoff reaches to ``known_until`` (exclusive) or past it.
    """
    training = settings.training
    if training.cutoffs != "auto":
        for day in training.cutoffs:
            require_finished(day, settings.churn, known_until=known_until)
        return training.cutoffs
    return training_cutoffs(**_told(settings, first_known, known_until))


def early_cutoffs_of(settings: Settings, *, first_known: date, known_until: date) -> tuple[date, ...]:
    """Return the cutoffs that may be learned from by half their horizon; none where cutoffs are configured."""
    if settings.training.cutoffs != "auto":
        return ()
    return early_cutoffs(**_told(settings, first_known, known_until))


def _told(settings: Settings, first_known: date, known_until: date) -> dict[str, Any]:
    training = settings.training
    steps = {"step_days": training.step_days, "most": training.most}
    return {"first_day": first_known, "known_until": known_until, "churn": settings.churn, **steps}


def _write_matrices(
    parts: Partitions, norms: Mapping[date, Norms], settings: Settings, places: Places, *, known_until: date
) -> Mapping[date, int]:
    """Write the matrix of every cutoff in one pass over the parts; return their numbers of rows."""
    with ExitStack() as files, counted("Features", steps=len(parts) * len(norms)) as advance:
        streams = {day: files.enter_context(ParquetStream(places.matrix(day) / MATRIX)) for day in norms}

        def take(day: date, block: pd.DataFrame) -> None:
            streams[day].write(pa.Table.from_pandas(block, preserve_index=False))
            advance()

        build_blocks(parts, norms, churn=settings.churn, known_until=known_until, take=take)
        for day, stream in streams.items():
            require_somebody(stream.rows, day)
        return {day: stream.rows for day, stream in streams.items()}


def facts_of(
    settings: Settings,
    columns: Mapping[str, Collection[str]],
    *,
    data: str,
    id_type: str,
    last_known: date,
    learn_from: Sequence[date],
    early: Sequence[date],
    notes: Sequence[str],
    balances: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what the manifest of a matrix says besides its rows; ``columns`` names those of each table there is."""
    features = catalogue_of(settings)
    present = [feature.name for feature in features.available(columns)]
    return {
        "config": settings.digest,
        "recipe": recipe_of(settings, sorted(present), own=features.digest),
        "data": data,
        "customer_id_type": id_type,
        "last_known": last_known.isoformat(),
        "training_cutoffs": [day.isoformat() for day in learn_from],
        "early_cutoffs": [day.isoformat() for day in early],
        "features": present,
        "missing_features": [feature.name for feature in features if feature.name not in present],
        "own_features": features.digest,
        "notes": list(notes),
        "balances": list(balances),
    }


def recipe_of(settings: Settings, features: list[str], *, own: str = "") -> str:
    """Return the digest of all that shapes a model besides the rows: mapping, definition, training and features.

    ``own`` is the digest of the company's own features (`features.catalogue.Catalogue.digest`). Where a source lies is
    no part of it: the same columns from a file and from a database make the same model.
    """
    sources = {
        name: source.model_dump(mode="json", exclude={"uri", "table"}) for name, source in settings.sources.items()
    }
    training = settings.training.model_dump(mode="json", exclude={"threads", "retrain_after_days"})
    content = [sources, settings.churn.model_dump(mode="json"), training, settings.timezone, features, own]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
