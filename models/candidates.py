"""The ladder of candidates: rule, rhythm, logistic regression, and what ``boosting`` and ``blend`` add to them.

Each learns from labelled snapshots, gives raw log-odds of the label, explains them by contributions that add up, and is
stored as numbers and text: never as a pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from features.errors import ModelError
from models.early import Early
from models.linear import Bound, fit_logistic

Column = NDArray[np.float64]

LADDER = ("rule", "rhythm", "logistic", "blend", "monotone", "lightgbm")
"""Names of the candidates, from the simplest to the most able."""

STANDING = "blend"
"""The candidate that speaks unless another proves clearly better."""

HELD: Mapping[str, str] = {"lightgbm": "monotone"}
"""The same candidate held to known directions: it speaks in place of the free one unless that proves clearly better."""

RECENCY = "sales__recency_days"
SILENT = "rhythm__silent_chance"


class Candidate(Protocol):
    """A fitted candidate."""

    @property
    def name(self) -> str:
        """Its step of the ladder."""

    @property
    def explained_by(self) -> str:
        """How contributions are found: ``linear``, ``treeshap`` or ``pred_contrib``."""

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds of the label, shape (n_rows,)."""

    def spread(self, features: pd.DataFrame) -> Column:
        """Standard deviation of the raw log-odds between members of an ensemble; 0 for a single model."""

    def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """Base and one column per feature that speaks; base plus the row's sum is its raw log-odds."""

    def to_files(self) -> dict[str, bytes]:
        """Texts of trees, by file name; empty when ``facts`` say it all."""

    def facts(self) -> dict[str, Any]:
        """Numbers for the manifest."""


Fit = Callable[[pd.DataFrame, NDArray[np.int8], Early | None], Candidate]
"""Fits a candidate on features, what became of them, and early outcomes where there are some."""


@dataclass(frozen=True, kw_only=True)
class OneColumn:
    """``log-odds = intercept + weight * (x - mean)`` with one column: the rule and the rhythm."""

    name: str
    column: str
    intercept: float
    weight: float
    mean: float

    @property
    def explained_by(self) -> str:
        """Each column's own term."""
        return "linear"

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds, shape (n_rows,)."""
        return self.intercept + self.weight * (_SHAPES[self.column](features[self.column]) - self.mean)

    def spread(self, features: pd.DataFrame) -> Column:
        """Zeros: there is one model."""
        return np.zeros(len(features))

    def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """All that is not the mean belongs to the one column."""
        part = self.log_odds(features) - self.intercept
        return self.intercept, pd.DataFrame({self.column: part}, index=features.index)

    def to_files(self) -> dict[str, bytes]:
        """No trees."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Numbers for the manifest."""
        return {"column": self.column, "intercept": self.intercept, "weight": self.weight, "mean": self.mean}


def _log_recency(recency: pd.Series[float]) -> Column:
    return np.log1p(np.nan_to_num(recency.to_numpy(np.float64), nan=3650.0))


def _silent_log_odds(chance: pd.Series[float]) -> Column:
    clipped = np.clip(np.nan_to_num(chance.to_numpy(np.float64), nan=0.5), 1e-4, 1 - 1e-4)
    return np.asarray(special.logit(clipped), dtype=np.float64)


_SHAPES = {RECENCY: _log_recency, SILENT: _silent_log_odds}


def fit_rule(features: pd.DataFrame, label: NDArray[np.int8], early: Early | None = None, *, lost: bool) -> OneColumn:
    """Fit the last-order rule: the longer ago, the likelier lost; on the logarithm of recency, by whole horizons."""
    del early
    return _fit_one("rule", RECENCY, features, label, lost=lost)


def fit_rhythm(features: pd.DataFrame, label: NDArray[np.int8], early: Early | None = None, *, lost: bool) -> OneColumn:
    """Fit the rhythm: BG/NBD's chance of silence (``lost``) or of its opposite, moved to the level of the labels.

    It speaks of whole horizons, so early outcomes are not looked at.
    """
    del early
    return _fit_one("rhythm", SILENT, features, label, lost=lost)


def untrained_rhythm(*, lost: bool) -> OneColumn:
    """Return the rhythm as it comes, for a company without a single finished horizon."""
    return OneColumn(name="rhythm", column=SILENT, intercept=0.0, weight=1.0 if lost else -1.0, mean=0.0)


