from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from models.calibrate import (
    INTERVAL,
    Calibration,
    at_level_of,
    fit_calibration,
    probability_interval,
    uncalibrated,
    untested_on_later_time,
)

INTERCEPT, SLOPE = -0.4, 1.25
AT = np.array([-1.5, 0.0, 1.0])


def simulated(seed: int, *, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=rows) * 1.2
    return score, (rng.random(rows) < special.expit(INTERCEPT + SLOPE * score)).astype(np.int8)


def covered(calibration: Calibration) -> np.ndarray:
    low, high = probability_interval(calibration.log_odds(AT), calibration.spread(AT))
    truth = special.expit(INTERCEPT + SLOPE * AT)
    return np.asarray((low <= truth) & (truth <= high))


def coverage(*, claimed_customers: int, times: int) -> np.ndarray:
    fits = [fit_calibration(*simulated(seed, rows=400), n_customers=claimed_customers) for seed in range(times)]
    return np.asarray(np.mean([covered(fit) for fit in fits], axis=0))


def test_intercept_and_slope_are_found_again() -> None:
    found = fit_calibration(*simulated(1, rows=100_000), n_customers=100_000)
    assert (found.intercept, found.slope) == pytest.approx((INTERCEPT, SLOPE), abs=0.03)


def test_on_many_rows_the_map_is_that_of_an_unpenalised_logistic_regression() -> None:
    score, label = simulated(2, rows=50_000)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(score[:, None], label)
    found = fit_calibration(score, label, n_customers=50_000)
    assert (found.intercept, found.slope) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), abs=2e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    assert coverage(claimed_customers=400, times=200) == pytest.approx(np.full(3, INTERVAL), abs=0.06)


def test_intervals_that_pretend_to_know_more_are_caught() -> None:
    assert (coverage(claimed_customers=4000, times=50) < INTERVAL - 0.06).all()


def test_small_slices_change_little_and_large_ones_follow_the_data() -> None:
    apart = []
    for rows in (4, 40, 400, 4000):
        score = np.linspace(-2, 2, rows)
        label = (np.arange(rows) % 4 > 0).astype(np.int8)
        found = fit_calibration(score, label, n_customers=rows)
        apart.append(abs(np.log(found.slope)))
    assert apart == sorted(apart)
    assert apart[0] < 0.15


def test_an_empty_slice_gives_the_prior() -> None:
    found = fit_calibration(np.empty(0), np.empty(0, dtype=np.int8), n_customers=0)
    assert (found.intercept, found.slope, found.n_rows) == (0.0, 1.0, 0)
    assert np.array(found.covariance) == pytest.approx(np.diag([4.0, 0.09]))


def test_the_slope_stays_above_zero_where_the_score_ranks_the_wrong_way_round() -> None:
    score, label = simulated(3, rows=5000)
    found = fit_calibration(-score, label, n_customers=5000)
    assert 0 < found.slope < 0.2
    assert (np.diff(found.log_odds(np.sort(score))) >= 0).all()


def test_outcomes_told_apart_without_a_flaw_stay_finite() -> None:
    score = np.r_[np.full(500, -30.0), np.full(500, 30.0)]
    found = fit_calibration(score, (score > 0).astype(np.int8), n_customers=1000)
    assert np.isfinite([found.intercept, found.slope, *found.spread(score)]).all()


def test_several_snapshots_of_one_customer_count_as_little_more_than_one() -> None:
    score, label = simulated(4, rows=20_000)
    each, repeated = (fit_calibration(score, label, n_customers=count) for count in (20_000, 5_000))
    assert (repeated.intercept, repeated.slope) == (each.intercept, each.slope)
    assert repeated.spread(AT) / each.spread(AT) == pytest.approx(np.full(3, 2.0), rel=0.02)


def test_the_covariance_is_the_inverse_of_the_curvature_of_the_loss() -> None:
    score, label = simulated(5, rows=3000)
    found = fit_calibration(score, label, n_customers=3000)

    def loss(intercept: float, slope: float) -> float:
        z = intercept + slope * score
        prior = (intercept / 2) ** 2 + ((slope - found.slope) / (0.3 * found.slope)) ** 2
        return float(np.sum(np.logaddexp(0, z) - label * z) + prior / 2)

    step, at = 1e-3, (found.intercept, found.slope)
    shifts = ((step, 0.0), (0.0, step))
    curvature = np.array(
        [
            [
                sum(
                    i * j * loss(at[0] + i * one[0] + j * two[0], at[1] + i * one[1] + j * two[1])
                    for i in (-1, 1)
                    for j in (-1, 1)
                )
                / (4 * step**2)
                for two in shifts
            ]
            for one in shifts
        ]
    )
    assert np.linalg.inv(curvature) == pytest.approx(np.array(found.covariance), rel=1e-3, abs=1e-6)


def test_without_a_later_slice_nothing_changes_and_little_is_sure() -> None:
    none = uncalibrated()
    assert none.log_odds(AT).tolist() == AT.tolist()
    assert none.spread(np.zeros(1)) == pytest.approx([1.0])
    assert none.spread(AT).min() > fit_calibration(*simulated(6, rows=60), n_customers=60).spread(AT).max()


def test_the_level_of_a_slice_adds_up_to_its_outcomes_and_keeps_the_slope() -> None:
    random = np.random.default_rng(5)
    score = random.normal(size=4000)
    label = (random.random(4000) < special.expit(score - 1.5)).astype(np.int8)
    pooled = fit_calibration(score, (random.random(4000) < special.expit(score)).astype(np.int8), n_customers=4000)
    moved = at_level_of(pooled, score, label, n_customers=4000)
    assert moved.slope == pooled.slope
    assert moved.intercept == pytest.approx(-1.5, abs=0.15)
    assert special.expit(moved.log_odds(score)).mean() == pytest.approx(label.mean(), abs=0.001)


def test_a_slice_of_three_customers_hardly_moves_the_level_and_leaves_it_unsure() -> None:
    score = np.array([-0.2, 0.0, 0.3])
    pooled = fit_calibration(np.zeros(500), np.r_[np.ones(250), np.zeros(250)].astype(np.int8), n_customers=500)
    moved = at_level_of(pooled, score, np.zeros(3, dtype=np.int8), n_customers=3)
    assert -1.2 < moved.intercept < 0
    assert moved.spread(np.zeros(1))[0] > pooled.spread(np.zeros(1))[0]


def test_what_the_model_in_use_has_learned_since_the_folds_is_not_corrected_twice() -> None:
    random = np.random.default_rng(6)
    truth = random.normal(size=4000)
    label = (random.random(4000) < special.expit(truth)).astype(np.int8)
    said_by_fold, said_in_use = truth + 4, truth  # the fold's model knew only a time in which everybody left
    twice = fit_calibration(said_by_fold, label, n_customers=4000)
    once = at_level_of(twice, said_in_use, label, n_customers=4000)
    assert special.expit(twice.log_odds(said_in_use)).mean() < 0.1
    assert special.expit(once.log_odds(said_in_use)).mean() == pytest.approx(label.mean(), abs=0.001)


def test_what_no_later_time_has_checked_keeps_its_score_and_is_less_sure() -> None:
    score = np.linspace(-3, 3, 400)
    label = (np.random.default_rng(1).random(400) < special.expit(score)).astype(np.int8)
    found = fit_calibration(score, label, n_customers=400)
    unsure = untested_on_later_time(found)
    assert np.array_equal(unsure.log_odds(score), found.log_odds(score))
    assert (unsure.spread(score) >= 1.0).all()
    assert (unsure.spread(score) > found.spread(score)).all()
    assert unsure.n_rows == 0
