"""The first rows of a list, and the plan by measure, ready to be shown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from retention.measures import ListName, Measure
from retention.signals import told_firings
from retention.texts import Purpose, ReasonTexts, Side

MOST_ROWS = 200
"""Rows of a list that the page shows; the files hold all."""
_STAKES: Mapping[ListName, str] = {"early_warning": "value_at_risk", "win_back": "expected_value"}
_PURPOSES: Mapping[ListName, Purpose] = {"early_warning": "churn", "win_back": "return"}

Said = Mapping[tuple[str, str], str]
"""What a rule says of a customer, by customer and rule."""


@dataclass(frozen=True, kw_only=True)
class Why:
    """One reason: which way it speaks (the endangering side of a purpose is ``raises``), and the sentence."""

    side: Side | None
    sign: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One customer of a list; ``stake`` is the value at risk, or the expected value of a return."""

    rank: int
    customer_id: str
    name: str
    owner: str
    segment: str
    probability: float
    low: float
    high: float
    risk_band: str
    value: float
    stake: float
    reasons: tuple[Why, ...]
    signals: tuple[str, ...]
    measure: str
    measure_title: str
    channel: str
    allowed: str
    note: str
    since: date
    news: str


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One measure of the plan over both lists: how often, what it costs, what it takes, what is assumed."""

    name: str
    title: str
    channel: str
    customers: int
    cost: float
    hours: float
    assumed_effect: float | None


def first_rows(
    listed: pd.DataFrame,
    name: ListName,
    *,
    texts: ReasonTexts,
    measures: Sequence[Measure],
    firing: pd.DataFrame | None = None,
) -> tuple[Row, ...]:
    """Return the first ``MOST_ROWS`` rows of a list with words for codes; ``firing`` says what the signals mean."""
    titles = {measure.name: measure.title(texts.language) for measure in measures}
    first = listed.head(MOST_ROWS)
    known = first.astype(object).where(first.notna(), None).to_dict("records")
    said = _said(firing, first, texts)
    return tuple(_row(record, name, texts, titles, said) for record in known)


def planned(plan: pd.DataFrame, *, texts: ReasonTexts, measures: Sequence[Measure]) -> tuple[Planned, ...]:
    """Return the measures of the plan's treatment arm, the most frequent first."""
    treated = plan[(plan["arm"] == "treatment").to_numpy(dtype=bool)] if len(plan) else plan
    if treated.empty:
        return ()
    known = {measure.name: measure for measure in measures}
    grouped = treated.groupby("measure")
    sums = grouped[["cost", "hours"]].sum().assign(customers=grouped.size())
    falling = sums.reset_index().sort_values(["customers", "measure"], ascending=[False, True])
    return tuple(_planned(record, known, texts) for record in falling.to_dict("records"))


def _planned(record: Mapping[Hashable, Any], known: Mapping[str, Measure], texts: ReasonTexts) -> Planned:
    measure = known.get(record["measure"])
    return Planned(
        name=record["measure"],
        title=measure.title(texts.language) if measure else record["measure"],
        channel=texts.lists.channels.get(measure.channel, measure.channel) if measure else "",
        customers=int(record["customers"]),
        cost=float(record["cost"]),
        hours=float(record["hours"]),
        assumed_effect=measure.assumed_effect if measure else None,
    )


def _said(firing: pd.DataFrame | None, listed: pd.DataFrame, texts: ReasonTexts) -> Said:
    """Return what each rule says of each of these customers."""
    if firing is None:
        return {}
    own = firing[firing["customer_id"].isin(listed["customer_id"]).to_numpy(bool)]
    return dict(zip(zip(own["customer_id"], own["rule"], strict=True), told_firings(own, texts), strict=True))


def _row(
    record: Mapping[Hashable, Any], name: ListName, texts: ReasonTexts, titles: Mapping[str, str], said: Said
) -> Row:
    words = texts.lists
    allowed = (record["allowed_channels"] or "").split(", ")
    return Row(
        rank=int(record["rank"]),
        customer_id=str(record["customer_id"]),
        name=record["name"] or "",
        owner=record["owner"] or "",
        segment=record["segment"],
        probability=record["probability"],
        low=record["probability_low"],
        high=record["probability_high"],
        risk_band=record.get("risk_band") or "",
        value=record["value"] or 0.0,
        stake=record[_STAKES[name]] or 0.0,
        reasons=tuple(_why(record[f"why_{place}"], name, texts) for place in range(1, 6) if record[f"why_{place}"]),
        signals=tuple(said.get((record["customer_id"], rule), rule) for rule in _rules(record)),
        measure=record["measure"] or "",
        measure_title=titles.get(record["measure"], record["measure"] or ""),
        channel=words.channels.get(record["channel"], record["channel"] or ""),
        allowed=", ".join(words.channels.get(code, code) for code in allowed),
        note=record["note"] or "",
        since=pd.Timestamp(record["since"]).date(),
        news=record["new_because"] or "",
    )


def _rules(record: Mapping[Hashable, Any]) -> list[str]:
    """Return the names of the signals on a row; none where the list has no such column."""
    named = record.get("signals")
    return named.split(", ") if named else []


def _why(sentence: str, name: ListName, texts: ReasonTexts) -> Why:
    """Split the sign from the sentence; a sentence without a known sign stands as it is."""
    signs = texts.signs[_PURPOSES[name]]
    sides: tuple[tuple[Side, str], ...] = (("raises", signs.raises), ("lowers", signs.lowers))
    for side, sign in sides:
        if sentence.startswith(f"{sign}: "):
            return Why(side=side, sign=sign, sentence=sentence.removeprefix(f"{sign}: "))
    return Why(side=None, sign="", sentence=sentence)
