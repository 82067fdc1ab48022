"""R15: what a model learns from and what it scores are made the same way, and a past day can be replayed."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pandas as pd
import pytest

from features.definition import Churn
from features.history import History, load_history
from features.intake import take_in_frames
from features.matrix import build_matrix, feature_names
from pipelines.demo.company import demo_company

CHURN = Churn(lead_days=14, horizon_days=90)
ZONE = "Europe/Berlin"
END = date(2026, 3, 1)

Tables = dict[str, pd.DataFrame]


def known(tables: Tables, cutoff: date | None) -> History:
    """Return the history a run on the morning of ``cutoff`` takes in from the raw tables."""
    with take_in_frames(tables, cutoff=cutoff, timezone=ZONE) as taken:
        return load_history(taken)


def learned_from(history: History, day: date) -> pd.DataFrame:
    """Return the snapshots of ``day`` as training sees them months later, without their labels."""
    return build_matrix(history, cutoff=day, churn=CHURN, known_until=END).drop(columns="label")


def scored_on(tables: Tables, day: date) -> pd.DataFrame:
    """Return the snapshots of ``day`` as that morning's run made them from the raw tables."""
    return build_matrix(known(tables, day), cutoff=day, churn=CHURN, known_until=day).drop(columns="label")


def replayed(customers: int, days: int, *, seed: int) -> tuple[int, list[str]]:
    """Compare both ways on so many days; return the snapshots compared and the days that differ."""
    tables = {name: frame.copy() for name, frame in demo_company(customers=customers, seed=seed).tables.items()}
    history, count, different = known(tables, END), 0, []
    first = history.rows["orders"]["day"].min()
    span = (END - date(1970, 1, 1)).days - int(first)
    for _ in range(days):
        day = END - timedelta(days=Random(f"{seed} {count}").randrange(1, span - 100))
        before, then = learned_from(history, day), scored_on(tables, day)
        count += len(then)
        names = list(feature_names(then))
        same = before[names].to_numpy().tobytes() == then[names].to_numpy().tobytes()
        if not same or list(before.columns) != list(then.columns) or not before.iloc[:, :3].equals(then.iloc[:, :3]):
            different.append(str(day))
    return count, different


@pytest.mark.slow
def test_training_and_scoring_see_the_same_features_of_a_day() -> None:
    count, different = replayed(150, 6, seed=5)
    assert different == []
    assert count >= 400


@pytest.mark.night
def test_r15_ten_thousand_customers_and_thirty_replayed_days_are_identical() -> None:
    count, different = replayed(2000, 30, seed=15)
    assert different == []
    assert count >= 10_000


def test_a_day_off_by_one_is_seen() -> None:
    tables = {name: frame.copy() for name, frame in demo_company(customers=40, seed=5).tables.items()}
    day = END - timedelta(days=200)
    before, then = learned_from(known(tables, END), day), scored_on(tables, day - timedelta(days=1))
    assert not before.reset_index(drop=True).equals(then.reset_index(drop=True))
