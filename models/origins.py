"""Origins: past mornings on which everything is done as training does it, and then judged by what became of it.

A split is sound only when nothing that was learned from reaches into what is judged. ``require_sound`` says so, or
which row breaks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from features.definition import Churn
from features.errors import LeakageError
from features.timeline import horizon_of, learnable_before
from models.early import cutoffs_by_definition, mute

LEAST_ORIGINS, MOST_ORIGINS = 3, 6
"""How many origins a backtest aims at: fewer tell little about the season, more cost time and repeat each other."""


def origins_of(
    cutoffs: Sequence[date], churn: Churn, *, least: int = LEAST_ORIGINS, most: int = MOST_ORIGINS
) -> tuple[date, ...]:
    """Return the origins among cutoffs with finished horizons: those that leave a finished cutoff to learn from."""
    usable = [cutoff for cutoff in cutoffs if learnable_before(cutoffs, cutoff, churn)]
    return spread(usable, churn, least=least, most=most)


def spread(cutoffs: Sequence[date], churn: Churn, *, least: int, most: int) -> tuple[date, ...]:
    """Return at most ``most`` of evenly spaced cutoffs, the newest and others a whole lead and horizon apart.

    Where that leaves fewer than ``least``, they lie as far apart as the history allows.

    Examples
    --------
    >>> days = [date(2025, month, 1) for month in range(1, 8)]
    >>> [day.month for day in spread(days, Churn(lead_days=0, horizon_days=90), least=3, most=6)]
    [1, 4, 7]
    >>> [day.month for day in spread(days[:5], Churn(lead_days=0, horizon_days=90), least=3, most=6)]
    [1, 3, 5]
    """
    if len(cutoffs) < 2:
        return tuple(cutoffs)
    step = (cutoffs[-1] - cutoffs[0]).days / (len(cutoffs) - 1)
    apart = max(1, round((churn.lead_days + churn.horizon_days) / step))
    count = min(max(1 + (len(cutoffs) - 1) // apart, least), most, len(cutoffs))
    stride = min(apart, (len(cutoffs) - 1) // max(count - 1, 1))
    return tuple(cutoffs[len(cutoffs) - 1 - stride * back] for back in range(count))[::-1]


def require_sound(learn: pd.DataFrame, ranked: pd.DataFrame, *, origin: date, churn: Churn) -> None:
    """Raise a LeakageError unless what is learned from is over when the days that are judged begin.

    Parameters
    ----------
    learn : DataFrame
        Snapshots to learn from: customer_id, cutoff, label, or in its place early_label.
    ranked : DataFrame
        Snapshots to judge: customer_id, cutoff.
    origin : date
        The morning on which both are looked at.
    churn : Churn
        Lead and horizon.

    Raises
    ------
    LeakageError
        If a snapshot to judge is of another day or there twice; if one to learn from has no label, or a horizon (by
        an early label its half) that ends after ``origin`` and so overlaps the days that are judged, or is itself one
        of those to judge.
    """
    _require_one_day(ranked, origin)
    for day, definition in cutoffs_by_definition(learn, churn):
        _require_over(day, origin, definition)
    unlabelled = mute(learn)
    if len(unlabelled):
        customer, day = unlabelled[["customer_id", "cutoff"]].iloc[0]
        raise LeakageError(
            f"the split at {origin} learns from customer {customer} on {day}, of whom nothing was known on that"
            " morning; leave the cutoff out"
        )


def _require_over(day: date, origin: date, churn: Churn) -> None:
    end = horizon_of(day, churn).end
    if end > origin:
        raise LeakageError(
            f"the split at {origin} learns from cutoff {day}, whose horizon ends {end - timedelta(days=1)}, inside"
            f" what is judged; leave out cutoffs after {origin - (end - day)}"
        )


def _require_one_day(ranked: pd.DataFrame, origin: date) -> None:
    strangers = sorted(set(ranked["cutoff"]) - {origin})
    if strangers:
        raise LeakageError(f"the split at {origin} judges snapshots of {strangers[0]}; judge those of {origin} only")
    twice = ranked.loc[ranked["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        raise LeakageError(f"the split at {origin} judges customer {twice.iloc[0]} twice; judge each snapshot once")
