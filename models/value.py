"""The value of a customer (Kundenwert) by rhythm and by contract; active buyers see `models.kundenwert`.

By rhythm (lapsed customers, and where no forecast of margins is there): margin per day of purchase, drawn towards the
company's by the weight of a few purchases, times the days of purchase BG/NBD expects in each year. By contract: monthly
amount times the chance of still being there. Source: Fader, Hardie, Lee (2005), "RFM and CLV", J. Marketing Research
42(4); Fader, Hardie (2007) for contracts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.rhythm import RhythmParameters, seen_in_matrix
from models.cost_to_serve import GOODWILL, HOURS, cost_to_serve
from models.kundenwert import VALUE_COLUMNS, FirstYear, chance_of_years, discounts, value_of
from models.linear import linear
from models.potential import CATEGORIES
from models.settings import Value
from models.staying import YEAR_DAYS, Staying

__all__ = ["READ_COLUMNS", "VALUE_COLUMNS", "YEAR_DAYS", "value_of_amounts", "value_of_buyers", "value_of_contracts"]

Column = NDArray[np.float64]

_WINDOW_DAYS = 728
_OWN_WEIGHT = 2.0
"""Purchases that the company's mean margin counts for beside the customer's own."""

_SURE = 0.9
"""From this chance on of being there in the first year, its margin is the least to be expected."""

_INTERVAL_Z = 1.2815515655446004
"""Half-width of the 80 % interval in standard deviations."""

READ_COLUMNS = (
    "relationship__recurring_amount",
    *(f"sales__{name}" for name in ("turnover_728d", "orders_728d", "margin_share_364d", "turnover_364d")),
    *(f"sales__{name}" for name in ("purchase_days", "tenure_days", "recency_days")),
    *HOURS,
    GOODWILL,
    CATEGORIES,
)
"""Columns of the matrix that the value is reckoned from, as far as they are there."""


def value_of_buyers(matrix: pd.DataFrame, *, rhythm: RhythmParameters, settings: Value) -> pd.DataFrame:
    """Return the value of customers who buy without a contract, with an 80 % interval.

    Parameters
    ----------
    matrix : DataFrame
        Snapshots of one cutoff.
    rhythm : RhythmParameters
        Fitted at the same cutoff.
    settings : Value
        Years, discount rate, margin share where orders carry no margin.

    Returns
    -------
    DataFrame with the index of ``matrix``: ``value``, ``value_low``, ``value_high`` [currency], never below 0
        The interval is log-normal; its width comes from how few purchases the customer's rate and margin rest on.
    """
    seen = seen_in_matrix(matrix)
    ends = [rhythm.bgnbd.expected_purchases(seen, days=YEAR_DAYS * year) for year in range(1, settings.years + 1)]
    per_year = np.diff(np.vstack([np.zeros(len(matrix)), *ends]), axis=0)
    discount = discounts(settings)
    value = margin_per_purchase(matrix, settings) * linear(np.maximum(per_year, 0).T, discount)
    relative_variance = 1 / (rhythm.bgnbd.r + seen.repeats) + 1 / (_recent_purchases(matrix) + _OWN_WEIGHT)
    return _with_interval(np.maximum(value, 0), np.sqrt(np.log1p(relative_variance)), matrix.index)


def value_of_contracts(
    matrix: pd.DataFrame, probability: Column, *, churn: Churn, settings: Value, staying: Staying | None = None
) -> pd.DataFrame:
    """Return the value of customers under contract, with an 80 % interval; columns as ``value_of_buyers``.

    Twelve monthly amounts a year for as long as the contract is likely to run. Without ``staying`` the configured
    assumptions about those who stay hold. The interval is that of how long the customer stays.
    """
    first = first_year_of_contracts(matrix, probability, churn=churn, settings=settings, staying=staying)
    return value_of(first, staying=staying or assumed(settings), churn=churn, settings=settings, index=matrix.index)


def value_of_amounts(
    monthly: Column, probability: Column, *, churn: Churn, settings: Value, staying: Staying
) -> pd.DataFrame:
    """Return the value of contracts of so much a month [currency] that nobody is served under yet, rows as given."""
    nothing = np.zeros(len(monthly))
    first = _first_year_of(monthly, nothing, probability, churn=churn, settings=settings, staying=staying)
    index = pd.RangeIndex(len(monthly))
    return value_of(first, staying=staying, churn=churn, settings=settings, index=index)


def first_year_of_contracts(
    matrix: pd.DataFrame, probability: Column, *, churn: Churn, settings: Value, staying: Staying | None = None
) -> FirstYear:
    """Return the first year under contract: twelve monthly amounts times the chance of being there in its middle."""
    monthly = np.maximum(np.nan_to_num(matrix["relationship__recurring_amount"].to_numpy(np.float64)), 0)
    cost, staying = cost_to_serve(matrix, settings.cost_to_serve), staying or assumed(settings)
    return _first_year_of(monthly, cost, probability, churn=churn, settings=settings, staying=staying)


def _first_year_of(
    monthly: Column, cost: Column, probability: Column, *, churn: Churn, settings: Value, staying: Staying
) -> FirstYear:
    per_year = 12 * monthly * settings.margin_share
    there = chance_of_years(probability, staying=staying, churn=churn, years=1)[:, 0]
    return FirstYear(
        margin=per_year * there,
        low=per_year * (there >= _SURE),
        high=per_year,
        cost=cost,
        potential=np.zeros(len(monthly)),
        probability=probability,
    )


def assumed(settings: Value) -> Staying:
    """Return what the configuration assumes about those who stay."""
    return Staying(return_share=settings.return_share, concentration=settings.staying_concentration)


def margin_per_purchase(matrix: pd.DataFrame, settings: Value) -> Column:
    """Return the margin per day of purchase of each customer [currency], from 728 days, drawn towards the company's."""
    days = _recent_purchases(matrix)
    turnover = np.maximum(matrix["sales__turnover_728d"].to_numpy(np.float64), 0)
    company = turnover.sum() / max(days.sum(), 1.0)
    basket = (turnover + _OWN_WEIGHT * company) / (days + _OWN_WEIGHT)
    return np.asarray(basket * _margin_share(matrix, settings), dtype=np.float64)


