"""Small bases: the same contest in companies of a few hundred customers, drawn from a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.contest.cases import Contest
from benchmarks.contest.figures import aucs, with_peers

_LEAST = 5
"""Fewer of either outcome make a ranking a matter of chance: the draw does not count."""


def on_small_bases(contest: Contest, *, bases: Sequence[int], draws: int) -> list[dict[str, Any]]:
    """Return set, base, draw and area under the curve of every ranking, at the newest origin."""
    origin = contest.origins[-1]
    known = contest.known_purchases(origin)
    last = _of_the_last_day(contest)
    customers = np.array(sorted(set(known["customer_id"]) - {last}))
    rows = []
    for base in bases:
        for draw in range(draws):
            if base > len(customers):
                continue
            ids = np.random.default_rng([base, draw]).choice(customers, size=base - 1, replace=False)
            part = contest.of_customers(sorted({*ids.tolist(), last}))
            (found,) = part.company.judged(contest.newest, origins=part.origins)
            label = found.folds["label"]
            if min(label.sum(), (1 - label).sum()) < _LEAST * found.folds["candidate"].nunique():
                continue
            told = aucs(with_peers(part, origin, found.folds))
            rows.append({"set": contest.name, "base": base, "draw": draw, "auc": told})
    return rows


def _of_the_last_day(contest: Contest) -> str:
    """Return one customer with an order on the last day: with it in, every draw knows as much of time as the whole."""
    orders = contest.tables["orders"].sort_values(["known_at", "customer_id"])
    return str(orders["customer_id"].iloc[-1])
