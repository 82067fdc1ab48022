"""BG/NBD: how often a customer buys while alive, and the chance that the last purchase was the last one.

Purchases of a living customer follow a Poisson process whose rate varies over customers as Gamma(r, alpha); after each
purchase the customer leaves with a chance that varies as Beta(a, b).
Source: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from features.ledger import Column

WEEK = 7.0
_MOST_FITTED = 10_000
_REACH = 7.0
"""How far a logarithm may move from where it starts: a thousandfold either way."""

_MOST_STEPS = 100
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
    """Fit the four parameters by penalised maximum likelihood over all customers ever seen (``fit_parameters``)."""
    r, alpha, a, b = fit_parameters(seen, stages=1)
    return BgNbd(r=r, alpha=alpha, a=a, b=b)


def fit_parameters(seen: Purchases, *, stages: int) -> tuple[float, float, float, float]:
    """Return r, alpha, a and b that make the histories likeliest where ``stages`` Poisson waits make a gap.

    One stage is BG/NBD. Of more than 10,000 customers an even sample is fitted, then one Newton step is taken on all of
    them, which leaves next to nothing of the sample's error. A weak prior (worth two customers, around a customer who
    buys at the mean rate) keeps the fit finite on the smallest bases. Neither the order of customers nor the number of
    threads plays a part.
    """
    rows = _in_order(seen)
    customers, every = rows.shape[1], max(1, -(-rows.shape[1] // _MOST_FITTED))
    mean_gap_weeks = float(np.clip(rows[2].sum() / (1 + rows[0].sum()), 0.2, 200.0))
    centre = np.log([1.0, mean_gap_weeks / stages, 0.5, 2.0])
    prior = _PRIOR_WEIGHT / max(customers, 1)
    few = Loss(histories=histories_of(rows[:, every // 2 :: every]), centre=centre, prior=prior, stages=stages)
    theta = few.lowest()
    if every > 1:
        everyone = Loss(histories=histories_of(rows), centre=centre, prior=prior, stages=stages)
        theta = few.kept(theta + few.step(theta, everyone.at(theta)[1]))
    r, alpha, a, b = (float(value) for value in np.exp(theta))
    return r, alpha, a, b


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Distinct histories, shape (n_histories,), and the distinct counts of repeat purchases, shape (n_levels,).

    ``customers`` and ``customers_at`` say how many customers share a history or a count; ``level`` says which count a
    history has. What depends on the count alone (gamma functions, which are dear) is computed once per level.
    """

    customers: Column
    last_weeks: Column
    age_weeks: Column
    level: NDArray[np.intp]
    repeats_at: Column
    customers_at: Column


def _in_order(seen: Purchases) -> Column:
    """Repeats, weeks to the last purchase and age of those who bought, shape (3, n), sorted.

    Every n-th of them is a sample with the mix of all, whatever the order customers come in.
    """
    order = np.lexsort((seen.age_weeks, seen.last_weeks, seen.repeats))
    order = order[np.searchsorted(seen.repeats, 0, sorter=order) :]
    return np.stack([seen.repeats[order], seen.last_weeks[order], seen.age_weeks[order]])


def histories_of(rows: Column) -> Histories:
    """Count equal rows; ``rows`` are sorted repeats, weeks to the last purchase and age, shape (3, n)."""
    first = np.append(True, (rows[:, 1:] != rows[:, :-1]).any(axis=0))[: rows.shape[1]].nonzero()[0]
    customers = np.diff(first, append=rows.shape[1]).astype(np.float64)
    repeats, last_weeks, age_weeks = rows[:, first]
    new = np.append(True, repeats[1:] != repeats[:-1])[: len(repeats)]
    level = np.cumsum(new) - 1
    return Histories(
        customers=customers,
        last_weeks=last_weeks,
        age_weeks=age_weeks,
        level=level,
        repeats_at=repeats[new],
        customers_at=np.bincount(level, customers).astype(np.float64),
    )


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The penalised mean loss of some customers over the logarithms of r, alpha, a and b, each within 7 of ``centre``.

    Newton's method in its own few lines: SciPy's L-BFGS-B wakes all threads of BLAS for matrices of four numbers, which
    costs six times as much as the loss itself.
    """

    histories: Histories
    centre: Column
    prior: float
    stages: int

    def at(self, theta: Column) -> tuple[float, Column]:
        """Return the loss and its slope."""
        likelihood, slope = log_likelihood(self.histories, theta, stages=self.stages)
        customers, away = max(float(self.histories.customers.sum()), 1.0), theta - self.centre
        penalty = self.prior * float((away**2).sum()) / 2
        return penalty - likelihood / customers, self.prior * away - slope / customers

    def lowest(self) -> Column:
        """Return where the loss is lowest: Newton steps, each halved until the loss does not rise."""
        theta = self.centre
        loss, slope = self.at(theta)
        for _ in range(_MOST_STEPS):
            step, rounding = self.step(theta, slope), 1e-14 * (1 + abs(loss))
            promised = -float((slope * step).sum())
            lower, part = self.at(self.kept(theta + step)), 1.0
            while lower[0] > loss + 10 * rounding and part > 1e-9:
                part /= 2
                lower = self.at(self.kept(theta + part * step))
            theta, (loss, slope) = self.kept(theta + part * step), lower
            if promised < rounding:
                break
        return theta

    def step(self, theta: Column, slope: Column) -> Column:
        """Return the Newton step from ``theta`` down ``slope``, no longer than 2 in any direction.

        Curvature counts by its size (Dauphin et al. 2014, saddle-free Newton), so that every step leads downhill. What
        the slope presses against its bound stays there.
        """
        away = theta - self.centre
        free = np.where((np.abs(away) > _REACH - 1e-9) & (slope * away < 0), 0.0, 1.0)
        sizes, axes = np.linalg.eigh(self._curvature(theta) * free[:, None] * free + np.diag(1 - free))
        along = (axes * (slope * free)[:, None]).sum(axis=0) / np.maximum(np.abs(sizes), self.prior)
        step = -(axes * along).sum(axis=1)
        return np.asarray(step / max(1.0, np.abs(step).max() / 2), dtype=np.float64)

    def _curvature(self, theta: Column) -> Column:
        slope = self.at(theta)[1]
        slopes = np.array([(self.at(theta + 1e-6 * unit)[1] - slope) / 1e-6 for unit in np.eye(len(theta))])
        return np.asarray((slopes + slopes.T) / 2, dtype=np.float64)

    def kept(self, theta: Column) -> Column:
        """Return ``theta`` within its bounds."""
        return np.asarray(self.centre + np.clip(theta - self.centre, -_REACH, _REACH), dtype=np.float64)


def log_likelihood(
    histories: Histories, theta: NDArray[np.float64], *, stages: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the log-likelihood of all customers and its slope along ``theta``, the logarithms of r, alpha, a and b.

    Fader, Hardie, Lee (2005), eq. 6, for one stage; Reutterer, Platzer, Schröder (2021), Int. J. Research in Marketing
    38(1), for more, less what no parameter changes.
    """
    parameters = np.exp(theta)
    counts, slope_of_counts = _likelihood_of_counts(histories, *parameters, stages=stages)
    ends, slope_of_ends = _likelihood_of_ends(histories, *parameters, stages=stages)
    return counts + ends, (slope_of_counts + slope_of_ends) * parameters


