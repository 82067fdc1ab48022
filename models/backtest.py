"""The backtest: at past origins everything is done as training does it, then judged by what became of it.

Nested: on each morning the candidate is chosen, fitted and calibrated anew from what was known then, its labels
included. So the figures are those of what would have been delivered, not of what looked best afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from features.definition import Churn
from features.errors import LeakageError
from features.matrix import feature_names
from models.candidates import Column
from models.churn_model import Purpose
from models.early import finished
from models.folds import teaches
from models.ladder import train_each
from models.origins import require_sound
from models.rivals import rivals
from models.settings import Training
from models.standing import DELIVERED

KINDS = ("delivered", "candidate", "rival")


@dataclass(frozen=True, kw_only=True)
class Morning:
    """One origin: snapshots that could be learned from on it, and those to judge with what became of them by now.

    Those to learn from have a label, or an early one (``models.early``).
    """

    origin: date
    learn: pd.DataFrame
    ranked: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One origin, judged.

    ``folds`` has one row per judged snapshot and ranking: test (the origin), customer_id, kind, candidate, label,
    log_odds, probability (as it would have been delivered). ``evidence`` is what the choice rested on.
    """

    folds: pd.DataFrame
    evidence: Mapping[str, Any]


def judge(morning: Morning, *, purpose: Purpose, churn: Churn, training: Training) -> Judged:
    """Train on the morning of one origin and say what every candidate and every rival said of its cohort.

    Raises
    ------
    LeakageError
        If the split is not sound (``models.origins.require_sound``).
    """
    origin, learn = morning.origin, morning.learn
    ranked = morning.ranked.sort_values("customer_id", ignore_index=True)
    require_sound(learn, ranked, origin=origin, churn=churn)
    trained = train_each(learn, purpose=purpose, cutoff=origin, churn=churn, training=training)
    candidates = {name: _log_odds(model.score(ranked)["probability"]) for name, model in trained.models.items()}
    said = [
        ("delivered", DELIVERED, candidates[trained.chosen]),
        *(("candidate", name, log_odds) for name, log_odds in candidates.items()),
        *(("rival", name, log_odds) for name, log_odds in _rivals_say(learn, ranked, churn, purpose).items()),
    ]
    evidence = {**trained.models[trained.chosen].evidence, "chosen": trained.chosen}
    folds = pd.concat([_told(ranked, origin, *each) for each in said], ignore_index=True)
    return Judged(folds=folds, evidence=evidence)


def with_outcome(ranked: pd.DataFrame, known_now: pd.DataFrame) -> pd.DataFrame:
    """Return the snapshots of a past morning with the labels known by now.

    Raises
    ------
    LeakageError
        If the two hold other customers: what was known on that morning has changed since.
    """
    left, right = (set(each["customer_id"]) for each in (ranked, known_now))
    if left != right:
        raise LeakageError(
            f"the cohort of {ranked['cutoff'].iloc[0] if len(ranked) else known_now['cutoff'].iloc[0]} has changed"
            f" since that morning ({len(left ^ right)} customers): rows without a known_at were added or corrected"
            " later; give them one"
        )
    return ranked.assign(label=ranked["customer_id"].map(known_now.set_index("customer_id")["label"]).astype("Int8"))


def _log_odds(probability: pd.Series[float]) -> Column:
    return np.asarray(special.logit(probability.to_numpy(np.float64).clip(1e-12, 1 - 1e-12)), dtype=np.float64)


def _rivals_say(learn: pd.DataFrame, ranked: pd.DataFrame, churn: Churn, purpose: Purpose) -> Mapping[str, Column]:
    """Log-odds of every rival; those that must learn fall away where there is too little to learn from."""
    names, rows = list(feature_names(ranked)), finished(learn.sort_values(["cutoff", "customer_id"]))
    label = rows["label"].to_numpy(np.int8)
    found = rivals(names, churn, lost=purpose == "churn")
    able = found if teaches(label) else {name: fit for name, fit in found.items() if name == "bgnbd"}
    return {name: fit(rows[names], label, None).log_odds(ranked[names]) for name, fit in able.items()}


def _told(ranked: pd.DataFrame, origin: date, kind: str, name: str, log_odds: Column) -> pd.DataFrame:
    columns: Mapping[str, Any] = {
        "test": pd.Series([origin] * len(ranked), dtype=object),
        "customer_id": ranked["customer_id"],
        "kind": pd.Series([kind] * len(ranked), dtype="str"),
        "candidate": pd.Series([name] * len(ranked), dtype="str"),
        "label": ranked["label"].astype(np.int8),
        "log_odds": log_odds,
        "probability": special.expit(log_odds),
    }
    return pd.DataFrame(columns)
