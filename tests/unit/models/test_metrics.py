from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as theirs

from models.metrics import brier_parts, calibration_error, evaluate, lift_at, log_losses


def outcomes(seed: int, *, rows: int = 300, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.beta(1, 3, rows)
    probability = probability.round(1) if ties else probability
    return (rng.random(rows) < probability).astype(np.int8), probability


def naive_lift(label: np.ndarray, score: np.ndarray, places: int) -> float:
    """Mean lift over all lists that order equal scores by chance."""
    rng, found = np.random.default_rng(0), []
    for _ in range(4000):
        order = sorted(range(len(score)), key=lambda row: (-score[row], rng.random()))
        found.append(label[order[:places]].mean() / label.mean())
    return float(np.mean(found))


def naive_calibration_error(label: np.ndarray, probability: np.ndarray, bins: int) -> float:
    total = 0.0
    held: dict[int, list[float]] = {}
    for one, p in zip(label, probability, strict=True):
        below, equal = sum(probability < p), sum(probability == p)
        middle = (below + equal / 2) / len(probability)
        held.setdefault(min(int(middle * bins), bins - 1), []).append(float(one) - float(p))
    for gaps in held.values():
        total += abs(sum(gaps) / len(gaps)) * len(gaps)
    return total / len(probability)


@pytest.mark.parametrize("ties", [False, True])
def test_metrics_are_those_of_scikit_learn(ties: bool) -> None:
    label, probability = outcomes(1, ties=ties)
    found = evaluate(label, probability)
    assert found["auc"] == pytest.approx(theirs.roc_auc_score(label, probability))
    assert found["average_precision"] == pytest.approx(theirs.average_precision_score(label, probability))
    assert found["brier"] == pytest.approx(theirs.brier_score_loss(label, probability))
    assert (found["n"], found["base_rate"]) == (300, label.mean())
    if not ties:
        assert found["log_loss"] == pytest.approx(theirs.log_loss(label, probability))


def test_rank_metrics_are_missing_when_all_outcomes_are_alike() -> None:
    lost, kept = (evaluate(np.full(5, one, dtype=np.int8), np.linspace(0.1, 0.9, 5)) for one in (1, 0))
    assert np.isnan([lost["auc"], lost["average_precision"], kept["auc"], kept["lift_at_10"]]).all()
    assert lost["lift_at_10"] == 1.0
    assert np.isfinite([lost["log_loss"], lost["brier"], kept["calibration_error"]]).all()


def test_the_log_loss_of_what_was_held_impossible_is_large_but_finite() -> None:
    losses = log_losses(np.array([1, 0, 1], dtype=np.int8), np.array([0.0, 1.0, 1.0]))
    assert losses == pytest.approx([-np.log(1e-9), -np.log(1e-9), 0.0])


@pytest.mark.parametrize("share", [0.05, 0.1, 0.33, 1.0])
def test_lift_shares_the_edge_of_the_list_among_equal_scores(share: float) -> None:
    label, score = outcomes(2, rows=40, ties=True)
    places = int(np.ceil(share * 40))
    assert lift_at(label, score, share=share) == pytest.approx(naive_lift(label, score, places), rel=0.04)


def test_row_order_changes_no_metric() -> None:
    label, probability = outcomes(3, ties=True)
    order = np.random.default_rng(0).permutation(len(label))
    assert evaluate(label[order], probability[order]) == pytest.approx(dict(evaluate(label, probability)), abs=1e-12)


def test_the_list_has_as_many_places_as_the_share_says() -> None:
    label = np.r_[np.ones(7), np.zeros(93)].astype(np.int8)
    assert lift_at(label, np.arange(100.0, 0, -1), share=0.07) == pytest.approx(100 / 7)
    assert lift_at(label[:5], np.arange(5.0, 0, -1), share=0.001) == 1.0


@pytest.mark.parametrize(
    ("label", "share", "message"),
    [
        ([1, 0], 0.5, r"^churned has 2 rows, score 3; they must be the same customers$"),
        ([1, 0, 0], 0.0, r"^share must lie in \(0, 1\], got 0.0$"),
        ([1, 0, 0], 1.01, r"^share must lie in \(0, 1\], got 1.01$"),
        ([0, 0, 0], 0.5, r"^nobody churned: there is no lift to measure$"),
    ],
)
def test_a_lift_that_cannot_be_measured_says_why(label: list[int], share: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lift_at(np.array(label, dtype=np.int8), np.array([0.9, 0.5, 0.1]), share=share)


@pytest.mark.parametrize(("rows", "ties"), [(3, False), (50, True), (237, False), (237, True)])
def test_the_calibration_error_is_that_of_a_naive_loop(rows: int, ties: bool) -> None:
    label, probability = outcomes(4, rows=rows, ties=ties)
    assert calibration_error(label, probability) == pytest.approx(naive_calibration_error(label, probability, 10))


def test_the_calibration_error_finds_a_planted_shift_of_the_level() -> None:
    label, probability = outcomes(5, rows=20_000)
    assert calibration_error(label, probability) < 0.02
    assert calibration_error(label, probability * 0.6) == pytest.approx(0.1, abs=0.015)


def test_a_handful_of_snapshots_does_not_outweigh_the_many_that_share_a_probability() -> None:
    label = np.r_[np.tile([0, 0, 1], 99), 1].astype(np.int8)
    assert calibration_error(label, np.r_[np.full(297, 1 / 3), 0.4]) == pytest.approx(0.6 / 298)


@pytest.mark.parametrize("seed", range(3))
def test_the_brier_score_is_the_sum_of_its_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.beta(2, 5, size=500)
    label = (rng.random(500) < probability).astype(np.int8)
    parts = brier_parts(label, probability)
    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert whole == pytest.approx(np.mean((label - probability) ** 2))
    assert parts.uncertainty == pytest.approx(label.mean() * (1 - label.mean()))
    assert abs(parts.within) < 0.01


def test_the_parts_are_those_of_murphy_where_probabilities_fall_into_few_levels() -> None:
    probability, label = np.repeat([0.1, 0.4, 0.8], [40, 40, 20]), np.zeros(100, dtype=np.int8)
    label[[0, 1, 2, 3, 40, 41, 42, 43, 44, 45, 46, 47, *range(80, 98)]] = 1
    levels = [(40, 0.1, 4 / 40), (40, 0.4, 8 / 40), (20, 0.8, 18 / 20)]
    parts = brier_parts(label, probability)
    assert parts.reliability == pytest.approx(sum(n * (said - came) ** 2 for n, said, came in levels) / 100)
    assert parts.resolution == pytest.approx(sum(n * (came - 0.3) ** 2 for n, _, came in levels) / 100)
    assert parts.within == pytest.approx(0.0, abs=1e-12)


def test_a_biased_probability_is_unreliable_and_as_resolved_as_before() -> None:
    rng = np.random.default_rng(4)
    probability = rng.beta(2, 5, size=2000)
    label = (rng.random(2000) < probability).astype(np.int8)
    honest, biased = brier_parts(label, probability), brier_parts(label, probability / 2)
    assert biased.reliability > honest.reliability + 0.01
    assert biased.resolution == pytest.approx(honest.resolution)
