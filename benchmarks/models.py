"""Models against all rivals on honest backtests: every set there is, several mornings each, and small bases.

    SIZE=small   resellers and a demo company of 200, up to three cutoffs each, two small bases, about a minute
    SIZE=full    all sets, twenty draws of bases of 150, 300 and 600 customers, training on 1,000,000 rows

SETS (names, comma between), DRAWS and PARTS (contest, flat, cost) take less; the figures then say so.

Rivals: those built in (``models.rivals``) and the usual ways of ``../shared/tools/peers.py``; data in ``../shared``.
Without them the benchmark says so and runs on what there is.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads of LightGBM, ours and the rivals', wait asleep
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # before this folder, which hides the package models

from benchmarks.contest.cases import CONTROL, SETS, SHARED, Contest, open_contest
from benchmarks.contest.cost import training_cost
from benchmarks.contest.figures import Case, contested, figures_of, goals_of, table_of
from benchmarks.contest.flat import GOAL, on_flat
from benchmarks.contest.peers import loaded_peers
from benchmarks.contest.small_bases import on_small_bases


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much work is done: sets, origins per set, the demo company, draws and sizes of small bases, and the rest.

    ``repeats`` of the cross-validation on the flat set; ``rows`` of the matrix that training is timed on.
    """

    sets: tuple[str, ...]
    origins: int
    customers: int
    cutoffs: int
    drawn_from: tuple[str, ...]
    bases: tuple[int, ...]
    draws: int
    repeats: int
    rows: int


SIZES = {
    "small": Size(
        sets=("resellers", "demo"),
        origins=3,
        customers=200,
        cutoffs=6,
        drawn_from=("resellers",),
        bases=(150,),
        draws=2,
        repeats=1,
        rows=20_000,
    ),
    "full": Size(
        sets=SETS,
        origins=4,
        customers=2000,
        cutoffs=24,
        drawn_from=("online_retail_90", "resellers", "webshop", "demo"),
        bases=(150, 300, 600),
        draws=20,
        repeats=3,
        rows=1_000_000,
    ),
}


def main() -> int:
    """Measure, print; the last line is one JSON object."""
    name = os.environ.get("SIZE", "small")
    if name not in SIZES:
        print("usage: SIZE=small|full python benchmarks/models.py", file=sys.stderr)
        return 2
    size, began = _asked(SIZES[name]), time.perf_counter()
    parts = os.environ.get("PARTS", "contest,flat,cost").split(",")
    contests = _contests(size) if "contest" in parts else []
    cases = [case for contest in contests for case in _timed(contest)]
    names = [contest.name for contest in contests if contest.name in size.drawn_from]
    drawn = on_small_bases(names, bases=size.bases, draws=size.draws, opening=_opening(size))
    figures, goals = figures_of(cases, drawn), goals_of(cases, drawn)
    if "flat" in parts:
        figures["iranian_churn"] = flat = on_flat(SHARED, repeats=size.repeats)
        goals[f"iranian_churn AUC at least {GOAL}"] = flat["treue"]["auc"] >= GOAL if flat else None
    if "cost" in parts:
        figures[f"training {size.rows} x 80"] = training_cost(size.rows)
    figures |= {"sets": list(size.sets), "draws": size.draws}
    figures["seconds"] = round(time.perf_counter() - began)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result: dict[str, Any] = {"bench": "models", "size": name, "machine": machine, "figures": figures, "goals": goals}
    print(json.dumps({**result, "met": all(value is not False for value in goals.values())}))
    return 0


def _asked(size: Size) -> Size:
    """Return the size with the sets and draws that the environment asks for."""
    sets = tuple(os.environ["SETS"].split(",")) if os.environ.get("SETS") else size.sets
    return replace(size, sets=sets, draws=int(os.environ.get("DRAWS", size.draws)))


def _contests(size: Size) -> list[Contest]:
    peers, has_data = loaded_peers(SHARED), (SHARED / "data").is_dir()
    for name in size.sets:
        if name != "demo" and not has_data:
            print(f"{name} left out: it needs ../shared/data, which is no part of the project")
    able = [name for name in size.sets if name == "demo" or has_data]
    return [open_contest(name, peers, **_opening(size)) for name in able]


def _opening(size: Size) -> dict[str, int]:
    return {"most": size.origins, "customers": size.customers, "cutoffs": size.cutoffs}


def _timed(contest: Contest) -> list[Case]:
    began = time.perf_counter()
    cases = contested(contest)
    print(table_of(cases))
    control = " (negative control)" if contest.name == CONTROL else ""
    print(f"{contest.name}{control}: {time.perf_counter() - began:.0f} seconds\n", flush=True)
    return cases


if __name__ == "__main__":
    sys.exit(main())
