from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.candidates import LADDER
from models.choice import choose, loss_by_customer, says_something

STEPS = LADDER
SOME = ("rule", "logistic", "blend", "lightgbm")
BOTH = np.array([0, 1] * 5, dtype=np.int8)


def judged(**losses: list[float]) -> pd.DataFrame:
    """Return tested snapshots, one per customer, with these log losses under each candidate."""
    parts = [
        pd.DataFrame(
            {
                "customer_id": [f"K{number}" for number in range(len(found))],
                "candidate": name,
                "label": np.ones(len(found), dtype=np.int8),
                "probability": np.exp(-np.array(found)),
            }
        )
        for name, found in losses.items()
    ]
    return pd.concat(parts, ignore_index=True)


def said(truth: float, *, seed: int = 1, customers: int = 200, level: float = 0.0) -> pd.DataFrame:
    """Return two tests of two candidates: one knows nothing, the score of the other holds so much of the truth."""
    rng = np.random.default_rng(seed)
    tests = []
    for day in ("2025-01-01", "2025-02-01"):
        label = (rng.random(customers) < 1 / (1 + np.exp(-level))).astype(np.int8)
        for name, weight in (("rule", 0.0), ("lightgbm", truth)):
            log_odds = level + weight * (2 * label - 1) + rng.normal(size=customers) / 10
            tests.append(
                pd.DataFrame(
                    {
                        "test": day,
                        "customer_id": [f"K{number}" for number in range(customers)],
                        "candidate": name,
                        "label": label,
                        "probability": 1 / (1 + np.exp(-log_odds)),
                    }
                )
            )
    return pd.concat(tests, ignore_index=True)


def test_a_candidate_that_knows_something_is_seen_and_one_that_knows_nothing_is_not() -> None:
    assert says_something(said(0.3))
    assert not says_something(said(0.0))
    assert not says_something(said(-0.3))
    assert not says_something(said(0.0).head(0))


@pytest.mark.parametrize("level", [-3.0, 3.0])
def test_a_level_alone_is_no_knowledge(level: float) -> None:
    assert not says_something(said(0.0, level=level))


def test_the_loss_of_a_customer_is_the_mean_over_the_tests() -> None:
    tests = said(0.5)
    own = tests.loc[(tests["customer_id"] == "K7") & (tests["candidate"] == "lightgbm")]
    losses = [-np.log(p if label else 1 - p) for p, label in zip(own["probability"], own["label"], strict=True)]
    assert loss_by_customer(tests).loc["K7", "lightgbm"] == pytest.approx(np.mean(losses))


def test_too_few_outcomes_leave_the_rhythm_and_no_tests_the_blend() -> None:
    assert choose(said(0.5), BOTH[:4], STEPS)[0] == "rhythm"
    assert choose(said(0.5).head(0), BOTH, STEPS)[0] == "blend"


def test_the_blend_speaks_within_one_standard_error_of_the_best() -> None:
    noise = [0.3, -0.3] * 20
    near = [0.5 + 0.01 + each for each in noise]
    losses = judged(rule=[2.0] * 40, logistic=[0.6] * 40, blend=near, lightgbm=[0.5] * 40)
    assert choose(losses, BOTH, SOME) == ("blend", "blend is within one standard error of the best (lightgbm)")


def test_beyond_one_standard_error_the_best_is_taken() -> None:
    noise = [0.3, -0.3] * 20
    far = [0.5 + 0.1 + each for each in noise]
    losses = judged(rule=[2.0] * 40, logistic=[0.6] * 40, blend=far, lightgbm=[0.5] * 40)
    said_why = "lightgbm is better than the blend by more than one standard error"
    assert choose(losses, BOTH, SOME) == ("lightgbm", said_why)


def test_the_blend_is_taken_when_it_is_the_best_or_when_all_are_alike() -> None:
    best = judged(rule=[0.5] * 9, logistic=[0.5] * 9, blend=[0.4] * 9, lightgbm=[0.5] * 9)
    assert choose(best, BOTH, SOME) == ("blend", "blend is the best")
    alike = judged(rule=[0.5] * 9, logistic=[0.5] * 9, blend=[0.5] * 9, lightgbm=[0.5] * 9)
    assert choose(alike, BOTH, SOME)[0] == "blend"


def test_trees_held_to_directions_speak_for_free_ones_that_are_hardly_better() -> None:
    noise = [0.3, -0.3] * 20
    near, far = ([0.4 + more + each for each in noise] for more in (0.08, 0.1))  # standard error 0.048
    others = {"rule": [2.0] * 40, "blend": [0.9] * 40, "lightgbm": [0.4] * 40}
    names = ("rule", "blend", "monotone", "lightgbm")
    told = "monotone is within two standard errors of the best (lightgbm)"
    assert choose(judged(**others, monotone=near), BOTH, names) == ("monotone", told)
    assert choose(judged(**others, monotone=far), BOTH, names)[0] == "lightgbm"


def test_of_equals_that_beat_the_blend_the_simpler_is_taken() -> None:
    losses = judged(lightgbm=[0.4] * 9, blend=[0.5] * 9, rule=[0.4] * 9)
    assert choose(losses, BOTH, ("rule", "blend", "lightgbm"))[0] == "rule"


def test_the_standard_error_counts_customers_not_snapshots() -> None:
    noise = [0.3, -0.3] * 5
    losses = judged(blend=[0.58 + each for each in noise], lightgbm=[0.5] * 10)
    repeated = pd.concat([losses] * 30, ignore_index=True)
    assert choose(losses, BOTH, ("blend", "lightgbm"))[0] == "blend"
    assert choose(repeated, BOTH, ("blend", "lightgbm"))[0] == "blend"
    renamed = repeated.assign(customer_id=repeated.groupby("candidate").cumcount().astype("str"))
    assert choose(renamed, BOTH, ("blend", "lightgbm"))[0] == "lightgbm"
