"""The control group: who is left alone at random, so that the effect of a measure can be told from luck.

The draw is a keyed hash of customer, run and seed. It depends neither on the order of the rows nor on the
machine, nobody can steer it, and who repeats the run gets the same group.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import pandas as pd


def draws(customer_ids: Iterable[str], *, run: str, seed: int) -> pd.Series:
    """Return one even draw in [0, 1) per customer.

    Parameters
    ----------
    customer_ids : iterable of str, shape (n_customers,)
        Unique customers.
    run : str
        The measure-run, e.g. list and cutoff; another run draws anew.
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
    """Return the arm of every customer: ``control`` for the ``share`` with the lowest draws, else ``treatment``.

    Parameters
    ----------
    customer_ids : iterable of str, shape (n_customers,)
        Unique customers that would get a measure.
    share : float in [0, 1]
        Share withheld; ``share * n_customers`` rounded half up, so small lists do not vary by luck.
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
    lowest = draw.reset_index().sort_values(["draw", "customer_id"])["customer_id"]
    withheld = lowest.head(int(share * len(draw) + 0.5))
    arm = np.where(draw.index.isin(withheld), "control", "treatment")
    return pd.Series(arm, index=draw.index, name="arm", dtype="str")
