"""Learning from lost customers: who, when, why and at what cost; the page, the tables, the guide and the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from os.path import relpath
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.outputs import MANIFEST, read_manifest, read_parquet, write_bytes, write_manifest, write_parquet
from models.survival import Survival, kaplan_meier
from pipelines.last_seen import LastSeen, last_seen
from pipelines.lives import lives_of
from pipelines.master import master_data
from pipelines.own_features import catalogue_of_run
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.told_losses import reasons_of, told_losses
from retention.export.files import write_people_csv
from retention.loss_reasons import LossReasons
from retention.losses.agreement import Agreement, agreement
from retention.losses.form import write_form
from retention.losses.page import LossInputs, guide_page, losses_page
from retention.losses.statistics import GROUPS, by_group, by_month, by_reason, with_reason
from retention.losses.words import loss_texts
from retention.report.lost import LossesFound
from retention.win_back import still_holding

PAGE, GUIDE, FORM, LOST = "losses.html", "guide.html", "form.csv", "lost"
LOST_COLUMNS = (
    "customer_id", "first_on", "last_on", "lost_on", "cohort", "segment", "value", "last_seen_on", "loss_reason",
    "known_by", "told_reason", "told_text", "told_on", "told_source", "winnable", "competitor", "inferred_reason",
    "inferred_weight",
)  # fmt: skip
"""Columns of ``lost.parquet``: one row per lost customer."""
_MASTER = ("type", "industry", "size", "country")
_LEAST_IN_CURVE = 10


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is known of the lost customers of one cutoff."""

    everyone: pd.DataFrame
    lost: pd.DataFrame
    reasons: LossReasons
    agreement: Agreement
    has_model: bool
    has_told: bool


def losses(settings: Settings, cutoff: date, *, with_owners: bool = False) -> Path:
    """Write all that is known of the customers lost by ``cutoff``; return the folder.

    The matrices of ``cutoff`` must be there (``build_features``). Account managers are left out unless asked for.
    """
    folder, master = Places(Path(settings.output)).losses(cutoff), master_data(settings, cutoff)
    found = found_of(settings, cutoff, master)
    groups = [*GROUPS, *(["owner"] if with_owners else [])]
    tables = {
        "reasons": by_reason(found.lost, found.reasons),
        "months": by_month(found.lost),
        "groups": by_group(found.lost, groups),
        "confusion": found.agreement.table.reset_index(),
    }
    curves = {name: curves_of(found.everyone, name) for name in ("cohort", "segment")}
    tables |= {"curves": _curve_table(curves), LOST: found.lost[list(LOST_COLUMNS)]}
    rows = _write_tables(folder, tables) | _write_for_people(folder, found, master, settings)
    page = losses_page(_inputs(settings, cutoff, found, tables, curves, folder, with_owners=with_owners))
    guide = guide_page(found.reasons, language=settings.language, name=settings.name)
    for name, text in {PAGE: page, GUIDE: guide}.items():
        write_bytes(folder / name, text.encode())
        rows[name] = 1
    data = read_manifest(Places(Path(settings.output)).matrix(cutoff))["data"]
    facts = {"cutoff": cutoff.isoformat(), "config": settings.digest, "data": data, "with_owners": with_owners}
    write_manifest(folder, rows=rows, facts={**facts, **_agreement_facts(found.agreement)})
    return folder


def read_losses(settings: Settings, cutoff: date, *, data: str, reasons: LossReasons) -> LossesFound | None:
    """Return why customers were lost by ``cutoff``; None where the stage was not run on these rows and settings."""
    places = Places(Path(settings.output))
    folder = places.losses(cutoff)
    about = read_manifest(folder) if (folder / MANIFEST).is_file() else {}
    if (about.get("config"), about.get("data")) != (settings.digest, data):
        return None
    page = relpath(folder / PAGE, places.report(cutoff))
    table = read_parquet(folder, "reasons.parquet").to_pandas()
    return LossesFound(by_reason=table, titles=reasons.titles(settings.language), page=page)


def found_of(settings: Settings, cutoff: date, master: pd.DataFrame) -> Found:
    """Return the lost customers of ``cutoff`` with told and inferred reasons, class and value at the last snapshot."""
    manifest = read_manifest(Places(Path(settings.output)).matrix(cutoff))
    features = catalogue_of_run(settings, manifest)
    reasons = reasons_of(settings, features)
    everyone = lives_of(settings, cutoff)
    told = told_losses(settings, cutoff, reasons)
    seen = last_seen(settings, cutoff, everyone, families=features.families, reasons=reasons)
    everyone = everyone.join(seen.classes, on="customer_id")
    lost = _lost(everyone, told, seen, master)
    spoken = lost["told_source"].eq("interview").fillna(False)
    checked = agreement(lost["told_reason"].where(spoken), lost["inferred_reason"], names=reasons.names)
    return Found(
        everyone=everyone,
        lost=lost,
        reasons=reasons,
        agreement=checked,
        has_model=seen.has_model,
        has_told=len(told) > 0,
    )


