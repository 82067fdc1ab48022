"""The stages by name: what a flow wraps, what the command line calls and what a notebook may call on its own.

Each takes the settings and the cutoff, reads what earlier stages left in the output folder and writes its own part.
"""

from __future__ import annotations

from datetime import date

from pipelines.backtest import MOST_ORIGINS, backtest
from pipelines.build_features import build_features
from pipelines.check import check, default_cutoff
from pipelines.export import export
from pipelines.publish import publish
from pipelines.report import report
from pipelines.score import score
from pipelines.settings import Settings
from pipelines.train import champions, train

__all__ = [
    "MOST_ORIGINS",
    "backtest",
    "build_features",
    "check",
    "default_cutoff",
    "export",
    "publish",
    "report",
    "score",
    "train",
    "training_is_due",
]


def training_is_due(settings: Settings, cutoff: date) -> bool:
    """Return whether no model trained within ``training.retrain_after_days`` before ``cutoff`` is registered."""
    return champions(settings, cutoff) is None
