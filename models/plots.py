"""Plots of a backtest as PNG: how well ranks and probabilities held on later time."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def backtest_plots(tested: pd.DataFrame, *, chosen: str) -> dict[str, bytes]:
    """Return ``reliability.png`` and ``gains.png`` of the tested snapshots; nothing when there are none."""
    if tested.empty:
        return {}
    return {"reliability.png": _png(_reliability(tested, chosen)), "gains.png": _png(_gains(tested))}


def _reliability(tested: pd.DataFrame, chosen: str) -> Figure:
    figure, axes = _figure("Reliability on later time", "probability", "share that came true")
    own = tested.loc[tested["candidate"] == chosen].sort_values(["probability", "customer_id"])
    bins = np.array_split(own[["probability", "label"]].to_numpy(np.float64), min(10, len(own)))
    points = np.array([part.mean(axis=0) for part in bins])
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(points[:, 0], points[:, 1], marker="o", color="#1f5f8b", label=chosen)
    axes.legend(frameon=False)
    return figure


def _gains(tested: pd.DataFrame) -> Figure:
    figure, axes = _figure("Gains on later time", "share of customers contacted", "share of outcomes reached")
    for name, part in tested.groupby("candidate", sort=True):
        label = part.sort_values(["probability", "customer_id"], ascending=[False, True])["label"].to_numpy(np.float64)
        share = np.arange(1, len(label) + 1) / len(label)
        axes.plot(share, np.cumsum(label) / max(label.sum(), 1), label=str(name))
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.legend(frameon=False)
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
