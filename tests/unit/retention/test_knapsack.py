from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.knapsack import choose

COLUMNS = ["customer_id", "owner", "measure", "cost", "hours", "expected_net_value"]


def instance(seed: int, *, customers: int, owners: int, measures: int) -> tuple[pd.DataFrame, float, float]:
    """Return random options with a budget and hours that bind."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        owner = f"o{rng.integers(owners)}"
        for measure in range(rng.integers(1, measures + 1)):
            price = (rng.choice([0, 5, 20, 60, 150.0]), rng.choice([0.1, 0.5, 1, 2, 3.0]))
            rows.append((f"c{customer:03d}", owner, f"m{measure}", *price, rng.lognormal(4, 1.2)))
    options = pd.DataFrame(rows, columns=COLUMNS)
    share = rng.uniform(0.1, 0.8, 2)
    return options, share[0] * options["cost"].sum() / measures, share[1] * options["hours"].sum() / measures / owners


def exact(options: pd.DataFrame, budget: float, hours: float) -> float:
    """Return the best net value over every combination of at most one option per customer."""
    groups = [[None, *group.itertuples()] for _, group in options.groupby("customer_id")]
    best = 0.0
    for combination in product(*groups):
        taken = [option for option in combination if option is not None]
        by_owner: dict[str, float] = {}
        for option in taken:
            by_owner[option.owner] = by_owner.get(option.owner, 0.0) + option.hours
        affordable = sum(option.cost for option in taken) <= budget + 1e-9
        if affordable and all(spent <= hours + 1e-9 for spent in by_owner.values()):
            best = max(best, sum(option.expected_net_value for option in taken))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_greedy_is_within_five_per_cent_of_exact_on_small_instances(seed):
    options, budget, hours = instance(seed, customers=6, owners=2, measures=3)
    gained = options.loc[choose(options, budget=budget, hours_per_owner=hours), "expected_net_value"].sum()
    assert gained >= 0.95 * exact(options, budget, hours)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 4), st.integers(1, 5))
def test_budget_hours_and_one_measure_per_customer_always_hold(seed, customers, owners, measures):
    options, budget, hours = instance(seed, customers=customers, owners=owners, measures=measures)
    chosen = options[choose(options, budget=budget, hours_per_owner=hours)]
    assert chosen["cost"].sum() <= budget + 1e-6
    assert (chosen.groupby("owner")["hours"].sum() <= hours + 1e-6).all()
    assert not chosen["customer_id"].duplicated().any()


def test_with_plenty_everybody_gets_the_best_measure():
    options, _, _ = instance(1, customers=30, owners=2, measures=4)
    chosen = options[choose(options, budget=1e9, hours_per_owner=1e9)]
    assert chosen["expected_net_value"].sum() == pytest.approx(
        options.groupby("customer_id")["expected_net_value"].max().sum()
    )


def test_with_nothing_only_what_is_free_is_done():
    options = pd.DataFrame([("a", "o", "m", 1, 1, 9.0), ("b", "o", "m", 0, 0, 1.0)], columns=COLUMNS)
    assert choose(options, budget=0, hours_per_owner=0).tolist() == [False, True]
    assert choose(options.head(0), budget=0, hours_per_owner=0).tolist() == []
