"""The Kundenwert: margin of the first year, carried over the years at the chance of still being there, discounted.

    value = sum over the years t of  discount(t) x staying(t) x (growth(t) x (margin - cost) + won(t) x potential)

``staying(t)`` is the chance of being a customer in the middle of year t over that of year 1, whose losses the margin
of the first year already knows; ``won(t)`` is the share of the potential won by then, a constant share of the rest each
year. Closed form; customers are reckoned in blocks so that memory stays small.
Source: Gupta, Lehmann, Stuart (2004), Valuing Customers, J. Marketing Research 41(1); Fader, Hardie (2007) for staying.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from models.settings import Value
from models.staying import YEAR_DAYS, Column, Staying, survival

VALUE_COLUMNS = ("value", "value_low", "value_high")
_BLOCK = 100_000
_LOW, _HIGH = 0.9, 0.1
"""Years that count for the lower bound are those reached with this chance, for the upper bound with that one."""
_NEXT_TO_NOTHING = 0.01


@dataclass(frozen=True, kw_only=True)
class FirstYear:
    """What is known of each customer's first year, shape (n_customers,); amounts in currency.

    ``margin`` with the bounds of its 80 % interval, ``cost`` of serving, ``potential`` that may be won on top, and
    ``probability`` of being lost within one lead and horizon.
    """

    margin: Column
    low: Column
    high: Column
    cost: Column
    potential: Column
    probability: Column


def value_of(first: FirstYear, *, staying: Staying, churn: Churn, settings: Value, index: pd.Index) -> pd.DataFrame:
    """Return the value of each customer with an 80 % interval, never below 0 and never missing.

    Who costs more than they bring is worth at most the potential. The interval joins that of the first margin and
    that of how long the customer stays, as independent of each other.
    """
    parts = [
        _block(first, slice(at, at + _BLOCK), staying, churn, settings)
        for at in range(0, max(len(first.margin), 1), _BLOCK)
    ]
    return pd.DataFrame(np.concatenate(parts, axis=0), columns=list(VALUE_COLUMNS), index=index)


@dataclass(frozen=True, kw_only=True)
class Years:
    """What a margin of 1 in the first year is worth over all years, shape (n_customers,).

    ``expected`` with a lower and an upper bound from how long the customer stays; ``of_potential`` is what a potential
    of 1 a year is worth.
    """

    expected: Column
    fewest: Column
    most: Column
    of_potential: Column


def years_of(probability: Column, *, staying: Staying, churn: Churn, settings: Value) -> Years:
    """Return what a margin of 1 in the first year is worth."""
    stays = chance_of_years(probability, staying=staying, churn=churn, years=settings.years)
    later = stays / np.maximum(stays[:, :1], 1e-300)
    later[:, 0] = 1.0
    years, discount = np.arange(settings.years), discounts(settings)
    weights, won = discount * (1 + settings.growth_rate) ** years, 1 - (1 - settings.uptake_share) ** (years + 1)
    expected = _over_years(later, weights)
    return Years(
        expected=expected,
        fewest=np.minimum(_over_years(later >= _LOW, weights), expected),
        most=np.maximum(_over_years(later >= _HIGH, weights), expected),
        of_potential=_over_years(stays, discount * won),
    )


def discounts(settings: Value) -> Column:
    """Return the discount factor of each year's middle, shape (years,)."""
    middles = np.arange(settings.years) + 0.5
    return np.asarray((1 + settings.discount_rate) ** -middles, dtype=np.float64)


def _over_years(parts: NDArray[np.float64] | NDArray[np.bool_], weights: Column) -> Column:
    """Return the weighted sum, one year after the other: a product of matrices adds a single row in another order."""
    total = np.zeros(len(parts))
    for year, weight in enumerate(weights):
        total += weight * parts[:, year]
    return total


def chance_of_years(probability: Column, *, staying: Staying, churn: Churn, years: int) -> NDArray[np.float64]:
    """Return the chance of being a customer in the middle of each year, shape (n_customers, years)."""
    middles = (np.arange(years) + 0.5) * YEAR_DAYS / (churn.lead_days + churn.horizon_days)
    return survival(probability, middles, staying)


def _block(first: FirstYear, rows: slice, staying: Staying, churn: Churn, settings: Value) -> NDArray[np.float64]:
    years = years_of(first.probability[rows], staying=staying, churn=churn, settings=settings)
    margin, cost, potential = (np.nan_to_num(each[rows]) for each in (first.margin, first.cost, first.potential))
    net, won = margin - cost, potential * years.of_potential
    low, high = (np.nan_to_num(bound[rows]) - cost for bound in (first.low, first.high))
    usual = np.maximum(net, 0) * years.expected
    value = np.maximum(net * years.expected + won, 0)
    lower = np.minimum(_lower(usual, net, low, years.fewest / years.expected), value)
    upper = np.maximum(_upper(usual, net, high, years.most / years.expected) + won, value)
    return np.column_stack([value, lower, upper])


def _lower(value: Column, net: Column, low: Column, of_years: Column) -> Column:
    """Join how far the margin and the years may fall short, as independent of each other (logarithms)."""
    share = np.clip(low / np.maximum(net, 1e-9), 0, 1)
    apart = np.hypot(np.log(np.maximum(share, 1e-9)), np.log(np.maximum(of_years, 1e-9)))
    return np.where((net <= 0) | (share < _NEXT_TO_NOTHING), 0.0, value * np.exp(-apart))


def _upper(value: Column, net: Column, high: Column, of_years: Column) -> Column:
    share = np.maximum(high / np.maximum(net, 1e-9), 1)
    apart = np.hypot(np.log(share), np.log(np.maximum(of_years, 1)))
    return np.where(net <= 0, np.maximum(high, 0), value * np.exp(np.minimum(apart, 50)))
