"""Reasons of losses that were read from forms: kept beside the output, and joined to the table losses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from features.errors import ContractError
from features.intake import Tables
from features.sources import Source
from pipelines.places import Places
from pipelines.settings import Settings

KINDS = {
    "customer_id": "str",
    "occurred_on": "datetime64[s]",
    "reason": "str",
    "competitor": "str",
    "winnable": "boolean",
    "source": "str",
    "known_at": "datetime64[s]",
}
"""Columns of the table losses, as pandas has them."""
_ARROW = {"date": pa.date32(), "flag": pa.bool_(), "text": pa.string()}
_SCHEMA = {
    name: _ARROW[{"datetime64[s]": "date", "boolean": "flag", "str": "text"}[kind]] for name, kind in KINDS.items()
}


def sources_with_forms(settings: Settings) -> dict[str, Source]:
    """Return the sources; where there is no table losses, what was read from forms is one."""
    place = Places(Path(settings.output)).told_losses
    if "losses" in settings.sources or not place.is_file():
        return dict(settings.sources)
    return {**settings.sources, "losses": Source(uri=str(place.resolve()))}


def join_forms(tables: Tables, settings: Settings, cutoff: date | None) -> None:
    """Add to the table losses of ``settings`` what forms told before ``cutoff``; a row counts once."""
    kept = kept_forms(Places(Path(settings.output)).told_losses)
    rows = kept if cutoff is None else kept[kept["known_at"] < pd.Timestamp(cutoff)]
    if "losses" not in settings.sources or rows.empty:
        return
    columns = [*tables.columns("losses"), "known_at"]
    table = typed(tables.arrow("losses", columns, order_by=["customer_id", "occurred_on"]).to_pandas())
    joined = pd.concat([table, rows], ignore_index=True).drop_duplicates()
    schema = pa.schema(list(_SCHEMA.items()))
    tables.restate("losses", pa.Table.from_pandas(joined, schema=schema, preserve_index=False))


def kept_forms(place: Path) -> pd.DataFrame:
    """Return the rows kept from forms with the columns ``KINDS``.

    Raises
    ------
    ContractError
        If the file cannot be read.
    """
    if not place.is_file():
        return typed(pd.DataFrame(columns=list(KINDS)))
    try:
        texts = pd.read_csv(place, dtype=dict.fromkeys(("customer_id", "reason", "competitor", "source"), "str"))
        return typed(texts)
    except (OSError, TypeError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise ContractError(
            f"{place} cannot be read ({problem}); bring it back, or delete it and read the forms again"
        ) from error


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the table losses with the columns and types ``KINDS``."""
    return rows.reindex(columns=list(KINDS)).astype(KINDS)
