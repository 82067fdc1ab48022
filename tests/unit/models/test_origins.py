"""Origins: past mornings whose splits are sound, and planted overlaps that are found."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest

from features.definition import Churn
from features.errors import LeakageError
from features.timeline import horizon_of, training_cutoffs
from models.origins import origins_of, require_sound, spread
from tests.unit.models.snapshots import CHURN, cutoffs, snapshots

GRID = training_cutoffs(first_day=date(2022, 1, 1), known_until=date(2025, 6, 1), churn=CHURN)
ORIGIN = cutoffs(6)[-1]
LEARNABLE = tuple(day for day in cutoffs(6) if horizon_of(day, CHURN).end <= ORIGIN)


def learn() -> pd.DataFrame:
    return snapshots(1, customers=20, days=LEARNABLE)


def ranked() -> pd.DataFrame:
    return snapshots(2, customers=20, days=(ORIGIN,))


def test_origins_lie_a_whole_lead_and_horizon_apart_where_the_history_allows_it() -> None:
    found = origins_of(GRID, CHURN)
    assert found[-1] == GRID[-1]
    assert 3 <= len(found) <= 6
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(days=104)}


def test_a_short_history_still_gives_three_origins_that_overlap() -> None:
    short = GRID[-8:]
    found = origins_of(short, CHURN)
    assert len(found) == 3
    assert all(any(horizon_of(day, CHURN).end <= origin for day in short) for origin in found)


def test_without_a_finished_cutoff_before_it_no_origin_is_asked() -> None:
    assert origins_of(GRID[-2:], CHURN) == ()
    assert spread((), CHURN, least=3, most=6) == ()


def test_a_sound_split_passes() -> None:
    require_sound(learn(), ranked(), origin=ORIGIN, churn=CHURN)


def test_a_horizon_that_reaches_into_the_judged_days_is_found() -> None:
    late = LEARNABLE[-1] + timedelta(days=1)
    while horizon_of(late, CHURN).end <= ORIGIN:
        late += timedelta(days=1)
    planted = pd.concat([learn(), snapshots(3, customers=1, days=(late,))], ignore_index=True)
    with pytest.raises(LeakageError, match=rf"learns from cutoff {late}, whose horizon ends {ORIGIN}, inside"):
        require_sound(planted, ranked(), origin=ORIGIN, churn=CHURN)


def test_the_judged_snapshots_themselves_are_found_among_those_learned_from() -> None:
    planted = pd.concat([learn(), ranked().head(1)], ignore_index=True)
    with pytest.raises(LeakageError, match=f"learns from cutoff {ORIGIN}"):
        require_sound(planted, ranked(), origin=ORIGIN, churn=CHURN)


def test_a_missing_label_is_found() -> None:
    planted = learn()
    planted.loc[3, "label"] = pd.NA
    with pytest.raises(LeakageError, match=r"learns from customer K00003 on .*nothing was known on that morning"):
        require_sound(planted, ranked(), origin=ORIGIN, churn=CHURN)


def test_snapshots_of_another_day_and_customers_judged_twice_are_found() -> None:
    other = snapshots(2, customers=2, days=(ORIGIN - timedelta(days=1),))
    with pytest.raises(LeakageError, match=f"judges snapshots of {ORIGIN - timedelta(days=1)}"):
        require_sound(learn(), pd.concat([ranked(), other]), origin=ORIGIN, churn=CHURN)
    with pytest.raises(LeakageError, match="judges customer K00000 twice"):
        require_sound(learn(), pd.concat([ranked(), ranked().head(1)]), origin=ORIGIN, churn=CHURN)


def test_the_lead_belongs_to_what_must_be_over() -> None:
    day = ORIGIN - timedelta(days=90)
    rows = snapshots(4, customers=5, days=(day,))
    require_sound(rows, ranked(), origin=ORIGIN, churn=Churn(lead_days=0, horizon_days=90))
    with pytest.raises(LeakageError, match="leave out cutoffs after"):
        require_sound(rows, ranked(), origin=ORIGIN, churn=Churn(lead_days=1, horizon_days=90))