def _likelihood_of_counts(
    histories: Histories, r: float, alpha: float, a: float, b: float, *, stages: int
) -> tuple[float, NDArray[np.float64]]:
    """Purchases at their rates and customers who stayed after each: what does not depend on dates."""
    x, weights = histories.repeats_at, histories.customers_at
    shape, digamma = r + stages * x, special.digamma
    bought = special.gammaln(shape) - special.gammaln(r) + r * np.log(alpha)
    stayed = special.betaln(a, b + x) - special.betaln(a, b)
    lost = digamma(a + b) - digamma(a + b + x)
    slopes = [
        digamma(shape) - digamma(r) + np.log(alpha),
        np.full_like(x, r / alpha),
        lost,
        lost + digamma(b + x) - digamma(b),
    ]
    return float((weights * (bought + stayed)).sum()), np.array([(weights * slope).sum() for slope in slopes])


def _likelihood_of_ends(
    histories: Histories, r: float, alpha: float, a: float, b: float, *, stages: int
) -> tuple[float, NDArray[np.float64]]:
    """How the time observed ends: alive in a gap that is not over, or left after the last purchase."""
    x, level, weights = histories.repeats_at, histories.level, histories.customers
    stays_at = b + np.maximum(x, 1) - 1
    leaves = np.where(x > 0, np.log(a) - np.log(stays_at), -np.inf)[level]
    shape = (r + stages * x)[level]
    age, last = alpha + histories.age_weeks, alpha + histories.last_weeks
    log_age, log_last = np.log(age), np.log(last)
    gap = running_gap(shape, 1 - last / age, stages=stages)
    log_odds = leaves + shape * (log_age - log_last) - np.log(gap.weight)
    likelihood = np.log(gap.weight) - shape * log_age + np.logaddexp(0, log_odds)
    left = special.expit(log_odds)
    alive = 1 - left
    slopes = [
        alive * (gap.by_shape - log_age) - left * log_last,
        -alive * (shape + gap.by_wait) / age - left * shape / last,
        left / a,
        -left / stays_at[level],
    ]
    return float((weights * likelihood).sum()), np.array([(weights * slope).sum() for slope in slopes])


@dataclass(frozen=True, kw_only=True)
class RunningGap:
    """The gap a living customer is in, shape (n_customers,).

    ``weight`` is how many times likelier it is to be running after any number of stages than after none, 1 or more;
    ``by_shape`` and ``by_wait`` are the slopes of its logarithm along the shape and along the logarithm of the wait.
    """

    weight: Column
    by_shape: Column
    by_wait: Column


def running_gap(shape: Column, wait: Column, *, stages: int) -> RunningGap:
    """Return the sum over j < stages of ``wait ** j * shape (shape + 1) ... (shape + j - 1) / j!``.

    ``shape`` is that of the Gamma posterior of the rate, ``wait`` the weeks since the last purchase over its scale.
    """
    term, term_by_shape = np.ones_like(shape), np.zeros_like(shape)
    weight, by_shape, by_wait = term, term_by_shape, np.zeros_like(shape)
    for stage in range(1, stages):
        share = wait / stage
        term_by_shape = share * (term + (shape + stage - 1) * term_by_shape)
        term = share * (shape + stage - 1) * term
        weight, by_shape, by_wait = weight + term, by_shape + term_by_shape, by_wait + stage * term
    return RunningGap(weight=weight, by_shape=by_shape / weight, by_wait=by_wait / weight)
