from __future__ import annotations

from datetime import date
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from models.plots import backtest_plots

NAMES = ["reliability.png", "gains.png"]


def folds(rows: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    log_odds = rng.normal(size=rows)
    one = pd.DataFrame(
        {
            "test": [date(2025, 1, 1)] * rows,
            "customer_id": [f"K{number}" for number in range(rows)],
            "candidate": "rule",
            "label": (rng.random(rows) < 0.4).astype(np.int8),
            "log_odds": log_odds,
            "probability": 1 / (1 + np.exp(-log_odds)),
        }
    )
    return pd.concat([one, one.assign(candidate="rhythm", probability=one["probability"][::-1].to_numpy())])


def size(png: bytes) -> tuple[int, ...]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return tuple(imread(BytesIO(png)).shape[:2])


@pytest.mark.parametrize("rows", [1, 2, 9, 90])
def test_both_plots_are_pngs_for_any_number_of_snapshots(rows: int) -> None:
    plots = backtest_plots(folds(rows), chosen="rhythm")
    assert list(plots) == NAMES
    assert [size(png) for png in plots.values()] == [(504, 624)] * 2


def test_nothing_tested_gives_no_plots() -> None:
    assert backtest_plots(folds().head(0), chosen="rhythm") == {}


def test_the_same_folds_give_the_same_bytes_in_any_order_of_rows() -> None:
    frame = folds()
    shuffled = pd.concat([frame.head(90).sample(frac=1, random_state=3), frame.tail(90)])
    first = backtest_plots(frame, chosen="rule")
    assert backtest_plots(frame, chosen="rule") == backtest_plots(shuffled, chosen="rule") == first


def test_other_outcomes_or_another_candidate_are_other_plots() -> None:
    frame, first = folds(), backtest_plots(folds(), chosen="rule")
    swapped = backtest_plots(frame.assign(label=1 - frame["label"]), chosen="rule")
    assert all(swapped[name] != first[name] for name in NAMES)
    assert backtest_plots(frame, chosen="rhythm")["reliability.png"] != first["reliability.png"]
