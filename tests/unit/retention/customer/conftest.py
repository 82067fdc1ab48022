"""Two made-up customers, from which each test changes what it is about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from scipy import special

from features.catalogue import catalogue
from retention.customer.view import (
    ChannelLine,
    Complaint,
    Contact,
    CustomerView,
    LeverLine,
    ListLine,
    Order,
    Past,
    Timing,
    steps_of,
)
from retention.customer.words import customer_texts
from retention.reasons import rank_reasons
from retention.sentences import sentences
from retention.texts import reason_texts

FAMILIES = catalogue().families
CUTOFF = date(2026, 3, 1)
FACTS = {
    "sales__turnover_91d": 3400.0,
    "sales__turnover_season_base_91d": 7900.0,
    "sales__turnover_season_91d": -0.84,
    "complaints__open_count": 1.0,
    "complaints__oldest_open_days": 19.0,
    "sales__tenure_days": 1500.0,
    "sales__recency_days": 60.0,
}
WEIGHTS = {
    "sales__turnover_season_91d": 0.9,
    "complaints__open_count": 0.7,
    "sales__tenure_days": -0.4,
    "sales__recency_days": 0.05,
    "base": -1.5,
}
PAST = Past(
    orders=(Order(day=date(2025, 6, 2), amount=2400.0), Order(day=date(2025, 12, 30), amount=-99.5)),
    complaints=(
        Complaint(day=date(2025, 8, 1), closed=date(2025, 8, 20), category="Lieferverzug"),
        Complaint(day=date(2026, 2, 10), closed=None, category=""),
    ),
    contacts=(
        Contact(day=date(2025, 11, 5), direction="out", channel="visit", agent="Erika Muster"),
        Contact(day=date(2026, 2, 10), direction="in", channel="phone", agent=""),
    ),
    scores=((date(2026, 2, 1), 0.18, "churn"), (CUTOFF, 0.426, "churn")),
)

TIMING = Timing(
    chances=(
        (date(2026, 3, 30), 0.0, True),
        (date(2026, 5, 29), 0.31, True),
        (date(2026, 6, 12), float(special.expit(sum(WEIGHTS.values()))), True),
        (date(2027, 2, 28), 0.72, False),
    ),
    half_by=date(2026, 5, 9),
    silence_days=90,
)


def view_of(language: str = "de", *, purpose: str = "churn", **changed: Any) -> CustomerView:
    index = pd.Index(["K-1"], name="customer_id")
    matrix = pd.DataFrame([FACTS], index=index).assign(cutoff=CUTOFF)
    parts, texts = pd.DataFrame([WEIGHTS], index=index), reason_texts(language)
    reasons = rank_reasons(parts, FAMILIES)
    told = sentences(reasons, matrix, texts, families=FAMILIES, purpose=purpose, currency="EUR")
    start, steps = steps_of(
        parts.iloc[0],
        reasons.iloc[0],
        told.iloc[0],
        families=FAMILIES,
        purpose=purpose,
        texts=texts,
        rest=customer_texts(language).words["rest"],
    )
    levers = texts.changes.levers
    known: dict[str, Any] = {
        "company": "nordlicht",
        "currency": "EUR",
        "cutoff": CUTOFF,
        "horizon_first": date(2026, 3, 15),
        "horizon_last": date(2026, 6, 12),
        "purpose": purpose,
        "customer_id": "K-1",
        "name": "Müller & Söhne <GmbH>",
        "owner": "Erika Muster",
        "probability": float(special.expit(sum(WEIGHTS.values()))),
        "low": 0.31,
        "high": 0.55,
        "risk_band": "high",
        "segment": "A",
        "value": 48000.0,
        "value_low": 39000.0,
        "value_high": 60000.0,
        "stake": 20448.0,
        "start": start,
        "steps": steps,
        "past": PAST,
        "levers": (
            LeverLine(title=levers["settle_complaint"].title, probability_if=0.28, helps=True),
            LeverLine(title=levers["call"].title, probability_if=0.43, helps=False),
        ),
        "would_change": texts.changes.sentence[purpose].format(
            state=levers["settle_complaint"].state, before="43 %", after="28 %"
        ),
        "channels": (
            ChannelLine(channel=texts.lists.channels["phone"], is_allowed=True, ground="V-17"),
            ChannelLine(
                channel=texts.lists.channels["email"], is_allowed=False, ground=texts.lists.why_not["no_consent"]
            ),
        ),
        "listed": ListLine(
            rank=1,
            since=date(2026, 2, 1),
            news="Neu" if language == "de" else "New",
            measure="Anruf" if language == "de" else "Call",
            channel=texts.lists.channels["phone"],
            note="",
            is_control=False,
        ),
        "signals": ("Offene Reklamation seit mehr als 14 Tagen",)
        if language == "de"
        else ("Complaint open > 14 days",),
        "model_version": "0123456789ab",
        "run_id": "feedc0de",
        "timing": TIMING if purpose == "churn" else None,
    }
    return CustomerView(**{**known, **changed})


@pytest.fixture
def view():
    return view_of
