"""The Prefect flows: thin tasks around the stages, paths and dates between them, safe to run again.

They run without any server (Prefect starts a temporary one) and against one. Every stage writes whole folders with a
manifest, so a run that was cut off is simply started again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pipelines.prefect_environment import set_defaults

set_defaults()  # Prefect reads its settings on import

from prefect import flow, task  # noqa: E402

from features.errors import TreueError  # noqa: E402
from pipelines import stages  # noqa: E402
from pipelines.settings import Settings, load_settings  # noqa: E402
from pipelines.train import Forced  # noqa: E402

Result = TypeVar("Result")


@task(name="build features")
def features_task(config: str, cutoff: date) -> str:
    """Check the sources, write quarantine and matrices; return the matrix folder."""
    return str(_done(stages.build_features, config, cutoff))


@task(name="train")
def train_task(config: str, cutoff: date, forced: Mapping[str, str] | None = None) -> str:
    """Choose, fit and register the models; return the folder of the backtest."""
    return str(_done(stages.train, config, cutoff, Forced(**forced) if forced else None))


@task(name="backtest")
def backtest_task(config: str, cutoff: date, most: int) -> str:
    """Judge past mornings by what is known on ``cutoff``; return the folder."""
    return str(_done(partial(stages.backtest, most=most), config, cutoff))


@task(name="score")
def score_task(config: str, cutoff: date) -> str:
    """Score both cohorts; return the folder."""
    return str(_done(stages.score, config, cutoff))


@task(name="matured")
def matured_task(config: str, cutoff: date) -> str:
    """Check earlier scores by what has become of them; return the folder."""
    return str(_done(stages.matured, config, cutoff))


@task(name="signals")
def signals_task(config: str, cutoff: date) -> str:
    """Measure the rules and write which fire; return the folder."""
    return str(_done(stages.signals, config, cutoff))


@task(name="lists")
def lists_task(config: str, cutoff: date) -> str:
    """Write lists and plan; return the folder."""
    return str(_done(stages.publish, config, cutoff))


@task(name="losses")
def losses_task(config: str, cutoff: date, with_owners: bool) -> str:
    """Write what is known of lost customers; return the folder."""
    return str(_done(partial(stages.losses, with_owners=with_owners), config, cutoff))


@task(name="report")
def report_task(config: str, cutoff: date) -> str:
    """Write the report; return its path."""
    return str(_done(stages.report, config, cutoff))


@task(name="export")
def export_task(config: str, cutoff: date) -> list[dict[str, Any]]:
    """Deliver to every target; return one record per target."""
    return [dict(record) for record in _done(stages.export, config, cutoff)]


@flow(name="build-features", validate_parameters=False)
def build_features(config: str, cutoff: date | None = None) -> str:
    """Write the matrices of ``cutoff`` (default: the day after the last known row)."""
    return features_task(config, _cutoff(config, cutoff))


@flow(name="train", validate_parameters=False)
def train(config: str, cutoff: date | None = None, forced: Mapping[str, str] | None = None) -> str:
    """Build features and train, whether due or not; ``forced`` (by, why) lets the models into use whatever the rule."""
    day = _cutoff(config, cutoff)
    features_task(config, day)
    return train_task(config, day, forced)


@flow(name="backtest", validate_parameters=False)
def backtest(config: str, cutoff: date | None = None, most: int = stages.MOST_ORIGINS) -> str:
    """Do up to ``most`` past mornings again as training does them, and judge them; return the folder."""
    day = _cutoff(config, cutoff)
    features_task(config, day)
    return backtest_task(config, day, most)


@flow(name="score", validate_parameters=False)
def score(config: str, cutoff: date | None = None) -> str:
    """Build features, train when there is no champion or it is due, and score; return the folder."""
    day = _cutoff(config, cutoff)
    features_task(config, day)
    if stages.training_is_due(_settings(config), day):
        train_task(config, day)
    return score_task(config, day)


@flow(name="signals", validate_parameters=False)
def signals(config: str, cutoff: date | None = None) -> str:
    """Build features, measure the rules on earlier cutoffs and say which fire; return the folder."""
    day = _cutoff(config, cutoff)
    features_task(config, day)
    return signals_task(config, day)


@flow(name="publish", validate_parameters=False)
def publish(config: str, cutoff: date | None = None) -> str:
    """Write lists, plan and report from the scores there are; return the lists' folder."""
    day = _cutoff(config, cutoff)
    signals_task(config, day)
    matured_task(config, day)
    folder = lists_task(config, day)
    report_task(config, day)
    return folder


@flow(name="losses", validate_parameters=False)
def losses(config: str, cutoff: date | None = None, with_owners: bool = False) -> str:
    """Build features and write who left, why and at what cost, with guide and form; return the folder."""
    day = _cutoff(config, cutoff)
    features_task(config, day)
    return losses_task(config, day, with_owners)


@flow(name="export", validate_parameters=False)
def export(config: str, cutoff: date | None = None) -> list[dict[str, Any]]:
    """Deliver the scores and lists there are."""
    return export_task(config, _cutoff(config, cutoff))


@flow(name="run", validate_parameters=False)
def run(config: str, cutoff: date | None = None) -> dict[str, Any]:
    """Do the main job: check, features, train when due, score, lists, plan, report, export; return where to look."""
    day = _cutoff(config, cutoff)
    scores = score(config, day)
    signals = signals_task(config, day)
    matured_task(config, day)
    lists = lists_task(config, day)
    page = report_task(config, day)
    return {
        "cutoff": day,
        "scores": scores,
        "signals": signals,
        "lists": lists,
        "report": page,
        "export": export_task(config, day),
    }


@flow(name="nightly-scoring")
def nightly_scoring(config: str) -> str:
    """Score everyone on the newest data."""
    return score(config)


@flow(name="weekly-lists")
def weekly_lists(config: str) -> dict[str, Any]:
    """Do the main job on the newest data: lists, plan, report and export."""
    return run(config)


@flow(name="monthly-retraining")
def monthly_retraining(config: str) -> str:
    """Train on all finished horizons of the newest data and register the models."""
    return train(config)


FLOWS: Mapping[str, Any] = {
    each.name: each for each in (build_features, train, backtest, score, signals, publish, losses, export, run)
}
"""The flows a person starts by name."""


def _done(stage: Callable[..., Result], config: str, *arguments: Any) -> Result:
    """Do one stage; a known error leaves without its frames, which Prefect would keep alive with all they hold."""
    try:
        return stage(_settings(config), *arguments)
    except TreueError as error:
        failure = type(error)(str(error))
    raise failure


def _settings(config: str) -> Settings:
    return load_settings(Path(config))


def _cutoff(config: str, cutoff: date | None) -> date:
    return cutoff or _done(stages.default_cutoff, config)
