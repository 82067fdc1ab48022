"""Where everybody stands in a backtest: figures of every ranking, per origin and per segment, with intervals.

Intervals and paired differences come from the same draws of customers for all rankings, so that what they share by
chance falls out of the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.folds import LEAST_OUTCOMES
from models.metrics import bins_of, brier_parts, evaluate, log_losses
from models.profit import expected_maximum_profit, gains_at, profit_per_contact, value_captured
from models.resample import drawn, draws_for, interval_of, ranks_of, weighted_auc

Column = NDArray[np.float64]

DELIVERED = "treue"
"""The name under which the chosen candidate stands beside all others: what would have been delivered."""

RESAMPLED = ("auc", "log_loss", "brier", "calibration_error")
"""Figures with an interval."""

_SEGMENT_DRAWS = 200


def standing(folds: pd.DataFrame, *, places: int, segments: Sequence[str] = ()) -> dict[str, Any]:
    """Return all figures of a backtest as plain values; a figure that cannot be is None.

    Parameters
    ----------
    folds : DataFrame
        test, customer_id, kind, candidate, label, log_odds, probability, stake and one column per segment: one row per
        judged snapshot and ranking.
    places : int
        Length of the list that gains, profit and value captured are measured on [customers].
    segments : sequence of str
        Columns by which customers are told apart.

    Returns
    -------
    dict
        ``rankings``: by name its kind, ``mean`` (over origins, weighted by snapshots), ``interval`` (95 %, customers
        drawn anew), ``behind_delivered`` (difference to what was delivered, with its interval) and ``by_origin``;
        ``segments``: by column and level the same without profit and origins.
    """
    if folds.empty:
        return {"rankings": {}, "segments": {}, "list_size": places}
    found = {
        "list_size": places,
        "rankings": _rankings(folds, draws=draws_for(_snapshots(folds)), places=places),
        "segments": {
            column: {
                str(level): _rankings(part, draws=min(_SEGMENT_DRAWS, draws_for(_snapshots(part))), places=None)
                for level, part in folds.dropna(subset=[column]).groupby(column, sort=True)
            }
            for column in segments
        },
    }
    return dict(_plain(found))


def _snapshots(folds: pd.DataFrame) -> int:
    return len(folds) // max(int(folds["candidate"].nunique()), 1)


def _rankings(folds: pd.DataFrame, *, draws: int, places: int | None) -> dict[str, Any]:
    """Return the figures of every ranking in these rows."""
    parts = {
        str(name): part.sort_values(["test", "customer_id"], ignore_index=True)
        for name, part in folds.groupby("candidate", sort=False)
    }
    tests = {name: [_Test(part) for _, part in rows.groupby("test", sort=True)] for name, rows in parts.items()}
    resampled = _resampled(tests, customers=_customers(parts), draws=draws)
    found = {}
    for name, rows in parts.items():
        by_origin = {str(day): _figures(part, places) for day, part in rows.groupby("test", sort=True)}
        found[name] = {
            "kind": str(rows["kind"].iloc[0]),
            "mean": _mean(by_origin),
            "interval": {figure: interval_of(resampled[name][:, at]) for at, figure in enumerate(RESAMPLED)},
            **_behind(name, tests, resampled),
            **({} if places is None else {"by_origin": by_origin}),
        }
    return found


def _customers(parts: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Customers of all judged snapshots, in order; the same for every ranking that spoke at every origin."""
    longest = max(parts.values(), key=len)
    return longest["customer_id"].astype("str")


def _figures(part: pd.DataFrame, places: int | None) -> dict[str, float]:
    label, probability = part["label"].to_numpy(np.int8), part["probability"].to_numpy(np.float64)
    score, brier = part["log_odds"].to_numpy(np.float64), brier_parts(label, probability)
    found = {
        **evaluate(label, probability),
        "auc": weighted_auc(label, ranks_of(score), np.ones(len(part))),
        "reliability": brier.reliability,
        "resolution": brier.resolution,
        "uncertainty": brier.uncertainty,
    }
    if min(label.sum(), (1 - label).sum()) < LEAST_OUTCOMES:
        found["auc"] = found["average_precision"] = float("nan")
    if places is None:
        return found
    stake = part["stake"].to_numpy(np.float64)
    return {
        **found,
        "gains_at_list": gains_at(label, score, places=places),
        "lift_at_list": gains_at(label, score, places=places) / min(1.0, places / len(label)),
        "profit_per_contact": profit_per_contact(label, score, places=places),
        "expected_maximum_profit": expected_maximum_profit(label, probability),
        "value_captured": value_captured(label, probability, stake, places=places),
    }


