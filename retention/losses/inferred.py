"""The reason of a loss where nobody told one: the one that the model's contributions at the time point to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention.loss_reasons import UNKNOWN, LossReasons

LEAST = 0.05
"""Log-odds below which nothing points to a reason: it stays unknown."""


def inferred_reasons(contributions: pd.DataFrame, *, families: Mapping[str, str], reasons: LossReasons) -> pd.DataFrame:
    """Return for every lost customer the reason to which the contributions to their last score point.

    Parameters
    ----------
    contributions : DataFrame of float [log-odds], index customer_id, one column per feature
        Of the chance of loss, at the last snapshot before the loss; a column ``base`` is ignored.
    families : mapping of feature to family
    reasons : LossReasons
        Say which families point to which reason; families of no reason (fewer orders …) say only that, not why.

    Returns
    -------
    DataFrame, index as given
        loss_reason: the reason whose families together raise the chance most, ``unknown`` where none raises it by
        ``LEAST``; weight: by how much [log-odds]. Equal weights: the first in the order of the taxonomy.
    """
    names = [name for name in reasons.names if name != UNKNOWN]
    weights = np.column_stack([_weight(contributions, name, families, reasons) for name in names])
    best = weights.argmax(axis=1) if len(weights) else np.zeros(0, dtype=np.int64)
    weight = weights[np.arange(len(weights)), best]
    reason = np.where(weight >= LEAST, np.asarray(names, dtype=object)[best], UNKNOWN)
    return pd.DataFrame(
        {"loss_reason": pd.Series(reason, index=contributions.index, dtype="str"), "weight": weight},
        index=contributions.index,
    )


def _weight(contributions: pd.DataFrame, name: str, families: Mapping[str, str], reasons: LossReasons) -> np.ndarray:
    pointing = reasons.family_reasons
    columns = [each for each in contributions.columns if pointing.get(families.get(each, ""), "") == name]
    return np.asarray(contributions[columns].sum(axis=1), dtype=np.float64)
