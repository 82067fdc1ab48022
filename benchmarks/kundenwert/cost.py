"""What the value of many customers over many years costs: seconds and memory, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_WORK = """
import json, resource, sys, time
import numpy as np, pandas as pd
from features.definition import Churn
from models.kundenwert import FirstYear, value_of
from models.settings import Value
from models.staying import Staying
rows, years = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(1)
margin = rng.lognormal(5, 1, rows)
first = FirstYear(margin=margin, low=0.3 * margin, high=2 * margin, cost=0.1 * margin, potential=0.5 * margin,
                  probability=rng.uniform(0, 1, rows))
began = time.perf_counter()
found = value_of(first, staying=Staying(return_share=0.2, concentration=4.5), churn=Churn(),
                 settings=Value(years=years), index=pd.RangeIndex(rows))
seconds = time.perf_counter() - began
assert found.notna().all(axis=None)
print(json.dumps({"rows": rows, "years": years, "seconds": round(seconds, 2),
                  "memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)}))
"""


def cost_of_value(rows: int, years: int) -> dict[str, float]:
    """Return seconds and peak memory [GB] of the value of so many customers over so many years, with intervals."""
    told = subprocess.run(
        [sys.executable, "-c", _WORK, str(rows), str(years)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return found
