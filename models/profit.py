"""What a ranking is worth in money and in customers reached, for a list of a given length.

Assumed, alike for all models compared, and never the company's own plan: everybody on the list is contacted at a cost;
a customer who would have left accepts an incentive with some chance and stays; one who would have stayed takes it too.
Source: Verbraken, Verbeke, Baesens (2013), A Novel Profit Maximizing Metric for Measuring Classification Performance of
Customer Churn Prediction Models, IEEE TKDE 25(5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.metrics import Column


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A campaign of the literature [currency per customer]; the chance of staying is Beta(6, 14), 0.3 on average.

    ``value`` is what a customer kept is worth, ``incentive_cost`` what is given to those who accept, ``contact_cost``
    what every contact costs.
    """

    value: float = 200.0
    incentive_cost: float = 10.0
    contact_cost: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0

    @property
    def effect_share(self) -> float:
        """Chance that a customer who would leave accepts and stays, on average."""
        return self.alpha / (self.alpha + self.beta)


LITERATURE = Campaign()
"""The values of the paper: figures can be compared with those of others."""


def listed(score: Column, *, places: int) -> Column:
    """Return how much of each customer stands on a list of so many places [share]; the highest scores first.

    Equal scores share the edge of the list in proportion: row order cannot matter. A list longer than the cohort holds
    everybody.

    Examples
    --------
    >>> listed(np.array([0.9, 0.5, 0.5, 0.1]), places=2)
    array([1. , 0.5, 0.5, 0. ])
    """
    if places < 1:
        raise ValueError(f"a list needs at least one place, got {places}")
    if places >= len(score):
        return np.ones(len(score))
    edge = np.sort(score)[::-1][places - 1]
    above, at_edge = score > edge, score == edge
    return np.where(above, 1.0, np.where(at_edge, (places - above.sum()) / at_edge.sum(), 0.0))


def gains_at(label: NDArray[np.int8], score: Column, *, places: int) -> float:
    """Return the share of all churners that a list of so many places reaches [share]; NaN when nobody churned.

    Examples
    --------
    >>> gains_at(np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.2, 0.1]), places=2)
    0.5
    """
    reached = float((listed(score, places=places) * label).sum())
    return reached / float(label.sum()) if label.any() else float("nan")


def value_captured(label: NDArray[np.int8], probability: Column, stake: Column, *, places: int) -> float:
    """Return the share of what the lost customers brought that a list of so many places holds [share].

    Parameters
    ----------
    label : array of {0, 1}, shape (n_customers,)
        1 where the customer churned.
    probability : array of float in [0, 1], shape (n_customers,)
    stake : array of float, shape (n_customers,)
        What each customer brings [currency]; below 0 counts as 0. The list is in the order of probability times stake,
        as the early-warning list is in the order of value at risk.
    places : int
        Length of the list [customers].

    Returns
    -------
    float
        NaN when nothing was lost.

    Examples
    --------
    >>> value_captured(np.array([1, 1, 0]), np.array([0.5, 0.4, 0.1]), np.array([100.0, 300.0, 500.0]), places=1)
    0.75
    """
    worth = np.maximum(stake, 0.0)
    lost = label * worth
    found = float((listed(probability * worth, places=places) * lost).sum())
    return found / float(lost.sum()) if lost.any() else float("nan")


def profit_per_contact(
    label: NDArray[np.int8], score: Column, *, places: int, campaign: Campaign = LITERATURE
) -> float:
    """Return the expected profit of contacting the list, per contacted customer [currency].

    A churner on the list brings ``effect_share * (value - incentive_cost) - contact_cost``, anybody else costs
    incentive and contact. Source: Verbraken et al. (2013), eq. 4, at the mean of the chance of staying.

    Examples
    --------
    >>> profit_per_contact(np.array([1, 0]), np.array([0.9, 0.1]), places=1)
    56.0
    >>> profit_per_contact(np.array([0, 1]), np.array([0.9, 0.1]), places=1)
    -11.0
    """
    on_list = listed(score, places=places)
    kept = campaign.effect_share * (campaign.value - campaign.incentive_cost) - campaign.contact_cost
    each = np.where(label == 1, kept, -campaign.incentive_cost - campaign.contact_cost)
    return float((on_list * each).sum() / on_list.sum())


def expected_maximum_profit(label: NDArray[np.int8], score: Column, *, campaign: Campaign = LITERATURE) -> float:
    """Return EMPC: the expected profit per customer of the cohort at the best length of list [currency].

    The mean over the chance of staying, each with the list that suits it best. NaN when all labels are alike.
    Source: Verbraken et al. (2013), eq. 13; computed by ``empulse``.
    """
    if not 0 < label.mean() < 1:
        return float("nan")
    from empulse.metrics import empc_score

    found = empc_score(
        label,
        score,
        alpha=campaign.alpha,
        beta=campaign.beta,
        clv=campaign.value,
        incentive_cost=campaign.incentive_cost,
        contact_cost=campaign.contact_cost,
    )
    return float(found)
