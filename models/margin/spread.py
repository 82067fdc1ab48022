"""How far margins fall from what was expected: intervals from past forecasts, by the size of the expectation.

Source: Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World; by groups as in Mondrian conformal
prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.margin.basis import YEAR_DAYS, Column

COVERED = 0.8
"""Share of customers whose margin falls inside the interval."""
_ROWS_PER_GROUP, _MOST_GROUPS = 150, 8
_FACTORS = tuple(1.05**step for step in range(33))
"""How much wider a spread may get: up to 4.8 times."""
_CENT = 0.01


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What was missed, over the size of the expectation, in groups of rising size.

    ``edges`` part the groups by size for a whole year [currency]; between ``low`` and ``high`` of a group lie 80 % of
    its misses.
    """

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def around(self, expected: Column, size: Column, *, days: int) -> tuple[Column, Column]:
        """Return the bounds of the margin of so many days for what was expected; ``size`` is above 0.

        What is expected is always inside: rounding must not shut out the nothing of those expected to bring nothing.
        """
        group = np.searchsorted(np.array(self.edges), size * YEAR_DAYS / days, side="right")
        low, high = (np.array(bound)[group] for bound in (self.low, self.high))
        return np.minimum(expected + size * low, expected), np.maximum(expected + size * high, expected)

    def wider(self, factor: float) -> Spread:
        """Return the spread with bounds so many times as far away; below, nothing at all stays the least."""
        low = tuple(max(bound * factor, min(bound, -1.0)) for bound in self.low)
        return replace(self, low=low, high=tuple(bound * factor if bound > 0 else bound for bound in self.high))


UNTESTED = Spread(edges=(), low=(-1.0,), high=(1.5,))
"""Before any forecast could be tested: from nothing to two and a half times what was expected."""


def spread_over_mornings(
    brought: Column, expected: Column, size: Column, *, days: int, morning: NDArray[np.int64]
) -> Spread:
    """Return the spread of forecasts made on several mornings (by number), fit for a morning that is not among them.

    What strikes a whole company at once moves all misses of a morning together. So the spread of all is made wider
    until spreads of the other mornings, as much wider, hold as many of each morning's customers as they say; where
    mornings differ by chance alone that is by little or nothing.
    """
    whole = spread_of(brought, expected, size, days=days)
    numbers = np.unique(morning)
    if len(numbers) < 2:
        return whole
    held_out = [(rows, spread_of(brought[~rows], expected[~rows], size[~rows], days=days))
                for rows in (morning == each for each in numbers)]  # fmt: skip

    def covered(factor: float) -> float:
        inside = 0
        for rows, others in held_out:
            low, high = others.wider(factor).around(expected[rows], size[rows], days=days)
            inside += int(((brought[rows] >= low - _CENT) & (brought[rows] <= high + _CENT)).sum())
        return inside / len(brought)

    return whole.wider(next((each for each in _FACTORS if covered(each) >= COVERED), _FACTORS[-1]))


def spread_of(brought: Column, expected: Column, size: Column, *, days: int) -> Spread:
    """Return the spread of past forecasts of so many days; ``brought`` is what customers then brought.

    Notes
    -----
    The lower bound is the 10 % quantile of what was missed. Where more than a tenth brought nothing it is that nothing;
    the upper bound then lies lower, so that 80 % are inside, not 90 %.
    """
    if not len(brought):
        return UNTESTED
    groups = int(np.clip(len(brought) // _ROWS_PER_GROUP, 1, _MOST_GROUPS))
    yearly = size * YEAR_DAYS / days
    edges = np.unique(np.quantile(yearly, np.arange(1, groups) / groups)) if groups > 1 else np.zeros(0)
    missed, group = (brought - expected) / size, np.searchsorted(edges, yearly, side="right")
    parts = [missed[group == number] for number in range(len(edges) + 1)]
    bounds = [_bounds(part if len(part) else missed) for part in parts]
    low, high = zip(*bounds, strict=True)
    return Spread(edges=tuple(edges.tolist()), low=tuple(low), high=tuple(high))


def _bounds(missed: Column) -> tuple[float, float]:
    low = float(np.quantile(missed, (1 - COVERED) / 2, method="lower"))
    below = float((missed < low - 1e-9).mean())
    high = float(np.quantile(missed, min(below + COVERED, 1.0), method="higher"))
    return low, max(high, low)
