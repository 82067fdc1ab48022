"""Run one contender in a process of its own and say what it took: ``python -m benchmarks.rivals.run pandas FOLDER 12``.

A contender called ``name`` is a module ``benchmarks.rivals.in_name`` with ``features(folder, cutoffs)``, which yields
one Arrow table per cutoff. Taking the sums of a table and keeping the last one are not counted as its time.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.rivals.columns import checksum, differences, disagreements
from benchmarks.rivals.simulated import company, cutoffs

ROOT = Path(__file__).resolve().parents[2]
NEEDS = {"polars": "polars"}
"""What a contender needs that the project does not bring along."""
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS"), "2")


def race(contenders: Sequence[str], size: str, cutoff_count: int) -> list[dict[str, Any]]:
    """Return what each contender took, in order; those that are not installed are left out with a line that says so.

    Raises
    ------
    ValueError
        If two of them disagree on a number, naming both, the columns and the customers.
    """
    results: list[dict[str, Any]] = []
    try:
        for contender in contenders:
            if reason := left_out(contender):
                print(reason)
                continue
            results.append(measured(contender, size, cutoff_count))
            require_same(results[0], results[-1])
    finally:
        for result in results:
            Path(result["last"]).unlink()
    return results


def measured(contender: str, size: str, cutoff_count: int) -> dict[str, Any]:
    """Return what one contender took in a fresh process.

    ``seconds`` (wall), ``cpu_seconds``, ``import_seconds``, ``peak_mb``, ``checksums`` (one per cutoff) and ``last``,
    a Parquet file with the table of the last cutoff.
    """
    command = [sys.executable, "-m", "benchmarks.rivals.run", contender, str(company(size)), str(cutoff_count)]
    environment = {**os.environ, **THREADS, "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def left_out(contender: str) -> str | None:
    """Return why a contender cannot run here and what to do about it; None when it can."""
    package = NEEDS.get(contender)
    if package is None or importlib.util.find_spec(package):
        return None
    return f"rival {contender} left out: it is not installed; python -m pip install {package}"


def require_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise ValueError when the sums of a cutoff or the tables of the last one differ."""
    pairs = zip(one["checksums"], other["checksums"], strict=True)
    found = [f"cutoff {n}: {each}" for n, pair in enumerate(pairs, start=1) for each in disagreements(*pair)]
    found += differences(pq.read_table(one["last"]), pq.read_table(other["last"]))
    if found:
        raise ValueError(f"{one['contender']} and {other['contender']} disagree:\n" + "\n".join(found))


def main(contender: str, folder: str, cutoff_count: str) -> None:
    """Run the contender and print one JSON object."""
    os.environ.update(THREADS)  # counts only before the contender is imported
    began = time.perf_counter()
    features = importlib.import_module(f"benchmarks.rivals.in_{contender}").features
    import_seconds = time.perf_counter() - began
    seconds, cpu_seconds, checksums = 0.0, 0.0, []
    tables = features(Path(folder), cutoffs(int(cutoff_count)))
    while True:
        began, worked = time.perf_counter(), time.process_time()
        table = next(tables, None)
        seconds += time.perf_counter() - began
        cpu_seconds += time.process_time() - worked
        if table is None:
            break
        last = table
        checksums.append(checksum(table))
    peak = peak_mb()
    with tempfile.NamedTemporaryFile(prefix=f"{contender}-", suffix=".parquet", delete=False) as file:
        pq.write_table(last, file.name)
    figures = {"seconds": seconds, "cpu_seconds": cpu_seconds, "import_seconds": import_seconds}
    rounded = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps({"contender": contender, **rounded, "peak_mb": peak, "checksums": checksums, "last": file.name}))


def peak_mb() -> int:
    """Return the most memory this process has held [MB]; ``ru_maxrss`` would count the parent before the exec too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024**2 if sys.platform == "darwin" else most // 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
