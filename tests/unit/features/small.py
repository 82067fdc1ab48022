"""Small tables written out by hand, taken in through the same door as real ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.definition import Churn
from features.history import History, load_history
from features.intake import Tables, take_in_frames
from features.matrix import feature_columns
from features.norms import norms_at
from features.timeline import day_number

Row = dict[str, Any]


def day(text: str) -> date:
    return date.fromisoformat(text)


def order(customer: str, occurred_on: str, amount: float = 10.0, *, order_id: str = "", **more: Any) -> Row:
    """Return one order line; without an id of its own each customer has one order per day."""
    own = order_id or f"{customer} {occurred_on}"
    return {"order_id": own, "customer_id": customer, "occurred_on": day(occurred_on), "amount": amount, **more}


def complaint(customer: str, occurred_on: str, *, closed_on: str | None = None, **more: Any) -> Row:
    closed = None if closed_on is None else day(closed_on)
    own = f"{customer} {occurred_on}"
    return {
        "complaint_id": own, "customer_id": customer, "occurred_on": day(occurred_on), "closed_on": closed, **more
    }  # fmt: skip


def contact(customer: str, occurred_on: str, **more: Any) -> Row:
    """Return one contact; without an id of its own each customer has one per day and direction."""
    own = f"{customer} {occurred_on} {more.get('direction')}"
    return {"contact_id": own, "customer_id": customer, "occurred_on": day(occurred_on), **more}


def contract(customer: str, starts_on: str, ends_on: str | None = None, **more: Any) -> Row:
    ends = None if ends_on is None else day(ends_on)
    return {"customer_id": customer, "starts_on": day(starts_on), "ends_on": ends, **more}


def answer(customer: str, occurred_on: str, kind: str, score: float | None, **more: Any) -> Row:
    return {"customer_id": customer, "occurred_on": day(occurred_on), "kind": kind, "score": score, **more}


def loss(customer: str, occurred_on: str, **more: Any) -> Row:
    return {"customer_id": customer, "occurred_on": day(occurred_on), **more}


def master(customer: str, **more: Any) -> Row:
    return {"customer_id": customer, **more}


def tables(*, cutoff: date | None = None, **rows: list[Row]) -> Tables:
    """Take tables in, given as ``orders=[order(…)], contracts=[…]``."""
    frames = {name: pd.DataFrame(own, dtype=object) for name, own in rows.items()}
    return take_in_frames(frames, cutoff=cutoff, timezone="Europe/Berlin")


def history(*, cutoff: date | None = None, **rows: list[Row]) -> History:
    """Return the history of tables given as ``orders=[order(…)], contracts=[…]``."""
    return load_history(tables(cutoff=cutoff, **rows))


def features_on(cutoff: str, customer: str, **rows: list[Row]) -> pd.Series[float]:
    """Return the features of one customer on the morning of ``cutoff``, by name."""
    known = history(**rows)
    norms = norms_at(known, cutoff=day(cutoff))
    chosen = np.flatnonzero(known.customer_ids == customer)
    return feature_columns(known.at(day_number(day(cutoff))), chosen, churn=Churn(), norms=norms).iloc[0]
