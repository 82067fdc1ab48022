"""Compiled loops where NumPy cannot say it: searches within each customer's own rows. Cached on disk once compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

_Whole = NDArray[np.int64]


@compiled
def first_at_or_after(starts: _Whole, ends: _Whole, day: _Whole, threshold: _Whole) -> _Whole:
    """Return per customer the first row on or after its threshold day, or the end of its rows."""
    found = np.empty(len(starts), np.int64)
    for each in range(len(starts)):
        low, high = starts[each], ends[each]
        while low < high:
            middle = (low + high) >> 1
            if day[middle] < threshold[each]:
                low = middle + 1
            else:
                high = middle
        found[each] = low
    return found


@compiled
def differences(sums: _Whole, starts: _Whole, ends: _Whole) -> NDArray[np.float64]:
    """Return per customer what prefix sums say of its rows ``[start, end)``."""
    found = np.empty(len(starts), np.float64)
    for each in range(len(starts)):
        found[each] = sums[ends[each]] - sums[starts[each]]
    return found


@compiled
def order_of(customer: _Whole, day: _Whole) -> _Whole:
    """Return the stable order of the rows by customer and day.

    A counting sort by customer, then an insertion sort of each customer's days, which costs nothing where the source is
    in order of time already; empty where it would cost too much (then sort them otherwise).
    """
    order = np.empty(len(customer), np.int64)
    places = np.zeros((customer.max() if len(customer) else 0) + 2, np.int64)
    for row in range(len(customer)):
        places[customer[row] + 1] += 1
    for each in range(1, len(places)):
        places[each] += places[each - 1]
    starts = places.copy()
    for row in range(len(customer)):
        order[places[customer[row]]] = row
        places[customer[row]] += 1
    patience = 32 * len(customer)
    for place in range(len(order)):
        row, first, free = order[place], starts[customer[order[place]]], place
        while free > first and day[order[free - 1]] > day[row]:
            order[free] = order[free - 1]
            free -= 1
        order[free] = row
        patience -= place - free
        if patience < 0:
            return order[:0]
    return order


@compiled
def count_below(starts: _Whole, ends: _Whole, values: _Whole, threshold: _Whole) -> _Whole:
    """Return per customer how many of its rows ``[start, end)`` have a value below its threshold."""
    found = np.zeros(len(starts), np.int64)
    for each in range(len(starts)):
        for row in range(starts[each], ends[each]):
            if values[row] < threshold[each]:
                found[each] += 1
    return found


@compiled
def least_chosen(starts: _Whole, ends: _Whole, values: _Whole, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return per customer the smallest value among its chosen rows ``[start, end)``, NaN where none is chosen."""
    found = np.full(len(starts), np.nan)
    for each in range(len(starts)):
        for row in range(starts[each], ends[each]):
            if chosen[row] and not found[each] <= values[row]:
                found[each] = values[row]
    return found
