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


@compiled
def numbered_within(customer: _Whole, thing: _Whole) -> _Whole:
    """Return a number for the thing of each row, 0 to n - 1 among the customer's own; rows come sorted by customer."""
    number = np.empty(len(customer), np.int64)
    start = 0
    while start < len(customer):
        end = start + 1
        while end < len(customer) and customer[end] == customer[start]:
            end += 1
        order = np.argsort(thing[start:end])
        found = 0
        for place in range(end - start):
            if place and thing[start + order[place]] != thing[start + order[place - 1]]:
                found += 1
            number[start + order[place]] = found
        start = end
    return number


@compiled
def bought_per_day(
    customer: _Whole, day: _Whole, thing: _Whole, sold: _Whole, never: int
) -> tuple[_Whole, _Whole, _Whole, _Whole]:
    """Join rows of one customer, day and thing; rows come sorted by customer and day.

    Returns per joined row the first of its rows, the number of the thing within the customer, what was sold in all, and
    the day on which the customer had bought the same thing before, ``never`` the first time.
    """
    thing_number = numbered_within(customer, thing)
    first, number = np.empty(len(day), np.int64), np.empty(len(day), np.int64)
    total, before = np.zeros(len(day), np.int64), np.empty(len(day), np.int64)
    latest = np.full((thing_number.max() if len(day) else 0) + 1, -1)
    joined, begin = 0, 0
    for row in range(len(day)):
        if row and customer[row] != customer[row - 1]:
            begin = joined
        held = latest[thing_number[row]]
        if held >= begin and day[first[held]] == day[row]:
            total[held] += sold[row]
            continue
        first[joined], number[joined], total[joined] = row, thing_number[row], sold[row]
        before[joined] = day[first[held]] if held >= begin else never
        latest[thing_number[row]] = joined
        joined += 1
    return first[:joined], number[:joined], total[:joined], before[:joined]


@compiled
def range_of_window(
    starts: _Whole, ends: _Whole, values: tuple[_Whole, _Whole, _Whole], border: int
) -> tuple[_Whole, _Whole]:
    """Return per customer what the thing that sold most from day ``border`` on sold, and how many were only before.

    ``values``: day, number of the thing within the customer, and what was sold, of each row.
    """
    day, thing, sold = values
    most, dropped = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    width = (thing.max() if len(thing) else 0) + 1
    sums, seen = np.zeros(width, np.int64), np.zeros(width, np.int64)
    for each in range(len(starts)):
        for row in range(starts[each], ends[each]):
            sums[thing[row]], seen[thing[row]] = 0, 0
        for row in range(starts[each], ends[each]):
            if day[row] >= border:
                sums[thing[row]] += sold[row]
                most[each] = max(most[each], sums[thing[row]])
                dropped[each] -= seen[thing[row]] == 1
                seen[thing[row]] = 2
            elif not seen[thing[row]]:
                dropped[each] += 1
                seen[thing[row]] = 1
    return most, dropped


@compiled
def silent_things(
    starts: _Whole, ends: _Whole, values: tuple[_Whole, _Whole, _Whole], cutoff: int, least_days: int, gaps: int
) -> tuple[_Whole, _Whole, _Whole, _Whole]:
    """Return per customer the things that are silent, those bought regularly, what the silent sold, and what all sold.

    Regular: in at least ``least_days`` of the customer's rows; silent: besides, for more than ``gaps`` times its mean
    gap. ``values`` as in `range_of_window`; at least two days make a gap.
    """
    day, thing, sold = values
    silent, regular = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    silent_sold, all_sold = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    width = (thing.max() if len(thing) else 0) + 1
    days, begun = np.zeros(width, np.int64), np.zeros(width, np.int64)
    last, sums = np.zeros(width, np.int64), np.zeros(width, np.int64)
    for each in range(len(starts)):
        for row in range(starts[each], ends[each]):
            days[thing[row]], sums[thing[row]] = 0, 0
        for row in range(starts[each], ends[each]):
            one = thing[row]
            if days[one] == 0:
                begun[one] = day[row]
            days[one], last[one], sums[one] = days[one] + 1, day[row], sums[one] + sold[row]
            all_sold[each] += sold[row]
        for row in range(starts[each], ends[each]):
            one = thing[row]
            if days[one] >= least_days:
                regular[each] += 1
                if (cutoff - last[one]) * (days[one] - 1) > gaps * (last[one] - begun[one]):
                    silent[each] += 1
                    silent_sold[each] += sums[one]
            days[one] = 0
    return silent, regular, silent_sold, all_sold
