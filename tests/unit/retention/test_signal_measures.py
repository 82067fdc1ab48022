"""The figures of signals: against a naive count customer by customer, and what they may not look at."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import Churn
from features.errors import LeakageError
from features.timeline import horizon_of
from retention.signal_measures import measured, worthwhile

CHURN = Churn(lead_days=10, horizon_days=40)
DAYS = [date(2025, 1, 1) + timedelta(days=25 * step) for step in range(6)]
LATER = date(2026, 1, 1)


def frame(rows: list[tuple[str, int, bool, bool]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = [(who, DAYS[at], int(lost)) for who, at, lost, _ in rows]
    return pd.DataFrame(keys, columns=["customer_id", "cutoff", "label"]), pd.DataFrame({"r": [row[3] for row in rows]})


def naive(rows: list[tuple[str, int, bool, bool]]) -> dict[str, float]:
    """Count by hand: losses are runs of label 1, announced by a firing before the first horizon of the run is over."""
    days = sorted({DAYS[row[1]] for row in rows})
    rows = [(who, days.index(DAYS[at]), lost, fires) for who, at, lost, fires in rows]
    at_cutoff = {at: [row[2] for row in rows if row[1] == at] for at in {row[1] for row in rows}}
    fired = [row for row in rows if row[3]]
    expected = sum(sum(at_cutoff[row[1]]) / len(at_cutoff[row[1]]) for row in fired)
    hits = sum(row[2] for row in fired)
    losses, leads = 0, []
    for who in {row[0] for row in rows}:
        mine = {row[1]: row for row in rows if row[0] == who}
        for at in sorted(mine):
            if not mine[at][2] or (at - 1 in mine and mine[at - 1][2]):
                continue
            losses += 1
            certain, place = horizon_of(days[at], CHURN).end, at
            while place in mine and mine[place][2]:
                if mine[place][3] and days[place] < certain:
                    first = place
                    while first - 1 in mine and mine[first - 1][3]:
                        first -= 1
                    leads.append((certain - days[first]).days)
                    break
                place += 1
    return {
        "firings": len(fired),
        "fired_customers": len({row[0] for row in fired}),
        "losses": losses,
        "coverage": len(fired) / len(rows),
        "precision": hits / len(fired) if fired else np.nan,
        "lift": hits / expected if expected else np.nan,
        "false_alarm_customers_share": 1 - len({row[0] for row in fired if row[2]}) / len({row[0] for row in fired})
        if fired
        else np.nan,
        "announced_share": len(leads) / losses if losses and fired else np.nan,
        "lead_days": median(leads) if leads else np.nan,
    }


@st.composite
def pasts(draw: st.DrawFn) -> list[tuple[str, int, bool, bool]]:
    keys = draw(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 5)), min_size=1, unique=True))
    return [(who, at, draw(st.booleans()), draw(st.booleans())) for who, at in keys]


@settings(max_examples=40, deadline=None)
@given(pasts())
def test_every_figure_is_what_counting_by_hand_gives(rows: list[tuple[str, int, bool, bool]]) -> None:
    keys, fires = frame(rows)
    found = measured(keys, fires, known_until=LATER, churn=CHURN).loc["r"]
    for name, value in naive(rows).items():
        assert found[name] == pytest.approx(value, nan_ok=True), name


def simulated(*, power: float, customers: int = 300, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    fires = rng.random((customers, len(DAYS))) < 0.2
    lost = rng.random(fires.shape) < np.where(fires, 0.1 * power, 0.1)
    rows = [(f"c{who}", at, lost[who, at], fires[who, at]) for who in range(customers) for at in range(len(DAYS))]
    return frame(rows)


def test_a_rule_that_announces_has_lift_and_one_of_chance_has_none() -> None:
    good = measured(*simulated(power=4), known_until=LATER, churn=CHURN).loc["r"]
    assert good["verdict"] == "lift"
    assert 1 < good["lift_low"] < good["lift"] < good["lift_high"]
    chance = measured(*simulated(power=1), known_until=LATER, churn=CHURN).loc["r"]
    assert chance["verdict"] == "none"
    assert chance["lift_low"] < 1 < chance["lift_high"]


def test_telling_the_same_of_each_customer_six_times_makes_nothing_surer() -> None:
    keys, fires = simulated(power=3)
    first = (keys["cutoff"] == DAYS[0]).to_numpy()
    once = measured(keys[first], fires[first], known_until=LATER, churn=CHURN).loc["r"]
    repeated = pd.concat([keys[first].assign(cutoff=day) for day in DAYS], ignore_index=True)
    again = pd.concat([fires[first]] * len(DAYS), ignore_index=True)
    six_times = measured(repeated, again, known_until=LATER, churn=CHURN).loc["r"]
    assert six_times["firings"] == 6 * once["firings"]
    for figure in ("lift", "lift_low", "lift_high"):
        assert six_times[figure] == pytest.approx(once[figure])


def test_a_snapshot_whose_horizon_is_not_over_is_refused() -> None:
    keys, fires = simulated(power=4, customers=5)
    with pytest.raises(LeakageError, match=r"cannot be measured on the snapshots of 2025-05-06: their horizon ends"):
        measured(keys, fires, known_until=date(2025, 6, 24), churn=CHURN)
    with pytest.raises(LeakageError, match="only be measured on snapshots with a label"):
        measured(keys.assign(label=pd.NA), fires, known_until=LATER, churn=CHURN)


def test_without_a_past_nothing_is_claimed_and_order_of_rows_changes_nothing() -> None:
    keys, fires = simulated(power=4)
    empty = measured(keys.head(0), fires.head(0), known_until=LATER, churn=CHURN)
    assert empty["verdict"].tolist() == ["unmeasured"]
    assert list(worthwhile(empty).index) == []
    assert list(worthwhile(empty, with_unproven=("unmeasured",)).index) == ["r"]
    mixed = np.random.default_rng(1).permutation(len(keys))
    shuffled = measured(keys.iloc[mixed], fires.iloc[mixed], known_until=LATER, churn=CHURN)
    pd.testing.assert_frame_equal(shuffled, measured(keys, fires, known_until=LATER, churn=CHURN))
