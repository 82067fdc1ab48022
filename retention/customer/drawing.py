"""Geometry of the customer's page: the bars of the reasons, and one timeline of score and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy import special

from retention.customer.view import Complaint, Contact, CustomerView, Order, Past, Step

MOST_DAYS = 728
"""How far back the timeline reaches [days]."""
_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
LEFT, RIGHT, WIDTH = 118.0, 750.0, 760.0
SCORE_TOP, SCORE_FOOT, ORDERS_TOP, ORDERS_FOOT = 14.0, 96.0, 112.0, 166.0
COMPLAINTS_AT, CONTACTS_AT, FOOT = 186.0, 212.0, 228.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One step of the waterfall: from ``left``, ``width`` wide [per cent of the drawing], and what it shows."""

    step: Step
    left: float
    width: float
    start: float


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """The bars of all steps on one scale, which is even in log-odds; ticks are places and probabilities."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, float], ...]
    start: float
    end: float


def waterfall(view: CustomerView) -> Waterfall:
    """Return the waterfall of the customer's reasons."""
    odds = special.logit(np.clip([view.start, *(step.after for step in view.steps)], 1e-9, 1 - 1e-9))
    low, high = float(odds.min()) - 0.25, float(odds.max()) + 0.25

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    bars = tuple(
        Bar(step=step, left=min(place(a), place(b)), width=round(abs(place(b) - place(a)), 2), start=place(a))
        for step, a, b in zip(view.steps, odds[:-1].tolist(), odds[1:].tolist(), strict=True)
    )
    inside = [(place(float(special.logit(each))), each) for each in _TICKS if low < special.logit(each) < high]
    return Waterfall(bars=bars, ticks=tuple(inside), start=place(float(odds[0])), end=place(float(odds[-1])))


@dataclass(frozen=True, kw_only=True)
class Stick:
    """One order: place, upper end and height; returns hang below the line."""

    x: float
    y: float
    height: float
    is_return: bool
    day: date
    amount: float


@dataclass(frozen=True, kw_only=True)
class Span:
    """One complaint, from the day it was raised to the day it was settled or the cutoff."""

    x: float
    width: float
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Everything on one axis of days: score above, then orders, complaints and contacts."""

    first: date
    scores: tuple[tuple[float, float, date, float], ...]
    sticks: tuple[Stick, ...]
    spans: tuple[Span, ...]
    dots: tuple[tuple[float, bool], ...]
    ticks: tuple[tuple[float, date], ...]
    cutoff: float

    @property
    def line(self) -> str:
        """Points of the line through the scores."""
        return " ".join(f"{x:g},{y:g}" for x, y, _, _ in self.scores)


def timeline(past: Past, cutoff: date, *, purpose: str) -> Timeline:
    """Return the timeline of the last ``MOST_DAYS`` days; only scores of ``purpose`` are joined to a line."""
    first = _first_day(past, cutoff)
    days = max((cutoff - first).days, 1)

    def x(day: date) -> float:
        return round(LEFT + (RIGHT - LEFT) * (day - first).days / days, 1)

    scores = [(day, chance) for day, chance, kind in past.scores if kind == purpose and day >= first]
    orders = [order for order in past.orders if order.day >= first]
    most = max((abs(order.amount) for order in orders), default=1.0) or 1.0
    scale = (ORDERS_FOOT - ORDERS_TOP) / most
    return Timeline(
        first=first,
        scores=tuple((x(day), _score_y(chance), day, chance) for day, chance in scores),
        sticks=tuple(_stick(x(each.day), each.amount, each.day, scale) for each in orders),
        spans=tuple(
            Span(
                x=x(max(each.day, first)),
                width=round(max(x(each.closed or cutoff) - x(max(each.day, first)), 3.0), 1),
                is_open=each.closed is None,
            )
            for each in past.complaints
            if (each.closed or cutoff) >= first
        ),
        dots=tuple((x(each.day), each.direction == "in") for each in past.contacts if each.day >= first),
        ticks=tuple((x(day), day) for day in _quarters(first, cutoff)),
        cutoff=x(cutoff),
    )


def _first_day(past: Past, cutoff: date) -> date:
    events: Sequence[Order | Complaint | Contact] = (*past.orders, *past.complaints, *past.contacts)
    known = [*(each.day for each in events), *(day for day, _, _ in past.scores), cutoff - timedelta(days=91)]
    return max(min(known), cutoff - timedelta(days=MOST_DAYS))


def _score_y(chance: float) -> float:
    return round(SCORE_FOOT - (SCORE_FOOT - SCORE_TOP) * chance, 1)


def _stick(x: float, amount: float, day: date, scale: float) -> Stick:
    height = round(max(abs(amount) * scale, 1.5), 1)
    y = round(ORDERS_FOOT - height, 1)
    return Stick(x=x, y=y, height=height, is_return=amount < 0, day=day, amount=amount)


def _quarters(first: date, cutoff: date) -> list[date]:
    """Return the first days of quarters between the two, at most nine."""
    days = [date(year, month, 1) for year in range(first.year, cutoff.year + 1) for month in (1, 4, 7, 10)]
    return [day for day in days if first < day < cutoff]
