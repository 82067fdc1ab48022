"""Logistic regression on a few columns by penalised maximum likelihood, plain enough to be stored as numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Column = NDArray[np.float64]


def fit_logistic(
    rows: NDArray[np.float64],
    label: NDArray[np.int8],
    *,
    penalty: float,
    centre: float = 0.0,
    least: float | None = None,
) -> tuple[float, Column]:
    """Return intercept and weights of a logistic regression with a ridge penalty on the weights.

    Parameters
    ----------
    rows : array of float, shape (n_rows, n_columns)
        Finite, about unit spread.
    label : array of {0, 1}, shape (n_rows,)
        Outcomes; when all are alike the intercept stays finite by a penalty worth one row.
    penalty : float
        Half the penalty on the squared distance of each weight from ``centre`` [1 / variance of the prior].
    centre : float
        Weight that the data are asked to argue against.
    least : float, optional
        Lower bound of every weight, where the direction is known.
    """

    def loss(theta: Column) -> tuple[float, Column]:
        z = theta[0] + rows @ theta[1:]
        pull = np.r_[theta[0], (theta[1:] - centre) * penalty]
        value = np.logaddexp(0, z).sum() - label @ z + 0.5 * (pull @ np.r_[theta[0], theta[1:] - centre])
        error = special.expit(z) - label
        return float(value), np.r_[error.sum(), error @ rows] + pull

    start = np.r_[0.0, np.full(rows.shape[1], centre)]
    bounds = [(None, None)] + [(least, None)] * rows.shape[1]
    theta = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000}).x
    return float(theta[0]), theta[1:]
