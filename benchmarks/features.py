"""Features of many cutoffs: Treue against pandas, Polars and DuckDB on the same numbers, and the whole catalogue.

``make bench-features`` (SIZE=small) takes about a minute; SIZE=full simulates 10 and 50 million orders first (1.3 GB in
the temporary folder, kept for the next time) and takes about a quarter of an hour. Every contender runs alone in a
process of its own on two threads and must give the same numbers: integers exactly, floats to 1e-9.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this file would hide the package of its name

from benchmarks.rivals.run import ROOT, THREADS, race
from benchmarks.rivals.simulated import company

CONTENDERS = ("pandas", "polars", "duckdb", "treue")
MANY = 12


def shared(size: str) -> dict[str, dict[str, Any]]:
    """Race for the shared columns at one and at twelve cutoffs; return seconds and peaks by contender."""
    found: dict[str, dict[str, Any]] = {}
    for count in (1, MANY):
        for result in race(CONTENDERS, size, count):
            own = found.setdefault(result["contender"], {})
            own |= {f"{name}_{count}": result[name] for name in ("seconds", "cpu_seconds", "peak_mb")}
    return found


def whole(size: str, count: int, *, memory_gb: float = 3.0, cache: str | None = None) -> dict[str, Any]:
    """Build the whole catalogue in a fresh process; ``cache`` is an empty folder for compiled code."""
    command = [sys.executable, "-m", "benchmarks.rivals.whole", str(company(size)), str(count), str(memory_gb)]
    environment = {**os.environ, **THREADS, "OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(ROOT)}
    environment |= {"NUMBA_CACHE_DIR": cache} if cache else {}
    done = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def catalogue(size: str) -> dict[str, dict[str, Any]]:
    """Return what the whole catalogue takes: compiled anew, at one and at twelve cutoffs, and for the huge company."""
    with tempfile.TemporaryDirectory() as empty:
        found = {"compiled anew, 1 cutoff": whole(size, 1, cache=empty), "1 cutoff": whole(size, 1, cache=empty)}
    found[f"{MANY} cutoffs"] = whole(size, MANY)
    if size == "full":
        found["huge, 1 cutoff"] = whole("huge", 1)
        found["huge, 1 cutoff, 1 GB"] = whole("huge", 1, memory_gb=1.0)
    return found


def goals(rivals: dict[str, dict[str, Any]], own: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """Return which goals are met."""
    best = min(each[f"seconds_{MANY}"] for name, each in rivals.items() if name != "treue")
    one, many = own["1 cutoff"], own[f"{MANY} cutoffs"]
    met = {
        "12 cutoffs >= 12 x faster than the best rival": best >= 12 * rivals["treue"][f"seconds_{MANY}"],
        "12 cutoffs <= 2.5 x one cutoff": many["seconds"] <= 2.5 * one["seconds"],
        "peak <= 1.5 GB": many["peak_mb"] <= 1500,
    }
    if "huge, 1 cutoff" in own:
        huge = own["huge, 1 cutoff"]
        met["50 M orders, 1 cutoff: <= 60 s, <= 3 GB"] = huge["seconds"] <= 60 and huge["peak_mb"] <= 3000
        met["50 M orders within 1 GB"] = own["huge, 1 cutoff, 1 GB"]["peak_mb"] <= 1000
    return met


def main() -> None:
    """Print both tables, then one JSON object."""
    size = os.environ.get("SIZE", "small")
    rivals = shared(size)
    print(f"{'shared columns':<26}{'1 cutoff':>10}{'12 cutoffs':>12}{'CPU s (12)':>12}{'peak MB (12)':>14}")
    for name, took in rivals.items():
        figures = [took[key] for key in ("seconds_1", f"seconds_{MANY}", f"cpu_seconds_{MANY}", f"peak_mb_{MANY}")]
        print(f"{name:<26}{figures[0]:>10.1f}{figures[1]:>12.1f}{figures[2]:>12.1f}{figures[3]:>14}")
    own = catalogue(size)
    print(f"\n{'whole catalogue':<26}{'seconds':>10}{'CPU s':>12}{'peak MB':>12}{'features':>14}")
    for name, took in own.items():
        print(
            f"{name:<26}{took['seconds']:>10.1f}{took['cpu_seconds']:>12.1f}{took['peak_mb']:>12}{took['features']:>14}"
        )
    met = goals(rivals, own)
    result = {
        "bench": "features",
        "size": size,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "figures": {"shared": rivals, "whole": own},
        "goals": met,
        "met": all(met.values()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
