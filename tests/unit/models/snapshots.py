"""Synthetic snapshots: customers whose risk is known, with the columns of the matrix and some values missing."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from features.definition import Churn
from features.matrix import EARLY_LABEL
from models.candidates import RECENCY, SILENT
from models.settings import Training

CHURN = Churn(lead_days=14, horizon_days=90)
WHOLE_DAYS = 104
CUTOFF = date(2025, 6, 1)
TRAINING = Training(threads=1)
NOISE = tuple(f"contacts__noise_{k}" for k in range(4))
FEATURES = (RECENCY, SILENT, "sales__turnover_trend_91d", "complaints__count_91d", *NOISE)


def cutoffs(count: int, *, step_days: int = 52, newest: date = CUTOFF) -> tuple[date, ...]:
    """Return cutoffs whose horizons are finished on ``newest``, oldest first."""
    last = newest - timedelta(days=WHOLE_DAYS)
    return tuple(last - timedelta(days=step_days * back) for back in reversed(range(count)))


def snapshots(
    seed: int, *, customers: int = 150, days: tuple[date, ...] = cutoffs(6), level: float = -0.4
) -> pd.DataFrame:
    """Return labelled snapshots of the active cohort; complaints count only where turnover falls."""
    rng = np.random.default_rng(seed)
    lasting = rng.normal(size=customers)
    return pd.concat([_at(rng, lasting, day, level) for day in days], ignore_index=True)


def _at(rng: np.random.Generator, lasting: NDArray[np.float64], day: date, level: float) -> pd.DataFrame:
    count = len(lasting)
    risk, trend, complaints = lasting + rng.normal(size=count) / 2, rng.normal(size=count), rng.poisson(0.5, count)
    chance = special.expit(level + 1.3 * risk - 0.6 * trend + 1.5 * (complaints > 0) * (trend < 0))
    columns = {
        RECENCY: np.exp(3 + 0.8 * risk + rng.normal(size=count) / 2).round(),
        SILENT: special.expit(0.5 + 1.5 * risk + rng.normal(size=count) / 3),
        "sales__turnover_trend_91d": np.where(rng.random(count) < 0.2, np.nan, trend),
        "complaints__count_91d": complaints.astype(np.float64),
        **{name: np.where(rng.random(count) < 0.1, np.nan, rng.normal(size=count)) for name in NOISE},
    }
    keys = pd.DataFrame(
        {
            "customer_id": pd.Series([f"K{number:05d}" for number in range(count)], dtype="str"),
            "cutoff": pd.Series([day] * count, dtype=object),
            "cohort": pd.Series(["active"] * count, dtype="str"),
            "label": pd.Series((rng.random(count) < chance).astype(np.int8), dtype="Int8"),
        }
    )
    return pd.concat([keys, pd.DataFrame(columns)], axis=1)


def with_early(whole: pd.DataFrame, young: pd.DataFrame) -> pd.DataFrame:
    """Return finished snapshots, whose early label is the label, and young ones that have only the early one."""
    unfinished = young.assign(label=pd.Series([pd.NA] * len(young), dtype="Int8"), **{EARLY_LABEL: young["label"]})
    return pd.concat([whole.assign(**{EARLY_LABEL: whole["label"]}), unfinished], ignore_index=True)


def learned(frame: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Return the features and the label, apart."""
    return frame[list(FEATURES)], frame["label"].to_numpy(np.int8)
