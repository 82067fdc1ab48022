"""What customers brought after a cutoff: the turnover and the margin that the value of a customer is learned from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.history import History
from features.ledger import Column, divide

CENT = 0.01

OUTCOME_DAYS = (90, 180, 365)
"""Days ahead that are looked at, rising."""


def turnover_ahead(days: int) -> str:
    """Return the name of the column with the turnover inside ``[cutoff, cutoff + days)`` [currency]."""
    return f"turnover_next_{days}d"


def margin_ahead(days: int) -> str:
    """Return the name of the column with the margin inside ``[cutoff, cutoff + days)`` [currency]."""
    return f"margin_next_{days}d"


OUTCOMES: Sequence[str] = tuple(name(days) for days in OUTCOME_DAYS for name in (turnover_ahead, margin_ahead))
"""Columns of the matrix that say what came after the cutoff; never features."""


def outcomes_of(history: History, customers: NDArray[np.int64], *, cutoff: int, known_until: int) -> pd.DataFrame:
    """Return turnover and margin after the cutoff, one row per customer asked for, in the columns ``OUTCOMES``.

    Parameters
    ----------
    history : History
        All that is known before ``known_until``.
    customers : array of int
        Codes of the customers.
    cutoff, known_until : int
        Day numbers; what is known ends before ``known_until``.

    Returns
    -------
    DataFrame of float64 [currency]
        Missing where the window is not over on ``known_until``. The margin is missing where none is known; where it is
        known of a part of the turnover only, that part speaks for the rest.
    """
    columns: dict[str, Column] = {}
    for days in OUTCOME_DAYS:
        is_over = cutoff + days <= known_until and "orders" in history.rows
        turnover, margin = _sums(history, customers, end=cutoff + days, days=days) if is_over else (None, None)
        nothing = np.full(len(customers), np.nan)
        columns[turnover_ahead(days)] = nothing if turnover is None else turnover
        columns[margin_ahead(days)] = nothing if margin is None else margin
    return pd.DataFrame(columns, columns=list(OUTCOMES))


def _sums(history: History, customers: NDArray[np.int64], *, end: int, days: int) -> tuple[Column, Column]:
    past = history.ledgers["bookings"].at(customers, end)
    turnover, margin, base = (past.total(name, days) for name in ("amount", "margin", "margin_base"))
    if "margin" not in history.columns.get("orders", ()):
        return turnover * CENT, np.full(len(customers), np.nan)
    scaled = margin * np.where((turnover > 0) & (base > 0), divide(turnover, base), 1.0)
    known = np.where((base != 0) | (turnover == 0), scaled, np.nan)
    return turnover * CENT, known * CENT
