"""The ways people rank customers without us, built in and always shown: what does not beat them is worth nothing.

Each learns from the same snapshots as the candidates and gives log-odds, so it is judged alike: a rule by the time
since the last order, one by how overdue the next is, BG/NBD as it comes, and a logistic regression on recency,
frequency and turnover.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from features.definition import Churn
from models.candidates import RECENCY, SILENT, Column, fit_logistic_regression, untrained_rhythm
from models.early import Early

OVERDUE = "sales__overdue_ratio"
RFM = (RECENCY, "sales__purchase_days", "sales__turnover_364d")

RIVALS = ("last_order", "overdue", "bgnbd", "rfm_logistic")
"""Names, from the simplest to the most able."""

_HALVINGS = 6
_MULTIPLES = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
"""How many times the own mean gap may have passed before a customer counts as lost."""

_TIE_BREAK = 1e-6
"""Small enough to change no probability, large enough to rank those on the same side of a line."""


class Rival(Protocol):
    """What a fitted rival can do."""

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds of the label, shape (n_rows,)."""


FitRival = Callable[[pd.DataFrame, NDArray[np.int8], Early | None], Rival]
"""Fits a rival; it learns by whole horizons, as people do without us: early outcomes are not looked at."""


def rivals(columns: Collection[str], churn: Churn, *, lost: bool) -> Mapping[str, FitRival]:
    """Return the rivals whose columns are there, ready to fit, from the simplest to the most able.

    Parameters
    ----------
    columns : collection of str
        Features of the matrix; a company may have left some out.
    churn : Churn
        The horizon is halved for the rule of the last order.
    lost : bool
        Whether label 1 means lost; else returned.
    """
    halvings = tuple(churn.horizon_days / 2**k for k in range(_HALVINGS))
    every: Mapping[str, tuple[Sequence[str], FitRival]] = {
        "last_order": ((RECENCY,), partial(_fit_line, column=RECENCY, lines=halvings, lost=lost)),
        "overdue": ((OVERDUE,), partial(_fit_line, column=OVERDUE, lines=_MULTIPLES, lost=lost)),
        "bgnbd": ((SILENT,), partial(_bgnbd, lost=lost)),
        "rfm_logistic": (RFM, _fit_rfm),
    }
    return {name: fit for name, (needed, fit) in every.items() if set(needed) <= set(columns)}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A rule with one line: whoever is past it has one chance, whoever is not another; ties ranked by the column.

    ``missing`` is what counts where the column has no value.
    """

    column: str
    line: float
    before: float
    past: float
    missing: float
    sign: float

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Log-odds of the share on either side of the line, shape (n_rows,)."""
        x = np.nan_to_num(features[self.column].to_numpy(np.float64), nan=self.missing)
        side = np.where(x > self.line, self.past, self.before)
        return np.asarray(side + self.sign * _TIE_BREAK * np.arctan(x / self.line), dtype=np.float64)


def _fit_line(
    features: pd.DataFrame,
    label: NDArray[np.int8],
    early: Early | None = None,
    *,
    column: str,
    lines: Sequence[float],
    lost: bool,
) -> Line:
    """Draw the line where the shares on its two sides tell the outcomes apart best (log loss); the first of equals."""
    del early
    values = features[column].to_numpy(np.float64)
    missing = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    x = np.nan_to_num(values, nan=missing)
    sides = [(line, _log_odds(label[x <= line]), _log_odds(label[x > line])) for line in lines]
    losses = [_loss(label, np.where(x > line, past, before)) for line, before, past in sides]
    line, before, past = sides[int(np.argmin(losses))]
    return Line(column=column, line=line, before=before, past=past, missing=missing, sign=1.0 if lost else -1.0)


def _log_odds(label: NDArray[np.int8]) -> float:
    """Log-odds of the share, with one more row that is half of either outcome."""
    return float(special.logit((label.sum() + 0.5) / (len(label) + 1)))


def _loss(label: NDArray[np.int8], log_odds: Column) -> float:
    return float((np.logaddexp(0, log_odds) - label * log_odds).sum())


def _bgnbd(features: pd.DataFrame, label: NDArray[np.int8], early: Early | None = None, *, lost: bool) -> Rival:
    """Return BG/NBD's chance of silence (or of its opposite) as it comes: it learns from no label."""
    del features, label, early
    return untrained_rhythm(lost=lost)


def _fit_rfm(features: pd.DataFrame, label: NDArray[np.int8], early: Early | None = None) -> Rival:
    del early
    return _Rfm(fit_logistic_regression(features[list(RFM)], label))


@dataclass(frozen=True)
class _Rfm:
    """A logistic regression on recency, frequency and turnover."""

    regression: Rival

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds, shape (n_rows,)."""
        return self.regression.log_odds(features[list(RFM)])
