"""Promises are checked against naive oracles; drift is found, and what is no drift is not called one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pandas.testing import assert_frame_equal
from scipy import special
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from models.calibrate import fit_calibration, probability_interval
from models.matured import MOST_CUTOFFS, Matured, Recheck, recheck

DRAWS = 200
FIRST = date(2026, 1, 1)


def promises(
    rng: np.random.Generator,
    *,
    customers: int = 300,
    cutoffs: int = 1,
    base: float = -1.0,
    shift: float = 0.0,
    slope: float = 1.0,
    learned_from: int = 0,
) -> pd.DataFrame:
    """Promises about the same customers week by week, whose outcomes stick to them.

    The truth lies ``shift`` above the promise and spreads ``slope`` times as far. With ``learned_from`` rows to
    calibrate on, promises are as wrong as such a calibration is, and say how wrong they may be.
    """
    truth = base + rng.normal(0, 1.2, customers)
    said, spread = truth, np.zeros(customers)
    if learned_from:
        past = base + rng.normal(0, 1.2, learned_from)
        label = (rng.uniform(size=learned_from) < special.expit(past)).astype(np.int8)
        calibration = fit_calibration(past, label, n_customers=learned_from)
        said, spread = calibration.log_odds(truth), calibration.spread(truth)
    chance = special.expit(base + shift + slope * (truth - base))
    sticky = rng.normal(size=customers)
    return pd.concat(
        [
            frame(said, spread, _outcome(rng, chance, sticky), cutoff=FIRST + timedelta(weeks=week))
            for week in range(cutoffs)
        ],
        ignore_index=True,
    )


def _outcome(rng: np.random.Generator, chance: NDArray[np.float64], sticky: NDArray[np.float64]) -> Any:
    drawn = norm.cdf(np.sqrt(0.7) * sticky + np.sqrt(0.3) * rng.normal(size=len(chance)))
    return (drawn < chance).astype(np.int8)


def frame(log_odds: Any, spread: Any, label: Any, *, cutoff: date = FIRST) -> pd.DataFrame:
    low, high = probability_interval(np.asarray(log_odds, dtype=np.float64), np.asarray(spread, dtype=np.float64))
    columns = {
        "cutoff": [cutoff] * len(label),
        "customer_id": pd.Series([f"c{number}" for number in range(len(label))], dtype="str"),
        "probability": special.expit(log_odds),
        "probability_low": low,
        "probability_high": high,
        "label": np.asarray(label, dtype=np.int8),
    }
    return pd.DataFrame(columns)


def together(rows: pd.DataFrame) -> Matured:
    pooled = recheck(rows).pooled
    assert pooled is not None
    return pooled


def flagged(draws: int = DRAWS, **how: Any) -> tuple[float, float]:
    """Share of draws in which the level, the slope, is said to have drifted."""
    found = [together(promises(np.random.default_rng(seed), **how)) for seed in range(draws)]
    return float(np.mean([each.level_drifts for each in found])), float(np.mean([each.slope_drifts for each in found]))


def test_the_figures_of_one_cutoff_are_those_of_a_naive_reckoning() -> None:
    rows = promises(np.random.default_rng(1), shift=0.5, slope=0.7, learned_from=400)
    found, said, label = together(rows), rows["probability"].to_numpy(), rows["label"].to_numpy()
    pairs = [(a > b) + 0.5 * (a == b) for a in said[label == 1] for b in said[label == 0]]
    assert (found.cutoff, found.snapshots, found.customers, found.outcomes) == (None, 300, 300, int(label.sum()))
    assert found.auc == pytest.approx(np.mean(pairs))
    assert (found.promised, found.share) == pytest.approx((said.mean(), label.mean()))
    assert (found.promised_low, found.promised_high) == pytest.approx(
        (rows["probability_low"].mean(), rows["probability_high"].mean())
    )
    tenths = np.array_split(np.argsort(said), 10)
    assert found.calibration_error == pytest.approx(np.mean([abs((label - said)[each].mean()) for each in tenths]))


def test_intercept_and_slope_are_those_of_logistic_regression_with_errors_by_customer() -> None:
    rows = promises(np.random.default_rng(2), cutoffs=3, shift=0.4, slope=0.7)
    found, label = together(rows), rows["label"].to_numpy()
    z = special.logit(rows["probability"].to_numpy())
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(z[:, None], label)
    assert found.slope == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert special.expit(z + found.intercept).sum() == pytest.approx(label.sum())
    gaps = (label - special.expit(fitted.intercept_[0] + fitted.coef_[0, 0] * z))[:, None] * np.c_[np.ones(len(z)), z]
    meat = sum(np.outer(own, own) for own in (part.sum(0) for part in _by_customer(gaps, rows)))
    chance = special.expit(fitted.intercept_[0] + fitted.coef_[0, 0] * z)
    bread = np.linalg.inv((np.c_[np.ones(len(z)), z].T * (chance * (1 - chance))) @ np.c_[np.ones(len(z)), z])
    error = np.sqrt((bread @ meat @ bread)[1, 1])
    assert found.slope_high - found.slope == pytest.approx(1.6448536 * error, rel=1e-3)


def _by_customer(gaps: NDArray[np.float64], rows: pd.DataFrame) -> list[NDArray[np.float64]]:
    ids = rows["customer_id"].to_numpy()
    return [gaps[ids == each] for each in dict.fromkeys(ids)]


def test_saying_the_same_of_the_same_customers_again_makes_nothing_surer() -> None:
    once = promises(np.random.default_rng(3))
    again = pd.concat([once.assign(cutoff=FIRST + timedelta(weeks=week)) for week in range(4)])
    one, four = together(once), together(again)
    assert (four.snapshots, four.customers) == (1200, 300)
    for name in ("share_low", "share_high", "intercept_low", "intercept_high", "slope_low", "slope_high"):
        assert getattr(four, name) == pytest.approx(getattr(one, name)), name


def test_the_order_of_rows_does_not_matter() -> None:
    rows = promises(np.random.default_rng(4), cutoffs=2, learned_from=200)
    assert recheck(rows.sample(frac=1, random_state=1)) == recheck(rows)


def test_only_the_newest_cutoffs_are_looked_at_oldest_first() -> None:
    found = recheck(promises(np.random.default_rng(5), customers=40, cutoffs=MOST_CUTOFFS + 2))
    assert [each.cutoff for each in found.by_cutoff] == [FIRST + timedelta(weeks=week) for week in range(2, 8)]


@pytest.mark.parametrize("how", [{"cutoffs": 1}, {"cutoffs": 3}, {"learned_from": 300}, {"base": -3.0}])
def test_promises_that_are_true_raise_a_false_alarm_in_few_of_two_hundred_draws(how: dict[str, Any]) -> None:
    level, slope = flagged(**how)
    assert level <= 0.03
    assert slope <= 0.03


def test_a_level_that_has_moved_is_found() -> None:
    assert flagged(60, shift=0.8)[0] >= 0.9
    assert flagged(60, shift=-0.8, learned_from=3000)[0] >= 0.9
    found = together(promises(np.random.default_rng(6), shift=0.8))
    assert found.share > found.promised
    assert found.intercept_low > 0


def test_promises_too_far_apart_or_too_close_are_found_by_their_slope() -> None:
    assert flagged(60, slope=0.4)[1] >= 0.9
    assert flagged(60, slope=2.0, customers=600)[1] >= 0.9


def test_what_the_promise_left_open_is_no_drift() -> None:
    rng = np.random.default_rng(7)
    rows = promises(rng, shift=0.8)
    wide = frame(special.logit(rows["probability"]), np.full(len(rows), 1.0), rows["label"])
    assert together(rows).level_drifts
    assert not together(wide).level_drifts


def test_a_difference_too_small_to_matter_is_no_drift_however_sure() -> None:
    found = together(promises(np.random.default_rng(8), customers=200_000, shift=0.06))
    assert found.intercept_low > 0
    assert not found.drifts


def test_few_outcomes_tell_nothing_and_outcomes_all_alike_have_no_intercept() -> None:
    few = together(frame(np.full(60, -4.0), np.zeros(60), [1] * 3 + [0] * 57))
    assert not few.is_told
    assert not few.drifts
    none = together(frame(np.linspace(-2, 0, 400), np.zeros(400), [0] * 400))
    assert np.isnan([none.intercept, none.slope, none.auc]).all()
    assert (none.level_drifts, none.share, none.share_low) == (True, 0.0, 0.0)


def test_promises_all_alike_have_no_slope() -> None:
    found = together(frame(np.full(400, 0.0), np.zeros(400), [0, 1] * 200))
    assert np.isnan(found.slope)
    assert (found.auc, found.drifts) == (0.5, False)


def test_the_error_that_chance_alone_makes_is_what_true_promises_show() -> None:
    found = [together(promises(np.random.default_rng(seed), customers=400)) for seed in range(60)]
    shown, said = (
        np.mean([getattr(each, name) for each in found]) for name in ("calibration_error", "error_by_chance")
    )
    assert shown == pytest.approx(said, rel=0.1)


def test_nothing_matured_is_nothing_and_a_table_tells_all_there_is() -> None:
    rows = promises(np.random.default_rng(9), cutoffs=2)
    empty, found = recheck(rows.head(0)), recheck(rows)
    assert (empty.by_cutoff, empty.pooled) == ((), None)
    for each in (empty, found):
        again = Recheck.from_frame(each.to_frame())
        assert_frame_equal(again.to_frame(), each.to_frame())
    assert Recheck.from_frame(found.to_frame()) == found
