"""How good a ranking and a probability are, on snapshots later than everything the model has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


def evaluate(label: NDArray[np.int8], probability: Column) -> Mapping[str, float]:
    """Return the metrics by name; rank metrics are NaN when all labels are alike.

    ``auc``, ``average_precision`` (area under precision-recall), ``log_loss`` [nats], ``brier``, ``calibration_error``
    (mean over ten equally filled bins), ``lift_at_10`` [times the base rate], ``base_rate`` [share], ``n`` [snapshots].
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    both = 0 < label.mean() < 1
    return {
        "n": float(len(label)),
        "base_rate": float(label.mean()),
        "auc": float(roc_auc_score(label, probability)) if both else float("nan"),
        "average_precision": float(average_precision_score(label, probability)) if both else float("nan"),
        "log_loss": float(log_losses(label, probability).mean()),
        "brier": float(np.mean((label - probability) ** 2)),
        "calibration_error": calibration_error(label, probability),
        "lift_at_10": lift_at(label, probability, share=0.1) if label.any() else float("nan"),
    }


def log_losses(label: NDArray[np.int8], probability: Column) -> Column:
    """Log loss of each snapshot [nats], at most 20.7: what is held impossible counts as one in a billion."""
    return -np.log(np.maximum(np.where(label == 1, probability, 1 - probability), 1e-9))


def lift_at(churned: NDArray[np.int8], score: Column, *, share: float) -> float:
    """Return how much richer in churners the top of the list is than the cohort.

    Parameters
    ----------
    churned : array of {0, 1}, shape (n_customers,)
        1 where the customer churned inside the horizon.
    score : array of float, shape (n_customers,)
        Higher is likelier to churn; need not be calibrated.
    share : float in (0, 1]
        Share of the cohort contacted; ``ceil(share * n_customers)``, so never empty.

    Returns
    -------
    float, dimensionless
        1.0 is chance; the most possible is ``1 / churn rate``.

    Raises
    ------
    ValueError
        If lengths differ, ``share`` is out of range, or nobody churned.

    Notes
    -----
    Equal scores share the edge of the list in proportion: row order cannot matter.
    Source: Neslin et al. (2006), J. Marketing Research 43(2), top-decile lift.

    Examples
    --------
    >>> lift_at(np.array([1, 0, 0, 0]), np.array([0.9, 0.4, 0.3, 0.1]), share=0.25)
    4.0
    """
    if len(churned) != len(score):
        raise ValueError(f"churned has {len(churned)} rows, score {len(score)}; they must be the same customers")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    if not churned.any():
        raise ValueError("nobody churned: there is no lift to measure")
    places = int(np.ceil(round(share * len(score), 6)))
    edge = np.sort(score)[::-1][places - 1]
    above, at_edge = score > edge, score == edge
    found = churned[above].sum() + churned[at_edge].mean() * (places - above.sum())
    return float(found / places / churned.mean())


def calibration_error(label: NDArray[np.int8], probability: Column, *, bins: int = 10) -> float:
    """Return the mean gap between probability and outcome over equally filled bins of rising probability [share].

    Equal probabilities stay together, in the bin where the middle of them falls; each bin counts by its snapshots.
    """
    gap = np.bincount(bins_of(probability, bins=bins), weights=label - probability, minlength=bins)
    return float(np.abs(gap).sum() / len(probability))


def bins_of(probability: Column, *, bins: int = 10) -> NDArray[np.int64]:
    """Return which of equally filled bins of rising probability each snapshot falls into, 0 to ``bins - 1``."""
    from scipy.stats import rankdata

    middle = (rankdata(probability) - 0.5) / len(probability)
    return np.asarray(np.minimum((middle * bins).astype(np.int64), bins - 1), dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class BrierParts:
    """The Brier score taken apart: ``reliability - resolution + uncertainty + within``.

    ``reliability``: how far probabilities lie from what became of them (lower is better). ``resolution``: how far the
    outcomes of the bins lie from the base rate (higher is better). ``uncertainty``: that of the base rate itself, which
    no model changes. ``within``: what the bins hide, because probabilities inside one differ.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier_parts(label: NDArray[np.int8], probability: Column, *, bins: int = 10) -> BrierParts:
    """Take the Brier score apart over equally filled bins of rising probability.

    Sources: Murphy (1973), J. Applied Meteorology 12; for what is left within bins Stephenson, Coelho, Jolliffe (2008),
    Weather and Forecasting 23.

    Examples
    --------
    >>> brier_parts(np.array([0, 1]), np.array([0.0, 1.0]))
    BrierParts(reliability=0.0, resolution=0.25, uncertainty=0.25, within=0.0)
    """
    at, count = bins_of(probability, bins=bins), len(label)
    rows = np.maximum(np.bincount(at, minlength=bins), 1)
    said, came = (np.bincount(at, each, bins) / rows for each in (probability, label))
    base = float(label.mean())
    reliability = float(((said - came)[at] ** 2).sum() / count)
    resolution = float(((came - base)[at] ** 2).sum() / count)
    brier = float(np.mean((label - probability) ** 2))
    within = brier - reliability + resolution - base * (1 - base)
    return BrierParts(
        reliability=reliability, resolution=resolution, uncertainty=base * (1 - base), within=within + 0.0
    )
