"""BG/NBD: how often a customer buys while alive, and the chance that the last purchase was the last one.

Purchases of a living customer follow a Poisson process whose rate varies over customers as Gamma(r, alpha); after each
purchase the customer leaves with a chance that varies as Beta(a, b).
Source: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from features.ledger import Column

WEEK = 7.0
_MOST_FITTED = 50_000
_PRIOR_WEIGHT = 2.0
"""Weight of the prior on the four logarithms, in customers: it decides only where there are next to none."""


@dataclass(frozen=True, kw_only=True)
class Purchases:
    """What BG/NBD needs of each customer, shape (n_customers,).

    Repeat purchase days, weeks from the first to the last, weeks from the first to the cutoff. A customer without a
    purchase has -1 repeats and no weeks (NaN).
    """

    repeats: Column
    last_weeks: Column
    age_weeks: Column


@dataclass(frozen=True, kw_only=True)
class BgNbd:
    """A fitted BG/NBD; time unit week."""

    r: float
    alpha: float
    a: float
    b: float

    def alive_chance(self, seen: Purchases) -> Column:
        """Chance in [0, 1] that a customer has not left yet (paper, eq. 11 for one of them); NaN without a purchase."""
        x, repeat = seen.repeats, seen.repeats > 0
        log_odds_left = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1)
        log_odds_left = log_odds_left + (self.r + x) * np.log(
            (self.alpha + seen.age_weeks) / (self.alpha + seen.last_weeks)
        )
        return np.where(x < 0, np.nan, np.where(repeat, special.expit(-log_odds_left), 1.0))

    def silent_chance(self, seen: Purchases, *, lead_days: int, horizon_days: int) -> Column:
        """Chance in [0, 1] of no purchase inside ``[lead, lead + horizon)`` days from the cutoff.

        With the chance q of leaving after a purchase and rate k, a customer alive now is still alive after the lead
        with ``exp(-k q lead)`` and then silent through the horizon with ``exp(-k horizon)``; averaged over the
        Gamma posterior of k, with q at its posterior mean.
        """
        shape, rate = self.r + seen.repeats, self.alpha + seen.age_weeks
        leaving = self.a / (self.a + self.b + seen.repeats)
        lead, horizon = lead_days / WEEK, horizon_days / WEEK
        gone_in_lead = 1 - (rate / (rate + leaving * lead)) ** shape
        silent = (rate / (rate + leaving * lead + horizon)) ** shape
        alive = self.alive_chance(seen)
        return np.asarray(1 - alive + alive * (gone_in_lead + silent), dtype=np.float64)

    def expected_purchases(self, seen: Purchases, *, days: float) -> Column:
        """Expected purchase days inside the next ``days`` (paper, eq. 10) [count].

        The hypergeometric function stands in Euler's form: as printed it overflows for daily buyers over some years.
        """
        x, t = seen.repeats, days / WEEK
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        z, c = t / (self.alpha + seen.age_weeks + t), a + self.b + x - 1
        remaining = special.hyp2f1(a + self.b - 1 - self.r, a - 1, c, z) * (1 - z) ** (a - 1)
        return np.asarray(c / (a - 1) * (1 - remaining) * self.alive_chance(seen), dtype=np.float64)


def fit_bgnbd(seen: Purchases) -> BgNbd:
    """Fit the four parameters by penalised maximum likelihood over all customers ever seen.

    More than 50,000 customers are thinned evenly; equal histories are counted once. A weak prior (worth two customers,
    around a customer who buys at the mean rate) keeps the fit finite on the smallest bases.
    """
    weights, x, last, age = _distinct(seen)
    centre = np.log([1.0, _mean_gap_weeks(seen), 0.5, 2.0])

    def loss(theta: NDArray[np.float64]) -> float:
        r, alpha, a, b = np.exp(theta)
        prior = _PRIOR_WEIGHT * float(((theta - centre) ** 2).sum()) / 2
        likelihood = weights * _log_likelihood(x, last, age, r, alpha, a, b)  # summed, not @: BLAS adds by threads
        return prior - float(likelihood.sum())

    bounds = [(value - 7.0, value + 7.0) for value in centre]
    found = optimize.minimize(loss, centre, method="L-BFGS-B", bounds=bounds)
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return BgNbd(r=r, alpha=alpha, a=a, b=b)


def _log_likelihood(x: Column, last: Column, age: Column, r: float, alpha: float, a: float, b: float) -> Column:
    """Log-likelihood of each history (paper, eq. 6, in logarithms)."""
    counts = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    stays = special.betaln(a, b + x) - special.betaln(a, b)
    still_alive = -(r + x) * np.log(alpha + age)
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last), -np.inf)
    return np.asarray(counts + stays + np.logaddexp(still_alive, left), dtype=np.float64)


def _distinct(seen: Purchases) -> tuple[Column, Column, Column, Column]:
    rows = np.column_stack([seen.repeats, seen.last_weeks, seen.age_weeks])
    rows = rows[:: max(1, -(-len(rows) // _MOST_FITTED))]
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    return counts.astype(np.float64), distinct[:, 0], distinct[:, 1], distinct[:, 2]


def _mean_gap_weeks(seen: Purchases) -> float:
    return float(np.clip(seen.age_weeks.sum() / (1 + seen.repeats.sum()), 0.2, 200.0))
