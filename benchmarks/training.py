"""Training time: our boosted trees against plain LightGBM, XGBoost hist, CatBoost and HistGradientBoosting.

``make bench-training`` (SIZE=small) takes about a minute with 50,000 rows; SIZE=full trains on a million rows of 80
features. Every contender runs alone in a process of its own on two threads, with 100 trees of 31 leaves grown leaf by
leaf, the same rate of learning and about 255 bins, and is judged by its AUC on the same held-out rows. ``in LightGBM's
place`` is Treue with the settings of the others; ``as shipped`` is what `treue train` delivers, five members of the
size that a fold asks for (its newest tenth of the training rows is tested; the seconds hold the asking), from a level
instead of the rhythm. A rival that is not installed is left out, and a line says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from models.boosting import BoostingSettings

ROOT = Path(__file__).resolve().parent.parent
FEATURES, THREADS, TREES, LEAVES, RATE, LEAST_ROWS = 80, 2, 100, 31, 0.1, 40
ROWS = {"small": 50_000, "full": 1_000_000}
ASKED_SHARE = 0.1
"""Share of the training rows that stand for a later cutoff when the size of the trees is asked for."""
HELD_OUT = {"small": 20_000, "full": 100_000}
TOLERANCE = 0.003
"""How far apart the AUC of two contenders may lie to count as equal quality."""

Score = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[np.ndarray, np.ndarray], tuple[Score, int]]
"""Return how to score, and how many trees were delivered."""


def rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return made-up features (half bell-shaped, half counts, a tenth missing) and an outcome they half explain."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, FEATURES))
    x[:, FEATURES // 2 :] = np.floor(2 * np.exp(x[:, FEATURES // 2 :]))
    x[rng.random(x.shape) < 0.1] = np.nan
    z, weight = np.nan_to_num(x[:, : FEATURES // 2]), np.random.default_rng(2).normal(size=FEATURES // 2)
    raw = z @ weight / 4 + z[:, 0] * z[:, 1] + np.abs(z[:, 2]) - np.log1p(np.nan_to_num(x[:, FEATURES // 2])) - 1
    return x, (rng.random(count) < 1 / (1 + np.exp(-raw))).astype(np.int8)


def _treue(x: np.ndarray, y: np.ndarray, settings: BoostingSettings, *, members: int) -> tuple[Score, int]:
    from models.boosting import base_rate, fit_boosted

    given = {"lost": True, "seed": 7, "threads": THREADS, "settings": settings, "members": members}
    fitted = fit_boosted(_frame(x), y, start=base_rate(y), **given)
    return lambda new: fitted.log_odds(_frame(new)), members * settings.rounds


def treue_plain(x: np.ndarray, y: np.ndarray) -> tuple[Score, int]:
    from models.boosting import BoostingSettings

    as_others = {"rounds": TREES, "learning_rate": RATE, "leaves": LEAVES, "least_rows": LEAST_ROWS}
    return _treue(x, y, BoostingSettings(**as_others, column_share=1.0), members=1)


def treue_shipped(x: np.ndarray, y: np.ndarray) -> tuple[Score, int]:
    from models.boosting import MEMBERS

    return _treue(x, y, size_asked_for(x, y), members=MEMBERS)


def size_asked_for(x: np.ndarray, y: np.ndarray) -> BoostingSettings:
    """Return the settings that training would take: the last rows stand for a later cutoff, each for a customer."""
    from models.boosting import base_rate, fit_boosted
    from models.folds import Fold
    from models.rounds import best_size

    earlier, later = date(2025, 1, 1), date(2025, 7, 1)
    days = np.where(np.arange(len(y)) < (1 - ASKED_SHARE) * len(y), earlier, later)
    rows = _frame(x).assign(customer_id=np.arange(len(y)), cutoff=days, label=y)
    fit = partial(fit_boosted, lost=True, seed=7, threads=THREADS, members=1, start=base_rate(y[days == earlier]))
    return best_size(rows, [Fold(test=later, learn=(earlier,))], fit)


def _frame(x: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"f{at}" for at in range(FEATURES)], copy=False)


def lightgbm_plain(x: np.ndarray, y: np.ndarray) -> tuple[Score, int]:
    import lightgbm as lgb

    settings = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": RATE, "min_data_in_leaf": LEAST_ROWS}
    booster = lgb.train(settings | {"num_threads": THREADS, "verbose": -1}, lgb.Dataset(x, y), TREES)
    return lambda new: booster.predict(new, num_threads=THREADS), TREES


def xgboost_hist(x: np.ndarray, y: np.ndarray) -> tuple[Score, int]:
    import xgboost as xgb

    settings = {"objective": "binary:logistic", "tree_method": "hist", "max_leaves": LEAVES, "max_depth": 0}
    settings |= {"grow_policy": "lossguide", "learning_rate": RATE, "max_bin": 255, "nthread": THREADS}
    booster = xgb.train(settings, xgb.QuantileDMatrix(x, y, max_bin=255, nthread=THREADS), TREES)
    return lambda new: booster.predict(xgb.DMatrix(new, nthread=THREADS)), TREES


def catboost_plain(x: np.ndarray, y: np.ndarray) -> tuple[Score, int]:
    import catboost

    settings = {"iterations": TREES, "learning_rate": RATE, "grow_policy": "Lossguide", "max_leaves": LEAVES}
    settings |= {"border_count": 254, "thread_count": THREADS, "verbose": False, "allow_writing_files": False}
    model = catboost.CatBoostClassifier(**settings).fit(x, y)
    return lambda new: model.predict_proba(new, thread_count=THREADS)[:, 1], TREES


def hist_gradient_boosting(x: np.ndarray, y: np.ndarray) -> tuple[Score, int]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    settings = {"max_iter": TREES, "learning_rate": RATE, "max_leaf_nodes": LEAVES, "min_samples_leaf": LEAST_ROWS}
    model = HistGradientBoostingClassifier(**settings, early_stopping=False).fit(x, y)
    return lambda new: model.predict_proba(new)[:, 1], TREES


CONTENDERS: Mapping[str, tuple[str, Fit]] = {
    "treue in LightGBM's place": ("lightgbm", treue_plain),
    "treue as shipped": ("lightgbm", treue_shipped),
    "LightGBM": ("lightgbm", lightgbm_plain),
    "XGBoost hist": ("xgboost", xgboost_hist),
    "CatBoost": ("catboost", catboost_plain),
    "HistGradientBoosting": ("sklearn", hist_gradient_boosting),
}
"""What each needs installed, and how it is fitted."""


def work(contender: str, size: str) -> dict[str, float]:
    """Run in a process of its own: a first fit on few rows is not counted, then fit and judge."""
    _, fit = CONTENDERS[contender]
    fit(*rows(2_000, seed=9))
    (x, y), (held, truth) = rows(ROWS[size], seed=3), rows(HELD_OUT[size], seed=4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    score, trees = fit(x, y)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    auc = float(roc_auc_score(truth, score(held)))
    facts = {"seconds": seconds, "per_100_trees": seconds * 100 / trees, "auc": auc, "trees": trees}
    return facts | {"peak_mb": peak // 1024, "input_mb": before // 1024}


def raced(contender: str, size: str) -> dict[str, float]:
    """Return what a contender took in a process of its own on two threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "passive"}
    environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "ignore", __file__, "work", contender, size]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def ratios(figures: Mapping[str, Mapping[str, float]], ours: str) -> dict[str, dict[str, Any]]:
    """Return each rival's time over ours, and whether its AUC on the held-out rows equals ours."""
    rivals = {name: took for name, took in figures.items() if not name.startswith("treue")}
    return {
        name: {
            "seconds": round(took["seconds"] / figures[ours]["seconds"], 3),
            "per_100_trees": round(took["per_100_trees"] / figures[ours]["per_100_trees"], 3),
            "auc_behind": round(figures[ours]["auc"] - took["auc"], 5),
            "equal_quality": abs(figures[ours]["auc"] - took["auc"]) <= TOLERANCE,
        }
        for name, took in rivals.items()
    }


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def main() -> None:
    """Print the table, then one JSON object."""
    size = os.environ.get("SIZE", "small")
    figures: dict[str, dict[str, float]] = {}
    print(f"{ROWS[size]:,} x {FEATURES}, {THREADS} threads, {TREES} trees\n")
    print(f"{'':<28}{'seconds':>9}{'per 100 trees':>15}{'AUC':>8}{'peak MB':>9}")
    for name, (module, _) in CONTENDERS.items():
        if not installed(module):
            print(f"{name:<28}left out: {module} is not installed")
            continue
        took = figures[name] = raced(name, size)
        line = f"{took['seconds']:>9.1f}{took['per_100_trees']:>15.1f}{took['auc']:>8.4f}{took['peak_mb']:>9,}"
        print(f"{name:<28}{line}", flush=True)
    found = {ours: ratios(figures, ours) for ours in figures if ours.startswith("treue")}
    plain = found["treue in LightGBM's place"]["LightGBM"]
    goals = {
        "like LightGBM: AUC within 0.003": plain["equal_quality"],
        "<= 1.2 x LightGBM": plain["seconds"] >= 1 / 1.2,
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    result = {"bench": "training", "size": size, "machine": machine, "tolerance": TOLERANCE, "figures": figures}
    print(json.dumps({**result, "rivals_over_ours": found, "goals": goals, "met": all(goals.values())}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        print(json.dumps(work(sys.argv[2], sys.argv[3])))
    else:
        main()
