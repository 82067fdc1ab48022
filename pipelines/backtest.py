"""The backtest of a company: past mornings done again, from the sources, as training does them, and judged since.

Every origin is replayed in a folder of its own from what was known on it; nothing of it is registered or kept but what
was said of each customer, and what became of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.definition import Churn
from features.matrix import of_cohort, stack
from features.outputs import read_manifest, write_bytes, write_json, write_manifest, write_parquet
from features.timeline import learnable_before
from models.backtest import Judged, Morning, judge, with_outcome
from models.churn_model import COHORTS, Purpose
from models.origins import origins_of
from models.standing import DELIVERED, standing
from models.verdict import against_rivals
from pipelines.build_features import build_features, read_matrix
from pipelines.master import master_data
from pipelines.places import Places
from pipelines.progress import watched
from pipelines.settings import Settings
from retention.report.backtest_page import backtest_page
from retention.segments import abc

FOLDS, METRICS, PAGE = "folds.parquet", "metrics.json", "backtest.html"
MOST_ORIGINS = 4
"""Origins of one backtest unless more are asked for: four whole horizons tell of a year's seasons."""

SEGMENTS = ("segment", "history", "type", "country")
"""Columns of the folds by which customers are told apart; a column with one level, or too many, tells nothing."""
_MOST_LEVELS = 8


def backtest(settings: Settings, cutoff: date, *, most: int = MOST_ORIGINS) -> Path:
    """Judge up to ``most`` past mornings by what is known on ``cutoff``; return the folder with folds, figures, page.

    The matrices of ``cutoff`` must be there (``build_features``): their labels say what became of the judged.
    """
    places, churn = Places(Path(settings.output)), settings.churn
    known = read_manifest(places.matrix(cutoff))["training_cutoffs"]
    origins = origins_of([date.fromisoformat(day) for day in known], churn, most=most)
    master = master_data(settings, cutoff)
    folds: dict[Purpose, list[pd.DataFrame]] = {purpose: [] for purpose in COHORTS}
    choices: dict[Purpose, dict[str, Any]] = {purpose: {} for purpose in COHORTS}
    for origin in watched(list(origins), "Backtest"):
        for purpose, morning in _mornings(settings, origin, truth=read_matrix(places.matrix(origin))):
            found = judge(morning, purpose=purpose, churn=churn, training=settings.training)
            folds[purpose].append(described(found.folds, morning.ranked, churn=churn, master=master))
            choices[purpose][origin.isoformat()] = choice_of(found)
    return _write(settings, cutoff, {purpose: joined(parts) for purpose, parts in folds.items()}, choices)


def _mornings(settings: Settings, origin: date, *, truth: pd.DataFrame) -> Iterator[tuple[Purpose, Morning]]:
    """Yield the morning of ``origin`` for each cohort, built anew from the rows known before it."""
    with _replayed(settings, origin) as past:
        places = Places(Path(past.output))
        known = read_manifest(build_features(past, origin))
        ranked = read_matrix(places.matrix(origin))
        days = [*known["training_cutoffs"], *known["early_cutoffs"]]
        parts = [read_matrix(places.matrix(date.fromisoformat(day))) for day in days]
    learn = stack(parts) if parts else ranked.head(0)
    for purpose, cohort in COHORTS.items():
        judged = with_outcome(of_cohort(ranked, cohort), of_cohort(truth, cohort))
        yield purpose, Morning(origin=origin, learn=of_cohort(learn, cohort), ranked=judged)


@contextmanager
def _replayed(settings: Settings, origin: date) -> Iterator[Settings]:
    """Yield the settings of that morning, whose output is a folder that is removed afterwards."""
    root = Path(settings.output)
    root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root, prefix=".backtest-") as folder:
        yield as_of(settings, origin).model_copy(update={"output": folder})


def as_of(settings: Settings, origin: date) -> Settings:
    """Return the settings as they could have been on a past morning: configured cutoffs finished by then."""
    training = settings.training
    if training.cutoffs == "auto":
        return settings
    finished = learnable_before(training.cutoffs, origin, settings.churn)
    return settings.model_copy(update={"training": training.model_copy(update={"cutoffs": finished})})