def _lost(everyone: pd.DataFrame, told: pd.DataFrame, seen: LastSeen, master: pd.DataFrame) -> pd.DataFrame:
    lost = everyone[everyone["lost_on"].notna()].sort_values("customer_id", ignore_index=True)
    last = everyone.set_index("customer_id")["last_on"]
    named = {"loss_reason": "told_reason", "source": "told_source", "reason": "told_text"}
    holding = still_holding(told, last).rename(columns=named)
    texts = told.drop_duplicates(["customer_id", "told_on", "loss_reason"], keep="last")
    about = holding.reset_index().merge(
        texts.rename(columns=named)[["customer_id", "told_on", "told_reason", "told_text", "competitor"]],
        on=["customer_id", "told_on", "told_reason"],
        how="left",
    )
    joined = lost.join(about.set_index("customer_id"), on="customer_id").join(seen.inferred, on="customer_id")
    groups = [name for name in (*_MASTER, "owner") if name in master.columns]
    return with_reason(joined.join(master.set_index("customer_id")[groups], on="customer_id"))


def curves_of(everyone: pd.DataFrame, column: str) -> dict[str, Survival]:
    """Return how long customers stay, by the levels of a column that have ten customers or more; in their order."""
    found = {}
    for level, part in everyone.dropna(subset=[column]).groupby(column, sort=True):
        if len(part) >= _LEAST_IN_CURVE:
            days, is_lost = part["followed_days"].to_numpy(np.float64), part["lost_on"].notna().to_numpy(dtype=bool)
            found[str(level)] = kaplan_meier(days, is_lost)
    return found


def _curve_table(curves: Mapping[str, Mapping[str, Survival]]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "by": by,
                "level": level,
                "days": curve.days,
                "share": curve.share,
                "low": curve.low,
                "high": curve.high,
                "at_risk": curve.at_risk,
                "lost": curve.lost,
            }
        )
        for by, levels in curves.items()
        for level, curve in levels.items()
    ]
    empty = pd.DataFrame(columns=["by", "level", "days", "share", "low", "high", "at_risk", "lost"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    rows = {}
    for name, frame in tables.items():
        write_parquet(folder / f"{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False))
        rows[f"{name}.parquet"] = len(frame)
    return rows


def _write_for_people(folder: Path, found: Found, master: pd.DataFrame, settings: Settings) -> dict[str, int]:
    """Write the lost for people and the form for those nobody has asked; no account managers in either."""
    words, titles = loss_texts(settings.language), found.reasons.titles(settings.language)
    names = master.set_index("customer_id").reindex(columns=["name"]).astype("str")
    people = found.lost.join(names, on="customer_id").assign(
        loss_reason=found.lost["loss_reason"].map(titles),
        supposed=found.lost["inferred_reason"].map(titles).astype("str"),
        known_by=found.lost["known_by"].map(words.known_by),
        value=found.lost["value"].round(),
    )
    shown = ["customer_id", "name", "lost_on", "loss_reason", "known_by", "value"]
    write_people_csv(
        folder / f"{LOST}.csv", people, {name: words.lost[name] for name in shown}, language=settings.language
    )
    unasked = people[~found.lost["told_source"].eq("interview").fillna(False).to_numpy(dtype=bool)]
    write_form(folder / FORM, unasked, language=settings.language)
    return {f"{LOST}.csv": len(people), FORM: len(unasked)}


def _inputs(
    settings: Settings,
    cutoff: date,
    found: Found,
    tables: Mapping[str, pd.DataFrame],
    curves: Mapping[str, Mapping[str, Survival]],
    folder: Path,
    *,
    with_owners: bool,
) -> LossInputs:
    return LossInputs(
        name=settings.name,
        language=settings.language,
        currency=settings.currency,
        cutoff=cutoff,
        churn=settings.churn,
        lost=found.lost,
        reasons=found.reasons,
        by_reason=tables["reasons"],
        by_month=tables["months"],
        by_group=tables["groups"],
        curves=curves,
        agreement=found.agreement,
        has_model=found.has_model,
        has_told=found.has_told,
        with_owners=with_owners,
        form=str(folder / FORM),
        guide=str(folder / GUIDE),
    )


def _agreement_facts(found: Agreement) -> dict[str, Any]:
    figures: Sequence[tuple[str, float]] = (
        ("agreement", found.share), ("agreement_low", found.low), ("agreement_high", found.high),
        ("agreement_of_guess", found.guess_share),
    )  # fmt: skip
    known = {name: None if value != value else round(value, 6) for name, value in figures}
    return {"told_and_inferred": found.customers, **known}
