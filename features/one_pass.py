"""All cutoffs in one pass: each part of the history is sorted and summed once, then read at every cutoff.

Two threads share the cutoffs of a part; NumPy and the compiled kernels release the interpreter while they work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pandas as pd

from features.definition import Churn
from features.history import History
from features.matrix import block_of_matrix
from features.norms import Norms, Summary, norms_from, summary_of
from features.partitions import Partitions

THREADS = 2


def norms_of(parts: Partitions, cutoffs: Sequence[date]) -> Mapping[date, Norms]:
    """Return what is usual in the company at each cutoff."""
    summaries: dict[date, list[Summary]] = {cutoff: [] for cutoff in cutoffs}
    with ThreadPoolExecutor(THREADS) as pool:
        for part in parts:
            made = pool.map(lambda cutoff, part=part: summary_of(part, cutoff=cutoff), cutoffs)
            for cutoff, summary in zip(cutoffs, made, strict=True):
                summaries[cutoff].append(summary)
        return dict(zip(cutoffs, pool.map(norms_from, (summaries[cutoff] for cutoff in cutoffs)), strict=True))


def build_blocks(
    parts: Partitions,
    norms: Mapping[date, Norms],
    *,
    churn: Churn,
    known_until: date,
    take: Callable[[date, pd.DataFrame], None],
) -> None:
    """Hand the snapshots of every part at every cutoff of ``norms`` to ``take``.

    ``take`` gets a cutoff and a block (perhaps an empty one) with the columns of ``features.matrix.build_matrix``. The
    blocks of one cutoff come one after another, in the order of customer ids; those of two cutoffs may come at once,
    each in a thread of its own.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        for part in parts:
            list(pool.map(_building(part, norms, churn, known_until, take), norms))


def _building(
    part: History,
    norms: Mapping[date, Norms],
    churn: Churn,
    known_until: date,
    take: Callable[[date, pd.DataFrame], None],
) -> Callable[[date], None]:
    def build(cutoff: date) -> None:
        take(cutoff, block_of_matrix(part, cutoff=cutoff, churn=churn, known_until=known_until, norms=norms[cutoff]))

    return build
