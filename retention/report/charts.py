"""Geometry of the small charts, which the template draws as inline SVG: sharp, light, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from retention.report.portfolio import BANDS, Bin


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawing area: what lies between ``(0, 0)`` at its lower left and ``(1, top)`` at its upper right.

    Sizes in the units of the SVG's view box; ``top`` in the units of the data.
    """

    width: float
    height: float
    left: float = 44
    right: float = 10
    above: float = 10
    below: float = 40
    top: float = 1.0

    def x(self, value: float) -> float:
        """Place of ``value`` (0 to 1) from the left."""
        return round(self.left + value * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        """Place of ``value`` (0 to ``top``) from above."""
        return round(self.height - self.below - value / self.top * (self.height - self.above - self.below), 1)

    def line(self, across: Iterable[float], up: Iterable[float]) -> str:
        """Points of a polyline."""
        return " ".join(f"{self.x(x):g},{self.y(y):g}" for x, y in zip(across, up, strict=True))


@dataclass(frozen=True, kw_only=True)
class Rect:
    """One part of a bar: where it lies in the view box, and its band of risk."""

    x: float
    y: float
    width: float
    height: float
    band: str


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Stacked bars with the axis they stand on; ``ticks`` are counts of customers."""

    plot: Plot
    rects: tuple[Rect, ...]
    ticks: tuple[int, ...]


SQUARE = Plot(width=340, height=310, left=54)
"""For plots of one share against another."""


def histogram(bins: Sequence[Bin]) -> Histogram:
    """Return the distribution of probability as stacked bars, the lowest risk at the bottom."""
    ticks = nice_ticks(max((each.customers for each in bins), default=0))
    plot = Plot(width=480, height=240, left=52, top=float(ticks[-1]))
    stacked = (rect for each in bins for rect in _stack(each, plot))
    return Histogram(plot=plot, rects=tuple(rect for rect in stacked if rect.height > 0), ticks=ticks)


def nice_ticks(highest: int) -> tuple[int, ...]:
    """Return three to six whole ticks from 0 to at least ``highest``.

    Examples
    --------
    >>> nice_ticks(0), nice_ticks(7), nice_ticks(1234)
    ((0, 1), (0, 2, 4, 6, 8), (0, 500, 1000, 1500))
    """
    rough = max(highest, 1) / 4
    scale = 10 ** int(np.floor(np.log10(rough))) if rough >= 1 else 1
    step = next(scale * each for each in (1, 2, 5, 10) if scale * each >= rough)
    return tuple(range(0, int(np.ceil(max(highest, 1) / step)) * step + 1, step))


def _stack(each: Bin, plot: Plot) -> Iterable[Rect]:
    below = 0
    for band in reversed(BANDS):
        count = each.counts[band]
        left, upper, lower = plot.x(each.low), plot.y(below + count), plot.y(below)
        width = round(plot.x(each.high) - left - 1, 1)
        yield Rect(x=left, y=upper, width=width, height=round(lower - upper, 1), band=band)
        below += count
