"""Days of the demo company: its calendar, its working days and orders that follow both.

A day is an integer, 0 on the first day of the story; ``NEVER`` stands for a day that does not come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER = 1_000_000
DAYS = 1461
"""Length of the story [days]: four years."""

_WEEKDAYS = np.array([1.0, 1.05, 1.05, 1.0, 0.85, 0.06, 0.0])
_CLOSED = ((1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31))


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The story's calendar: ``DAYS`` days that end with ``last_day``."""

    last_day: date

    @property
    def first_day(self) -> date:
        """Day 0."""
        return self.last_day - timedelta(days=DAYS - 1)

    def dates(self, day: Ints) -> NDArray[np.datetime64]:
        """Return the dates of ``day``; NaT for ``NEVER``."""
        result = np.datetime64(self.first_day, "D") + day.astype("timedelta64[D]")
        return np.where(day == NEVER, np.datetime64("NaT"), result).astype("datetime64[s]")

    def working_weights(self) -> Floats:
        """Return the weight of each day, shape (DAYS,): weekday, closed days, quiet turn of the year."""
        calendar = [self.first_day + timedelta(days=i) for i in range(DAYS)]
        weights = _WEEKDAYS[[day.weekday() for day in calendar]]
        closed = np.array([(day.month, day.day) in _CLOSED for day in calendar])
        holidays = np.array([(day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 5) for day in calendar])
        return np.where(closed, 0.0, weights * np.where(holidays, 0.4, 1.0))

    def season_curves(self, seasons: tuple[tuple[float, ...], ...]) -> Floats:
        """Return cumulated operating years by day, shape (len(seasons), DAYS + 1): one year is about 1."""
        months = np.array([(self.first_day + timedelta(days=i)).month - 1 for i in range(DAYS)])
        weights = np.array(seasons)[:, months] * self.working_weights()
        scaled = weights / weights.mean(axis=1, keepdims=True) / 365.25
        return np.concatenate([np.zeros((len(seasons), 1)), np.cumsum(scaled, axis=1)], axis=1)


def renewals(
    rng: np.random.Generator, *, rate: Floats, shape: Floats, begin: Ints, curves: Floats, group: Ints
) -> tuple[Ints, Ints]:
    """Return who acts on which day, sorted by both, at most once a day.

    Parameters
    ----------
    rng : Generator
    rate : array, shape (n,)
        Events per operating year.
    shape : array, shape (n,)
        Regularity: gaps are gamma with this shape; 1 is Poisson, 10 is clockwork.
    begin : array, shape (n,)
        First possible day.
    curves : array, shape (groups, DAYS + 1)
        Cumulated operating years of each group (``Clock.season_curves``).
    group : array, shape (n,)
        Row of ``curves`` that each of the n follows.

    Returns
    -------
    who, day : arrays of int, shape (events,)
    """
    first = curves[group, np.clip(begin, 0, DAYS)]
    expected = (curves[group, -1] - first) * rate
    counts = np.ceil(expected + 4 * np.sqrt(expected) + 6).astype(np.int64)
    who = np.repeat(np.arange(len(rate)), counts)
    at = first[who] + _cumulated_gaps(rng, shape=shape, counts=counts, who=who) / rate[who]
    day = np.empty(len(who), dtype=np.int64)
    for row in range(len(curves)):
        chosen = group[who] == row
        day[chosen] = np.searchsorted(curves[row], at[chosen], side="right") - 1
    fresh = np.concatenate([[True], (np.diff(who) > 0) | (np.diff(day) > 0)])
    keep = (day < DAYS) & fresh
    return who[keep], day[keep]


def _cumulated_gaps(rng: np.random.Generator, *, shape: Floats, counts: Ints, who: Ints) -> Floats:
    """Return gamma gaps of mean 1 added up within each customer; the first one is cut at a random point."""
    gaps = rng.standard_gamma(shape[who]) / shape[who]
    starts = np.cumsum(counts) - counts
    gaps[starts] *= rng.random(len(counts))
    total = np.cumsum(gaps)
    return np.asarray(total - np.repeat(total[starts] - gaps[starts], counts))
