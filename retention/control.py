"""The control group: who is left alone at random, so that the effect of a measure can be told from luck.

The draw is a keyed hash of customer, run and seed; the run is a quarter of a year. It depends neither on the order of
the rows nor on the machine nor on who else is planned, nobody can steer it, and whoever is withheld stays so until the
quarter ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import blake2b

import numpy as np
import pandas as pd


def quarter_of(day: date) -> str:
    """Return the quarter of a year over which a control group is kept.

    Examples
    --------
    >>> quarter_of(date(2026, 3, 31)), quarter_of(date(2026, 4, 1))
    ('2026-Q1', '2026-Q2')
    """
    return f"{day.year}-Q{(day.month + 2) // 3}"


def draws(customer_ids: Iterable[str], *, run: str, seed: int) -> pd.Series:
    """Return one even draw in [0, 1) per customer.

    Parameters
    ----------
    customer_ids : iterable of str, shape (n_customers,)
        Unique customers.
    run : str
        What the group is drawn for, see :func:`quarter_of`; another run draws anew.
    seed : int
        Seed of the configuration.

    Returns
    -------
    Series of float, index customer_id

    Examples
    --------
    >>> bool(draws(["a"], run="r", seed=7)["a"] == draws(["b", "a"], run="r", seed=7)["a"])
    True
    """
    key = blake2b(f"{seed}\x1f{run}".encode(), digest_size=32).digest()
    ids = list(customer_ids)
    parts = [int.from_bytes(blake2b(customer.encode(), key=key, digest_size=8).digest()) for customer in ids]
    uniform = (np.array(parts, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return pd.Series(uniform, index=pd.Index(ids, name="customer_id"), name="draw", dtype="float64")


def arms(customer_ids: Iterable[str], *, share: float, run: str, seed: int) -> pd.Series:
    """Return the arm of every customer: ``control`` where the draw is below ``share``, else ``treatment``.

    Parameters
    ----------
    customer_ids : iterable of str, shape (n_customers,)
        Unique customers that would get a measure.
    share : float in [0, 1]
        Share withheld in the long run. A list may hold some more or fewer: were its share exact, who else is planned
        would decide on a customer, and a customer withheld last week could be treated this week.
    run, seed
        See :func:`draws`.

    Returns
    -------
    Series of "control" or "treatment", index customer_id

    Raises
    ------
    ValueError
        If ``share`` is outside [0, 1] or a customer comes twice.
    """
    draw = draws(customer_ids, run=run, seed=seed)
    if not 0 <= share <= 1:
        raise ValueError(f"expected a control share in [0, 1], got {share}; correct plan.control_share")
    if draw.index.has_duplicates:
        raise ValueError("expected every customer once, got duplicates; draw once per customer")
    arm = np.where(draw.to_numpy() < share, "control", "treatment")
    return pd.Series(arm, index=draw.index, name="arm", dtype="str")