def _recent_purchases(matrix: pd.DataFrame) -> Column:
    """Days of purchase inside 728 days, which is what BG/NBD counts: several orders on one day are one.

    Exact for whoever first bought within the window; for the others orders, times the days per order of the former.
    """
    orders, ever = (matrix[f"sales__{name}"].to_numpy(np.float64) for name in ("orders_728d", "purchase_days"))
    whole = matrix["sales__tenure_days"].to_numpy(np.float64) <= _WINDOW_DAYS
    days_per_order = ever[whole].sum() / orders[whole].sum() if orders[whole].any() else 1.0
    return np.where(whole, ever, orders * days_per_order)


def _margin_share(matrix: pd.DataFrame, settings: Value) -> Column:
    """Margin over turnover: the customer's where known, else the median one, else the assumed one; within 0 to 1."""
    if "sales__margin_share_364d" not in matrix.columns:
        return np.full(len(matrix), settings.margin_share)
    own = matrix["sales__margin_share_364d"].to_numpy(np.float64)
    company = float(np.nanmedian(own)) if np.isfinite(own).any() else settings.margin_share
    return np.asarray(np.clip(np.where(np.isnan(own), company, own), 0, 1), dtype=np.float64)


def _with_interval(value: Column, spread: Column, index: pd.Index) -> pd.DataFrame:
    low, high = value * np.exp(-_INTERVAL_Z * spread), value * np.exp(_INTERVAL_Z * spread)
    return pd.DataFrame(dict(zip(VALUE_COLUMNS, (value, low, high), strict=True)), index=index)
