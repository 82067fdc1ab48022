"""What candidates and rivals say of snapshots that they did not learn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from models.blend import FitBlend, mean_of
from models.calibrate import fit_calibration
from models.candidates import Column
from models.early import lesson_of
from models.folds import teaches
from models.rivals import FitRival

_COLUMNS: Mapping[str, Any] = {
    "test": object,
    "customer_id": "str",
    "candidate": "str",
    "label": np.int8,
    "log_odds": np.float64,
    "probability": np.float64,
}


def tested_by(ways: Mapping[str, FitRival], parts: Iterable[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Fit every candidate (or rival) on every part to learn from, and ask it for the part to test on.

    Parameters
    ----------
    ways : mapping of str to function
        What fits each of them.
    parts : iterable of (DataFrame, DataFrame)
        Snapshots to learn from (as ``models.early.lesson_of`` reads them), and those to test on, which are of one
        cutoff. Without enough of both outcomes in both, a part is passed over.

    Returns
    -------
    DataFrame, one row per tested snapshot and candidate
        test (cutoff), customer_id, candidate, label, log_odds, probability; the latter is calibrated on each part
        itself, alike for all.
    """
    told = [_told(name, log_odds, test) for learn, test in parts for name, log_odds in _said(ways, learn, test).items()]
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS.items()})
    return pd.concat(told, ignore_index=True) if told else empty


def _said(ways: Mapping[str, FitRival], learn: pd.DataFrame, test: pd.DataFrame) -> Mapping[str, Column]:
    """Log-odds of each; a blend is not fitted again, its parts have spoken already."""
    known = lesson_of(learn)
    if not (teaches(known.label) and teaches(test["label"].to_numpy(np.int8))):
        return {}
    asked = test[list(known.features.columns)]
    blends = {name: fit for name, fit in ways.items() if isinstance(fit, FitBlend)}
    alone = {name: fit for name, fit in ways.items() if name not in blends}
    said = {name: fit(known.features, known.label, known.early).log_odds(asked) for name, fit in alone.items()}
    mixed = {name: mean_of([said[each] for each in fit.fits], fit.weights) for name, fit in blends.items()}
    return {name: {**said, **mixed}[name] for name in ways}


def _told(name: str, log_odds: Column, test: pd.DataFrame) -> pd.DataFrame:
    truth = test["label"].to_numpy(np.int8)
    calibrated = fit_calibration(log_odds, truth, n_customers=len(truth)).log_odds(log_odds)
    return pd.DataFrame(
        {
            "test": test["cutoff"].iloc[0],
            "customer_id": test["customer_id"].to_numpy(),
            "candidate": name,
            "label": truth,
            "log_odds": log_odds,
            "probability": special.expit(calibrated),
        }
    )
