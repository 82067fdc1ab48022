"""What the early-warning list would have been, week by week, under other rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from retention.watch import Rules, move, nobody_yet

LIST_COLUMNS = ("customer_id", "cutoff", "label", "is_listed")


@dataclass(frozen=True, kw_only=True)
class Week:
    """The scores of one cutoff.

    Attributes
    ----------
    cutoff : date
    base_rate : float
        Share lost among the snapshots the model of that morning had learned from.
    customers : DataFrame, index customer_id
        is_active, label (what became of the active, missing while unfinished), probability, stake [currency].
    """

    cutoff: date
    base_rate: float
    customers: pd.DataFrame


def simulated_lists(weeks: Sequence[Week], rules: Rules) -> pd.DataFrame:
    """Return who would have stood on the list at each cutoff, oldest first, if nobody acted on it.

    Parameters
    ----------
    weeks : sequence of Week, oldest first
    rules : Rules

    Returns
    -------
    DataFrame with ``LIST_COLUMNS``
        One row per active customer and cutoff, as ``models.warning.warning_figures`` reads it.
    """
    states, parts = nobody_yet(), []
    for week in weeks:
        states = move(states, _facts(week), cutoff=week.cutoff, base_rate=week.base_rate, rules=rules)
        listed = (states["state"] == "listed").to_numpy(bool)
        found = week.customers[["label"]].assign(cutoff=week.cutoff, is_listed=listed)
        parts.append(found[week.customers["is_active"].to_numpy(bool)].reset_index())
    return pd.concat(parts, ignore_index=True)[list(LIST_COLUMNS)]


def _facts(week: Week) -> pd.DataFrame:
    never = pd.Series(np.datetime64("NaT", "s"), index=week.customers.index)
    return week.customers.assign(may_contact=True, worked_on=never, lost_on=never)
