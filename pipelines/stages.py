"""The stages by name: what a flow wraps, what the command line calls and what a notebook may call on its own.

Each takes the settings and the cutoff, reads what earlier stages left in the output folder and writes its own part.
"""

from __future__ import annotations

from pipelines.backtest import MOST_ORIGINS, backtest
from pipelines.build_features import build_features
from pipelines.check import check, default_cutoff
from pipelines.export import export
from pipelines.losses import losses
from pipelines.matured import matured
from pipelines.publish import publish
from pipelines.report import report
from pipelines.rollback import rollback
from pipelines.score import score
from pipelines.signals import signals
from pipelines.train import champions, train, training_is_due

__all__ = [
    "MOST_ORIGINS",
    "backtest",
    "build_features",
    "champions",
    "check",
    "default_cutoff",
    "export",
    "losses",
    "matured",
    "publish",
    "report",
    "rollback",
    "score",
    "signals",
    "train",
    "training_is_due",
]
