"""How loops are compiled: once per machine where a cache can be written, else once per process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_NO_WRAPPERS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""They are most of the time that compiling takes."""

_Kernel = TypeVar("_Kernel", bound=Callable[..., object])


def compiled(kernel: _Kernel) -> _Kernel:
    """Return ``kernel`` compiled by Numba at its first call, free of Python's lock, in plain IEEE arithmetic.

    The machine code is kept in ``NUMBA_CACHE_DIR``, else beside the source, else (an installation nobody may write to)
    in the user's cache folder. Where none of these can be written each process compiles for itself.

    Examples
    --------
    >>> @compiled
    ... def twice(number: int) -> int:
    ...     return 2 * number
    >>> twice(21)
    42
    """
    try:
        return cast("_Kernel", numba.njit(cache=True, nogil=True)(kernel))
    except RuntimeError:  # Numba: "cannot cache function …: no locator available"
        return cast("_Kernel", numba.njit(nogil=True)(kernel))


def part(kernel: _Kernel) -> _Kernel:
    """Return ``kernel`` compiled as part of the compiled loops of its own file; Python itself cannot call it."""
    return cast("_Kernel", numba.njit(nogil=True, **_NO_WRAPPERS)(kernel))
