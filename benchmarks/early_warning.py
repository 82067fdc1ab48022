"""Early-warning lists week by week: how early, how often not at all, how often for nothing, and how restless.

    SIZE=small   the demo company with 400 customers, half a year
    SIZE=full    the demo company and Online Retail, a year

Each week is scored by a model trained less than a quarter before (half a year in the small size), on rows known then;
later rows tell only what became of the customers. The same scores are then listed under several rules. Online Retail
lies in ``../shared/data``; without it the benchmark says so.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.weekly.report import table
from benchmarks.weekly.scored import scored_weeks
from features.definition import Churn
from models.warning import WarningFigures, warning_figures
from pipelines.demo.company import demo_company
from pipelines.library import Company
from retention.settings import EarlyWarning
from retention.simulation import Week, simulated_lists
from retention.watch import Rules

ROOT = Path(__file__).resolve().parent.parent
WITHOUT = {"leave_odds": 1.0, "enter_odds": 1.0, "hold_share": 0.0, "rest_days": 0}
"""The rules without memory: at or above the base rate, the most valuable first."""
ENTER = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
LEAVE_SHARES = (1.0, 0.85, 0.7, 0.5)
HOLDS = (0.0, 0.1, 0.25, 0.5)
RESTS = (0, 14, 28, 56)
EVERYBODY = 1_000_000
SIZES = {"small": {"most": 26, "retrain_days": 182}, "full": {"most": 52, "retrain_days": 91}}
"""Weeks looked at, and days after which a new model is trained."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One company: its weeks, and the figures of every rule tried, by table and by row."""

    name: str
    churn: Churn
    weeks: Sequence[Week]
    size: int
    tables: Mapping[str, Mapping[str, WarningFigures]]
    seconds: float

    @property
    def balancing(self) -> str:
        """The entry threshold under which warned losses and real alarms balance best."""
        found = self.tables["threshold"]
        return max(found, key=lambda name: found[name].balance)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, with ``--write`` renew the page; the last line is one JSON object."""
    size = os.environ.get("SIZE", "small")
    if size not in SIZES or arguments:
        print("usage: SIZE=small|full python benchmarks/early_warning.py")
        return 2
    measured = [each for name in companies(size) if (each := measure(name, size)) is not None]
    print(json.dumps(result(measured, size=size)))
    return 0


def companies(size: str) -> tuple[str, ...]:
    return ("demo",) if size == "small" else ("demo", "online_retail")


def measure(name: str, size: str) -> Measured | None:
    """Measure one company and print its tables; say so in one line where it is not there."""
    began = time.perf_counter()
    if name != "demo" and not (ROOT.parent / "shared" / "data").is_dir():
        print(f"{name} left out: it needs ../shared/data, which is no part of the project\n")
        return None
    company, places = opened(name, size)
    weeks = scored_weeks(company, **SIZES[size])
    churn = company.settings.churn
    tables = {
        "hysteresis": compared(weeks, churn, variants(places)),
        "threshold": compared(weeks, churn, thresholds()),
        "leave": compared(weeks, churn, one_changed(places, "leave_odds", LEAVE_SHARES)),
        "hold": compared(weeks, churn, one_changed(places, "hold_share", HOLDS)),
        "rest": compared(weeks, churn, one_changed(places, "rest_days", RESTS)),
    }
    seconds = time.perf_counter() - began
    measured = Measured(name=name, churn=churn, weeks=weeks, size=places, tables=tables, seconds=seconds)
    print(
        *(line for each in tables.values() for line in (*table(each), "")), f"({seconds:.0f} s)", sep="\n", flush=True
    )
    return measured


def opened(name: str, size: str) -> tuple[Company, int]:
    """Return a company and how many places its list has."""
    if name == "demo" and size == "small":
        return Company(demo_company(customers=400).tables, training={"most": 4}), 20
    if name == "demo":
        return Company(demo_company().tables, training={"most": 6}), 100
    return Company.from_config(ROOT / "configs" / f"{name}.yaml", root=ROOT), 200


def rules(**changed: Any) -> Rules:
    """Return the rules of the configuration's defaults, but for what is changed."""
    return Rules(**{**EarlyWarning().model_dump(include=set(Rules.__dataclass_fields__)), **changed})


def variants(places: int) -> Mapping[str, Rules]:
    """Return the lists with and without memory, with few places and with places for all."""
    return {
        f"{places} places, without hysteresis": rules(size=places, **WITHOUT),
        f"{places} places, with hysteresis": rules(size=places),
        "places for all, without hysteresis": rules(size=EVERYBODY, **WITHOUT),
        "places for all, with hysteresis": rules(size=EVERYBODY),
    }


def thresholds() -> Mapping[str, Rules]:
    """Return lists with places for all that differ in the entry threshold; the exit keeps its distance."""
    usual = EarlyWarning()
    share = usual.leave_odds / usual.enter_odds
    return {f"{odds:g}": rules(size=EVERYBODY, enter_odds=odds, leave_odds=odds * share) for odds in ENTER}


def one_changed(places: int, key: str, values: Sequence[float]) -> Mapping[str, Rules]:
    """Return lists of the usual length with one key at several values, the others at their defaults."""
    factor = EarlyWarning().enter_odds if key == "leave_odds" else 1
    return {f"{value * factor:g}": rules(size=places, **{key: value * factor}) for value in values}


def compared(weeks: Sequence[Week], churn: Churn, tried: Mapping[str, Rules]) -> Mapping[str, WarningFigures]:
    """Return the figures of every rule by its name."""
    return {name: warning_figures(simulated_lists(weeks, each), churn) for name, each in tried.items()}


def result(measured: Sequence[Measured], *, size: str) -> Mapping[str, Any]:
    """Return what the last line says."""
    goals = {
        f"{each.name}: {name} more restless without hysteresis": calm.turnover_share < restless.turnover_share
        for each in measured
        for name, restless, calm in pairs(each)
    }
    return {
        "bench": "early_warning",
        "size": size,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "figures": {each.name: told(each) for each in measured},
        "goals": goals,
        "met": all(goals.values()),
    }


def pairs(measured: Measured) -> list[tuple[str, WarningFigures, WarningFigures]]:
    """Return name, figures without and figures with hysteresis, for few places and for all."""
    named = list(measured.tables["hysteresis"].items())
    return [(named[row][0].split(",")[0], named[row][1], named[row + 1][1]) for row in (0, 2)]


def told(measured: Measured) -> Mapping[str, Any]:
    """Return the figures of one company, rounded."""
    figures = {name: rounded(each) for name, each in measured.tables["hysteresis"].items()}
    balanced = {"enter_odds": float(measured.balancing), **rounded(measured.tables["threshold"][measured.balancing])}
    return {"seconds": round(measured.seconds), "weeks": len(measured.weeks), **figures, "balancing": balanced}


def rounded(figures: WarningFigures) -> Mapping[str, float]:
    return {name: round(float(value), 3) for name, value in asdict(figures).items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
