from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import Churn
from features.rhythm import Buyers, fit_rhythm
from models.settings import Value
from models.win_back import if_returned, learn_return_margin, learn_timing, window_since

CHURN = Churn(lead_days=14, horizon_days=90, active_within_days=180)
VALUE = Value(years=5, discount_rate=0.08, margin_share=0.25)


def lapsed(count: int, *, returned: int, days: int = 6, basket: float = 100.0, recency: float = 200.0) -> pd.DataFrame:
    """Return lapsed customers of which the first ``returned`` came back; all had bought alike."""
    return pd.DataFrame(
        {
            "customer_id": [f"K{number}" for number in range(count)],
            "label": pd.array([1] * returned + [0] * (count - returned), dtype="Int8"),
            "sales__recency_days": recency,
            "sales__tenure_days": 700.0,
            "sales__purchase_days": float(days),
            "sales__orders_728d": float(days),
            "sales__turnover_728d": basket * days,
        }
    )


def later(rows: pd.DataFrame, since: float) -> pd.DataFrame:
    """Return the matrix a lead and horizon later, in which every returner has bought for ``since``."""
    bought = np.where(rows["label"] == 1, since, 0.0)
    return pd.DataFrame({"customer_id": rows["customer_id"], "sales__turnover_182d": bought})


def rhythm():
    rng = np.random.default_rng(3)
    count = rng.integers(1, 12, 200).astype(float)
    tenure = rng.uniform(200, 900, 200)
    gap = np.where(count > 1, tenure * 0.8, 0)
    return fit_rhythm(
        Buyers(
            tenure=tenure,
            recency=tenure * 0.2,
            purchase_days=count,
            gaps=count - 1,
            gap=gap,
            gap_squared=gap**2 / np.maximum(count - 1, 1),
        )
    )


@pytest.mark.parametrize(
    ("lead", "horizon", "active", "window"),
    [(14, 90, 180, 182), (0, 28, 30, 28), (14, 180, 180, 364), (0, 92, 60, None), (14, 60, 180, 91)],
)
def test_the_window_covers_the_days_since_and_no_purchase_from_before(lead, horizon, active, window):
    assert window_since(Churn(lead_days=lead, horizon_days=horizon, active_within_days=active)) == window


def test_many_returners_tell_how_many_days_of_purchase_a_return_brings():
    rows = lapsed(4000, returned=2000)
    found = learn_return_margin([(rows, later(rows, 300.0))], churn=CHURN, settings=VALUE)
    assert found.returners == 2000
    assert found.days_of(rows)[0] == pytest.approx(3.0, rel=0.02)


def test_few_returners_are_drawn_towards_one_day_of_purchase():
    rows = lapsed(10, returned=2)
    found = learn_return_margin([(rows, later(rows, 900.0))], churn=CHURN, settings=VALUE)
    assert 1.0 < found.days_of(rows)[0] < 3.0


def test_without_any_past_a_return_is_one_day_of_purchase():
    found = learn_return_margin([], churn=CHURN, settings=VALUE)
    assert (found.days, found.returners) == ((1.0, 1.0, 1.0), 0)
    odd = Churn(lead_days=0, horizon_days=92, active_within_days=60)
    rows = lapsed(100, returned=50)
    assert learn_return_margin([(rows, later(rows, 300.0))], churn=odd, settings=VALUE).returners == 0


def test_frequent_and_rare_buyers_are_told_apart():
    rare, often = lapsed(600, returned=600, days=3), lapsed(600, returned=600, days=20)
    often["customer_id"] = "F" + often["customer_id"]
    rows = pd.concat([rare, often], ignore_index=True)
    bought = pd.concat([later(rare, 100.0), later(often, 500.0)], ignore_index=True)
    found = learn_return_margin([(rows, bought)], churn=CHURN, settings=VALUE)
    assert found.days_of(rare)[0] == pytest.approx(1.0, abs=0.2)
    assert found.days_of(often)[0] == pytest.approx(5.0, abs=0.3)


def test_the_margin_is_in_money_and_the_value_reaches_over_the_years():
    rows = lapsed(4000, returned=2000)
    learned = learn_return_margin([(rows, later(rows, 300.0))], churn=CHURN, settings=VALUE)
    found = if_returned(rows, learned, rhythm=rhythm(), churn=CHURN, settings=VALUE)
    assert found["margin_if_returned"].iloc[0] == pytest.approx(3 * 100 * 0.25, rel=0.02)
    assert (found["value_if_returned"] > found["margin_if_returned"]).all()
    short = if_returned(rows, learned, rhythm=rhythm(), churn=CHURN, settings=VALUE.model_copy(update={"years": 1}))
    assert (short["value_if_returned"] < found["value_if_returned"]).all()


def test_how_long_a_customer_has_been_silent_does_not_lower_what_a_return_brings():
    learned = learn_return_margin([], churn=CHURN, settings=VALUE)
    early, late = (
        if_returned(lapsed(1, returned=0, recency=recency), learned, rhythm=rhythm(), churn=CHURN, settings=VALUE)
        for recency in (181.0, 600.0)
    )
    assert early["value_if_returned"].tolist() == pytest.approx(late["value_if_returned"].tolist())


def test_the_best_moment_ends_where_returns_have_halved():
    rows = [
        lapsed(200, returned=round(200 * share), recency=recency)
        for recency, share in ((196.0, 0.4), (224.0, 0.38), (252.0, 0.25), (280.0, 0.05), (308.0, 0.3))
    ]
    found = learn_timing(pd.concat(rows, ignore_index=True))
    assert found is not None
    assert (found.best_from, found.best_until) == (196, 280)
    assert found.returns == sum(int(part["label"].sum()) for part in rows)


def test_below_twenty_returns_nothing_is_said_about_the_moment():
    assert learn_timing(lapsed(500, returned=19)) is None
    assert learn_timing(lapsed(500, returned=20)) is not None


@settings(max_examples=30, deadline=None)
@given(
    outcomes=st.lists(st.tuples(st.integers(181, 900), st.booleans()), min_size=60, max_size=200),
)
def test_shares_by_silence_are_those_of_a_plain_count_drawn_towards_the_companys(outcomes):
    rows = pd.DataFrame({"sales__recency_days": [float(day) for day, _ in outcomes],
                         "label": pd.array([int(came) for _, came in outcomes], dtype="Int8")})  # fmt: skip
    found, returns = learn_timing(rows), sum(came for _, came in outcomes)
    if returns < 20:
        assert found is None
        return
    overall = returns / len(outcomes)
    for first, share, asked in zip(found.first, found.share, found.snapshots, strict=True):
        own = [came for day, came in outcomes if first <= day < first + 28]
        assert asked == len(own)
        assert share == pytest.approx((sum(own) + 20 * overall) / (len(own) + 20))
    assert found.best_from <= found.first[int(np.argmax(found.share))] < found.best_until
