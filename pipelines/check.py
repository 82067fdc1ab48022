"""Taking tables in as a stage: refused rows to the quarantine, the balance of every table beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from features.intake import Tables, take_in
from features.outputs import write_manifest, write_parquet
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.told_forms import join_forms, sources_with_forms


def open_tables(settings: Settings, cutoff: date | None) -> Tables:
    """Return the checked tables of a configuration, as known before ``cutoff``; the caller closes them.

    The table losses holds what was read from forms too.
    """
    tables = take_in(
        sources_with_forms(settings),
        cutoff=cutoff,
        timezone=settings.timezone,
        root=Path.cwd(),
        currency=settings.currency,
        memory_gb=settings.resources.memory_gb / 2,
    )
    join_forms(tables, settings, cutoff)
    return tables


def default_cutoff(settings: Settings) -> date:
    """Return the day after the last known row: the newest morning the data can speak for."""
    with open_tables(settings, None) as tables:
        return tables.last_known + timedelta(days=1)


def check(settings: Settings, cutoff: date | None) -> Mapping[str, Any]:
    """Check every source and write the quarantine; return the manifest's facts."""
    with open_tables(settings, cutoff) as tables:
        return write_quarantine(tables, Places(Path(settings.output)), cutoff=cutoff)


def write_quarantine(tables: Tables, places: Places, *, cutoff: date | None) -> Mapping[str, Any]:
    """Write the refused rows of every table and a manifest with the balances and notes; return those facts."""
    rows: dict[str, int] = {}
    for name in tables.names:
        refused = tables.quarantine(name)
        write_parquet(places.quarantine / f"{name}.parquet", refused)
        rows[f"{name}.parquet"] = refused.num_rows
    facts = {
        "cutoff": None if cutoff is None else cutoff.isoformat(),
        "balances": [asdict(balance) for balance in tables.balances],
        "notes": list(tables.notes),
    }
    write_manifest(places.quarantine, rows=rows, facts=facts)
    return facts
