"""Logistic regression on a few columns by penalised maximum likelihood, plain enough to be stored as numbers.

Sums run through ``einsum`` and ``sum`` instead of ``@``: a BLAS adds in an order that depends on its number of threads,
and the last digits of a model must not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Column = NDArray[np.float64]
Bound = tuple[float | None, float | None]


def fit_logistic(
    rows: NDArray[np.float64],
    label: NDArray[np.int8],
    *,
    penalty: float,
    centre: float = 0.0,
    bounds: Sequence[Bound] | None = None,
) -> tuple[float, Column]:
    """Return intercept and weights of a logistic regression with a ridge penalty on the weights.

    Parameters
    ----------
    rows : array of float, shape (n_rows, n_columns)
        Finite, about unit spread.
    label : array of {0, 1}, shape (n_rows,)
        Outcomes; when all are alike the intercept stays finite by one more row, half of either outcome.
    penalty : float
        Precision of the Gaussian prior on each weight around ``centre`` [1 / variance].
    centre : float
        Weight that the data are asked to argue against.
    bounds : sequence of (float or None, float or None), optional
        Least and most of every weight, where its direction is known; None: no bound.

    Returns
    -------
    intercept : float
    weights : array of float, shape (n_columns,)
    """
    outcome = label.astype(np.float64)

    def loss(theta: Column) -> tuple[float, Column]:
        z, apart = theta[0] + linear(rows, theta[1:]), theta[1:] - centre
        value = (np.logaddexp(0, z) - outcome * z).sum() + np.logaddexp(0, theta[0]) - theta[0] / 2
        error = special.expit(z) - outcome
        slope = np.r_[error.sum() + special.expit(theta[0]) - 0.5, np.einsum("i,ij->j", error, rows) + penalty * apart]
        return float(value + penalty * (apart**2).sum() / 2), slope

    start = np.r_[0.0, np.full(rows.shape[1], centre)]
    limits = [(None, None), *(bounds or [(None, None)] * rows.shape[1])]
    theta = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 1000}).x
    return float(theta[0]), theta[1:]


def linear(rows: NDArray[np.float64], weights: Column) -> Column:
    """Return ``rows @ weights``, shape (n_rows,), added in the same order on every machine."""
    return np.asarray(np.einsum("ij,j->i", rows, weights), dtype=np.float64)
