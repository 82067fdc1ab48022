"""How far inferred reasons agree with told ones: a table of confusion, and the share that agrees against a guess."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import pandas as pd

Z = 1.959963984540054
"""Half-width of the 95 % interval in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Told against inferred reasons.

    Attributes
    ----------
    table : DataFrame of int, index told, columns inferred
        How often each pair came, reasons in the order of the taxonomy.
    customers : int
        Customers of whom both are known.
    share, low, high : float
        Share that agrees, with Wilson's 95 % interval; NaN without customers.
    guess : str
        The reason told most often; always saying it is what inference must beat.
    guess_share : float
        Share that would agree then.
    """

    table: pd.DataFrame
    customers: int
    share: float
    low: float
    high: float
    guess: str
    guess_share: float

    @property
    def beats_the_guess(self) -> bool:
        """Whether even the lower end of the interval lies above the guess."""
        return self.low > self.guess_share


def agreement(told: pd.Series, inferred: pd.Series, *, names: tuple[str, ...]) -> Agreement:
    """Return how far two columns of reasons agree; rows where one is missing do not count.

    Parameters
    ----------
    told, inferred : Series of str, same index
        Names of reasons.
    names : tuple of str
        All reasons, in their order.

    Examples
    --------
    >>> told, inferred = pd.Series(["a", "a", "b", None]), pd.Series(["a", "b", "b", "b"])
    >>> found = agreement(told, inferred, names=("a", "b"))
    >>> found.table.to_numpy().tolist(), found.customers, round(found.share, 3), found.guess
    ([[1, 1], [0, 1]], 3, 0.667, 'a')
    """
    known = told.notna() & inferred.notna()
    left, right = told[known].astype("str"), inferred[known].astype("str")
    table = pd.crosstab(left, right).reindex(index=list(names), columns=list(names), fill_value=0)
    customers, hits = len(left), int((left == right).sum())
    share, low, high = wilson(hits, customers)
    counts = table.sum(axis=1)
    guess = str(counts.idxmax()) if customers else ""
    return Agreement(
        table=table.rename_axis(index="told", columns="inferred"),
        customers=customers,
        share=share,
        low=low,
        high=high,
        guess=guess,
        guess_share=float(counts.max() / customers) if customers else float("nan"),
    )


def wilson(hits: int, cases: int) -> tuple[float, float, float]:
    """Return a share with Wilson's 95 % interval; NaN without cases.

    Examples
    --------
    >>> tuple(round(each, 3) for each in wilson(8, 10))
    (0.8, 0.49, 0.943)
    """
    if not cases:
        return float("nan"), float("nan"), float("nan")
    share, square = hits / cases, Z * Z
    middle = (share + square / (2 * cases)) / (1 + square / cases)
    half = Z * sqrt(share * (1 - share) / cases + square / (4 * cases * cases)) / (1 + square / cases)
    return share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)
