"""Choosing at most one measure per customer under one budget and the hours of every owner."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_PRICES = tuple(step / 8 for step in range(9))
"""How much of the price of an option is its cost, the rest its hours."""
_SLACK = 1e-9
_SINGLES_UP_TO = 400
_PAIRS_UP_TO = 40
"""Every option, or pair of them, is tried as the first choice up to so many options; beyond, one hardly matters."""


@dataclass(frozen=True, kw_only=True)
class _Limits:
    """The budget of all, and the hours of every owner."""

    budget: float
    hours: float


@dataclass(kw_only=True)
class _Spending:
    """What a choice has used so far, and the option taken per customer."""

    money: float
    hours: NDArray[np.float64]
    taken: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Options:
    """Options as arrays: customer and owner as numbers, net value, cost, hours."""

    customer: NDArray[np.int64]
    owner: NDArray[np.int64]
    net: NDArray[np.float64]
    cost: NDArray[np.float64]
    hours: NDArray[np.float64]


def choose(options: pd.DataFrame, *, budget: float, hours_per_owner: float) -> NDArray[np.bool_]:
    """Return which options to take so that much is gained and no limit is broken.

    Parameters
    ----------
    options : DataFrame, sorted by customer and measure
        customer_id, owner, cost, hours, expected_net_value (above zero).
    budget : float
        Limit of the sum of cost [currency].
    hours_per_owner : float
        Limit of the sum of hours of every owner.

    Returns
    -------
    array of bool, shape (n_options,)
        At most one option per customer.

    Notes
    -----
    Greedy by net value per price, where the price of an option is a mix of its shares in budget and hours. Which
    mix fits (which resource is scarcer) is not known before, so nine mixes are tried and the best choice is kept.
    A better option replaces a customer's earlier one where it still fits. On small instances every option, on the
    smallest every pair, is also tried as the first choice. Equal gains: the earlier row.
    Source of the greedy rule: Dantzig (1957), Operations Research 5(2).
    """
    table = _options(options)
    limits = _Limits(budget=budget, hours=hours_per_owner)
    usable = np.flatnonzero((table.cost <= budget + _SLACK) & (table.hours <= hours_per_owner + _SLACK))
    picks = [_greedy(table, _ranked(table, usable, mix, limits), limits) for mix in _PRICES]
    best = max(picks, key=lambda spent: _gain(table, spent))
    best = _with_starts(table, usable, best, limits)
    mask = np.zeros(len(options), dtype=bool)
    mask[list(best.taken.values())] = True
    return mask


def _options(options: pd.DataFrame) -> _Options:
    return _Options(
        customer=pd.factorize(options["customer_id"], sort=True)[0],
        owner=pd.factorize(options["owner"], sort=True)[0],
        net=options["expected_net_value"].to_numpy(dtype=np.float64),
        cost=options["cost"].to_numpy(dtype=np.float64),
        hours=options["hours"].to_numpy(dtype=np.float64),
    )


def _ranked(table: _Options, usable: NDArray[np.int64], mix: float, limits: _Limits) -> NDArray[np.int64]:
    """Return the usable options by net value per price, falling; options without price by net value first."""
    money = table.cost[usable] / max(limits.budget, _SLACK)
    time = table.hours[usable] / max(limits.hours, _SLACK)
    price = mix * money + (1 - mix) * time
    density = table.net[usable] / np.maximum(price, _SLACK)
    return usable[np.lexsort((usable, -density))]


def _greedy(table: _Options, order: NDArray[np.int64], limits: _Limits) -> _Spending:
    """Go through ``order`` and take, or replace by the better, whatever still fits."""
    spent = _Spending(money=0.0, hours=np.zeros(int(table.owner.max(initial=-1)) + 1))
    for option in order.tolist():
        customer, owner = int(table.customer[option]), int(table.owner[option])
        old = spent.taken.get(customer)
        if old is not None and table.net[old] >= table.net[option]:
            continue
        money = spent.money + table.cost[option] - (table.cost[old] if old is not None else 0.0)
        hours = spent.hours[owner] + table.hours[option] - (table.hours[old] if old is not None else 0.0)
        if money <= limits.budget + _SLACK and hours <= limits.hours + _SLACK:
            spent.money, spent.hours[owner], spent.taken[customer] = money, hours, option
    return spent


def _gain(table: _Options, spent: _Spending) -> float:
    return float(table.net[sorted(spent.taken.values())].sum())


def _with_starts(table: _Options, usable: NDArray[np.int64], best: _Spending, limits: _Limits) -> _Spending:
    """Begin with every start in turn and fill up greedily; return the best, or ``best`` as given when none is."""
    gain = _gain(table, best)
    orders = [_ranked(table, usable, mix, limits) for mix in _PRICES[::4]]
    for start, order in product(_starts(usable), orders):
        trial = _greedy(table, np.concatenate([start, order]), limits)
        if (reached := _gain(table, trial)) > gain + _SLACK:
            best, gain = trial, reached
    return best


def _starts(usable: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Return the first choices worth trying: single options, pairs where they are few, none where they are many."""
    singles = [(option,) for option in usable.tolist()] if len(usable) <= _SINGLES_UP_TO else []
    return singles + (list(combinations(usable.tolist(), 2)) if len(usable) <= _PAIRS_UP_TO else [])