def _fit_one(name: str, column: str, features: pd.DataFrame, label: NDArray[np.int8], *, lost: bool) -> OneColumn:
    """Fit one weight, held to the direction that makes sense: more silence, more loss, less return."""
    x, sign = _SHAPES[column](features[column]), 1.0 if lost else -1.0
    mean = float(x.mean())
    intercept, weights = fit_logistic(sign * (x - mean)[:, None], label, penalty=4.0, centre=1.0, bounds=[(0.1, None)])
    return OneColumn(name=name, column=column, intercept=intercept, weight=sign * float(weights[0]), mean=mean)


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """Ridge logistic regression on normal scores: each column mapped through its quantiles, missing to its mean."""

    name: str
    columns: tuple[str, ...]
    knots: tuple[tuple[float, ...], ...]
    means: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    @property
    def explained_by(self) -> str:
        """Each column's own term."""
        return "linear"

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds, shape (n_rows,)."""
        base, parts = self.contributions(features)
        total = np.zeros(len(features))
        for part in parts.to_numpy(np.float64).T:  # one after another: sum() adds a single row in another order
            total += part
        return base + total

    def spread(self, features: pd.DataFrame) -> Column:
        """Zeros: there is one model."""
        return np.zeros(len(features))

    def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """Weight times distance from the mean, per column."""
        rows = _normal_scores(features, self.columns, self.knots) - np.array(self.means)
        parts = np.nan_to_num(rows) * np.array(self.weights)
        return self.intercept, pd.DataFrame(parts, columns=list(self.columns), index=features.index)

    def to_files(self) -> dict[str, bytes]:
        """No trees."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Numbers for the manifest."""
        names = ("columns", "knots", "means", "weights", "intercept")
        return {name: getattr(self, name) for name in names}


_GRID = np.linspace(0.005, 0.995, 100)

_LEVEL_SCALE = 3.0
"""Size of the column that marks early outcomes: so large that the penalty hardly holds their own level back."""


_SIDES: Mapping[int, Bound] = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}


def fit_logistic_regression(
    features: pd.DataFrame,
    label: NDArray[np.int8],
    early: Early | None = None,
    *,
    directions: Mapping[str, int] | None = None,
) -> Logistic:
    """Fit the logistic regression on every column that varies, from ``early`` outcomes too.

    These have a level of their own, a weight that is forgotten afterwards: what is said is said of whole horizons.
    With ``directions`` (+1, -1 by column) more of a column can move the score in its direction only: among columns that
    say much the same, free weights would take turns in sign, and so would reasons.
    """
    learned = features if early is None else pd.concat([features, early.features], ignore_index=True)
    columns = [name for name in learned.columns if learned[name].nunique() > 1]
    knots = [np.nanquantile(learned[name].to_numpy(np.float64), _GRID).tolist() for name in columns]
    rows = _normal_scores(learned, columns, knots)
    means = np.nanmean(rows, axis=0)
    bounds = [_SIDES[(directions or {}).get(name, 0)] for name in columns]
    rows, outcome = np.nan_to_num(rows - means), label
    if early is not None:
        is_early = np.repeat([0.0, _LEVEL_SCALE], [len(label), len(early.label)])
        rows, outcome, bounds = np.c_[rows, is_early], np.r_[label, early.label], [*bounds, _SIDES[0]]
    intercept, weights = fit_logistic(rows, outcome, penalty=20.0, bounds=bounds)
    return Logistic(
        name="logistic",
        columns=tuple(columns),
        knots=tuple(tuple(knot) for knot in knots),
        means=tuple(means.tolist()),
        weights=tuple(weights[: len(columns)].tolist()),
        intercept=intercept,
    )


def _normal_scores(
    features: pd.DataFrame, columns: Sequence[str], knots: Iterable[Sequence[float]]
) -> NDArray[np.float64]:
    """Normal quantile of each value's rank among the knots, shape (n_rows, n_columns); ties take the middle."""
    scores = np.full((len(features), len(columns)), np.nan)
    for at, (name, knot) in enumerate(zip(columns, knots, strict=True)):
        grid = np.asarray(knot, dtype=np.float64)
        values = features[name].to_numpy(np.float64)
        below, above = np.searchsorted(grid, values, side="left"), np.searchsorted(grid, values, side="right")
        rank = np.clip((below + above) / 2, 0.5, len(_GRID) - 0.5) / len(_GRID)
        scores[:, at] = np.where(np.isnan(values), np.nan, special.ndtri(rank))
    return scores


def candidate_from(name: str, facts: Mapping[str, Any], files: Mapping[str, bytes]) -> Candidate:
    """Return the candidate that ``facts()`` and ``to_files()`` describe.

    Raises
    ------
    ModelError
        If there is no candidate of that name.
    """
    if name in ("rule", "rhythm"):
        return OneColumn(name=name, **facts)
    if name == "logistic":
        frozen = {key: _as_tuple(value) for key, value in facts.items()}
        return Logistic(name=name, **frozen)
    if name in ("monotone", "lightgbm"):
        from models.boosting import boosted_from

        return boosted_from(name, facts, files)
    if name == "blend":
        from models.blend import blend_from

        return blend_from(facts, files)
    raise ModelError(f"expected candidate {', '.join(LADDER[:-1])} or {LADDER[-1]}, got {name!r}; train again")


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
