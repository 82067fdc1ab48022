"""Where everybody stands: figures against those of one ranking alone, intervals, segments, what cannot be."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.metrics import roc_auc_score

from models.metrics import calibration_error
from models.standing import DELIVERED, standing

DAYS = (date(2025, 1, 1), date(2025, 6, 1))


def folds(noise: dict[str, float], *, customers: int = 200) -> pd.DataFrame:
    """Return judged snapshots of rankings that know the risk up to some noise."""
    rng, parts = np.random.default_rng(8), []
    for day in DAYS:
        risk = rng.normal(size=customers)
        label = (rng.random(customers) < special.expit(risk - 0.5)).astype(np.int8)
        for name, size in noise.items():
            log_odds = risk - 0.5 + size * rng.normal(size=customers)
            columns = {
                "test": day,
                "customer_id": [f"K{at:04d}" for at in range(customers)],
                "kind": "delivered" if name == DELIVERED else "rival",
                "candidate": name,
                "label": label,
                "log_odds": log_odds,
                "probability": special.expit(log_odds),
                "stake": np.arange(customers, dtype=float),
                "segment": np.where(np.arange(customers) < customers // 2, "A", "B"),
            }
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    return folds({DELIVERED: 0.2, "weak": 3.0})


@pytest.fixture(scope="module")
def found(judged: pd.DataFrame) -> dict[str, object]:
    return standing(judged, places=20, segments=["segment"])


def part(judged: pd.DataFrame, name: str, day: date) -> pd.DataFrame:
    return judged[((judged["candidate"] == name) & (judged["test"] == day)).to_numpy(dtype=bool)]


def test_every_figure_of_an_origin_is_that_of_its_rows_alone(judged: pd.DataFrame, found: dict[str, dict]) -> None:
    for name in (DELIVERED, "weak"):
        for day in DAYS:
            rows, told = part(judged, name, day), found["rankings"][name]["by_origin"][str(day)]
            assert told["auc"] == pytest.approx(roc_auc_score(rows["label"], rows["log_odds"]), abs=1e-6)
            expected = calibration_error(rows["label"].to_numpy(), rows["probability"].to_numpy())
            assert told["calibration_error"] == pytest.approx(expected, abs=1e-6)
            top = rows.nlargest(20, "log_odds")["label"]
            assert told["gains_at_list"] == pytest.approx(top.sum() / rows["label"].sum(), abs=1e-6)
            assert told["lift_at_list"] == pytest.approx(top.mean() / rows["label"].mean(), abs=1e-5)


def test_the_mean_is_over_origins_and_lies_inside_its_interval(found: dict[str, dict]) -> None:
    for ranking in found["rankings"].values():
        origins = ranking["by_origin"].values()
        assert ranking["mean"]["auc"] == pytest.approx(np.mean([each["auc"] for each in origins]), abs=2e-6)
        assert ranking["mean"]["n"] == 400
        for figure, (low, high) in ranking["interval"].items():
            if figure != "calibration_error":  # absolute gaps only grow by drawing anew
                assert low < ranking["mean"][figure] < high


def test_a_worse_ranking_is_behind_what_was_delivered_and_the_difference_is_paired(found: dict[str, dict]) -> None:
    value, low, high = found["rankings"]["weak"]["behind_delivered"]["auc"]
    means = {name: ranking["mean"]["auc"] for name, ranking in found["rankings"].items()}
    assert value == pytest.approx(means["weak"] - means[DELIVERED], abs=2e-6)
    assert low <= value <= high < 0
    assert "behind_delivered" not in found["rankings"][DELIVERED]


def test_segments_are_measured_on_their_own_customers(judged: pd.DataFrame, found: dict[str, dict]) -> None:
    assert set(found["segments"]["segment"]) == {"A", "B"}
    mine = judged[(judged["segment"] == "A").to_numpy(dtype=bool)]
    expected = [roc_auc_score(p["label"], p["log_odds"]) for p in (part(mine, DELIVERED, day) for day in DAYS)]
    assert found["segments"]["segment"]["A"][DELIVERED]["mean"]["auc"] == pytest.approx(np.mean(expected), abs=2e-6)


def test_where_all_outcomes_are_alike_there_is_no_ranking_and_json_can_hold_it(judged: pd.DataFrame) -> None:
    told = standing(judged.assign(label=np.int8(0)), places=5)
    assert told["rankings"][DELIVERED]["mean"]["auc"] is None
    assert told["rankings"][DELIVERED]["mean"]["value_captured"] is None
    json.dumps(told, allow_nan=False)


def test_a_rival_that_spoke_at_one_origin_only_has_figures_but_no_difference(judged: pd.DataFrame) -> None:
    silent = judged[~((judged["candidate"] == "weak") & (judged["test"] == DAYS[0])).to_numpy(dtype=bool)]
    told = standing(silent, places=5)["rankings"]["weak"]
    assert list(told["by_origin"]) == [str(DAYS[1])]
    assert "behind_delivered" not in told
    assert told["interval"]["auc"] == [None, None]


def test_without_a_judged_snapshot_nothing_is_said() -> None:
    assert standing(pd.DataFrame(), places=5) == {"rankings": {}, "segments": {}, "list_size": 5}


def test_the_order_of_rows_changes_nothing(judged: pd.DataFrame, found: dict[str, dict]) -> None:
    shuffled = standing(judged.sample(frac=1, random_state=3), places=20, segments=["segment"])
    assert shuffled == {**found, "rankings": {name: found["rankings"][name] for name in found["rankings"]}}
