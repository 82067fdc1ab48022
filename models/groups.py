"""How a model does among groups of customers: what it foretold, what came true, who was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.folds import LEAST_OUTCOMES
from models.profit import listed

LEAST_SNAPSHOTS = 30
"""Snapshots; a group with fewer, or with fewer than ``LEAST_OUTCOMES`` of either outcome, is only named."""
MOST_GROUPS = 12
"""Groups of one column that are shown, the largest first."""
TOP_SHARE = 0.1
"""Share of each tested cutoff's customers that counts as its top."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Tested snapshots of customers alike in one column.

    Attributes
    ----------
    column, name : str
        Which column, and what they share in it; an empty name is "not known".
    n : int
        Snapshots.
    base_rate, foretold : float
        Share that came true and mean probability before it, calibrated on the whole cutoff [share].
    auc : float
        Mean over tested cutoffs with both outcomes, weighted by snapshots.
    top_share, found_share : float
        Share of the group, and of those of it whose outcome came true, in the top of its cutoff.
    is_large : bool
        Whether there are enough snapshots for any of these figures to mean something.
    """

    column: str
    name: str
    n: int
    base_rate: float
    foretold: float
    auc: float
    top_share: float
    found_share: float
    is_large: bool


def groups_of(own: pd.DataFrame, described: pd.DataFrame) -> tuple[Group, ...]:
    """Return every group of every column in ``described``, column by column, the largest first.

    Parameters
    ----------
    own : DataFrame
        test, customer_id, label, log_odds, probability of the candidate in use, as ``models.ladder.train`` gives them.
    described : DataFrame
        cutoff, customer_id, and one column of text per kind of group; snapshots it lacks count as not known.
    """
    columns = [name for name in described.columns if name not in ("cutoff", "customer_id")]
    if own.empty or not columns:
        return ()
    top = pd.concat([_top(test) for _, test in own.groupby("test", sort=True)])
    keyed = described.rename(columns={"cutoff": "test"})
    rows = own.assign(top=top).merge(keyed, on=["test", "customer_id"], how="left", validate="many_to_one")
    return tuple(group for column in columns for group in _of_column(rows, column))


def _top(test: pd.DataFrame) -> pd.Series[float]:
    places = int(np.ceil(round(TOP_SHARE * len(test), 6)))
    return pd.Series(listed(test["log_odds"].to_numpy(np.float64), places=places), index=test.index)


def _of_column(rows: pd.DataFrame, column: str) -> Iterator[Group]:
    named = rows[column].fillna("").astype(str)
    sizes = sorted(named.value_counts().items(), key=lambda found: (-found[1], str(found[0])))
    for name, _ in sizes:
        yield _measured(rows.loc[(named == name).to_numpy(dtype=bool)], column, str(name))


def _measured(part: pd.DataFrame, column: str, name: str) -> Group:
    came_true = part.loc[part["label"] == 1]
    fewest = min(len(came_true), len(part) - len(came_true))
    return Group(
        column=column,
        name=name,
        n=len(part),
        base_rate=float(part["label"].mean()),
        foretold=float(part["probability"].mean()),
        auc=_auc(part),
        top_share=float(part["top"].mean()),
        found_share=float(came_true["top"].mean()),
        is_large=len(part) >= LEAST_SNAPSHOTS and fewest >= LEAST_OUTCOMES,
    )


def _auc(part: pd.DataFrame) -> float:
    from sklearn.metrics import roc_auc_score

    both = [test for _, test in part.groupby("test", sort=True) if 0 < test["label"].mean() < 1]
    if not both:
        return float("nan")
    found = [roc_auc_score(test["label"].to_numpy(), test["log_odds"].to_numpy()) for test in both]
    return float(np.average(found, weights=[len(test) for test in both]))
