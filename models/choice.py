"""Which candidate speaks: the blend, unless another is better by more than one standard error, on tests that tell.

Source: Breiman et al. (1984), Classification and Regression Trees, the one-standard-error rule: what lies within it of
the best counts as equally good, and of those the most robust is taken. Measured: decision 0018.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.candidates import HELD, STANDING
from models.folds import LEAST_OUTCOMES, teaches
from models.metrics import log_losses

_SPELT = {1: "one standard error", 2: "two standard errors"}


def says_something(tested: pd.DataFrame) -> bool:
    """Return whether any candidate tells customers apart on later time: better than the share lost alone.

    Better means that its mean log loss lies more than one standard error (over customers) below that of a constant.
    Where customers have changed their character, no candidate does: what was learned before holds no longer.
    """
    if tested.empty:
        return False
    share = tested.groupby("test")["label"].transform("mean").to_numpy(np.float64)
    constant = tested.assign(loss=log_losses(tested["label"].to_numpy(), share)).groupby("customer_id")["loss"].mean()
    losses = loss_by_customer(tested)
    ahead = constant.reindex(losses.index) - losses[losses.mean().idxmin()]
    return bool(ahead.mean() > _standard_error(ahead))


def choose(tested: pd.DataFrame, label: NDArray[np.int8], steps: Iterable[str]) -> tuple[str, str]:
    """Return the candidate that speaks, and why: the blend, unless one is better by more than one standard error.

    Then the best speaks, or the same held to known directions where that lies within two standard errors of it: whoever
    is told reasons should not read that a long silence binds, unless the company's own past is quite sure of it.

    Parameters
    ----------
    tested : DataFrame
        One row per tested snapshot and candidate, as ``train`` gives it; may be empty.
    label : array of {0, 1}, shape (n_snapshots,)
        Outcomes of all snapshots there are to learn from.
    steps : iterable of str
        Names of the candidates, the simplest first; of equals the simpler is taken.

    Notes
    -----
    The standard error is that of the mean difference of two candidates' log loss, counted over customers.
    """
    if not teaches(label):
        return (
            "rhythm",
            f"fewer than {LEAST_OUTCOMES} snapshots of either outcome: the rhythm speaks, moved to the level seen",
        )
    if tested.empty:
        return STANDING, f"no test has enough of both outcomes: the {STANDING} speaks, as the safest word"
    losses = loss_by_customer(tested)
    best = str(losses[list(steps)].mean().idxmin())
    if best == STANDING:
        return best, f"{best} is the best"
    safer = {STANDING: 1, HELD[best]: 2} if best in HELD else {STANDING: 1}
    for name, errors in safer.items():
        if name not in losses:
            continue
        behind = losses[name] - losses[best]
        if behind.mean() <= errors * _standard_error(behind):
            return name, f"{name} is within {_SPELT[errors]} of the best ({best})"
    return best, f"{best} is better than the {STANDING} by more than one standard error"


def loss_by_customer(tested: pd.DataFrame) -> pd.DataFrame:
    """Mean log loss of each customer under each candidate, one row per customer."""
    loss = log_losses(tested["label"].to_numpy(), tested["probability"].to_numpy())
    table = tested.assign(loss=loss).pivot_table(
        index="customer_id", columns="candidate", values="loss", aggfunc="mean"
    )
    return table.sort_index()


def _standard_error(values: pd.Series[float]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
