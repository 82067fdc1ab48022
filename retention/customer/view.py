"""What is known of one customer on one morning, as values that page and terminal show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy import special

from retention.measures import Measure
from retention.reasons import MOST
from retention.texts import Purpose, ReasonTexts, Side


@dataclass(frozen=True, kw_only=True)
class Step:
    """One reason on the way from the usual probability to that of the customer.

    ``family`` is empty for all other features together. ``contribution`` in log-odds; ``before`` and ``after`` are the
    probabilities on either side of it. ``side`` is "raises" where it endangers.
    """

    family: str
    label: str
    sentence: str
    contribution: float
    before: float
    after: float
    side: Side


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order; a negative amount is a return or credit."""

    day: date
    amount: float


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One complaint; ``closed`` is missing while it is open."""

    day: date
    closed: date | None
    category: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One contact; direction "in" (the customer's), "out" (ours) or empty."""

    day: date
    direction: str
    channel: str
    agent: str


@dataclass(frozen=True, kw_only=True)
class Past:
    """What happened, oldest first, what was said of the customer, and when the state of the watch changed."""

    orders: tuple[Order, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    contacts: tuple[Contact, ...] = ()
    scores: tuple[tuple[date, float, Purpose], ...] = ()
    states: tuple[tuple[date, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class LeverLine:
    """One lever that applies: what to do, the probability then, and whether that is noticeably better."""

    title: str
    probability_if: float
    helps: bool


@dataclass(frozen=True, kw_only=True)
class ChannelLine:
    """One channel: whether it may be used, on what evidence or why not."""

    channel: str
    is_allowed: bool
    ground: str


@dataclass(frozen=True, kw_only=True)
class ListLine:
    """The place on a list; words for codes, empty where there is nothing to say."""

    rank: int
    since: date
    news: str
    measure: str
    channel: str
    note: str
    is_control: bool


@dataclass(frozen=True, kw_only=True)
class Timing:
    """By when: the chance to be lost by each of some days, the printed one among them, rising.

    ``chances`` are days, chance, and whether the company's past has told it (else it is assumed that the risk of those
    who stay falls). ``half_by`` is the day by which half of the printed chance falls due. ``silence_days`` without a
    purchase make a loss; 0 where a contract ends instead.
    """

    chances: tuple[tuple[date, float, bool], ...]
    half_by: date
    silence_days: int


@dataclass(frozen=True, kw_only=True)
class CustomerView:
    """Everything about one customer on one morning.

    ``stake`` is the value at risk, or the expected value of a return. ``start`` is the probability before any reason.
    ``would_change`` is the sentence of the lists; ``levers`` are all that were tried, the most helpful first.
    ``signals`` are sentences; None where no signals were written. ``timing`` is None for a return, and where a loss
    has no day.
    """

    company: str
    currency: str
    cutoff: date
    horizon_first: date
    horizon_last: date
    purpose: Purpose
    customer_id: str
    name: str
    owner: str
    probability: float
    low: float
    high: float
    risk_band: str
    segment: str
    value: float
    value_low: float
    value_high: float
    stake: float
    start: float
    steps: tuple[Step, ...]
    past: Past
    levers: tuple[LeverLine, ...]
    would_change: str
    channels: tuple[ChannelLine, ...]
    listed: ListLine | None
    signals: tuple[str, ...] | None
    model_version: str
    run_id: str
    timing: Timing | None = None

    @property
    def title(self) -> str:
        """The name, else the number."""
        return self.name or self.customer_id


def steps_of(
    contributions: pd.Series,
    reasons: pd.Series,
    sentences: pd.Series,
    *,
    families: Mapping[str, str],
    purpose: Purpose,
    texts: ReasonTexts,
    rest: str,
) -> tuple[float, tuple[Step, ...]]:
    """Return the probability before any reason, and the way from there to the customer's.

    Parameters
    ----------
    contributions : Series of float [log-odds]
        One entry per feature, and ``base``; they add up to the logit of the probability.
    reasons, sentences : Series
        A row of :func:`retention.reasons.rank_reasons` and of :func:`retention.sentences.sentences`.
    families : mapping of feature to family
    purpose : "churn" or "return"
    texts : ReasonTexts
    rest : str
        Label of all other features together, which come last.
    """
    at = float(contributions["base"])
    start, told = float(special.expit(at)), 0.0
    steps: list[Step] = []
    for place in range(1, MOST + 1):
        feature, weight = reasons[f"reason_{place}"], reasons[f"contribution_{place}"]
        if pd.isna(feature):
            continue
        family = families[feature]
        fact = str(sentences[f"text_{place}"]).split(": ", 1)[1]
        steps.append(_step(family, texts.families[family].label, fact, float(weight), at, purpose))
        at, told = at + float(weight), told + float(weight)
    left = float(contributions.drop("base").sum()) - told
    steps.append(_step("", rest, "", left, at, purpose))
    return start, tuple(steps)


def _step(family: str, label: str, sentence: str, weight: float, at: float, purpose: Purpose) -> Step:
    before, after = (float(each) for each in special.expit(np.array([at, at + weight])))
    side: Side = "raises" if (weight > 0) == (purpose == "churn") else "lowers"
    return Step(
        family=family, label=label, sentence=sentence, contribution=weight, before=before, after=after, side=side
    )


def channel_lines(channels: pd.DataFrame, texts: ReasonTexts) -> tuple[ChannelLine, ...]:
    """Return the channels of one customer in words, see :func:`retention.consent.allowed_channels`."""
    words = texts.lists

    def ground(row: pd.Series) -> str:
        if row["is_allowed"]:
            return "" if pd.isna(row["evidence"]) else words.evidence.get(row["evidence"], str(row["evidence"]))
        return words.why_not.get(row["why_not"], str(row["why_not"]))

    return tuple(
        ChannelLine(channel=words.channels[row["channel"]], is_allowed=bool(row["is_allowed"]), ground=ground(row))
        for _, row in channels.iterrows()
    )


def list_line(row: pd.Series, texts: ReasonTexts, measures: tuple[Measure, ...]) -> ListLine:
    """Return the row of a list in words."""
    titles = {measure.name: measure.title(texts.language) for measure in measures}
    known = {
        name: "" if pd.isna(row[name]) else str(row[name]) for name in ("new_because", "measure", "channel", "note")
    }
    return ListLine(
        rank=int(row["rank"]),
        since=pd.Timestamp(row["since"]).date(),
        news=known["new_because"],
        measure=titles.get(known["measure"], known["measure"]),
        channel=texts.lists.channels.get(known["channel"], known["channel"]),
        note=known["note"],
        is_control=known["note"] == texts.lists.notes["control"],
    )


def lever_lines(found: pd.DataFrame, texts: ReasonTexts) -> tuple[LeverLine, ...]:
    """Return the levers of one customer in words, see :class:`retention.changes.Tried`."""
    return tuple(
        LeverLine(
            title=texts.changes.levers[row["lever"]].title,
            probability_if=float(row["probability_if"]),
            helps=bool(row["helps"]),
        )
        for _, row in found.iterrows()
    )
