"""The verdict: a model that beats every rival, one that is level, one that loses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models.verdict import against_rivals

DAYS = (date(2025, 1, 1), date(2025, 6, 1))


def said(noise: Mapping[str, float], *, customers: int = 300, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what ``own`` and the rivals said; the more noise, the worse."""
    rng, parts = np.random.default_rng(seed), []
    for day in DAYS:
        risk = rng.normal(size=customers)
        label = (risk + rng.normal(size=customers) > 0).astype(np.int8)
        for name, size in noise.items():
            columns = {"test": day, "customer_id": [f"K{at}" for at in range(customers)], "candidate": name}
            heard = risk + size * rng.normal(size=customers)
            parts.append(pd.DataFrame({**columns, "label": label, "log_odds": heard}))
    whole = pd.concat(parts, ignore_index=True)
    return whole[whole["candidate"] == "own"], whole[whole["candidate"] != "own"]


@pytest.mark.parametrize(
    ("own", "says", "beats"), [(0.0, "better", True), (1.0, "level", False), (30.0, "worse", False)]
)
def test_the_verdict_follows_the_interval_of_the_difference(own: float, says: str, beats: bool) -> None:
    verdict = against_rivals(*said({"own": own, "weak": 8.0, "strong": 1.0}))
    assert (verdict.rival, verdict.says) == ("strong", says)
    assert verdict.facts()["beats_rivals"] is beats
    assert verdict.low <= verdict.difference <= verdict.high


def test_the_difference_is_that_of_the_mean_over_the_tested_cutoffs() -> None:
    own, rivals = said({"own": 0.5, "strong": 1.0})
    found = [
        roc_auc_score(a["label"], a["log_odds"]) - roc_auc_score(b["label"], b["log_odds"])
        for (_, a), (_, b) in zip(own.groupby("test"), rivals.groupby("test"), strict=True)
    ]
    assert against_rivals(own, rivals).difference == pytest.approx(np.mean(found))


def test_the_order_of_rows_plays_no_part() -> None:
    own, rivals = said({"own": 0.5, "strong": 1.0})
    shuffled = against_rivals(own.sample(frac=1, random_state=1), rivals.sample(frac=1, random_state=2))
    assert shuffled == against_rivals(own, rivals)


def test_without_a_test_or_a_rival_nothing_is_known() -> None:
    own, rivals = said({"own": 0.5, "strong": 1.0})
    for verdict in (against_rivals(own.head(0), rivals.head(0)), against_rivals(own, rivals.head(0))):
        assert verdict.facts() == {
            "beats_rivals": False, "verdict": "unknown", "best_rival": "",
            "difference": None, "low": None, "high": None,
        }  # fmt: skip


def test_a_rival_that_did_not_speak_of_everybody_does_not_count() -> None:
    own, rivals = said({"own": 1.0, "weak": 8.0, "strong": 0.0})
    silent = rivals[~((rivals["candidate"] == "strong") & (rivals["customer_id"] == "K0"))]
    assert against_rivals(own, silent).rival == "weak"
