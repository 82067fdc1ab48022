"""Shapley values of all rows for all members of an ensemble at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.treeshap import kernels
from models.treeshap.plan import MOST_STATES, Plan, base_of, plan_of
from models.treeshap.reading import ZERO, OutsideGroundError, read_forest

SPAN = 4096
"""Rows that one thread explains at a time."""

TABLE_BYTES = 128 * 2**20
"""Room for the tables of the trees that are looked at together."""

_Real = NDArray[np.float64]
_Whole = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tables:
    """Trees [first, end) that are looked at together, and the place of each group's table; -1 where it has none."""

    trees: tuple[int, int]
    place: _Whole
    entries: _Real


@dataclass(frozen=True, kw_only=True, eq=False)
class Explainer:
    """The mean of several LightGBM models, ready to be explained.

    Attributes
    ----------
    plan : Plan
        All trees of all members.
    base : float
        Mean of the raw score over the rows learned from [log-odds].
    members : int
    feature_count : int
    """

    plan: Plan
    base: float
    members: int
    feature_count: int

    def contributions(self, x: _Real, *, threads: int = 2) -> _Real:
        """Return what each feature adds to the raw score of each row.

        Parameters
        ----------
        x : array of float, shape (n_rows, n_features)
            Missing values are NaN.
        threads : int
            Changes no byte; neither does which other rows are asked.

        Returns
        -------
        array of float [log-odds], shape (n_rows, n_features), columns contiguous
            ``base`` and a row's values add up to its raw score.

        Raises
        ------
        ValueError
            If ``x`` has another number of features.
        """
        if x.ndim != 2 or x.shape[1] != self.feature_count:
            raise ValueError(f"expected rows of {self.feature_count} features, got an array of shape {x.shape}")
        told = np.zeros((self.feature_count, len(x)))

        def tell(tables: Tables, start: int) -> None:
            rows = slice(start, start + SPAN)
            asked = np.array(x[rows].T, dtype=np.float64, order="C")
            asked[np.abs(asked) <= ZERO] = 0.0
            own = np.ascontiguousarray(told[:, rows])
            kernels.explain(self.plan, tables.trees, tables.place, tables.entries, asked, own)
            told[:, rows] = own

        with ThreadPoolExecutor(max(threads, 1)) as pool:
            for tables in self._tables(len(x), pool, threads):
                list(pool.map(lambda start, tables=tables: tell(tables, start), range(0, len(x), SPAN)))
        told /= self.members
        return told.T

    def _tables(self, rows: int, pool: ThreadPoolExecutor, threads: int) -> Iterator[Tables]:
        """Yield the trees in parts; a group has a table where it has fewer states than there are rows to look up."""
        plan = self.plan
        looked_up = plan.states <= min(MOST_STATES, rows)
        entries = np.where(looked_up, np.diff(plan.slot_at) * plan.states, 0)
        for first, end in _parts(entries, plan.group_at):
            groups = np.arange(plan.group_at[first], plan.group_at[end])
            groups = groups[looked_up[groups]]
            place = np.full(len(entries), -1)
            ends = np.cumsum(entries[groups])
            place[groups] = ends - entries[groups]
            room = np.empty(ends[-1] if len(ends) else 0)
            shares = [groups[worker::threads] for worker in range(threads)]
            list(pool.map(lambda share, place=place, room=room: kernels.fill_tables(plan, share, place, room), shares))
            yield Tables(trees=(first, end), place=place, entries=room)


def _parts(entries: _Whole, group_at: _Whole) -> Iterator[tuple[int, int]]:
    """Yield runs of trees whose tables together fit ``TABLE_BYTES``, at least one tree each."""
    first, held = 0, 0
    for tree in range(len(group_at) - 1):
        own = 8 * int(entries[group_at[tree] : group_at[tree + 1]].sum())
        if tree > first and held + own > TABLE_BYTES:
            yield first, tree
            first, held = tree, 0
        held += own
    if len(group_at) > 1:
        yield first, len(group_at) - 1


def explainer_of(texts: Sequence[str]) -> Explainer:
    """Return what explains the mean of the models; the caller has verified where the texts come from (decision 6).

    Raises
    ------
    OutsideGroundError
        If a model is of a kind that only LightGBM itself explains.
    """
    forests = [read_forest(text) for text in texts]
    counts = {forest.feature_count for forest in forests}
    if len(counts) != 1:
        raise OutsideGroundError(f"expected members of one number of features, got {sorted(counts)}")
    base = sum(base_of(forest) for forest in forests) / len(forests)
    return Explainer(plan=plan_of(forests), base=base, members=len(forests), feature_count=counts.pop())
