"""What a lapsed customer brings if they return, and when customers return at all: both learned from past returns.

Margin: the usual margin per day of purchase (the customer's own, drawn towards the company's) times the days of
purchase that returners like them make up within a lead and horizon. Value: as many times this as BG/NBD expects of
one who has just bought over the configured years, discounted, against one lead and horizon. Timing: the share that
returned by how long they had been silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.bgnbd import Purchases
from features.definition import Churn
from features.rhythm import RhythmParameters, seen_in_matrix
from models.kundenwert import discounts
from models.linear import linear
from models.settings import Value
from models.value import YEAR_DAYS, margin_per_purchase

Column = NDArray[np.float64]

LEAST_RETURNS = 20
"""Returns below which nothing is learned about their moment."""

_WINDOWS = (28, 91, 182, 364, 728)
_DRAWN = 20.0
"""Returners that the wider group counts for beside the own class."""
_LEAST_DAYS = 1.0
"""Whoever returns buys on one day at least: what counts without any past return."""
_BIN_DAYS = 28
_CLOSE_TO_BEST, _HALF = 0.8, 0.5

READ_COLUMNS = (
    *("sales__recency_days", "sales__tenure_days", "sales__purchase_days"),
    *("sales__turnover_728d", "sales__orders_728d", "sales__margin_share_364d"),
)
"""Columns of the matrix read here beside the window of :func:`window_since`, as far as they are there."""


def window_since(churn: Churn) -> int | None:
    """Return the look-back in which all that a returner has bought since the cutoff stands, a lead and horizon later.

    The lapsed had bought nothing in the days of activity before the cutoff, so a window may reach that far beyond it.

    Examples
    --------
    >>> window_since(Churn(lead_days=14, horizon_days=90, active_within_days=180))
    182
    """
    whole = churn.lead_days + churn.horizon_days
    return next((days for days in _WINDOWS if whole <= days <= whole + churn.active_within_days), None)


@dataclass(frozen=True, kw_only=True)
class ReturnMargin:
    """Days of purchase of their usual size that returners make up within a lead and horizon, by how they had bought.

    ``border`` parts repeat buyers into rare and frequent ones [purchase days per year]; ``days`` are those of
    customers who had bought on one day only, of rare and of frequent buyers; ``returners`` were learned from.
    """

    border: float
    days: tuple[float, float, float]
    returners: int

    def days_of(self, lapsed: pd.DataFrame) -> Column:
        """Return the days of purchase to be expected of each customer who returns."""
        return np.asarray(self.days, dtype=np.float64)[_classes(lapsed, self.border)]


def learn_return_margin(
    pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], *, churn: Churn, settings: Value
) -> ReturnMargin:
    """Learn what returners buy from pairs of matrices: a cutoff, and the one a lead and horizon after it.

    Parameters
    ----------
    pairs : sequence of (DataFrame, DataFrame)
        Lapsed snapshots with their label, and the whole matrix of the later cutoff.
    churn, settings : sections of the configuration

    Returns
    -------
    ReturnMargin
        A ratio of sums per class, drawn towards that of all returners by the weight of 20 of them, and this towards
        one day of purchase. Without any pair, or with a horizon no window covers, one day each.
    """
    returned = _returned(pairs, churn, settings)
    if returned.empty:
        return ReturnMargin(border=0.0, days=(_LEAST_DAYS,) * 3, returners=0)
    often = _frequency(returned)
    border = float(np.median(often[often > 0])) if (often > 0).any() else 0.0
    classes, since, usual = (
        _classes(returned, border),
        returned["since"].to_numpy(np.float64),
        returned["usual"].to_numpy(np.float64),
    )
    everyone = _ratio(since, usual, towards=_LEAST_DAYS)
    once, rare, frequent = (
        _ratio(since[classes == each], usual[classes == each], towards=everyone) for each in range(3)
    )
    return ReturnMargin(border=border, days=(once, rare, frequent), returners=len(returned))


def if_returned(
    lapsed: pd.DataFrame, margin: ReturnMargin, *, rhythm: RhythmParameters, churn: Churn, settings: Value
) -> pd.DataFrame:
    """Return what each lapsed customer brings if they return within the horizon.

    Returns
    -------
    DataFrame with the index of ``lapsed``
        ``margin_if_returned``: margin until the end of the horizon [currency]; ``value_if_returned``: discounted
        margin over the configured years [currency], never below it.
    """
    seen = seen_in_matrix(lapsed)
    again = Purchases(repeats=seen.repeats + 1, last_weeks=seen.age_weeks, age_weeks=seen.age_weeks)
    whole = churn.lead_days + churn.horizon_days
    soon = rhythm.bgnbd.expected_purchases(again, days=whole)
    ends = [rhythm.bgnbd.expected_purchases(again, days=YEAR_DAYS * year) for year in range(1, settings.years + 1)]
    per_year = np.maximum(np.diff(np.vstack([np.zeros(len(lapsed)), *ends]), axis=0), 0)
    times = np.maximum(linear(per_year.T, discounts(settings)) / np.maximum(soon, 1e-9), 1.0)
    found = margin_per_purchase(lapsed, settings) * margin.days_of(lapsed)
    return pd.DataFrame({"margin_if_returned": found, "value_if_returned": found * times}, index=lapsed.index)


@dataclass(frozen=True, kw_only=True)
class ReturnTiming:
    """When customers return: the share that returned within the horizon by days since the last purchase.

    ``first`` are the first days of classes of 28 days; ``share`` is drawn towards the company's. The best moment is
    from ``best_from`` (inclusive) to ``best_until`` (exclusive), days since the last purchase: there the share is at
    least 80 % of the highest before it, and at least half of it afterwards.
    """

    first: tuple[int, ...]
    share: tuple[float, ...]
    snapshots: tuple[int, ...]
    returns: int
    best_from: int
    best_until: int


def learn_timing(lapsed: pd.DataFrame) -> ReturnTiming | None:
    """Learn when customers return from labelled lapsed snapshots; None below ``LEAST_RETURNS`` of them."""
    label = lapsed["label"].to_numpy(np.float64)
    if label.sum() < LEAST_RETURNS:
        return None
    place = (lapsed["sales__recency_days"].to_numpy(np.float64) // _BIN_DAYS).astype(np.int64)
    low = int(place.min())
    asked, came = np.bincount(place - low), np.bincount(place - low, weights=label)
    share = (came + _DRAWN * label.mean()) / (asked + _DRAWN)
    best = int(share.argmax())
    begins = _reach(share, best, step=-1, least=_CLOSE_TO_BEST)
    ends = _reach(share, best, step=1, least=_HALF)
    first = [_BIN_DAYS * (low + at) for at in range(len(share))]
    return ReturnTiming(
        first=tuple(first),
        share=tuple(float(each) for each in share),
        snapshots=tuple(int(each) for each in asked),
        returns=int(label.sum()),
        best_from=first[begins],
        best_until=first[ends] + _BIN_DAYS,
    )


def _reach(share: Column, best: int, *, step: int, least: float) -> int:
    """Return the last class in one direction from the best whose share is at least ``least`` of it, without a gap."""
    at = best
    while 0 <= at + step < len(share) and share[at + step] >= least * share[best]:
        at += step
    return at


def _returned(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], churn: Churn, settings: Value) -> pd.DataFrame:
    """Return every past returner with turnover since the cutoff and per usual day of purchase [currency]."""
    days = window_since(churn)
    column = f"sales__turnover_{days}d"
    parts = [_bought_since(lapsed, later, column, settings) for lapsed, later in pairs if column in later.columns]
    found = [part for part in parts if len(part)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _bought_since(lapsed: pd.DataFrame, later: pd.DataFrame, column: str, settings: Value) -> pd.DataFrame:
    whole = settings.model_copy(update={"margin_share": 1.0})
    usual = margin_per_purchase(lapsed.drop(columns="sales__margin_share_364d", errors="ignore"), whole)
    since = lapsed["customer_id"].map(later.set_index("customer_id")[column]).fillna(0.0).clip(lower=0.0)
    came = (lapsed["label"] == 1).fillna(False).to_numpy(dtype=bool) & (usual > 0)
    return lapsed.assign(usual=usual, since=since)[came]


def _ratio(since: Column, usual: Column, *, towards: float) -> float:
    """Sum over sum, drawn towards another ratio by the weight of some returners of mean size."""
    if not len(usual):
        return towards
    weight = _DRAWN * usual.mean()
    return float((since.sum() + towards * weight) / (usual.sum() + weight))


def _frequency(rows: pd.DataFrame) -> Column:
    """Days of purchase after the first per year between the first and the last; 0 for one day only."""
    repeats = np.maximum(rows["sales__purchase_days"].to_numpy(np.float64) - 1, 0)
    between = (rows["sales__tenure_days"] - rows["sales__recency_days"]).to_numpy(np.float64)
    return np.asarray(repeats / np.maximum(np.nan_to_num(between), _BIN_DAYS) * YEAR_DAYS, dtype=np.float64)


def _classes(rows: pd.DataFrame, border: float) -> NDArray[np.int64]:
    """0: bought on one day only; 1: repeat buyers up to the border; 2: above it."""
    often = _frequency(rows)
    return np.where(often <= 0, 0, np.where(often <= border, 1, 2))
