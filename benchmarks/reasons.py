"""Reasons for every customer: Treue against LightGBM's ``pred_contrib`` and ``shap.TreeExplainer`` on the same model.

``make bench-reasons`` (SIZE=small) takes about a minute; SIZE=full explains a million rows as well. The model has 300
trees of 31 leaves on 80 features. Every contender runs alone in a process of its own on two threads. The rivals are
timed on a subsample of the rows, after a first call that is not counted, and quoted as rows a second: a million rows
would take them most of an hour. Compiling is timed apart, with an empty cache and again by a second process.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lightgbm as lgb
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(tempfile.gettempdir()) / "treue-bench-reasons"
FEATURES, THREADS, COMPARED = 80, 2, 200
SUBSAMPLE = {"small": 500, "full": 5_000}
"""Rows on which the rivals are timed."""
MANY = {"small": (100_000,), "full": (100_000, 1_000_000)}
STANDARD = {"trees": 300, "leaves": 31, "depth": -1}
SHAPES = {
    "small": [{"trees": 300, "leaves": 7, "depth": -1}],
    "full": [
        {"trees": 100, "leaves": 31, "depth": -1},
        {"trees": 1000, "leaves": 31, "depth": -1},
        {"trees": 300, "leaves": 7, "depth": -1},
        {"trees": 300, "leaves": 127, "depth": -1},
        {"trees": 300, "leaves": 31, "depth": 5},
    ],
}


def rows(count: int, seed: int) -> np.ndarray:
    """Return made-up features: half of them bell-shaped, half counts, a tenth missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, FEATURES))
    x[:, FEATURES // 2 :] = np.floor(2 * np.exp(x[:, FEATURES // 2 :]))
    x[rng.random(x.shape) < 0.1] = np.nan
    return x


def model(shape: dict[str, int]) -> Path:
    """Return the file of a model of that shape, trained on 10,000 rows once."""
    path = FOLDER / f"{'-'.join(str(value) for value in shape.values())}.txt"
    if path.exists():
        return path
    x = rows(10_000, seed=1)
    z, rng = np.nan_to_num(x), np.random.default_rng(2)
    score = z[:, :40] @ rng.normal(size=40) / 4 + z[:, 0] * z[:, 1] + np.abs(z[:, 2]) - np.log1p(z[:, 40])
    label = (rng.random(len(x)) < 1 / (1 + np.exp(-score))).astype(int)
    settings = {"objective": "binary", "num_leaves": shape["leaves"], "max_depth": shape["depth"], "verbose": -1}
    settings |= {"learning_rate": 0.03, "num_threads": THREADS, "min_data_in_leaf": 10}
    FOLDER.mkdir(parents=True, exist_ok=True)
    lgb.train(settings, lgb.Dataset(x, label), shape["trees"]).save_model(path)
    return path


def in_treue(text: str) -> Callable[[np.ndarray], np.ndarray]:
    from models.treeshap.explainer import explainer_of

    found = explainer_of([text])
    return lambda x: found.contributions(x, threads=THREADS)


def in_lightgbm(text: str) -> Callable[[np.ndarray], np.ndarray]:
    booster = lgb.Booster(model_str=text)
    return lambda x: booster.predict(x, pred_contrib=True, num_threads=THREADS)[:, :-1]


def in_shap(text: str) -> Callable[[np.ndarray], np.ndarray]:
    import shap

    explainer = shap.TreeExplainer(lgb.Booster(model_str=text))
    return explainer.shap_values


def in_predict(text: str) -> Callable[[np.ndarray], np.ndarray]:
    booster = lgb.Booster(model_str=text)
    return lambda x: booster.predict(x, raw_score=True, num_threads=THREADS)


def in_scores(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """Scores without reasons as Treue gives them: probability, interval, raw score."""
    from benchmarks.rivals.reasons_parts import churn_model, frame

    found = churn_model(text)
    return lambda x: found.score(frame(x)).to_numpy()


REASONS = ("treue", "pred_contrib", "shap.TreeExplainer")
CONTENDERS = {
    "treue": in_treue,
    "pred_contrib": in_lightgbm,
    "shap.TreeExplainer": in_shap,
    "predict": in_predict,
    "scores": in_scores,
}


def work(contender: str, path: str, count: int, compared: str) -> dict[str, float]:
    """Run in a process of its own: explain ``count`` rows, keep the first ones for comparison."""
    began = time.perf_counter()
    explain = CONTENDERS[contender](Path(path).read_text())
    prepared = time.perf_counter()
    explain(rows(1, seed=4))
    first = time.perf_counter() - prepared
    x = rows(count, seed=3)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    explain(x)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if contender in REASONS:
        np.save(compared, explain(rows(COMPARED, seed=6)))
    facts = {"rows": count, "seconds": seconds, "rows_per_second": count / seconds, "first_call_seconds": first}
    return facts | {"prepare_seconds": prepared - began, "peak_mb": peak // 1024, "input_mb": held // 1024}


def raced(contender: str, path: Path, count: int, *, cache: str | None = None) -> tuple[dict[str, float], np.ndarray]:
    """Return what a contender took in a process of its own, and what it said of the first rows."""
    with tempfile.TemporaryDirectory() as folder:
        said = str(Path(folder) / "said.npy")
        environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "passive"}
        environment |= {"PYTHONPATH": str(ROOT)} | ({"NUMBA_CACHE_DIR": cache} if cache else {})
        command = [sys.executable, __file__, "work", contender, str(path), str(count), said]
        done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
        reasons = np.load(said) if contender in REASONS else np.empty(0)
        return json.loads(done.stdout.splitlines()[-1]), reasons


def told(name: str, took: dict[str, float]) -> None:
    print(f"{name:<44}{took['rows']:>11,}{took['seconds']:>10.2f}{took['rows_per_second']:>13,.0f}{took['peak_mb']:>9}")


def race(size: str) -> dict[str, Any]:
    """Race on the standard model and return figures by contender and the largest differences."""
    path, found = model(STANDARD), {}
    with tempfile.TemporaryDirectory() as empty:
        cold = raced("treue", path, 1_000, cache=empty)[0]["first_call_seconds"]
        warm = raced("treue", path, 1_000, cache=empty)[0]["first_call_seconds"]
    print(f"compiled anew by the first process {cold:.1f} s; first call of a second process {warm:.2f} s\n")
    print(f"{'300 trees, 31 leaves, 80 features':<44}{'rows':>11}{'seconds':>10}{'rows/s':>13}{'peak MB':>9}")
    said: dict[str, np.ndarray] = {}
    for count in MANY[size]:
        found[f"treue_{count}"], said["treue"] = raced("treue", path, count)
        told("treue", found[f"treue_{count}"])
    for rival in ("pred_contrib", "shap.TreeExplainer"):
        found[rival], said[rival] = raced(rival, path, SUBSAMPLE[size])
        told(f"{rival} (on a subsample)", found[rival])
    for plain in ("predict", "scores"):
        found[plain], _ = raced(plain, path, 100_000)
        told({"predict": "LightGBM predict, no reasons", "scores": "Treue's scores, no reasons"}[plain], found[plain])
    gaps = {rival: float(np.abs(said["treue"] - said[rival]).max()) for rival in ("pred_contrib", "shap.TreeExplainer")}
    print("largest difference: " + ", ".join(f"{rival} {gap:.1e}" for rival, gap in gaps.items()))
    return {**found, "compile_seconds": cold, "second_process_seconds": warm, "largest_difference": gaps}


def scaling(size: str) -> dict[str, Any]:
    """Return rows a second by number of rows and by shape of the model."""
    found: dict[str, Any] = {}
    print("\nscaling")
    for count in (10_000,) if size == "small" else (1, 100, 1_000, 10_000):
        took = raced("treue", model(STANDARD), count)[0]
        found[f"{count} rows"] = took["rows_per_second"]
        told("treue, 300 trees, 31 leaves", took)
    for shape in SHAPES[size]:
        took = raced("treue", model(shape), 20_000)[0]
        name = ", ".join(f"{key} {value}" for key, value in shape.items() if key != "depth" or value > 0)
        found[name] = took["rows_per_second"]
        told(f"treue, {name}", took)
    return found


def main() -> None:
    """Print the tables, then one JSON object."""
    size = os.environ.get("SIZE", "small")
    figures = race(size)
    figures["scaling"] = scaling(size)
    from benchmarks.rivals.reasons_parts import shares

    figures["shares"] = shares(model(STANDARD).read_text(), rows({"small": 10_000, "full": 200_000}[size], seed=5))
    best = max(figures[rival]["rows_per_second"] for rival in ("pred_contrib", "shap.TreeExplainer"))
    goals = {
        ">= 15 x the faster rival": figures["treue_100000"]["rows_per_second"] >= 15 * best,
        "largest difference <= 1e-10": max(figures["largest_difference"].values()) <= 1e-10,
        "second process compiles nothing (<= 2 s)": figures["second_process_seconds"] <= 2,
    }
    if "treue_1000000" in figures:
        goals["1 M rows <= 150 s"] = figures["treue_1000000"]["seconds"] <= 150
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    result = {"bench": "reasons", "size": size, "machine": machine, "figures": figures, "goals": goals}
    print(json.dumps({**result, "met": all(goals.values())}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        print(json.dumps(work(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])))
    else:
        main()
