"""Small bases: the same contest in companies of a few hundred customers, drawn from a larger one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from benchmarks.contest.cases import SHARED, Contest, open_contest
from benchmarks.contest.figures import aucs, with_peers
from benchmarks.contest.peers import loaded_peers

_LEAST = 5
"""Fewer of either outcome make a ranking a matter of chance: the draw does not count."""


def on_small_bases(
    names: Sequence[str], *, bases: Sequence[int], draws: int, opening: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the draws of every set that tell something, in order; two processes of one thread each work on them."""
    tasks = [(name, base, draw) for name in names for base in bases for draw in range(draws)]
    if not tasks:
        return []
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            found = list(pool.map(_task, tasks, [tuple(opening.items())] * len(tasks)))
    finally:
        os.environ.pop("OMP_NUM_THREADS") if before is None else os.environ.update(OMP_NUM_THREADS=before)
    return [row for row in found if row is not None]


def _task(task: tuple[str, int, int], opening: tuple[tuple[str, int], ...]) -> dict[str, Any] | None:
    name, base, draw = task
    return on_one_base(_opened(name, opening), base=base, draw=draw)


@cache
def _opened(name: str, opening: tuple[tuple[str, int], ...]) -> Contest:
    return open_contest(name, loaded_peers(SHARED), **dict(opening))


def on_one_base(contest: Contest, *, base: int, draw: int) -> dict[str, Any] | None:
    """Return set, base, draw and area under the curve of every ranking at the newest origin.

    None where the company has fewer customers, or the draw too few of either outcome.
    """
    origin, last = contest.origins[-1], _of_the_last_day(contest)
    customers = np.array(sorted(set(contest.known_purchases(origin)["customer_id"]) - {last}))
    if base > len(customers):
        return None
    ids = np.random.default_rng([base, draw]).choice(customers, size=base - 1, replace=False)
    part = contest.of_customers(sorted({*ids.tolist(), last}))
    (found,) = part.company.judged(contest.newest, origins=part.origins)
    label = found.folds["label"]
    if min(label.sum(), (1 - label).sum()) < _LEAST * found.folds["candidate"].nunique():
        return None
    told = aucs(with_peers(part, origin, found.folds))
    return {"set": contest.name, "base": base, "draw": draw, "auc": told}


def _of_the_last_day(contest: Contest) -> str:
    """Return one customer with an order on the last day: with it in, every draw knows as much of time as the whole."""
    orders = contest.tables["orders"].sort_values(["known_at", "customer_id"])
    return str(orders["customer_id"].iloc[-1])
