"""Margins foreseen against the usual formulas: next 180 and 365 days, on several past mornings of every set.

    SIZE=small   resellers, one morning each; 200,000 customers x 20 years; about a minute
    SIZE=full    all sets, up to four mornings each; the planted customers of the demo company; 1,000,000 x 20 years

The rival BG/NBD + Gamma-Gamma needs ``lifetimes`` on the path; without it the benchmark says so. Data lie in
``../shared/data``; without them only the demo company is measured.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # before this folder, which hides the package features

from benchmarks.kundenwert.contest import HORIZONS, ROOT, SETS, Result, contested
from benchmarks.kundenwert.cost import cost_of_value
from benchmarks.kundenwert.figures import figures_of, goals_of, table_of
from benchmarks.kundenwert.planted import planted_found


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is done: sets, mornings per set and horizon, customers of the demo company, rows that are valued."""

    sets: Sequence[str]
    mornings: int
    customers: int
    rows: int
    planted: bool


SIZES = {
    "small": Size(sets=("resellers",), mornings=1, customers=150, rows=200_000, planted=False),
    "full": Size(sets=SETS, mornings=4, customers=2000, rows=1_000_000, planted=True),
}
YEARS, MOST_SECONDS, MOST_GB = 20, 20.0, 2.0


def main() -> int:
    """Measure, print; the last line is one JSON object."""
    name = os.environ.get("SIZE", "small")
    if name not in SIZES:
        print("usage: SIZE=small|full python benchmarks/value.py", file=sys.stderr)
        return 2
    size, began = SIZES[name], time.perf_counter()
    results = [result for each in _able(size.sets) for result in _shown(each, size)]
    cost = cost_of_value(size.rows, YEARS)
    figures, goals = figures_of(results), goals_of(results)
    figures["cost"] = cost
    goals[f"{size.rows} x {YEARS} years at most {MOST_SECONDS:.0f} s"] = cost["seconds"] <= MOST_SECONDS
    goals[f"{size.rows} x {YEARS} years at most {MOST_GB:.0f} GB"] = cost["memory_gb"] <= MOST_GB
    if size.planted:
        figures["planted"] = planted_found(customers=size.customers)
    figures["seconds"] = round(time.perf_counter() - began)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    told = {"bench": "value", "size": name, "machine": machine, "figures": figures, "goals": goals}
    print(json.dumps({**told, "met": all(goals.values())}))
    return 0


def _able(sets: Sequence[str]) -> list[str]:
    has_data = (ROOT.parent / "shared" / "data").is_dir()
    asked = os.environ["SETS"].split(",") if os.environ.get("SETS") else [*sets]
    if not has_data:
        print("only the demo company: the other sets need ../shared/data, which is no part of the project")
    return [name for name in asked if has_data or name == "demo"] or ["demo"]


def _shown(name: str, size: Size) -> list[Result]:
    began = time.perf_counter()
    found = list(contested(name, most=size.mornings, customers=size.customers, horizons=HORIZONS))
    print(table_of(found))
    print(f"{name}: {time.perf_counter() - began:.0f} seconds\n", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
