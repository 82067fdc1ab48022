"""In which direction a feature may speak, where the catalogue knows it: late payers do not become safer by it."""

from __future__ import annotations

from collections.abc import Mapping

from features.catalogue import catalogue

_SIGNS = {"+": 1, "-": -1}


def directions(*, lost: bool) -> Mapping[str, int]:
    """Return +1 for features that may only raise the log-odds of label 1, -1 for those that may only lower them.

    What speaks for a loss (``lost``) speaks against a return. Features of a company's own, and those whose direction
    nobody knows beforehand, are not named.

    Examples
    --------
    >>> directions(lost=True)["sales__recency_days"], directions(lost=False)["sales__recency_days"]
    (1, -1)
    """
    sign = 1 if lost else -1
    return {feature.name: sign * _SIGNS[feature.expected] for feature in catalogue() if feature.expected in _SIGNS}
