"""Whether a model beats the rivals: the difference in ranking to the best of them, on the same tested snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.folds import LEAST_OUTCOMES
from models.resample import drawn, draws_for, interval_of, ranks_of, weighted_auc

Says = Literal["better", "level", "worse", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A model against the rival that ranks best, by the area under the curve, mean over the tested cutoffs.

    ``difference`` is the model's minus the rival's; ``low`` and ``high`` hold 95 % (customers drawn anew). NaN and
    "unknown" where nothing could be tested.
    """

    rival: str
    difference: float
    low: float
    high: float

    @property
    def says(self) -> Says:
        """``better``: the interval lies above 0; ``worse``: below; ``level``: chance may have made the difference."""
        if not np.isfinite(self.difference):
            return "unknown"
        return "better" if self.low > 0 else "worse" if self.high < 0 else "level"

    def facts(self) -> Mapping[str, object]:
        """Plain values for evidence and metrics: ``beats_rivals`` is what a promotion may ask for."""
        known = np.isfinite(self.difference)
        numbers = {name: round(getattr(self, name), 6) if known else None for name in ("difference", "low", "high")}
        return {"beats_rivals": self.says == "better", "verdict": self.says, "best_rival": self.rival, **numbers}


def against_rivals(own: pd.DataFrame, rivals: pd.DataFrame) -> Verdict:
    """Return the verdict on one model.

    Parameters
    ----------
    own : DataFrame
        test, customer_id, label, log_odds of every tested snapshot under the model. A tested cutoff with fewer than
        five of either outcome does not count.
    rivals : DataFrame
        The same, with the rival's name in candidate; rivals that lack a tested snapshot do not count.

    Notes
    -----
    The best rival is picked after the fact, which favours the rivals: a model that beats it beats all.
    """
    keys = ["test", "customer_id"]
    wide = rivals.pivot(index=keys, columns="candidate", values="log_odds").dropna(axis="columns")
    telling = own.groupby("test")["label"].transform(lambda label: min(label.sum(), (1 - label).sum()))
    truth = own.loc[(telling >= LEAST_OUTCOMES).to_numpy(dtype=bool)].set_index(keys).sort_index()
    wide = wide.reindex(truth.index).dropna(axis="columns")
    if wide.columns.empty or truth.empty:
        return Verdict(rival="", difference=float("nan"), low=float("nan"), high=float("nan"))
    tests = [_Test(truth.loc[[day]], wide.loc[[day]]) for day in sorted(set(truth.index.get_level_values("test")))]
    whole = np.nanmean([test.differences(np.ones(test.rows)) for test in tests], axis=0)
    best = int(np.argmin(whole))
    customers = pd.Series(truth.index.get_level_values("customer_id"))
    cuts = np.cumsum([test.rows for test in tests])[:-1]
    draws = np.array(
        [
            np.mean([test.difference_to(best, part) for test, part in zip(tests, np.split(weight, cuts), strict=True)])
            for weight in drawn(customers, draws=draws_for(len(truth)))
        ]
    )
    low, high = interval_of(draws)
    return Verdict(rival=str(wide.columns[best]), difference=float(whole[best]), low=low, high=high)


class _Test:
    """One tested cutoff: ranks of the model and of every rival."""

    def __init__(self, own: pd.DataFrame, rivals: pd.DataFrame):
        self.rows = len(own)
        self._label = own["label"].to_numpy(np.int8)
        self._own = ranks_of(own["log_odds"].to_numpy(np.float64))
        self._rivals = [ranks_of(rivals[name].to_numpy(np.float64)) for name in rivals.columns]

    def differences(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([self.difference_to(at, weight) for at in range(len(self._rivals))])

    def difference_to(self, at: int, weight: NDArray[np.float64]) -> float:
        own = weighted_auc(self._label, self._own, weight)
        return own - weighted_auc(self._label, self._rivals[at], weight)
