"""All cutoffs in one pass: each part of the history is sorted and summed once, then read at every cutoff.

Two threads work on a part each; NumPy and the compiled kernels release the interpreter while they work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Event

import pandas as pd

from features.definition import Churn
from features.history import History
from features.matrix import block_of_matrix
from features.norms import Norms, Summary, norms_from, summary_of

THREADS = 2


def norms_of(parts: Sequence[History], cutoffs: Sequence[date]) -> Mapping[date, Norms]:
    """Return what is usual in the company at each cutoff."""

    def summaries(number: int) -> list[Summary]:
        part = parts[number]
        return [summary_of(part, cutoff=cutoff) for cutoff in cutoffs]

    with ThreadPoolExecutor(THREADS) as pool:
        by_part = list(pool.map(summaries, range(len(parts))))
        return dict(zip(cutoffs, pool.map(norms_from, zip(*by_part, strict=True)), strict=True))


def build_blocks(
    parts: Sequence[History],
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
    taken = [{cutoff: Event() for cutoff in norms} for _ in range(len(parts))]

    def build(number: int) -> None:
        try:
            part = parts[number]
            for cutoff, usual in norms.items():
                block = block_of_matrix(part, cutoff=cutoff, churn=churn, known_until=known_until, norms=usual)
                if number:
                    taken[number - 1][cutoff].wait()
                take(cutoff, block)
                taken[number][cutoff].set()
        finally:  # after an error nobody may wait for this part
            for event in taken[number].values():
                event.set()

    with ThreadPoolExecutor(THREADS) as pool:
        for finished in [pool.submit(build, number) for number in range(len(parts))]:
            finished.result()
