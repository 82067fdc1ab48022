"""Why customers said they left, as far as known before a cutoff, in the reasons of the taxonomy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from features.catalogue import Catalogue
from features.intake import take_in
from pipelines.check import open_tables
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.told_forms import KINDS, kept_forms, typed
from pipelines.yamlfile import own_text
from retention.export.files import write_machine_csv
from retention.loss_reasons import LossReasons, parse_loss_reasons, shipped_loss_reasons
from retention.losses.form import Form, read_form

COLUMNS = ("customer_id", "occurred_on", "loss_reason", "reason", "competitor", "winnable", "source", "told_on")
"""Columns of told losses: ``reason`` is the text as told, ``loss_reason`` what it means, ``told_on`` the day known."""


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
    text = own_text(own, key="losses.reasons")
    return parse_loss_reasons(text, where=own, families=set(features.families.values()))


def told_losses(settings: Settings, cutoff: date, reasons: LossReasons) -> pd.DataFrame:
    """Return what was told before ``cutoff`` with ``COLUMNS``: the table losses, and the forms that were read."""
    rows = pd.concat([_of_source(settings, cutoff), _of_forms(settings, cutoff)], ignore_index=True)
    told = rows.assign(
        loss_reason=reasons.understood_all(rows["reason"]),
        told_on=rows["known_at"].fillna(rows["occurred_on"]),
        source=rows["source"].fillna("interview"),
    )
    ordered = told.sort_values(["customer_id", "occurred_on", "told_on", "loss_reason"], ignore_index=True)
    return ordered.drop_duplicates(["customer_id", "occurred_on", "told_on", "loss_reason"])[list(COLUMNS)]


def read_form_back(settings: Settings, form: Path) -> Form:
    """Read a filled form and keep its good rows beside the table losses; of a customer, loss and day the row read last.

    What was told on an earlier day stays: until the later day it was what was known.

    Raises
    ------
    ContractError
        If the file is no such form.
    """
    with open_tables(settings, None) as tables:
        ids = tables.query("select distinct customer_id from orders").column("customer_id").to_pylist()
    found = read_form(form, known_customers=frozenset(ids))
    if len(found.rows):
        place = Places(Path(settings.output)).told_losses
        kept = pd.concat([kept_forms(place), typed(found.rows)], ignore_index=True)
        newest = kept.drop_duplicates(["customer_id", "occurred_on", "known_at"], keep="last")
        write_machine_csv(place, newest.sort_values(["customer_id", "occurred_on", "known_at"], ignore_index=True))
    return found


def _of_source(settings: Settings, cutoff: date) -> pd.DataFrame:
    if "losses" not in settings.sources:
        return typed(pd.DataFrame(columns=list(KINDS)))
    sources = {"losses": settings.sources["losses"]}
    with take_in(sources, cutoff=cutoff, timezone=settings.timezone, root=Path.cwd(), compulsory=()) as tables:
        names = [*tables.columns("losses"), "known_at"]
        return typed(tables.arrow("losses", names, order_by=["customer_id"]).to_pandas())


def _of_forms(settings: Settings, cutoff: date) -> pd.DataFrame:
    kept = kept_forms(Places(Path(settings.output)).told_losses)
    return kept[kept["known_at"] < pd.Timestamp(cutoff)]
