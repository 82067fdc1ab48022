"""The steps from simple to able: turnover by the month, by the rhythm, by regression, by trees that start from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.linear import linear
from models.margin.basis import LOGS, YEAR_DAYS, Column, Usual, by_months, by_rhythm, logs_of

StepName = Literal["months", "rhythm", "regression", "lightgbm"]
STEPS: Sequence[StepName] = ("months", "rhythm", "regression", "lightgbm")
"""The candidates, the simplest first."""

POWER = 1.5
"""Variance grows as this power of the mean (Tweedie): zeros, and tails as heavy as turnover has."""
OBJECTIVE = "tweedie"
"""How LightGBM writes the objective into its text."""
_RIDGE = 0.03
_MOST_STEPS, _REACH = 50, 30.0
_MOST_LEVEL = 3.0
"""Plain figures are moved to the level seen by at most this factor: more is another company than the one seen."""
MEMBERS, _ROUNDS = 3, 100


@dataclass(frozen=True, kw_only=True)
class Regression:
    """Tweedie regression with a log link on ``LOGS``, standardised."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def log_turnover(self, logs: NDArray[np.float64]) -> Column:
        """Return the logarithm of the expected turnover over its mean in training."""
        total = np.full(len(logs), self.intercept)
        for at, (mean, spread, weight) in enumerate(zip(self.means, self.spreads, self.weights, strict=True)):
            total += weight * np.clip((logs[:, at] - mean) / spread, -4, 4)
        return total


def fit_regression(logs: NDArray[np.float64], y: Column) -> Regression:
    """Fit by Fisher scoring; ``y`` is 0 or more, has mean 1, and is not all 0.

    Sums run through ``einsum``, as in ``models.linear``: the last digits must not depend on the threads of a BLAS.
    """
    means, spreads = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-6)
    x = np.column_stack([np.ones(len(logs)), np.clip((logs - means) / spreads, -4, 4)])
    ridge = np.r_[0.0, np.full(x.shape[1] - 1, _RIDGE * len(x))]
    beta = np.zeros(x.shape[1])
    loss = _penalised(x, y, beta, ridge)
    for _ in range(_MOST_STEPS):
        mean = np.exp(np.clip(linear(x, beta), -_REACH, _REACH))
        slope = linear(x.T, mean ** (1 - POWER) * (y - mean)) - ridge * beta
        curvature = np.einsum("ij,i,ik->jk", x, mean ** (2 - POWER), x)
        step = np.linalg.solve(curvature + np.diag(ridge + 1e-9), slope)
        part = 1.0
        while part > 1e-6 and (lower := _penalised(x, y, beta + part * step, ridge)) > loss:
            part /= 2
        if part <= 1e-6 or loss - lower < 1e-10 * (1 + abs(loss)):
            break
        beta, loss = beta + part * step, lower
    weights = tuple(beta[1:].tolist())
    return Regression(
        means=tuple(means.tolist()), spreads=tuple(spreads.tolist()), weights=weights, intercept=float(beta[0])
    )


def _penalised(x: NDArray[np.float64], y: Column, beta: Column, ridge: Column) -> float:
    log_mean = np.clip(linear(x, beta), -_REACH, _REACH)
    return float(losses(y, np.exp(log_mean)).sum() + (ridge * beta**2).sum() / 2)


def losses(y: Column, mean: Column) -> Column:
    """Return the Tweedie loss of each forecast, up to what does not depend on it; ``mean`` is above 0."""
    lost = mean ** (2 - POWER) / (2 - POWER) - y * mean ** (1 - POWER) / (1 - POWER)
    return np.asarray(lost, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Turnover:
    """One fitted step: the turnover of ``days`` days ahead.

    ``level`` is what the plain figures are multiplied by, or the mean turnover that logarithms are relative to
    [currency]; ``columns`` are the features the trees read before ``LOGS``.
    """

    step: StepName
    days: int
    usual: Usual
    level: float
    regression: Regression | None = None
    columns: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    threads: int = 2

    @cached_property
    def boosters(self) -> tuple[lgb.Booster, ...]:
        """The members, read from their verified texts."""
        return tuple(lgb.Booster(model_str=text) for text in self.trees)

    def expected(self, matrix: pd.DataFrame) -> Column:
        """Return the expected turnover of the next ``days`` days [currency], never below 0 and never missing."""
        if not len(matrix):
            return np.zeros(0)
        if self.regression is None:
            plain = by_months(matrix) if self.step == "months" else by_rhythm(matrix, self.usual)
            return np.asarray(plain * self.level * self.days / YEAR_DAYS, dtype=np.float64)
        logs = logs_of(matrix, self.usual)
        score = self.regression.log_turnover(logs)
        if self.trees:
            x = rows_of(matrix, self.columns, logs)
            score += np.mean([each.predict(x, raw_score=True, num_threads=self.threads) for each in self.boosters], 0)
        return np.asarray(self.level * np.exp(np.clip(score, -_REACH, _REACH)), dtype=np.float64)


def rows_of(matrix: pd.DataFrame, columns: Sequence[str], logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the trees read: features, then logarithms."""
    return np.column_stack([matrix[list(columns)].to_numpy(np.float64), logs])


def names_of(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what the trees read."""
    return (*columns, *LOGS)


def fit_step(
    step: StepName,
    snapshots: pd.DataFrame,
    turnover: Column,
    *,
    days: int,
    usual: Usual,
    columns: Sequence[str],
    seed: int,
    threads: int,
) -> Turnover:
    """Fit one step on snapshots in one total order; ``turnover`` is what each brought, 0 or more and not all 0."""
    mean = float(turnover.mean())
    if step in ("months", "rhythm"):
        plain = Turnover(step=step, days=days, usual=usual, level=1.0)
        level = mean / max(float(plain.expected(snapshots).mean()), 1e-9)
        return Turnover(step=step, days=days, usual=usual, level=float(np.clip(level, 1 / _MOST_LEVEL, _MOST_LEVEL)))
    logs, y = logs_of(snapshots, usual), turnover / mean
    regression = fit_regression(logs, y)
    kept = tuple(columns) if step == "lightgbm" else ()
    trees = _grown(rows_of(snapshots, kept, logs), y, regression.log_turnover(logs), kept, seed, threads)
    return Turnover(
        step=step,
        days=days,
        usual=usual,
        level=mean,
        regression=regression,
        columns=kept,
        trees=trees if kept else (),
        threads=threads,
    )


def _grown(
    x: NDArray[np.float64], y: Column, start: Column, columns: Sequence[str], seed: int, threads: int
) -> tuple[str, ...]:
    if not columns:
        return ()
    names = list(names_of(columns))
    data = lgb.Dataset(x, y, init_score=start, feature_name=names, params={"verbose": -1}, free_raw_data=False)
    grown = (lgb.train(_parameters(seed + member, threads), data, _ROUNDS) for member in range(MEMBERS))
    return tuple(re.sub(r"\[num_threads: \d+\]", "[num_threads: 0]", each.model_to_string()) for each in grown)


def _parameters(seed: int, threads: int) -> dict[str, Any]:
    """LightGBM's own names: small trees with many rows a leaf; reproducible for any number of threads."""
    return {
        "objective": "tweedie",
        "tweedie_variance_power": POWER,
        "learning_rate": 0.05,
        "num_leaves": 7,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "boost_from_average": False,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "seed": seed,
        "verbose": -1,
    }
