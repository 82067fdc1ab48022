"""A small made-up run, from which each test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import catalogue
from features.definition import Churn
from retention.measures import shipped_measures
from retention.report.inputs import FOLD_COLUMNS, ReportInputs
from retention.segments import abc, risk_bands

CUTOFF = date(2026, 7, 1)
REASONS = ("sales__recency_days", "rhythm__silent_chance", "sales__turnover_91d", "complaints__open_count")


def scores_of(customers: int, *, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    probability, value = rng.uniform(0.02, 0.9, customers), rng.lognormal(7, 1, customers)
    ids = pd.Series([f"C{number:07d}" for number in range(customers)], dtype="str")
    columns: dict[str, Any] = {
        "customer_id": ids,
        "probability": probability,
        "probability_low": probability * 0.8,
        "probability_high": probability + (1 - probability) * 0.1,
        "risk_band": risk_bands(pd.Series(probability), base_rate=0.4),
        "segment": abc(pd.Series(value, index=ids)).to_numpy(),
        "value": value,
        "value_at_risk": probability * value,
    }
    names = np.array(REASONS, dtype=object)
    for place in range(1, 6):
        columns[f"reason_{place}"] = pd.Series(names[rng.integers(0, len(names), customers)], dtype="str")
        columns[f"contribution_{place}"] = rng.normal(0, 1 / place, customers)
    return pd.DataFrame(columns)


def listed(scores: pd.DataFrame, rows: int, *, stake: str, **changed: Any) -> pd.DataFrame:
    first = scores.sort_values("value_at_risk", ascending=False, ignore_index=True).head(rows)
    sentences = [f"Gefährdet: Grund {place}" for place in range(1, 6)]
    return first.assign(
        rank=range(1, len(first) + 1),
        name=[f"Firma {number}" for number in range(len(first))],
        owner="Erika Muster",
        by_when=date(2026, 10, 12),
        **{stake: first["value_at_risk"]},
        **{f"why_{place}": pd.Series(sentences[place - 1], index=first.index, dtype="str") for place in range(1, 6)},
        measure="call",
        channel="phone",
        allowed_channels="phone, letter",
        note=pd.Series(None, index=first.index, dtype="str"),
        since=CUTOFF,
        new_because="Neu auf der Liste",
    ).assign(**changed)


def folds_of(rows: int, *, purpose: str = "churn") -> pd.DataFrame:
    rng = np.random.default_rng(3)
    probability = rng.uniform(0, 1, rows)
    label = (rng.uniform(0, 1, rows) < probability).astype(np.int8)
    parts = [
        pd.DataFrame({"purpose": purpose, "candidate": name, "label": label, "probability": shown})
        for name, shown in (("lightgbm", probability), ("rule", rng.permutation(probability)))
    ]
    return pd.concat(parts, ignore_index=True)[list(FOLD_COLUMNS)]


def evidence_of(**changed: Any) -> dict[str, Any]:
    metrics = {"auc": 0.75, "average_precision": 0.7, "log_loss": 0.5, "brier": 0.2, "calibration_error": 0.02}
    own = {**metrics, "lift_at_10": 2.5, "base_rate": 0.4, "n": 2700.0}
    return {
        "chosen": "lightgbm",
        "remark": "lightgbm is the best",
        "metrics": {"lightgbm": own, "rule": {**own, "auc": 0.6}},
        "tests": ["2026-03-01", "2026-04-01"],
        "training_cutoffs": ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"],
        "snapshots": 4000,
        "customers": 1200,
        "base_rate": 0.4,
        **changed,
    }


def data_of(**changed: Any) -> dict[str, Any]:
    tables = ("customers", "orders", "complaints", "contacts", "feedback", "contracts", "losses", "treatments")
    balance = {"read": 1000, "accepted": 990, "quarantined": 4, "later": 6}
    return {
        "balances": [{"table": table, **balance} for table in tables],
        "notes": [],
        "features": [feature.name for feature in catalogue()],
        "missing_features": [],
        "last_known": "2026-06-30",
        "data": "d" * 64,
        **changed,
    }


def inputs_of(**changed: Any) -> ReportInputs:
    scores, returns = scores_of(60), scores_of(20, seed=8)
    plan = pd.DataFrame(
        {"customer_id": ["a", "b"], "measure": "call", "arm": ["treatment", "control"], "cost": 2.0, "hours": 0.5}
    )
    whole = ReportInputs(
        name="beispiel",
        language="de",
        currency="EUR",
        cutoff=CUTOFF,
        horizon_first=date(2026, 7, 15),
        horizon_last=date(2026, 10, 12),
        churn=Churn(),
        scores=scores,
        returns=returns,
        early_warning=listed(scores, 30, stake="value_at_risk"),
        win_back=listed(returns, 10, stake="expected_value"),
        plan=plan,
        not_contactable=pd.DataFrame({"customer_id": ["x"], "list": ["win_back"], "why_not": ["objection"]}),
        owners=pd.Series("Erika Muster", index=scores["customer_id"], dtype="str"),
        measures=shipped_measures(),
        evidence={"churn": evidence_of(), "return": evidence_of(chosen="rhythm")},
        folds=folds_of(400),
        data=data_of(),
        run={"run_id": "r" * 16, "config": "c" * 64, "model_version": "m1", "return_model_version": "m2"},
        features=catalogue(),
    )
    return replace(whole, **changed)


@pytest.fixture
def make() -> Any:
    """Return the maker of inputs: fields by name replace those of the made-up run."""
    return inputs_of
