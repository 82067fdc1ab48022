"""Calibration: an affine map on the log-odds, fitted on a slice of time later than training.

Affine, so that ranks stay and the contributions of features, multiplied by the same slope, add up to the calibrated
log-odds exactly. Source: Platt (1999); Bayesian logistic regression with a Gaussian prior for small slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Column = NDArray[np.float64]

_PRIOR_SD = np.array([2.0, 0.3])
"""How far the intercept may stray from 0 and the slope's logarithm from 0 when the slice is small."""

_UNCHECKED_SD = np.array([1.0, 0.3])
"""Standard errors of intercept and slope where there is no later slice at all."""

INTERVAL = 0.90
_INTERVAL_Z = 1.6448536269514722


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """``log-odds = intercept + slope * score``, with the covariance of the two, shape (2, 2).

    ``n_rows`` is the number of labelled snapshots it was fitted on; 0 means that nothing could be checked.
    """

    intercept: float
    slope: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    n_rows: int

    def log_odds(self, score: Column) -> Column:
        """Calibrated log-odds."""
        return self.intercept + self.slope * score

    def spread(self, score: Column) -> Column:
        """Standard error of the calibrated log-odds that the size of the slice leaves open."""
        (a, b), (_, d) = self.covariance
        return np.sqrt(np.maximum(a + 2 * b * score + d * score**2, 0))


def probability_interval(log_odds: Column, spread: Column) -> tuple[Column, Column]:
    """Return the bounds that hold the probability with 90 % confidence, given its standard error in log-odds."""
    return special.expit(log_odds - _INTERVAL_Z * spread), special.expit(log_odds + _INTERVAL_Z * spread)


def fit_calibration(score: Column, label: NDArray[np.int8], *, n_customers: int) -> Calibration:
    """Fit intercept and slope on out-of-time scores.

    Parameters
    ----------
    score : array of float, shape (n_rows,)
        Raw log-odds of snapshots that lie after everything the model learned from.
    label : array of {0, 1}, shape (n_rows,)
        What became of them.
    n_customers : int
        Distinct customers among the rows; the covariance is widened by rows per customer, because several
        snapshots of one customer say little more than one.

    Notes
    -----
    The slope stays above 0: a score that ranks the wrong way round is worthless, not useful upside down.
    """

    def loss(theta: Column) -> float:
        z = theta[0] + np.exp(theta[1]) * score
        return float((np.logaddexp(0, z) - label * z).sum() + ((theta / _PRIOR_SD) ** 2).sum() / 2)

    found = optimize.minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-20, 20), (-3, 3)]).x
    theta = np.array([found[0], np.exp(found[1])])
    chance = special.expit(theta[0] + theta[1] * score)
    weight = chance * (1 - chance) * (n_customers / max(1, len(score)))
    moments = [float((weight * score**power).sum()) for power in range(3)]
    information = np.array([moments[:2], moments[1:]])
    covariance = np.linalg.inv(information + np.diag(1 / (_PRIOR_SD * [1, theta[1]]) ** 2))
    return _calibration(theta, covariance, n_rows=len(score))


def at_level_of(calibration: Calibration, score: Column, label: NDArray[np.int8], *, n_customers: int) -> Calibration:
    """Return a calibration with the slope of ``calibration`` and the level of one slice.

    Parameters
    ----------
    calibration : Calibration
        Fitted out of time: how far scores may be trusted to spread.
    score : array of float, shape (n_rows,)
        What the model in use says of the slice; it may have learned from it, for only one number is taken from it.
    label : array of {0, 1}, shape (n_rows,)
        What became of the slice.
    n_customers : int
        Distinct customers among the rows.

    Notes
    -----
    The intercept is that with which the slice's probabilities add up to its outcomes; a Gaussian prior around 0 with
    standard deviation 1 counts where the slice is small. An intercept fitted on the folds would correct the models of
    the folds, which learned from less time, and correct the model in use a second time for what it has learned since.
    """
    slope = calibration.slope

    def surplus(intercept: float) -> float:
        return float(special.expit(intercept + slope * score).sum() - label.sum() + intercept)

    intercept = float(optimize.brentq(surplus, -1e4, 1e4))
    chance = special.expit(intercept + slope * score)
    information = float((chance * (1 - chance)).sum() * n_customers / max(1, len(score)))
    centre, slope_variance = float(score.mean()) if len(score) else 0.0, calibration.covariance[1][1]
    level_variance, together = 1 / (information + 1), -centre * slope_variance
    covariance = np.array([[level_variance + centre**2 * slope_variance, together], [together, slope_variance]])
    return _calibration(np.array([intercept, slope]), covariance, n_rows=calibration.n_rows)


def uncalibrated() -> Calibration:
    """Return the map that changes nothing, for a history too short for a later slice.

    It leaves open what such a slice would have settled: the level by a standard error of 1 in log-odds, half the
    prior's, because the score has been brought to the level seen; the slope by the prior's.
    """
    return _calibration(np.array([0.0, 1.0]), np.diag(_UNCHECKED_SD**2), n_rows=0)


def untested_on_later_time(calibration: Calibration) -> Calibration:
    """Return a calibration whose level is as uncertain as one that no later slice has checked.

    Other customers of the same days show how far scores may be trusted to spread, but not how the level will differ.
    """
    covariance = np.array(calibration.covariance) + np.diag([_UNCHECKED_SD[0] ** 2, 0.0])
    return _calibration(np.array([calibration.intercept, calibration.slope]), covariance, n_rows=0)


def _calibration(theta: Column, covariance: NDArray[np.float64], *, n_rows: int) -> Calibration:
    (a, b), (c, d) = covariance.tolist()
    return Calibration(intercept=float(theta[0]), slope=float(theta[1]), covariance=((a, b), (c, d)), n_rows=n_rows)
