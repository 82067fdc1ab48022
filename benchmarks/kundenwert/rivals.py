"""The usual ways to foresee a margin: average month, last year's turnover, BG/NBD with Gamma-Gamma (two of them)."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.bgnbd import WEEK
from features.rhythm import RhythmParameters, seen_in_matrix
from models.margin.basis import YEAR_DAYS, column
from models.settings import Value
from models.value import margin_per_purchase

Column = NDArray[np.float64]


def average_month(active: pd.DataFrame, *, days: int, share: float) -> Column:
    """Return margin per day since the first purchase, at most 364 days back, times days."""
    margin = column(active, "sales__margin_364d") if "sales__margin_364d" in active else None
    if margin is None:
        margin = share * column(active, "sales__turnover_364d")
    return np.maximum(margin, 0) * days / np.clip(column(active, "sales__tenure_days"), 30, 364)


def last_year(active: pd.DataFrame, *, days: int, share: float) -> Column:
    """Return the turnover of the last 364 days times the company's margin share, for as many days."""
    return np.maximum(column(active, "sales__turnover_364d"), 0) * share * days / YEAR_DAYS


def rhythm(active: pd.DataFrame, parameters: RhythmParameters, *, days: int, share: float) -> Column:
    """Return purchases expected by our BG/NBD times margin per purchase: what Treue did before it learned margins."""
    seen = seen_in_matrix(active)
    bought = np.maximum(parameters.bgnbd.expected_purchases(seen, days=days), 0)
    return np.asarray(bought * margin_per_purchase(active, Value(margin_share=max(share, 0.01))), dtype=np.float64)


def bgnbd_gamma_gamma(active: pd.DataFrame, *, days: int, share: float) -> Column | None:
    """Return what ``lifetimes`` says: BG/NBD times Gamma-Gamma; None where it is not installed or does not converge."""
    try:
        from lifetimes import BetaGeoFitter, GammaGammaFitter
    except ImportError:
        return None
    seen, orders = seen_in_matrix(active), np.maximum(column(active, "sales__orders_728d"), 1)
    basket = np.maximum(column(active, "sales__turnover_728d"), 0) / orders
    repeat = (seen.repeats > 0) & (basket > 0)
    with redirect_stdout(StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for penalty in (0.0, 0.01, 0.1):
            try:
                fitted = BetaGeoFitter(penalizer_coef=penalty).fit(seen.repeats, seen.last_weeks, seen.age_weeks)
                spend = GammaGammaFitter(penalizer_coef=penalty).fit(seen.repeats[repeat], basket[repeat])
                bought = fitted.conditional_expected_number_of_purchases_up_to_time(
                    days / WEEK, seen.repeats, seen.last_weeks, seen.age_weeks
                )
                each = spend.conditional_expected_average_profit(seen.repeats, basket)
                said = np.asarray(bought, float) * np.where(np.isfinite(each), each, basket) * share
                return np.where(np.isfinite(said), np.clip(said, 0, 1e12), 0.0)
            except Exception:  # noqa: BLE001, S112 (whatever a rival stumbles over, the next penalty is tried)
                continue
    return None
