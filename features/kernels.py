"""Compiled loops where NumPy cannot say it: searches within each customer's own rows. Cached on disk once compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

_Whole = NDArray[np.int64]
_Kernel = TypeVar("_Kernel", bound=Callable[..., _Whole])


def _compiled(kernel: _Kernel) -> _Kernel:
    return cast("_Kernel", numba.njit(cache=True, nogil=True)(kernel))


@_compiled
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


@_compiled
def count_below(starts: _Whole, ends: _Whole, values: _Whole, threshold: _Whole) -> _Whole:
    """Return per customer how many of its rows ``[start, end)`` have a value below its threshold."""
    found = np.zeros(len(starts), np.int64)
    for each in range(len(starts)):
        for row in range(starts[each], ends[each]):
            if values[row] < threshold[each]:
                found[each] += 1
    return found
