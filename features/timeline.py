"""Days, horizons and training cutoffs: which labels are finished, and which cutoffs may be learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np

from features.definition import Churn
from features.errors import LeakageError

LEAST_HISTORY_DAYS = 60
"""Days of data before the first training cutoff; below that every customer looks new."""


def day_number(day: date) -> int:
    """Return ``day`` as days since 1970-01-01, the unit in which ledgers count time."""
    return int(np.datetime64(day, "D").astype(np.int64))


def day_of(number: int) -> date:
    """Return the date of a day number."""
    return date(1970, 1, 1) + timedelta(days=int(number))


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """The label's half-open window ``[first, end)`` that belongs to one cutoff."""

    cutoff: date
    first: date
    end: date

    @property
    def last(self) -> date:
        """The last day of the horizon."""
        return self.end - timedelta(days=1)


def horizon_of(cutoff: date, churn: Churn) -> Horizon:
    """Return ``[cutoff + lead, cutoff + lead + horizon)``."""
    first = cutoff + timedelta(days=churn.lead_days)
    return Horizon(cutoff=cutoff, first=first, end=first + timedelta(days=churn.horizon_days))


def require_finished(cutoff: date, churn: Churn, *, known_until: date) -> Horizon:
    """Return the horizon of ``cutoff``, whose every day must lie before ``known_until`` (exclusive).

    Raises
    ------
    LeakageError
        If the horizon reaches past what is known: its label would call customers lost who may yet buy.
    """
    horizon = horizon_of(cutoff, churn)
    if horizon.end > known_until:
        last_complete = known_until - timedelta(days=churn.lead_days + churn.horizon_days)
        raise LeakageError(
            f"cutoff {cutoff} has no finished label: its horizon ends {horizon.last}, rows are known until"
            f" {known_until - timedelta(days=1)}; use a cutoff on or before {last_complete}"
        )
    return horizon


def training_cutoffs(
    *, first_day: date, known_until: date, churn: Churn, step_days: int = 28, most: int = 24
) -> tuple[date, ...]:
    """Return the cutoffs to learn from, oldest first, all with finished horizons.

    They lie evenly, at most ``step_days`` apart, so that a whole lead and horizon is a whole number of steps: the
    newest cutoff then has one exactly before its purge, and a short history still allows a test ordered in time.

    Parameters
    ----------
    first_day : date
        Day of the first order; the first cutoff lies ``LEAST_HISTORY_DAYS`` (or the active window, if shorter) later.
    known_until : date
        First day that is not known (exclusive).
    churn : Churn
        Lead and horizon.
    step_days : int
        Largest distance between cutoffs [days].
    most : int
        At most so many cutoffs; the most recent ones are kept.

    Returns
    -------
    tuple of date, possibly empty when the history is shorter than one horizon.

    Examples
    --------
    >>> churn = Churn(lead_days=10, horizon_days=90)
    >>> [str(day) for day in training_cutoffs(first_day=date(2025, 1, 1), known_until=date(2025, 9, 1), churn=churn)]
    ['2025-03-10', '2025-04-04', '2025-04-29', '2025-05-24']
    """
    whole = churn.lead_days + churn.horizon_days
    steps = -(-whole // step_days)
    newest = known_until - timedelta(days=whole)
    oldest = first_day + timedelta(days=min(churn.active_within_days, LEAST_HISTORY_DAYS))
    ages = (whole * back // steps for back in range(most))
    return tuple(newest - timedelta(days=age) for age in ages if newest - timedelta(days=age) >= oldest)[::-1]


def early_cutoffs(
    *, first_day: date, known_until: date, churn: Churn, step_days: int = 28, most: int = 24
) -> tuple[date, ...]:
    """Return the cutoffs after the newest finished one of which half the horizon is finished, oldest first.

    Parameters are those of ``training_cutoffs``. Where no horizon is finished there are none: what half a horizon
    shows could not be held against a whole one.

    Examples
    --------
    >>> churn = Churn(lead_days=10, horizon_days=90)
    >>> [str(day) for day in early_cutoffs(first_day=date(2025, 1, 1), known_until=date(2025, 9, 1), churn=churn)]
    ['2025-06-11', '2025-07-08']
    """
    found = partial(training_cutoffs, first_day=first_day, known_until=known_until, step_days=step_days, most=most)
    finished = found(churn=churn)
    return tuple(day for day in found(churn=churn.early) if finished and day > finished[-1])


def learnable_before(cutoffs: Sequence[date], test: date, churn: Churn) -> tuple[date, ...]:
    """Return the cutoffs whose horizons end on or before ``test``: purged of every overlap with it."""
    return tuple(cutoff for cutoff in cutoffs if horizon_of(cutoff, churn).end <= test)
