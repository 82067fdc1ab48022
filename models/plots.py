"""Plots of a backtest as PNG: how well ranks and probabilities held on later time."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Column = NDArray[np.float64]

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
"""Four that people with colour-blindness can tell apart (Okabe, Ito 2008)."""


def backtest_plots(tested: pd.DataFrame, *, chosen: str) -> dict[str, bytes]:
    """Return ``reliability.png`` and ``gains.png`` of the tested snapshots; nothing when there are none."""
    if tested.empty:
        return {}
    return {"reliability.png": _png(_reliability(tested, chosen)), "gains.png": _png(_gains(tested))}


def _reliability(tested: pd.DataFrame, chosen: str) -> Figure:
    """Draw the chosen candidate as it was learned, and after its level and slope were set to each fold."""
    figure, axes = _figure(f"Reliability on later time: {chosen}", "probability", "share that came true")
    own = tested.loc[tested["candidate"] == chosen].sort_values(["log_odds", "test", "customer_id"])
    label = own["label"].to_numpy(np.float64)
    learned, calibrated = special.expit(own["log_odds"].to_numpy(np.float64)), own["probability"].to_numpy(np.float64)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(*_curve(learned, label), marker="o", markerfacecolor="white", color=_COLOURS[3], label="as learned")
    axes.plot(*_curve(calibrated, label), marker="o", color=_COLOURS[0], label="calibrated on these days")
    axes.legend(frameon=False, loc="upper left")
    return figure


def _curve(probability: Column, label: Column) -> tuple[Column, Column]:
    """Mean probability and share of outcomes over at most ten equally filled bins of rising probability."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, min(10, len(order)))
    return np.array([probability[at].mean() for at in bins]), np.array([label[at].mean() for at in bins])


def _gains(tested: pd.DataFrame) -> Figure:
    """Draw how many outcomes a list of each length reaches, every test cutoff with its own list."""
    figure, axes = _figure("Gains on later time", "share of customers contacted", "share of outcomes reached")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, colour in zip(tested["candidate"].unique(), _COLOURS, strict=False):
        part = tested.loc[tested["candidate"] == name]
        place = part.groupby("test")["probability"].rank(ascending=False, pct=True)
        ranked = part.assign(place=place).sort_values(["place", "customer_id", "test"])
        label = ranked["label"].to_numpy(np.float64)
        reached = np.r_[0, np.cumsum(label) / max(label.sum(), 1)]
        axes.plot(np.linspace(0, 1, len(reached)), reached, color=colour, label=str(name))
    axes.legend(frameon=False, loc="lower right")
    return figure


def _figure(title: str, across: str, up: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1))
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()
