"""The main job on real data: time, memory, and ranking against the usual ways on the same customers.

    SIZE=small   online_retail and its ranking
    SIZE=full    resellers and the web shop besides

Rivals come from ``../shared/tools/peers.py``; data from ``../shared/data``. Without them the benchmark says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
TREUE = Path(sys.executable).with_name("treue")
RIVALS = ("recency", "overdue", "bgnbd", "rfm_logit", "hand_lightgbm")
CASES = {  # case of peers.py: (configuration, goal for the area under the curve)
    "online_retail_90": ("online_retail_90", 0.745),
    "resellers_180": ("resellers", 0.965),
    "webshop_180": ("webshop", None),
}


def main() -> None:
    """Run, compare, print one JSON object on the last line."""
    size = os.environ.get("SIZE", "small")
    if not (SHARED / "data").is_dir():
        sys.exit("bench-main-job needs ../shared/data and ../shared/tools/peers.py; neither is part of the project")
    peers = _peers()
    seconds, megabytes = _timed_run("online_retail", "2011-09-10")
    figures: dict[str, Any] = {"online_retail_seconds": seconds, "online_retail_peak_mb": megabytes}
    goals: dict[str, Any] = {"online_retail_seconds": 60, "online_retail_peak_mb": 2048}
    met = seconds <= 60 and megabytes <= 2048
    for case in list(CASES)[: 1 if size == "small" else None]:
        table = _ranking(peers, case)
        print(table.to_string(index=False))
        figures[case] = dict(zip(table["who"], table["auc"], strict=True))
        if CASES[case][1] is not None:
            goals[case] = CASES[case][1]
            met &= figures[case]["treue"] >= CASES[case][1]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result = {"bench": "main_job", "size": size, "machine": machine, "figures": figures, "goals": goals, "met": met}
    print(json.dumps(result))


def _timed_run(config: str, cutoff: str) -> tuple[float, int]:
    """Return wall seconds and the peak memory of the largest process [MB] of a first run."""
    shutil.rmtree(ROOT / "out" / config, ignore_errors=True)
    began = time.perf_counter()
    command = [str(TREUE), "run", "--config", f"configs/{config}.yaml", "--cutoff", cutoff]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return round(time.perf_counter() - began, 1), peak


def _ranking(peers: ModuleType, case: str) -> pd.DataFrame:
    """Return area under the curve and lift of Treue and its rivals on the customers of one case."""
    source, day, horizon, active = peers.CASES[case]
    config = CASES[case][0]
    _timed_run(config, day)
    orders, cutoff = peers.purchases(source), pd.Timestamp(day)
    who = peers.cohort(orders, cutoff, active)
    truth = peers.truth(orders, who, cutoff, horizon)
    scores = pd.read_parquet(ROOT / "out" / config / "scores" / f"cutoff={day}" / "scores.parquet")
    own = scores.set_index("customer_id")["probability"].reindex(who).to_numpy(np.float64)
    rows = [{"who": "treue", **peers.judge(truth, own)}]
    for name in RIVALS:
        try:
            chance = np.asarray(peers.PEERS[name](orders, who, cutoff, horizon, active), dtype=np.float64)
        except Exception as error:  # noqa: BLE001 - a rival that fails on a case is shown as such, whatever it raises
            print(f"rival {name} left out on {case}: {type(error).__name__}: {error}")
            continue
        rows.append({"who": name, **peers.judge(truth, chance)})
    return pd.DataFrame(rows)[["who", "n", "base", "auc", "ap", "lift10"]].assign(case=case)


def _peers() -> ModuleType:
    warnings.filterwarnings("ignore")
    spec = importlib.util.spec_from_file_location("peers", SHARED / "tools" / "peers.py")
    if spec is None or spec.loader is None:
        sys.exit("bench-main-job needs ../shared/tools/peers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
