"""Ledgers of pairs: customer and thing (a category), for what a customer does with each thing separately."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from features.ledger import Column, Ledger, Past


class PairLedger(Ledger):
    """A ledger whose "customers" are pairs of a customer and a thing.

    Parameters
    ----------
    owner : array of int, shape (n_pairs,)
        Customer code of each pair, ascending.
    pair, day, values
        As in `Ledger`, by pair code.
    """

    def __init__(
        self,
        *,
        owner: NDArray[np.int64],
        pair: NDArray[np.int64],
        day: NDArray[np.int64],
        values: Mapping[str, NDArray[np.int64]],
    ):
        super().__init__(customer=pair, day=day, values=values)
        self.owner = owner

    def at(self, customers: NDArray[np.int64], cutoff: int) -> PairPast:
        """Return what the ledger knew of all pairs of ``customers`` on the morning of ``cutoff``."""
        start, end = (np.searchsorted(self.owner, customers, side=side) for side in ("left", "right"))
        return PairPast(self, *ranges(start, end), n_customers=len(customers), cutoff=cutoff)


class PairPast(Past):
    """One entry per pair; ``per_customer`` adds the pairs of a customer up."""

    def __init__(
        self,
        ledger: PairLedger,
        pairs: NDArray[np.int64],
        place: NDArray[np.int64],
        *,
        n_customers: int,
        cutoff: int,
    ):
        super().__init__(ledger, pairs, cutoff)
        self._place, self._n_customers = place, n_customers

    def per_customer(self, column: Column | NDArray[np.bool_]) -> Column:
        """Sum of ``column`` (one entry per pair, none of them missing) over the pairs of each customer asked for."""
        return np.bincount(self._place, weights=column, minlength=self._n_customers).astype(np.float64)


def ranges(start: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers ``start[i]`` to ``end[i] - 1`` of every range in a row, and the ``i`` each belongs to."""
    sizes = end - start
    place = np.repeat(np.arange(len(sizes)), sizes)
    first = np.cumsum(sizes) - sizes
    return np.arange(len(place)) - first[place] + start[place], place
