"""Reasons of IBM Telco: what 1,869 customers told, against what contracts let infer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.winning.told import TAXONOMY, inferred, measured
from pipelines.library import Company

ROOT = Path(__file__).resolve().parents[2]


def telco_agreement(folder: Path) -> Mapping[str, Any]:
    """Return the agreement of inferred with told reasons; the set has contracts, but no complaints or contacts."""
    status = pd.read_parquet(folder / "v11_1_3_status.parquet")
    reasons = status.dropna(subset=["Churn Reason"]).set_index("Customer ID")["Churn Reason"].astype("str")
    told = TAXONOMY.understood_all(reasons)
    company = Company.from_config(ROOT / "configs" / "ibm_telco.yaml", root=ROOT)
    found = inferred(company, company.newest_cutoff(), frozenset(told.index))
    return {
        **measured(told.reindex(found.index), found),
        "understood": round(float((told != "unknown").mean()), 3),
        "told": told.value_counts().to_dict(),
    }
