"""A flat matrix for the trees: categories as codes, rows in one order, and the shape of the trees it bears.

Everything here depends on the set of rows only, never on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from models.boosting import Boosted, BoostingSettings, base_rate, fit_boosted
from models.folds import LEAST_OUTCOMES, teaches
from models.metrics import log_losses

Column = NDArray[np.float64]

STEPS = (75, 150, 300)
"""Rounds that are looked at."""

SHAPES = (
    BoostingSettings(),
    BoostingSettings(leaves=31, least_rows=10, ridge=1.0),
)
"""Trees from careful to able: what a flat matrix bears is decided on its own rows."""

_INNER_FOLDS = 3


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the trees learn from, in total order: columns ``f0``, ``f1``, …, label, weight and fold of each row."""

    features: pd.DataFrame
    label: NDArray[np.int8]
    weight: Column
    fold: NDArray[np.int64]
    categories: tuple[str, ...]

    def only(self, kept: NDArray[np.bool_]) -> Rows:
        """Return the rows where ``kept`` is true."""
        return replace(
            self,
            features=self.features.loc[kept],
            label=self.label[kept],
            weight=self.weight[kept],
            fold=self.fold[kept],
        )


def rows_of(
    x: NDArray[np.float64],
    label: NDArray[np.int8],
    weight: Column,
    *,
    groups: Sequence[object] | None,
    categories: Sequence[int],
) -> Rows:
    """Return the rows in an order that depends on their content only; rows of weight 0 teach nothing and go.

    Parameters
    ----------
    x : array of float, shape (n_rows, n_columns)
        NaN is a missing value.
    label : array of {0, 1}, shape (n_rows,)
    weight : array of float, shape (n_rows,)
    groups : sequence or None
        Rows of one group (a customer) stay together in the inner folds; None keeps equal rows together.
    categories : sequence of int
        Positions of columns that hold codes.
    """
    content = row_hashes(x)
    together = content if groups is None else pd.util.hash_array(np.asarray(groups, dtype=object).astype(str))
    order = np.lexsort((weight, label, together, content))
    order = order[weight[order] > 0]
    return Rows(
        features=named(x[order]),
        label=label[order],
        weight=weight[order],
        fold=(together[order] % np.uint64(_INNER_FOLDS)).astype(np.int64),
        categories=tuple(f"f{at}" for at in categories),
    )


def named(x: NDArray[np.float64]) -> pd.DataFrame:
    """Return ``x`` with columns ``f0``, ``f1``, …: LightGBM does not take every name."""
    return pd.DataFrame(x, columns=[f"f{at}" for at in range(x.shape[1])])


def row_hashes(x: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return 64 bits per row that depend on its values alone; 0.0 and -0.0 are one value, so is every NaN."""
    hashes = np.zeros(len(x), dtype=np.uint64)
    for column in x.T:
        values = np.where(np.isnan(column), np.nan, column + 0.0)
        hashes = (hashes * np.uint64(0x9E3779B97F4A7C15)) ^ pd.util.hash_array(values)
    return pd.util.hash_array(hashes)


def shape_for(rows: Rows, given: Mapping[str, Any], *, seed: int, threads: int) -> BoostingSettings:
    """Return the settings: what is ``given`` as given, the rest as the rows' own inner folds decide.

    The most careful shape whose mean log loss lies within one standard error of the best is taken, with its own best
    number of rounds. Where rows or outcomes are too few, the careful shape speaks.
    """
    fixed = {name: value for name, value in given.items() if value is not None}
    shapes = tuple(dict.fromkeys(_fitting(replace(shape, **fixed), len(rows.label), fixed) for shape in SHAPES))
    steps = (shapes[0].rounds,) if "rounds" in fixed else STEPS
    if len(shapes) * len(steps) == 1 or not _can_be_tested(rows):
        return shapes[0]
    losses = {shape: _losses(rows, shape, steps, seed=seed, threads=threads) for shape in shapes}
    return _careful_choice(losses)


def _fitting(shape: BoostingSettings, n_rows: int, fixed: Mapping[str, Any]) -> BoostingSettings:
    """A leaf asks for at most a tenth of the rows unless its size was given: a dozen rows could not be split."""
    if "least_rows" in fixed:
        return shape
    return replace(shape, least_rows=min(shape.least_rows, max(2, n_rows // 10)))


def _can_be_tested(rows: Rows) -> bool:
    folds = [rows.label[rows.fold == fold] for fold in range(_INNER_FOLDS)]
    return all(teaches(label) for label in folds) and len(rows.label) >= 2 * LEAST_OUTCOMES * _INNER_FOLDS


def _losses(
    rows: Rows, shape: BoostingSettings, steps: Sequence[int], *, seed: int, threads: int
) -> Mapping[int, Column]:
    """Log loss of every row after each number of rounds, learned without the row's fold."""
    losses = {rounds: np.zeros(len(rows.label)) for rounds in steps}
    for tested, grown in _grown(rows, replace(shape, rounds=max(steps)), seed=seed, threads=threads):
        for rounds in steps:
            chance = special.expit(grown.log_odds_after(rows.features.loc[tested], rounds))
            losses[rounds][tested] = log_losses(rows.label[tested], chance)
    return losses


def _grown(
    rows: Rows, shape: BoostingSettings, *, seed: int, threads: int
) -> Iterator[tuple[NDArray[np.bool_], Boosted]]:
    for fold in range(_INNER_FOLDS):
        tested = rows.fold == fold
        yield tested, fit_flat(rows.only(~tested), shape, seed=seed, threads=threads, members=1)


def _careful_choice(losses: Mapping[BoostingSettings, Mapping[int, Column]]) -> BoostingSettings:
    best_of = {
        shape: min(by_rounds, key=lambda rounds: float(by_rounds[rounds].mean())) for shape, by_rounds in losses.items()
    }
    row_losses = {shape: losses[shape][rounds] for shape, rounds in best_of.items()}
    best = min(row_losses, key=lambda shape: float(row_losses[shape].mean()))
    for shape, own in row_losses.items():
        behind = own - row_losses[best]
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            return replace(shape, rounds=best_of[shape])
    return replace(best, rounds=best_of[best])


def fit_flat(rows: Rows, shape: BoostingSettings, *, seed: int, threads: int, members: int) -> Boosted:
    """Fit the boosted candidate from the base rate of the rows."""
    return fit_boosted(
        rows.features,
        rows.label,
        lost=True,
        seed=seed,
        threads=threads,
        settings=shape,
        members=members,
        start=base_rate(rows.label, rows.weight),
        weight=rows.weight,
        categories=rows.categories,
    )
