"""How often comparable customers told each reason for which they left: shares per reason, shrunk to the company's.

Comparable are customers of the same industry, of the same size and of the same region; what is known of them adds up. A
group departs from the company by what it departs by itself, times the weight that its number of customers gives it
(empirical Bayes): where groups differ by no more than chance, nobody departs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.ledger import Column, Past

CAUSES = ("price", "service", "quality", "delivery", "contact_person", "competitor")
"""Reasons that are counted; what cannot be cured (insolvency, moved) says nothing about others."""
PEER_FACTS = ("industry", "size", "region")
"""Facts by which customers are compared, as the ledger ``customers`` numbers them; 0 is not known."""
TOLD_DAYS = 728
"""Losses of two years count, by the day of the loss [days]."""

Rates = tuple[float, ...]
Whole = NDArray[np.int64]


class ToldShares(NamedTuple):
    """Shares of customers who told each of `CAUSES`; empty where no table says it.

    ``company`` is that of all customers; ``groups`` holds for each of `PEER_FACTS` the groups by number, ascending,
    each with how far its share departs from the company's.
    """

    company: Rates = ()
    groups: tuple[tuple[tuple[float, ...], ...], ...] = ()

    @classmethod
    def from_lists(cls, stored: Sequence[Any]) -> ToldShares:
        """Return the shares from what JSON makes of them; empty where nothing was stored."""
        if not stored:
            return cls()
        company, groups = stored
        return cls(tuple(company), tuple(tuple(tuple(group) for group in fact) for fact in groups))


NOTHING_TOLD = ToldShares()


def cause_told(losses: Past) -> Column:
    """Return which of `CAUSES` each customer told about the last loss (from 1 on), 0 where none within two years."""
    counts = (losses.last("is_told") > 0) & (losses.recency_days <= TOLD_DAYS)
    return np.where(counts, losses.last("cause"), 0)


def told_shares(cause: Whole, facts: Sequence[Whole]) -> ToldShares:
    """Return the shares of all customers, each with the cause told (0: none) and the group of each of `PEER_FACTS`."""
    told = np.stack([cause == number for number in range(1, len(CAUSES) + 1)])
    company = told.sum(axis=1) / max(len(cause), 1)
    return ToldShares(tuple(map(float, company)), tuple(_groups(told, group) for group in facts))


def share_of(shares: ToldShares, customers: Past, cause: str) -> Column:
    """Return the share of comparable customers who told ``cause`` [share]; missing where nobody could tell."""
    if not shares.company:
        return np.full(len(customers.customers), np.nan)
    place = CAUSES.index(cause)
    share = np.full(len(customers.customers), shares.company[place])
    for name, groups in zip(PEER_FACTS, shares.groups, strict=True):
        share += _looked_up(np.nan_to_num(customers.last(name)), groups, place)
    found: Column = np.maximum(share, 0.0)
    return found


def _looked_up(group: Column, groups: Sequence[Rates], place: int) -> Column:
    if not groups:
        return np.zeros(len(group))
    table = np.array(groups)
    found = np.minimum(np.searchsorted(table[:, 0], group), len(table) - 1)
    return np.where(table[found, 0] == group, table[found, 1 + place], 0.0)


def _groups(told: NDArray[np.bool_], group: Whole) -> tuple[tuple[float, ...], ...]:
    """Return each known group by number with its departures; none where nobody told anything."""
    known = group > 0
    if not told[:, known].any():
        return ()
    numbers, place, sizes = np.unique(group[known], return_inverse=True, return_counts=True)
    counts = [np.bincount(place[each[known]], minlength=len(numbers)) for each in told]
    departures = [departures_of(each, sizes) for each in counts]
    return tuple(tuple(map(float, row)) for row in np.column_stack([numbers, *departures]))


def departures_of(counts: Whole, sizes: Whole) -> Column:
    """Return how far the share of each group departs from that of all groups together, shrunk [share].

    Notes
    -----
    The share of variance that lies between groups comes from moments, never below 0.
    Source: Kleinman (1973), Proportions with extraneous variance, JASA 68(341).
    """
    everybody, share = float(sizes.sum()), float(counts.sum() / sizes.sum())
    spare = everybody - float((sizes * sizes).sum()) / everybody
    free = len(sizes) - 1
    if share in (0.0, 1.0) or spare <= free:
        return np.zeros(len(sizes))
    spread = float((sizes * (counts / sizes - share) ** 2).sum()) / (share * (1 - share))
    between = min(max((spread - free) / (spare - free), 0.0), 1.0)
    weight = sizes * between / (1 - between + sizes * between)
    departures: Column = weight * (counts / sizes - share) + 0.0
    return departures
