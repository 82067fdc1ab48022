"""What has moved on the early-warning list since the run before: who came, who is gone, and why."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from retention.movement import GONE
from retention.report.inputs import ReportInputs
from retention.report.rows import MOST_ROWS
from retention.texts import ReasonTexts


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One customer who came or left; ``stake`` is the value at risk now, of those who left the one before.

    ``chance_before`` and ``chance`` are None where there was no score; ``what`` is the kind of leaving in words, empty
    for those who came.
    """

    customer_id: str
    name: str
    owner: str
    chance_before: float | None
    chance: float | None
    stake: float
    what: str
    because: str


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One kind of leaving: how many customers, and what was at stake with them at the run before."""

    what: str
    customers: int
    stake: float


@dataclass(frozen=True, kw_only=True)
class Movement:
    """The movement since the run of ``since``; ``came`` and ``left`` show at most ``MOST_ROWS``, the counts hold all.

    ``before`` = ``stayed`` + ``gone`` customers stood on the list then, ``now`` = ``stayed`` + ``new`` do now; of those
    who stayed the probability ``rose`` or ``fell``.
    """

    since: date
    stayed: int
    new: int
    gone: int
    rose: int
    fell: int
    came: tuple[Moved, ...]
    left: tuple[Moved, ...]
    causes: tuple[Cause, ...]

    @property
    def before(self) -> int:
        """Customers on the list at the run before."""
        return self.stayed + self.gone

    @property
    def now(self) -> int:
        """Customers on the list."""
        return self.stayed + self.new


def movement(inputs: ReportInputs, texts: ReasonTexts) -> Movement | None:
    """Return what has moved since the run before; None at the first run."""
    if inputs.since_run is None:
        return None
    listed, left = inputs.early_warning, inputs.gone
    is_new = pd.to_datetime(listed["since"]).ge(pd.Timestamp(inputs.cutoff)).to_numpy(bool)
    came, stayed = listed[is_new], listed[~is_new]
    moved = stayed["probability"].to_numpy(np.float64) - stayed["probability_before"].to_numpy(np.float64)
    return Movement(
        since=inputs.since_run,
        stayed=len(stayed),
        new=len(came),
        gone=len(left),
        rose=int((moved > 0).sum()),
        fell=int((moved < 0).sum()),
        came=tuple(_came(row, texts) for row in _records(came)),
        left=tuple(_left(row, texts) for row in _records(left)),
        causes=_causes(left, texts),
    )


def _causes(left: pd.DataFrame, texts: ReasonTexts) -> tuple[Cause, ...]:
    """Return the kinds of leaving there were, in the order of ``GONE``."""
    groups = {code: left[left["gone"].eq(code).to_numpy(bool)] for code in GONE}
    return tuple(
        Cause(what=texts.lists.gone[code], customers=len(rows), stake=float(rows["value_at_risk_before"].sum()))
        for code, rows in groups.items()
        if len(rows)
    )


def _came(row: Mapping[Hashable, Any], texts: ReasonTexts) -> Moved:
    because = _without_mark(row["new_because"] or "", texts)
    return Moved(**_who(row), stake=row["value_at_risk"] or 0.0, what="", because=because)


def _without_mark(told: str, texts: ReasonTexts) -> str:
    """Return why somebody is new without the word "new", which the table's heading says already."""
    mark = texts.lists.changes["rise"].partition(": ")[0]
    return told.removeprefix(f"{mark}: ")


def _left(row: Mapping[Hashable, Any], texts: ReasonTexts) -> Moved:
    what = texts.lists.gone[row["gone"]]
    return Moved(**_who(row), stake=row["value_at_risk_before"] or 0.0, what=what, because=row["because"] or "")


def _who(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {
        "customer_id": str(row["customer_id"]),
        "name": row["name"] or "",
        "owner": row["owner"] or "",
        "chance_before": row["probability_before"],
        "chance": row["probability"],
    }


def _records(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    first = frame.head(MOST_ROWS)
    return first.astype(object).where(first.notna(), None).to_dict("records")
