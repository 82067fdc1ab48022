"""The history of every customer: score, band and state at each cutoff, appended and never rewritten.

``history/cutoff=…/revision=…/history.parquet`` with a manifest, readers trust nothing else. The same run adds nothing;
a run of the same cutoff with another outcome adds a revision beside the earlier one. What a run builds on is decided
once, by the first run of its cutoff: the newest revision of the newest earlier cutoff there was then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.outputs import MANIFEST, parquet_bytes, read_manifest, write_bytes, write_manifest
from pipelines.places import Places
from retention.reasons import MOST
from retention.watch import DAYS, STATE_COLUMNS

HISTORY = "history.parquet"
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("customer_id",)),
        ("cutoff", pa.date32()),
        *((name, pa.string() if name == "state" else pa.date32()) for name in STATE_COLUMNS),
        ("bought_on", pa.date32()),
        ("rank", pa.int64()),
        *((name, pa.float64()) for name in ("probability", "probability_low", "probability_high", "base_rate")),
        ("risk_band", pa.string()),
        *((name, pa.float64()) for name in ("value", "value_at_risk")),
        ("news", pa.string()),
        *((f"reason_{place}", pa.string()) for place in range(1, MOST + 1)),
        *((f"contribution_{place}", pa.float64()) for place in range(1, MOST + 1)),
        *((name, pa.string()) for name in ("model_version", "run_id")),
    ]
)
"""Columns of the history, in their order; docs/operations.md says what they mean."""
DATES = (*DAYS, "cutoff", "bought_on")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One state of the history of one cutoff; ``folder`` is missing where there is none."""

    cutoff: date
    number: int
    folder: Path

    @property
    def name(self) -> str:
        """The name by which a later run says what it builds on."""
        return f"{self.cutoff.isoformat()}/{self.number}"


def revisions(places: Places, cutoff: date) -> tuple[Revision, ...]:
    """Return the finished revisions of a cutoff, oldest first."""
    folders = sorted(places.history(cutoff).glob("revision=*"))
    finished = [folder for folder in folders if (folder / MANIFEST).is_file()]
    return tuple(
        Revision(cutoff=cutoff, number=int(folder.name.removeprefix("revision=")), folder=folder) for folder in finished
    )


def built_on(places: Places, cutoff: date) -> Revision | None:
    """Return what a run of ``cutoff`` builds on, None when nothing earlier is known.

    A run that was made before builds on what it built on then, whatever has been corrected since.
    """
    own = revisions(places, cutoff)
    if own:
        pinned = read_manifest(own[0].folder)["built_on"]
        return None if pinned is None else _named(places, pinned)
    return next((found[-1] for day in _days_before(places, cutoff) if (found := revisions(places, day))), None)


def read_before(places: Places, cutoff: date) -> pd.DataFrame:
    """Return the rows a run of ``cutoff`` builds on, index customer_id, days as timestamps; none at the first run."""
    revision = built_on(places, cutoff)
    return _indexed(SCHEMA.empty_table() if revision is None else _table(revision))


def append(places: Places, cutoff: date, rows: pd.DataFrame) -> Revision:
    """Append what is known at ``cutoff``; return the revision that holds it, the last one when nothing has changed."""
    table = pa.Table.from_pandas(rows[SCHEMA.names], schema=SCHEMA, preserve_index=False)
    content, own = parquet_bytes(table), revisions(places, cutoff)
    if own and read_manifest(own[-1].folder)["files"][HISTORY]["sha256"] == hashlib.sha256(content).hexdigest():
        return own[-1]
    earlier, number = built_on(places, cutoff), own[-1].number + 1 if own else 1
    folder = places.history(cutoff) / f"revision={number:04d}"
    write_bytes(folder / HISTORY, content)
    facts = {"cutoff": cutoff, "revision": number, "built_on": None if earlier is None else earlier.name}
    write_manifest(folder, rows={HISTORY: len(table)}, facts=facts)
    return Revision(cutoff=cutoff, number=number, folder=folder)


def read_history(output: Path | str, *, before: date | None = None, customer_id: str | None = None) -> pd.DataFrame:
    """Return the newest revision of every cutoff, or only of cutoffs before a day: one row per customer and cutoff.

    Parameters
    ----------
    output : Path or str
        The output folder of a configuration.
    before : date, optional
        First cutoff that is left out.
    customer_id : str, optional
        Only the rows of this customer.

    Returns
    -------
    DataFrame
        Columns of the history and ``revision``, ordered by cutoff and customer_id; days as timestamps.
    """
    newest = (found[-1:] for found in _by_cutoff(Places(Path(output)), before))
    return _stacked(newest, customer_id)


def read_revisions(output: Path | str, *, before: date | None = None) -> pd.DataFrame:
    """Return every revision of every cutoff, as `read_history` does: what was said first, and what was said later."""
    return _stacked(_by_cutoff(Places(Path(output)), before))


def _by_cutoff(places: Places, before: date | None) -> Iterator[tuple[Revision, ...]]:
    days = _days_before(places, before or date.max)
    return (revisions(places, day) for day in reversed(list(days)))


def _stacked(groups: Any, customer_id: str | None = None) -> pd.DataFrame:
    parts = [
        _indexed(_table(revision, customer_id)).reset_index().assign(revision=revision.number)
        for group in groups
        for revision in group
    ]
    empty = _indexed(SCHEMA.empty_table()).reset_index().assign(revision=pd.Series(dtype="int64"))
    return pd.concat(parts, ignore_index=True) if parts else empty


def _days_before(places: Places, cutoff: date) -> Iterator[date]:
    """Yield the cutoffs of the history before ``cutoff``, the newest first."""
    folders = sorted((places.root / "history").glob("cutoff=*"), reverse=True)
    days = (date.fromisoformat(folder.name.removeprefix("cutoff=")) for folder in folders)
    return (day for day in days if day < cutoff)


def _named(places: Places, name: str) -> Revision:
    day, number = name.split("/")
    folder = places.history(date.fromisoformat(day)) / f"revision={int(number):04d}"
    return Revision(cutoff=date.fromisoformat(day), number=int(number), folder=folder)


def _table(revision: Revision, customer_id: str | None = None) -> pa.Table:
    read_manifest(revision.folder)
    whose = None if customer_id is None else [("customer_id", "=", customer_id)]
    return pq.read_table(revision.folder / HISTORY, filters=whose, partitioning=None)


def _indexed(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame.set_index("customer_id")
