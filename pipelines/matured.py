"""Calibration checked again: earlier scores whose horizon is over against what has become of those customers since.

What was said stands in ``scores/cutoff=…/``, as its manifest names it; what became of it is labelled as in training, by
rows known before the cutoff of the run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.cohort import Cohort
from features.definition import Churn
from features.history import History
from features.labels import labels_of
from features.outputs import read_manifest, read_parquet, write_manifest, write_parquet
from features.partitions import Partitions
from features.timeline import horizon_of
from models.churn_model import COHORTS, Purpose
from models.matured import Recheck, newest, recheck
from pipelines.check import open_tables
from pipelines.places import Places
from pipelines.same_run import manifest_of_same_run
from pipelines.score import RETURNS, SCORES
from pipelines.settings import Settings

MATURED = "matured.parquet"
PROMISES = ("customer_id", "probability", "probability_low", "probability_high")
"""Columns of the scores that are a promise."""
_FILES: Mapping[Purpose, str] = {"churn": SCORES, "return": RETURNS}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Rechecked:
    """What the stage found: both purposes, and the first cutoff of a run on which one more promise has matured.

    ``left_out`` are earlier cutoffs that promised something else: another definition, lead or horizon.
    """

    found: Mapping[Purpose, Recheck]
    matures_on: date
    left_out: tuple[date, ...]


def matured(settings: Settings, cutoff: date) -> Path:
    """Check earlier scores by what is known on ``cutoff`` and return the folder; its matrix must be there.

    ``matured.parquet`` has one row per purpose and matured cutoff, and one for all together (cutoff missing), in the
    columns of ``models.matured.Matured``.
    """
    places, churn = Places(Path(settings.output)), settings.churn
    about = read_manifest(places.matrix(cutoff))
    known_until = min(cutoff, date.fromisoformat(about["last_known"]) + timedelta(days=1))
    earlier = dict(places.finished_before("scores", cutoff))
    alike = [day for day, folder in earlier.items() if _promises_alike(folder, day, churn)]
    chosen = newest([day for day in alike if horizon_of(day, churn).end <= known_until])
    outcomes = _outcomes(settings, cutoff, {day: earlier[day] for day in chosen}, known_until=known_until)
    found = {purpose: recheck(outcomes[(outcomes["purpose"] == purpose).to_numpy(dtype=bool)]) for purpose in COHORTS}
    _log_drift(found, cutoff)
    ends = [horizon_of(day, churn).end for day in (*alike, cutoff)]
    facts: dict[str, Any] = {
        "cutoff": cutoff,
        "config": settings.digest,
        "data": about["data"],
        "matures_on": min(end for end in ends if end > known_until),
        "left_out": [day.isoformat() for day in earlier if day not in alike],
    }
    return _write(places.matured(cutoff), found, facts)


def read_matured(settings: Settings, cutoff: date, *, data: str) -> Rechecked | None:
    """Return what the stage found at ``cutoff``; None where it was not run.

    Raises
    ------
    OutputError
        If it was found from other rows or another configuration than ``data`` and ``settings`` name.
    """
    folder = Places(Path(settings.output)).matured(cutoff)
    about = manifest_of_same_run(folder, settings, data=data, command="treue run")
    if about is None:
        return None
    rows = read_parquet(folder, MATURED).to_pandas()
    return Rechecked(
        found={purpose: Recheck.from_frame(rows[rows["purpose"] == purpose]) for purpose in COHORTS},
        matures_on=date.fromisoformat(about["matures_on"]),
        left_out=tuple(date.fromisoformat(day) for day in about["left_out"]),
    )


def outcomes_in(history: History, promises: pd.DataFrame, *, churn: Churn, known_until: date) -> pd.DataFrame:
    """Return the promises about customers of ``history`` with what became of them.

    Parameters
    ----------
    history : History
        All that is known before ``known_until``, of all customers or of a part of them.
    promises : DataFrame
        purpose, cutoff and ``PROMISES``; customers that are not in the history are left out.
    churn : Churn
    known_until : date

    Returns
    -------
    DataFrame
        The same columns and ``label``: 1 where the loss (churn) or the return has come true.

    Raises
    ------
    LeakageError
        If the horizon of a cutoff is not finished.
    """
    known = promises.assign(code=pd.Index(history.customer_ids).get_indexer(pd.Index(promises["customer_id"])))
    known = known[known["code"] >= 0].sort_values(["cutoff", "purpose", "code"], ignore_index=True)
    parts = []
    for day in sorted(set(known["cutoff"])):
        rows = known[(known["cutoff"] == day).to_numpy(dtype=bool)]
        codes = {purpose: rows.loc[rows["purpose"] == purpose, "code"].to_numpy(np.int64) for purpose in COHORTS}
        cohort = Cohort(active=codes["churn"], lapsed=codes["return"])
        labels = labels_of(history, cohort, cutoff=day, churn=churn, known_until=known_until)
        parts.append(rows.assign(label=np.concatenate(labels)))
    return pd.concat(parts, ignore_index=True) if parts else known.assign(label=pd.Series(dtype="int8"))


def recheck_of(
    history: History, scores: Iterable[pd.DataFrame], *, purpose: Purpose, churn: Churn, known_until: date
) -> Recheck:
    """Check scores of earlier cutoffs, in the columns of the contract, by what is known before ``known_until``."""
    said = [each[["cutoff", *PROMISES]].astype({"customer_id": "str"}) for each in scores]
    promises = pd.concat([_none().drop(columns="purpose"), *said], ignore_index=True) if said else _none()
    return recheck(outcomes_in(history, promises.assign(purpose=purpose), churn=churn, known_until=known_until))


def _promises_alike(folder: Path, cutoff: date, churn: Churn) -> bool:
    """Whether these scores promised the event that is labelled today; older scores tell the end of the horizon only."""
    said = read_manifest(folder).get("churn")
    if said is not None:
        return bool(said == churn.model_dump(mode="json"))
    ends = read_parquet(folder, SCORES).column("horizon_end").unique().to_pylist()
    return ends in ([], [horizon_of(cutoff, churn).last])


def _outcomes(settings: Settings, cutoff: date, folders: Mapping[date, Path], *, known_until: date) -> pd.DataFrame:
    if not folders:
        return _none().assign(label=pd.Series(dtype="int8"))
    promises = pd.concat([_said(day, folder) for day, folder in folders.items()], ignore_index=True)
    with (
        open_tables(settings, cutoff) as tables,
        Partitions(tables, rows_per_part=settings.resources.rows_per_part) as parts,
    ):
        found = [outcomes_in(part, promises, churn=settings.churn, known_until=known_until) for part in parts]
    return pd.concat(found, ignore_index=True)


def _said(cutoff: date, folder: Path) -> pd.DataFrame:
    frames = {purpose: read_parquet(folder, name).select(PROMISES).to_pandas() for purpose, name in _FILES.items()}
    parts: list[pd.DataFrame] = [each.assign(purpose=purpose, cutoff=cutoff) for purpose, each in frames.items()]
    return pd.concat(parts, ignore_index=True)


def _none() -> pd.DataFrame:
    kinds = {"purpose": "str", "cutoff": "object", **dict.fromkeys(PROMISES, "float64"), "customer_id": "str"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _log_drift(found: Mapping[Purpose, Recheck], cutoff: date) -> None:
    for purpose, each in found.items():
        pooled = each.pooled
        if pooled is not None and pooled.drifts:
            _log.warning(
                "calibration of %s has drifted, as known on %s: %.3f promised, %.3f came true, slope %.2f",
                purpose, cutoff, pooled.promised, pooled.share, pooled.slope,
            )  # fmt: skip


def _write(folder: Path, found: Mapping[Purpose, Recheck], facts: Mapping[str, Any]) -> Path:
    parts = [each.to_frame().assign(purpose=purpose) for purpose, each in found.items()]
    frame = pd.concat(parts, ignore_index=True).astype({"purpose": "str"})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    place = table.schema.get_field_index("cutoff")
    table = table.set_column(place, pa.field("cutoff", pa.date32()), table.column("cutoff").cast(pa.date32()))
    write_parquet(folder / MATURED, table)
    write_manifest(folder, rows={MATURED: len(frame)}, facts=facts)
    return folder
