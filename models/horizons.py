"""The chance to be lost within any number of days, never decreasing, anchored at the calibrated probability.

Lost within lead and horizon is the label (`features.loss_day`), so there the curve is the printed probability, and its
reasons are the curve's. From there it walks outwards in steps. Later: whoever was not lost by one day is lost by the
next with a share counted in the past. Earlier: whoever is lost by one day was lost by an earlier one with a share
counted alike; and below a whole horizon only the silence so far can be complete, which the days since the last purchase
tell. Sums of non-negative parts: the curve cannot fall. Source: Singer, Willett (1993), It's About Time, J. Educational
Statistics 18(2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.loss_day import FOLLOWED, LOST_AFTER
from models.candidates import RECENCY
from models.folds import YEAR_DAYS
from models.settings import Value
from models.staying import Staying, fit_staying, survival

Column = NDArray[np.float64]

HORIZONS = (30, 60, 90, 180, 365)
"""Numbers of days within which the chance to be lost is told."""

LEAST_OUTCOMES = 20
"""Snapshots of either outcome below which a step is not learned: the staying curve speaks."""

_LEAST = 1e-300

SEASON_DAYS = 45
"""How far from a year ago still counts as the same season for a step to a later day [days]."""


HALF = "half_after_days"
"""Column of the days after the cutoff in which half of the chance to be lost within lead and horizon falls due."""


def lost_within(days: int) -> str:
    """Return the name of the column with the chance to be lost within so many days."""
    return f"lost_within_{days}_days"


LOST_COLUMNS = (*map(lost_within, HORIZONS), HALF)
"""What is told of when a customer is lost, missing where nobody can say."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """From ``origin`` to ``days`` after the cutoff, both numbers of days; outwards from lead and horizon.

    ``days > origin``: share lost by ``days`` of those not lost by ``origin``. ``days < origin``: share lost by ``days``
    already of those lost by ``origin``. Without a share the past was mute: the staying curve speaks, or losses are
    spread evenly.
    """

    origin: int
    days: int
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Horizons:
    """What the past says of when customers are lost.

    ``whole_days`` is lead and horizon, ``silence_days`` the horizon alone (0 for contracts: they end on a day, no
    silence has to become complete). ``days`` are told, rising; ``concentration`` is that of the staying curve, which
    speaks beyond ``told_days``. The steps go outwards, the later before the earlier.
    """

    whole_days: int
    silence_days: int
    days: tuple[int, ...]
    concentration: float
    steps: tuple[Step, ...]

    @property
    def told_days(self) -> int:
        """Up to so many days the past has told; further the staying curve speaks."""
        later = (step for step in self.steps if step.days > step.origin and step.share is not None)
        return max([self.whole_days, *(step.days for step in later)])

    def of(self, matrix: pd.DataFrame, probability: Column) -> pd.DataFrame:
        """Return the chance to be lost within each of ``days``, ``lost_within_…_days``, and ``half_after_days``.

        Parameters
        ----------
        matrix : DataFrame
            Active snapshots; of it only the days since the last purchase are read. Where they are missing, what lies
            below a whole horizon is missing too.
        probability : array in [0, 1], shape (n_customers,)
            The calibrated one of lead and horizon; the curve goes through it exactly.
        """
        is_known = RECENCY in matrix.columns
        recency = matrix[RECENCY].to_numpy(np.float64) if is_known else np.full(len(matrix), np.nan)
        found = self._walked(probability)
        half = self._half_after(found, recency)
        for day in (each for each in self.days if each < self.silence_days):
            silent = np.where(recency > self.silence_days - day, found[self.silence_days], 0.0)
            found[day] = np.where(np.isnan(recency), np.nan, silent)
        told = {lost_within(day): found[day] for day in self.days}
        return pd.DataFrame({**told, HALF: half}, index=matrix.index)

    def to_facts(self) -> dict[str, Any]:
        """Return plain numbers for the manifest of a model."""
        steps = [[step.origin, step.days, step.share] for step in self.steps]
        days = {"whole_days": self.whole_days, "silence_days": self.silence_days, "days": list(self.days)}
        return {**days, "concentration": self.concentration, "steps": steps}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Horizons:
        """Return the curve of :meth:`to_facts`."""
        steps = tuple(Step(origin=origin, days=days, share=share) for origin, days, share in facts["steps"])
        return cls(**{**facts, "days": tuple(facts["days"]), "steps": steps})

    def _walked(self, probability: Column) -> dict[int, Column]:
        """Return the chance at the end of every step, by its number of days."""
        found = {self.whole_days: np.asarray(probability, dtype=np.float64)}
        for step in self.steps:
            chance, said = found[step.origin], self._share(step, found[self.whole_days])
            later = step.days > step.origin
            found[step.days] = np.minimum(chance + (1 - chance) * said, 1.0) if later else chance * said
        return found

    def _half_after(self, found: Mapping[int, Column], recency: Column) -> Column:
        """Return in how many days half of the chance of lead and horizon falls due, between steps in proportion."""
        half, least = found[self.whole_days] / 2, self.silence_days
        known = {} if least else {0: np.zeros(len(half))}
        known |= {day: found[day] for day in sorted(found) if least <= day <= self.whole_days}
        is_silence = known[least] >= half
        after = np.where(is_silence, np.maximum(least - recency + 1, 1), self.whole_days)
        for day, later in pairwise(known):
            share = (half - known[day]) / np.maximum(known[later] - known[day], _LEAST)
            is_between = (known[day] < half) & (half <= known[later])
            after = np.where(is_between, day + share * (later - day), after)
        return np.asarray(np.ceil(after), dtype=np.float64)

    def _share(self, step: Step, probability: Column) -> Column:
        if step.share is not None:
            return np.full(len(probability), step.share)
        if step.days < step.origin:
            return np.full(len(probability), step.days / step.origin)
        staying = Staying(return_share=0.0, concentration=self.concentration)
        there = survival(probability, np.array([step.origin, step.days]) / self.whole_days, staying)
        return np.asarray(np.clip(1 - there[:, 1] / np.maximum(there[:, 0], 1e-12), 0, 1), dtype=np.float64)


def fit_horizons(
    snapshots: pd.DataFrame, *, cutoff: date, churn: Churn, days: Sequence[int] = HORIZONS
) -> Horizons | None:
    """Learn when customers are lost from labelled snapshots of active customers.

    Parameters
    ----------
    snapshots : DataFrame
        As ``features.matrix`` gives them, all known before ``cutoff``: a step learns only from cutoffs that have been
        followed to its end.
    cutoff : date
        The day the curve is for; later steps count the same season where it has been seen often enough.
    churn : Churn
    days : sequence of int
        Numbers of days that shall be told.

    Returns
    -------
    Horizons, or None where a loss has no day (a decline is seen in the turnover of a period), or the snapshots do not
    tell it.
    """
    if churn.definition == "decline" or not {LOST_AFTER, FOLLOWED} <= set(snapshots.columns):
        return None
    otherwise = Staying(return_share=0.0, concentration=Value().staying_concentration)
    return Horizons(
        whole_days=churn.lead_days + churn.horizon_days,
        silence_days=churn.horizon_days if churn.definition == "inactivity" else 0,
        days=tuple(sorted(days)),
        concentration=fit_staying(snapshots, churn=churn, otherwise=otherwise).concentration,
        steps=tuple(_step(snapshots, origin, day, cutoff) for origin, day in _ways(churn, days)),
    )


def _ways(churn: Churn, days: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield origin and end of the steps: the later ones outwards, then the earlier ones."""
    whole = churn.lead_days + churn.horizon_days
    least = churn.horizon_days if churn.definition == "inactivity" else 1
    yield from pairwise([whole, *sorted({day for day in days if day > whole})])
    silence = {least} if churn.definition == "inactivity" else set[int]()
    earlier = {day for day in {*days, *silence} if least <= day < whole}
    yield from pairwise([whole, *sorted(earlier, reverse=True)])


def _step(snapshots: pd.DataFrame, origin: int, days: int, cutoff: date) -> Step:
    """Return one step, learned where the past has enough of both outcomes."""
    lost, followed = (snapshots[name].to_numpy(np.float64) for name in (LOST_AFTER, FOLLOWED))
    later = days > origin
    asked = (followed >= max(origin, days)) & (~(lost <= origin) if later else lost <= origin)
    label = lost <= days
    chosen = asked & _same_season(snapshots["cutoff"], cutoff) if later else asked
    for rows in (chosen, asked):
        if min(label[rows].sum(), (~label[rows]).sum()) >= LEAST_OUTCOMES:
            return Step(origin=origin, days=days, share=float((label[rows].sum() + 0.5) / (rows.sum() + 1)))
    return Step(origin=origin, days=days)


def _same_season(cutoffs: pd.Series[date], cutoff: date) -> NDArray[np.bool_]:
    ages: Mapping[date, int] = {day: (cutoff - day).days for day in set(cutoffs)}
    off = np.array([ages[day] for day in cutoffs], dtype=np.int64) + YEAR_DAYS // 2
    return np.asarray(np.abs(off % YEAR_DAYS - YEAR_DAYS // 2) <= SEASON_DAYS, dtype=np.bool_)
