"""Why customers said they left, as far as known before a cutoff, in the reasons of the taxonomy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from features.catalogue import Catalogue
from features.errors import ConfigError
from features.intake import take_in
from pipelines.settings import Settings
from retention.loss_reasons import LossReasons, parse_loss_reasons, shipped_loss_reasons

COLUMNS = ("customer_id", "occurred_on", "loss_reason", "reason", "competitor", "winnable", "source", "told_on")
"""Columns of told losses: ``reason`` is the text as told, ``loss_reason`` what it means, ``told_on`` the day known."""
_KINDS = {
    "customer_id": "str",
    "occurred_on": "datetime64[s]",
    "reason": "str",
    "competitor": "str",
    "winnable": "boolean",
    "source": "str",
    "known_at": "datetime64[s]",
}


def reasons_of(settings: Settings, features: Catalogue) -> LossReasons:
    """Return the reasons in use: the company's own, else those that come with Treue.

    Raises
    ------
    ConfigError
        If the company's own file cannot be read or is no taxonomy.
    """
    own = settings.losses.reasons
    if own is None:
        return shipped_loss_reasons()
    try:
        text = Path(own).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"losses.reasons: {own} cannot be read ({error}); give a YAML file in UTF-8") from error
    return parse_loss_reasons(text, where=own, families=set(features.families.values()))


def told_losses(settings: Settings, cutoff: date, reasons: LossReasons) -> pd.DataFrame:
    """Return the rows of the table losses known before ``cutoff`` with ``COLUMNS``; none without that table."""
    known = _known(settings, cutoff)
    rows = known.reindex(columns=list(_KINDS)).astype(_KINDS)
    told = rows.assign(
        loss_reason=reasons.understood_all(rows["reason"]),
        told_on=rows["known_at"].fillna(rows["occurred_on"]),
        source=rows["source"].fillna("interview"),
    )
    return told.sort_values(["customer_id", "occurred_on", "told_on", "loss_reason"], ignore_index=True)[list(COLUMNS)]


def _known(settings: Settings, cutoff: date) -> pd.DataFrame:
    if "losses" not in settings.sources:
        return pd.DataFrame({"customer_id": pd.Series(dtype="str")})
    sources = {"losses": settings.sources["losses"]}
    with take_in(sources, cutoff=cutoff, timezone=settings.timezone, root=Path.cwd(), compulsory=()) as tables:
        names = [*tables.columns("losses"), "known_at"]
        return pd.DataFrame(tables.arrow("losses", names, order_by=["customer_id"]).to_pandas())
