"""One customer as a case: the rows, the scores and the words of which everything about them is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from features.catalogue import Catalogue
from features.errors import ContractError
from features.intake import Tables
from features.timeline import horizon_of
from models.churn_model import ChurnModel
from models.horizons import HALF, HORIZONS, Horizons, lost_within
from pipelines.settings import Settings
from retention.changes import Known, best_changes, tried
from retention.consent import allowed_channels
from retention.customer.view import CustomerView, ListLine, Past, Timing, channel_lines, lever_lines, steps_of
from retention.customer.words import customer_texts
from retention.levers import levers
from retention.own_texts import texts_for
from retention.reasons import MOST
from retention.sentences import sentences
from retention.signals import told_firings
from retention.texts import Purpose, ReasonTexts

_REASONS = tuple(f"{kind}_{place}" for kind in ("reason", "contribution") for place in range(1, MOST + 1))
_NEAREST = 5


@dataclass(frozen=True, kw_only=True)
class Case:
    """One customer of one run: what scored the customer, the row of scores and of the matrix, the words."""

    settings: Settings
    cutoff: date
    customer_id: str
    purpose: Purpose
    scored: pd.Series
    matrix: pd.DataFrame
    features: Catalogue
    texts: ReasonTexts
    master: pd.DataFrame
    channels: pd.DataFrame


def case_of(
    settings: Settings,
    cutoff: date,
    tables: Tables,
    *,
    purpose: Purpose,
    scored: pd.Series,
    matrix: pd.DataFrame,
    features: Catalogue,
) -> Case:
    """Return the case of the customer in the one row of ``scored`` and of ``matrix`` (index customer_id)."""
    customer_id = str(scored["customer_id"])
    master = _master(tables, customer_id)
    return Case(
        settings=settings,
        cutoff=cutoff,
        customer_id=customer_id,
        purpose=purpose,
        scored=scored,
        matrix=matrix,
        features=features,
        texts=texts_for(features, settings.language),
        master=master,
        channels=allowed_channels(master, cutoff=cutoff, customer_ids=[customer_id]),
    )


def view_of(
    case: Case,
    model: ChurnModel,
    known: Known,
    goodwill_cents: int,
    *,
    past: Past,
    listed: ListLine | None = None,
    signals: tuple[str, ...] | None = None,
) -> CustomerView:
    """Return everything that is said of the customer."""
    horizon = horizon_of(case.cutoff, case.settings.churn)
    return CustomerView(
        company=case.settings.name,
        currency=case.settings.currency,
        cutoff=case.cutoff,
        horizon_first=horizon.first,
        horizon_last=horizon.last,
        purpose=case.purpose,
        customer_id=case.customer_id,
        name=_text_of(case.master, "name"),
        owner=_text_of(case.master, "owner"),
        channels=channel_lines(case.channels, case.texts),
        listed=listed,
        past=past,
        signals=signals,
        timing=_timing(case, model.horizons, horizon.last),
        **_chance(case.scored),
        **_why(case, model),
        **_changes(case, model, known, goodwill_cents),
    )


def fired_on(firing: pd.DataFrame, case: Case) -> tuple[str, ...]:
    """Return what the signals that speak of the customer say, those without lift here marked so."""
    return tuple(told_firings(firing[firing["customer_id"].astype(str) == case.customer_id], case.texts))


def unknown_customer(customer_id: str, known: list[str], why: str) -> ContractError:
    """Return the error for an id that is not ``known``, with the nearest ones."""
    near = get_close_matches(customer_id, _like(customer_id, known), n=_NEAREST, cutoff=0.0)
    return ContractError(f"customer {customer_id!r} is unknown, {why}; the nearest ids are {', '.join(near) or 'none'}")


def _master(tables: Tables, customer_id: str) -> pd.DataFrame:
    """Return the master data of one customer; no row where there are none."""
    if "customers" not in tables.names:
        return pd.DataFrame({"customer_id": pd.Series(dtype="str")})
    customers = tables.arrow("customers", tables.columns("customers"))
    own: pd.DataFrame = customers.filter(pc.equal(customers["customer_id"], customer_id)).to_pandas()
    return own


def _chance(scored: pd.Series) -> dict[str, Any]:
    """Return what the row of scores says."""
    amounts = {name: float(scored[name]) for name in ("probability", "value", "value_low", "value_high")}
    words = {name: str(scored[name]) for name in ("risk_band", "segment", "model_version", "run_id")}
    return {
        **amounts,
        **words,
        "low": float(scored["probability_low"]),
        "high": float(scored["probability_high"]),
        "stake": amounts["probability"] * amounts["value"],
    }


def _timing(case: Case, curve: Horizons | None, last: date) -> Timing | None:
    """Return by when the customer may be lost, as the row of scores tells it."""
    if curve is None or pd.isna(case.scored[HALF]):
        return None
    days = {case.cutoff + timedelta(days=each - 1): (lost_within(each), each <= curve.told_days) for each in HORIZONS}
    known = {day: said for day, said in days.items() if pd.notna(case.scored[said[0]])}
    told = {day: (float(case.scored[name]), is_told) for day, (name, is_told) in known.items()}
    told[last] = (float(case.scored["probability"]), True)
    half = case.cutoff + timedelta(days=int(case.scored[HALF]) - 1)
    chances = tuple((day, *told[day]) for day in sorted(told))
    return Timing(chances=chances, half_by=half, silence_days=curve.silence_days)


def _why(case: Case, model: ChurnModel) -> dict[str, Any]:
    """Return the way from the common start to the customer's probability."""
    reasons = pd.DataFrame([case.scored[list(_REASONS)]], index=case.matrix.index).infer_objects()
    told = sentences(
        reasons,
        case.matrix,
        case.texts,
        families=case.features.families,
        purpose=case.purpose,
        currency=case.settings.currency,
    )
    start, steps = steps_of(
        model.contributions(case.matrix).iloc[0],
        reasons.iloc[0],
        told.iloc[0],
        families=case.features.families,
        purpose=case.purpose,
        texts=case.texts,
        rest=customer_texts(case.settings.language).words["rest"],
    )
    return {"start": start, "steps": steps}


def _changes(case: Case, model: ChurnModel, known: Known, goodwill_cents: int) -> dict[str, Any]:
    """Return what would change it: all levers that apply, by allowed channels, and the sentence of the best."""
    whom = case.matrix.index
    possible = levers(goodwill_cents=goodwill_cents)
    found = tried(case.matrix, known, model, levers=possible, channels=case.channels)
    told = best_changes(whom, found, purpose=case.purpose, texts=case.texts)["would_change"].iloc[0]
    return {"levers": lever_lines(found.found, case.texts), "would_change": "" if pd.isna(told) else str(told)}


def _like(customer_id: str, known: list[str]) -> list[str]:
    """Return the ids worth comparing: all of few; of many, those that begin or end alike."""
    most = 20_000
    if len(known) <= most:
        return known
    begin, end = customer_id[:3], customer_id[-3:]
    alike = [each for each in known if each.startswith(begin) or each.endswith(end)]
    return (alike or known)[:most]


def _text_of(master: pd.DataFrame, column: str) -> str:
    known = master[column].dropna() if column in master.columns else master.index.to_series()
    return str(known.iloc[0]) if len(known) else ""
