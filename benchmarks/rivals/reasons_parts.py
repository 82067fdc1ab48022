"""What scores with reasons spend their time on, from a matrix in memory to a file on disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.outputs import write_parquet
from models.boosting import Boosted, Level
from models.calibrate import uncalibrated
from models.churn_model import ChurnModel
from retention.reasons import rank_reasons

FAMILIES = 25


def names(count: int) -> tuple[str, ...]:
    """Return names of features."""
    return tuple(f"sales__made_up_{place:02d}" for place in range(count))


def frame(x: np.ndarray) -> pd.DataFrame:
    """Return the rows as a matrix with names."""
    return pd.DataFrame(x, columns=list(names(x.shape[1])))


def churn_model(text: str, count: int = 80) -> ChurnModel:
    """Return a model of one member that starts from the same level for all."""
    boosted = Boosted(name="lightgbm", start=Level(intercept=-1.0), columns=names(count), trees=(text,))
    made = {"calibration": uncalibrated(), "features": names(count), "cutoff": date(2026, 1, 1)}
    return ChurnModel(purpose="churn", candidate=boosted, **made)


def shares(text: str, x: np.ndarray) -> dict[str, float]:
    """Print and return the seconds of each part of scores with reasons."""
    model, matrix = churn_model(text, x.shape[1]), frame(x)
    families = {name: f"family_{place % FAMILIES}" for place, name in enumerate(matrix.columns)}
    model.contributions(matrix.head(1))
    seconds: dict[str, float] = {}

    def timed(name: str, part: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = part()
        seconds[name] = time.perf_counter() - began
        return found

    scored = timed("score", lambda: model.score(matrix))
    parts = timed("contributions", lambda: model.contributions(matrix))
    reasons = timed("rank_reasons", lambda: rank_reasons(parts, families))
    with tempfile.TemporaryDirectory() as folder:
        table = pa.Table.from_pandas(pd.concat([scored, reasons], axis=1), preserve_index=False)
        timed("parquet", lambda: write_parquet(Path(folder) / "scores.parquet", table))
    whole = sum(seconds.values())
    print(f"\nscores with reasons, {len(x):,} rows, {whole:.1f} s: " + share_line(seconds, whole))
    return {**seconds, "rows": len(x), "rows_per_second": len(x) / whole}


def share_line(seconds: dict[str, float], whole: float) -> str:
    """Return the parts in hundredths of the whole."""
    return ", ".join(f"{name} {100 * took / whole:.0f} %" for name, took in seconds.items())