def _mean(by_origin: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Mean over origins, weighted by snapshots; an origin where a figure cannot be does not count for it."""
    table = pd.DataFrame(list(by_origin.values()))
    means = {}
    for name in table.columns:
        known = table[name].notna().to_numpy(dtype=bool)
        values, weights = table.loc[known, name], table.loc[known, "n"]
        means[str(name)] = float(np.average(values, weights=weights)) if known.any() else float("nan")
    return {**means, "n": float(table["n"].sum())}


class _Test:
    """One ranking at one origin, ready to be weighed many times."""

    def __init__(self, part: pd.DataFrame):
        self.rows = len(part)
        self._label = part["label"].to_numpy(np.int8)
        probability = part["probability"].to_numpy(np.float64)
        self._ranks = ranks_of(part["log_odds"].to_numpy(np.float64))
        self._loss = log_losses(self._label, probability)
        self._square = (self._label - probability) ** 2
        self._bin, self._gap = bins_of(probability), self._label - probability

    def figures(self, weight: Column) -> list[float]:
        """The figures of ``RESAMPLED`` with rows counted by weight."""
        total = max(float(weight.sum()), 1e-12)
        gaps = np.abs(np.bincount(self._bin, weight * self._gap)).sum()
        squares = (weight * self._loss).sum(), (weight * self._square).sum()
        return [weighted_auc(self._label, self._ranks, weight), squares[0] / total, squares[1] / total, gaps / total]


def _resampled(tests: Mapping[str, Sequence[_Test]], *, customers: pd.Series, draws: int) -> dict[str, Column]:
    """Figures of every ranking in every draw, shape (draws, figures); means over origins, weighted by snapshots."""
    found: dict[str, list[Column]] = {name: [] for name in tests}
    for weight in drawn(customers, draws=draws):
        for name, own in tests.items():
            if sum(test.rows for test in own) == len(weight):
                found[name].append(_weighted(own, weight))
    return {name: np.array(rows).reshape(-1, len(RESAMPLED)) for name, rows in found.items()}


def _weighted(own: Sequence[_Test], weight: Column) -> Column:
    cuts = np.cumsum([test.rows for test in own])[:-1]
    pieces = np.split(weight, cuts)
    each = np.array([test.figures(part) for test, part in zip(own, pieces, strict=True)])
    known = np.isfinite(each)
    rows = np.array([test.rows for test in own], dtype=np.float64)[:, None] * known
    with np.errstate(invalid="ignore"):
        return np.asarray((np.nan_to_num(each) * rows).sum(axis=0) / rows.sum(axis=0), dtype=np.float64)


def _behind(name: str, tests: Mapping[str, Sequence[_Test]], resampled: Mapping[str, Column]) -> dict[str, Any]:
    """Difference of a ranking to what was delivered: value, low and high; nothing for that itself."""
    if name == DELIVERED or not len(resampled[name]) or DELIVERED not in resampled:
        return {}
    whole = {
        each: _weighted(tests[each], np.ones(sum(test.rows for test in tests[each]))) for each in (name, DELIVERED)
    }
    difference, draws = whole[name] - whole[DELIVERED], resampled[name] - resampled[DELIVERED]
    told = {
        figure: (float(difference[at]), *interval_of(draws[:, at]))
        for at, figure in enumerate(RESAMPLED)
        if figure in ("auc", "log_loss")
    }
    return {"behind_delivered": told}


def _plain(value: Any) -> Any:
    """Return nested plain values: numbers rounded to six digits, what is no number as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    return value
