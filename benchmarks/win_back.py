"""Winning back: AUC and captured margin against the usual rules, what knowing the reasons is worth, and how they agree.

    SIZE=small   the demo company with 400 customers; too few return there to judge rankings by
    SIZE=full    two demo companies with 1,500 customers, Online Retail, and reasons of IBM Telco

Three past mornings each: trained on what was known then, judged by what became of the lapsed since. Rivals: who left
last, a regression on recency, frequency and turnover (RFM), and that times the turnover. On the demo company the truth
is known: the list that knows told reasons against the same list blind to them. Data lie in ``../shared/data``; what is
not there is left out and named.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.winning.measured import LapsedMorning, by_truth, figures, lists, margin_error, mornings
from benchmarks.winning.telco import telco_agreement
from benchmarks.winning.told import demo_agreement
from models.origins import origins_of
from pipelines.demo.company import demo_company
from pipelines.library import Company

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
MORNINGS = 3
LEAST_RETURNS = 30
"""Returns on all mornings together below which rankings are shown but not judged: few returns decide by chance."""
RETAIL_STRIDE = 2
"""Online Retail has one year: its mornings lie every second training cutoff apart, and their outcomes overlap."""
RULES = ("last_order", "rfm_logistic")
"""The rules that must be beaten; RFM times turnover is shown besides."""
# One thread where it must be quick: on a busy machine two wait for each other, and 20 seconds became 180.
SIZES: Mapping[str, Mapping[str, Any]] = {
    "small": {"customers": 400, "seeds": (7,), "places": 15, "most": 6, "threads": 1},
    "full": {"customers": 1500, "seeds": (7, 8), "places": 40, "most": 8, "threads": 2},
}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; the last line is one JSON object."""
    size = os.environ.get("SIZE", "small")
    if size not in SIZES or arguments:
        print("usage: SIZE=small|full python benchmarks/win_back.py")
        return 2
    began = time.perf_counter()
    found = {**(public() if size == "full" else {}), **demo(**SIZES[size])}
    found["seconds"] = round(time.perf_counter() - began)
    print(json.dumps(result(found, size=size)))
    return 0


def demo(*, customers: int, seeds: Sequence[int], places: int, most: int, threads: int) -> dict[str, Any]:
    """Measure the demo company under each seed; figures over all of their mornings."""
    every: list[LapsedMorning] = []
    told: list[Mapping[str, Mapping[str, float]]] = []
    agreed: list[Mapping[str, Any]] = []
    for seed in seeds:
        invented = demo_company(customers=customers, seed=seed)
        company = Company(invented.tables, training={"most": most, "threads": threads})
        cutoff = company.newest_cutoff()
        own = newest(company, cutoff)
        truth = invented.truth.assign(customer_id=lambda rows: rows["customer_id"].astype("str"))
        truth = truth.set_index("customer_id")
        told += [
            {name: by_truth(listed, truth) for name, listed in lists(each, invented.tables, places=places).items()}
            for each in own
        ]
        every += own
        agreed = agreed or [demo_agreement(company, cutoff, invented)]
    reasons = {name: _summed([each[name] for each in told]) for name in ("aware", "blind")}
    found = {"demo": told_of(every, places), "reasons": reasons, "agreement_demo": dict(agreed[0])}
    for name, each in found.items():
        print(name, json.dumps(each), flush=True)
    return found


def newest(company: Company, cutoff: date, *, stride: int | None = None) -> list[LapsedMorning]:
    """Return three mornings with known outcome: a lead and horizon apart, or every ``stride``-th training cutoff."""
    days = company.cutoffs(cutoff)
    spread = origins_of(days, company.settings.churn) if stride is None else days[::-1][::stride][:MORNINGS][::-1]
    return list(mornings(company, cutoff, origins=spread[-MORNINGS:]))


def public() -> dict[str, Any]:
    """Measure the public sets; nothing where they are not there."""
    if not DATA.is_dir():
        print("online_retail and ibm_telco left out: they need ../shared/data, which is no part of the project")
        return {}
    company = Company.from_config(ROOT / "configs" / "online_retail.yaml", root=ROOT)
    churn = company.settings.churn.model_copy(update={"active_within_days": 90, "horizon_days": 60})
    company.settings = company.settings.model_copy(update={"churn": churn})
    retail = told_of(
        newest(company, company.newest_cutoff(), stride=RETAIL_STRIDE), company.settings.lists.win_back.size
    )
    print("online_retail", json.dumps(retail), flush=True)
    telco = telco_agreement(DATA / "ibm_telco")
    print("agreement_ibm_telco", json.dumps(telco), flush=True)
    return {"online_retail": retail, "agreement_ibm_telco": telco}


def told_of(found: Sequence[LapsedMorning], places: int) -> dict[str, Any]:
    """Return the figures of several mornings, rounded."""
    return {
        "mornings": [each.origin.isoformat() for each in found],
        "spoke": [each.chosen for each in found],
        "lapsed": sum(len(each.rows) for each in found),
        "returned": int(sum(each.rows["label"].sum() for each in found)),
        "places": places,
        **{name: _rounded(each) for name, each in figures(found, places=places).items()},
        "margin": _rounded(margin_error(found)),
    }


def result(found: Mapping[str, Any], *, size: str) -> Mapping[str, Any]:
    """Return what the last line says."""
    goals = {}
    for name in ("demo", "online_retail"):
        if name in found and found[name]["returned"] >= LEAST_RETURNS:
            own, rules = found[name]["treue"], {rule: found[name][rule] for rule in RULES if rule in found[name]}
            goals[f"{name}: AUC above every rule"] = all(own["auc"] > rule["auc"] for rule in rules.values())
            captured = [rule["captured_margin"] for rule in rules.values()]
            goals[f"{name}: captured margin above every rule"] = own["captured_margin"] > max(captured)
    aware, blind = found["reasons"]["aware"], found["reasons"]["blind"]
    goals["demo: more winnable per place with reasons than without"] = aware["winnable"] / max(
        aware["listed"], 1
    ) > blind["winnable"] / max(blind["listed"], 1)
    goals["demo: more value within reach with reasons than without"] = aware["within_reach"] > blind["within_reach"]
    return {
        "bench": "win_back",
        "size": size,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "figures": found,
        "goals": goals,
        "met": all(goals.values()),
    }


def _summed(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(float(total)) for name, total in pd.DataFrame(list(parts)).sum().items()}


def _rounded(figures_of: Mapping[str, float]) -> dict[str, float | None]:
    """Return rounded figures; None where nothing could be measured, which JSON can say and NaN is not."""
    return {name: round(float(value), 3) if math.isfinite(value) else None for name, value in figures_of.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