def described(folds: pd.DataFrame, ranked: pd.DataFrame, *, churn: Churn, master: pd.DataFrame) -> pd.DataFrame:
    """Return the folds of one origin with what each customer brings (``stake``) and the columns of ``SEGMENTS``.

    ``segment`` is A, B or C by the stake, ``history`` counts days of purchase; ``type`` and ``country`` come from the
    master data as known today, missing where it does not say.
    """
    about = ranked[["customer_id"]].assign(stake=_stake(ranked, churn))
    about["segment"] = abc(about.set_index("customer_id")["stake"]).to_numpy()
    about["history"] = _history(ranked)
    columns = [name for name in ("type", "country") if name in master.columns]
    known = master[["customer_id", *columns]].drop_duplicates("customer_id")
    whole = about.merge(known, on="customer_id", how="left", validate="one_to_one")
    whole = whole.reindex(columns=["customer_id", "stake", *SEGMENTS])
    typed = whole.astype(dict.fromkeys(SEGMENTS, "str"))
    return folds.merge(typed, on="customer_id", how="left", validate="many_to_one")


def _stake(ranked: pd.DataFrame, churn: Churn) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What each customer brings in a year [currency]: last year's turnover, or twelve of the monthly amounts."""
    name, times = ("sales__turnover_364d", 1)
    if churn.definition == "contract" and "relationship__recurring_amount" in ranked.columns:
        name, times = "relationship__recurring_amount", 12
    if name not in ranked.columns:
        return np.zeros(len(ranked))
    brings = np.nan_to_num(ranked[name].to_numpy(np.float64)) * times
    return np.asarray(np.maximum(brings, 0.0), dtype=np.float64)


def _history(ranked: pd.DataFrame) -> pd.Series[Any]:
    """Days of purchase so far, in four classes; missing where the feature was left out."""
    if "sales__purchase_days" not in ranked.columns:
        return pd.Series([None] * len(ranked), index=ranked.index, dtype="object")
    edges, names = [-np.inf, 1, 4, 9, np.inf], ["1", "2-4", "5-9", "10+"]
    return pd.cut(ranked["sales__purchase_days"], edges, labels=names).astype("object")


def choice_of(found: Judged) -> dict[str, Any]:
    """Return which candidate spoke on that morning, why, and how much it had to learn from."""
    return {name: found.evidence[name] for name in ("chosen", "remark", "snapshots", "customers", "base_rate")}


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the folds of all origins, oldest first; empty without any."""
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["candidate", "kind"])


def stated(folds: pd.DataFrame, choices: Mapping[str, Any], *, places: int) -> dict[str, Any]:
    """Return all that is measured on the folds of one cohort: where everybody stands, and the verdict."""
    if folds.empty:
        return {"origins": {}, **standing(folds, places=places)}
    kind, name = folds["kind"], folds["candidate"]
    own = folds.loc[(name == DELIVERED).to_numpy(dtype=bool)]
    verdict = against_rivals(own, folds.loc[(kind == "rival").to_numpy(dtype=bool)])
    telling = [column for column in SEGMENTS if 1 < own[column].nunique() <= _MOST_LEVELS]
    return {
        "origins": dict(choices),
        **verdict.facts(),
        "customers": int(own["customer_id"].nunique()),
        **standing(folds, places=places, segments=telling),
    }


def _write(
    settings: Settings,
    cutoff: date,
    folds: Mapping[Purpose, pd.DataFrame],
    choices: Mapping[Purpose, Mapping[str, Any]],
) -> Path:
    folder, lists = Places(Path(settings.output)).rolling(cutoff), settings.lists
    sizes: Mapping[Purpose, int] = {"churn": lists.early_warning.size, "return": lists.win_back.size}
    metrics = {purpose: stated(rows, choices[purpose], places=sizes[purpose]) for purpose, rows in folds.items()}
    whole = pd.concat([rows.assign(purpose=purpose) for purpose, rows in folds.items()], ignore_index=True)
    page = backtest_page(
        metrics, folds, name=settings.name, language=settings.language, cutoff=cutoff, churn=settings.churn
    )
    write_json(folder / METRICS, {str(purpose): found for purpose, found in metrics.items()})
    write_parquet(folder / FOLDS, pa.Table.from_pandas(whole, preserve_index=False))
    write_bytes(folder / PAGE, page.encode())
    rows = {METRICS: len(metrics), FOLDS: len(whole), PAGE: 1}
    write_manifest(folder, rows=rows, facts={"cutoff": cutoff.isoformat(), "config": settings.digest})
    return folder
