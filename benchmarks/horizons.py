"""When customers are lost: the curve of ``models.horizons`` against the staying curve alone, on later time.

    SIZE=small   resellers, two mornings, about a minute
    SIZE=full    resellers, online_retail, ibm_telco and a demo company of 800; three or four mornings each

Each morning trains as ``treue train`` did then; the days after are judged by what is known at the end. Data in
``../shared``; without them only the demo company is measured.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # before this folder, which hides the package models

import numpy as np

from benchmarks.contest.cases import ROOT, SHARED
from features.loss_day import LOST_AFTER
from models.horizons import HORIZONS, fit_horizons, lost_within
from models.staying import Staying, survival
from pipelines.demo.company import demo_company
from pipelines.library import Company

MORNINGS = {
    "resellers": (425, 365, 270, 200),
    "online_retail": (185, 155, 130),
    "ibm_telco": (90, 75, 60),
    "demo": (455, 365, 270, 182),
}
"""Days before the newest morning."""
SIZES = {"small": {"resellers": (365, 270)}, "full": MORNINGS}


def main() -> int:
    """Measure, print; the last line is one JSON object."""
    size = os.environ.get("SIZE", "small")
    if size not in SIZES:
        print("usage: SIZE=small|full python benchmarks/horizons.py", file=sys.stderr)
        return 2
    has_data = (SHARED / "data").is_dir()
    able = {name: back for name, back in SIZES[size].items() if name == "demo" or has_data}
    figures = {name: _mean(list(_measured(name, back))) for name, back in able.items()}
    told = [each for by_days in figures.values() for each in by_days.values() if not each["printed"]]
    better = sum(each["log_loss"] < each["staying_log_loss"] for each in told)
    goals = {"better than the staying curve on most, the printed one aside": 2 * better > len(told) if told else None}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result: dict[str, Any] = {"bench": "horizons", "size": size, "machine": machine, "figures": figures, "goals": goals}
    print(json.dumps({**result, "met": all(value is not False for value in goals.values())}))
    return 0


def _measured(name: str, back: tuple[int, ...]) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield days and figures of every morning and number of days that is over."""
    company = _company(name)
    newest, churn = company.newest_cutoff(), company.settings.churn
    for cutoff in (newest - timedelta(days=ago) for ago in back):
        snapshots = company.snapshots(cutoff)
        active = snapshots.loc[snapshots["cohort"] == "active"].reset_index(drop=True)
        days = [each for each in HORIZONS if cutoff + timedelta(days=each) <= newest]
        curve = fit_horizons(active, cutoff=cutoff, churn=churn, days=days)
        test = company.matrix(cutoff, known_at=newest).loc[lambda rows: rows["cohort"] == "active"]
        chance = company.train(cutoff).score(test)["probability"].to_numpy(np.float64)
        if curve is None:
            continue
        told, whole = curve.of(test, chance), churn.lead_days + churn.horizon_days
        plain = Staying(return_share=0.0, concentration=curve.concentration)
        alone = 1 - survival(chance, np.array(days) / whole, plain)
        for at, each in enumerate(days):
            found = _figures(test[LOST_AFTER] <= each, told[lost_within(each)].to_numpy(), alone[:, at])
            found["printed"] = float(each == whole)
            print(name, cutoff, each, found, flush=True)
            yield each, found


def _company(name: str) -> Company:
    if name == "demo":
        return Company(demo_company(customers=800).tables)
    return Company.from_config(ROOT / "configs" / f"{name}.yaml", root=ROOT)


def _figures(lost: Any, told: Any, alone: Any) -> dict[str, float]:
    label = lost.to_numpy(np.float64)
    return {
        "lost": round(float(label.mean()), 4),
        "log_loss": _log_loss(label, told),
        "staying_log_loss": _log_loss(label, alone),
        "level_off": round(abs(float(told.mean() - label.mean())), 4),
        "staying_level_off": round(abs(float(alone.mean() - label.mean())), 4),
    }


def _log_loss(label: Any, chance: Any) -> float:
    sure = np.clip(chance, 1e-5, 1 - 1e-5)
    return round(float(-(label * np.log(sure) + (1 - label) * np.log(1 - sure)).mean()), 4)


def _mean(found: list[tuple[int, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the mean figures of every number of days."""
    days = sorted({each for each, _ in found})
    return {
        str(day): {
            name: round(float(np.mean([figures[name] for each, figures in found if each == day])), 4)
            for name in next(figures for each, figures in found if each == day)
        }
        for day in days
    }


if __name__ == "__main__":
    sys.exit(main())
