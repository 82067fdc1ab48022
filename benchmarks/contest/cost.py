"""What training costs: the same trees on the same large matrix, ours and the usual boosters, one after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from models.estimator import ChurnClassifier

THREADS, ROUNDS, LEAVES, RATE = 2, 100, 31, 0.1

Matrix = NDArray[np.float64]


def made_up(rows: int, columns: int = 80, *, seed: int = 3) -> tuple[Matrix, NDArray[np.int8]]:
    """Return a matrix with gaps and skew, and outcomes that ten of its columns decide, some together."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    x[:, ::4] = np.round(np.exp(x[:, ::4]))
    risk = (
        x[:, 1]
        + 0.7 * x[:, 2] * (x[:, 3] > 0)
        - 0.5 * np.log1p(x[:, 4])
        + 0.4 * np.abs(x[:, 5])
        + 0.3 * x[:, 6:10].sum(axis=1)
    )
    label = (rng.random(rows) < special.expit(risk - 1.5)).astype(np.int8)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, label


def contenders() -> Mapping[str, Callable[[], Any]]:
    """Return makers of classifiers with the same number of trees, leaves and rate; those that can be loaded."""
    common = {"rounds": ROUNDS, "leaves": LEAVES, "least_rows": 20, "ridge": 1.0, "learning_rate": RATE}
    plain = {"n_estimators": ROUNDS, "learning_rate": RATE, "random_state": 7}
    found: dict[str, Callable[[], Any]] = {
        "treue": lambda: ChurnClassifier(**common, column_share=1.0, row_share=1.0, threads=THREADS),
        "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(
            max_iter=ROUNDS, max_leaf_nodes=LEAVES, learning_rate=RATE, early_stopping=False, random_state=7
        ),
    }
    try:
        from lightgbm import LGBMClassifier

        found["lightgbm"] = lambda: LGBMClassifier(**plain, num_leaves=LEAVES, n_jobs=THREADS, verbose=-1)
        from xgboost import XGBClassifier

        shape = {"tree_method": "hist", "grow_policy": "lossguide", "max_leaves": LEAVES, "max_depth": 0}
        found["xgboost"] = lambda: XGBClassifier(**plain, **shape, n_jobs=THREADS)
        from catboost import CatBoostClassifier

        found["catboost"] = lambda: CatBoostClassifier(
            iterations=ROUNDS, depth=6, learning_rate=RATE, thread_count=THREADS, verbose=0,
            random_seed=7, allow_writing_files=False,
        )  # fmt: skip
    except ImportError as error:
        print(f"left out: {error}")
    return found


def training_cost(rows: int) -> dict[str, Any]:
    """Return per contender the seconds of one training (100 trees), AUC on new rows, and the ratio to the fastest."""
    x, y = made_up(rows + rows // 5)
    learn, test = slice(0, rows), slice(rows, None)
    told: dict[str, Any] = {}
    for name, make in contenders().items():
        model, began = make(), time.perf_counter()
        model.fit(x[learn], y[learn])
        seconds = time.perf_counter() - began
        auc = float(roc_auc_score(y[test], model.predict_proba(x[test])[:, 1]))
        told[name] = {"seconds_per_100_trees": round(seconds, 2), "auc": round(auc, 4)}
        print(f"training {rows:,} x {x.shape[1]} {name}: {told[name]}", flush=True)
    for each in told.values():
        each["treue_over_it"] = round(told["treue"]["seconds_per_100_trees"] / each["seconds_per_100_trees"], 2)
    return told
