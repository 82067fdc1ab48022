"""A flat set without dates: five folds through the scikit-learn estimator, against the usual boosters."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from models.estimator import ChurnClassifier
from models.metrics import calibration_error

GOAL = 0.985


def boosters(seed: int = 7) -> Mapping[str, Any]:
    """Return our estimator and the usual ones with their defaults; XGBoost and LightGBM where they can be loaded."""
    found: dict[str, Any] = {
        "treue": ChurnClassifier(seed=seed),
        "hist_gradient_boosting": HistGradientBoostingClassifier(random_state=seed),
        "gradient_boosting": GradientBoostingClassifier(random_state=seed),
        "random_forest": RandomForestClassifier(200, random_state=seed, n_jobs=2),
    }
    try:
        from lightgbm import LGBMClassifier

        found["lightgbm"] = LGBMClassifier(random_state=seed, verbose=-1, n_jobs=2)
        from xgboost import XGBClassifier

        found["xgboost"] = XGBClassifier(random_state=seed, n_jobs=2)
    except ImportError as error:
        print(f"left out: {error}")
    return found


def on_flat(shared: Path, *, repeats: int) -> dict[str, Any]:
    """Return per booster the mean AUC of five-fold cross-validation on ``iranian_churn``; empty without the set.

    AUC and calibration error are of the out-of-fold probabilities, mean over ``repeats`` shuffles.
    """
    file = shared / "data" / "iranian_churn" / "iranian_churn.parquet"
    if not file.is_file():
        print("iranian_churn left out: it needs ../shared/data")
        return {}
    rows = pd.read_parquet(file)
    x, y = rows.drop(columns="Churn").astype(float), rows["Churn"].to_numpy()
    told = {}
    for name, model in boosters().items():
        began, aucs, gaps = time.perf_counter(), [], []
        for repeat in range(repeats):
            folds = StratifiedKFold(5, shuffle=True, random_state=repeat)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                said = cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]
            aucs.append(np.mean([roc_auc_score(y[test], said[test]) for _, test in folds.split(x, y)]))
            gaps.append(calibration_error(y.astype(np.int8), said))
        told[name] = {
            "auc": round(float(np.mean(aucs)), 4),
            "calibration_error": round(float(np.mean(gaps)), 4),
            "seconds": round(time.perf_counter() - began, 1),
        }
        print(f"iranian_churn {name}: {told[name]}", flush=True)
    return told
