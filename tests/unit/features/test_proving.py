"""The proof finds each planted leak on the company's own rows, and nothing wrong with our features."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pytest

from features.catalogue import Group, OwnGroup, catalogue
from features.definition import Churn
from features.errors import FeatureError
from features.history import History, load_history
from features.ledger import Column, Past
from features.ledgers import READINGS
from features.norms import norms_at
from features.proving import LATER_DAYS, broken_promises, require_kept
from tests.oracle.companies import company, taken_in
from tests.properties.leaks import LEAKS

CHURN = Churn()
CUTOFFS = (date(2022, 6, 1), date(2023, 7, 1), date(2024, 2, 29), date(2024, 8, 1))
NEEDS: dict[str, tuple[str, ...]] = {"orders": ()}
PLANTED = {name: leak.feature for name, leak in LEAKS.items() if leak.feature}


def history_with(
    compute: Callable[..., Column], *, needs: dict[str, tuple[str, ...]] = NEEDS, seed: int = 5
) -> History:
    """Return the history of a difficult company whose own features are ``compute``."""
    group = Group("own", needs=needs)
    group.feature(unit="x", family="own")(compute)
    return load_history(taken_in(company(Random(seed))), catalogue([OwnGroup(group=group, place="test")]))


def promises_broken(history: History) -> set[str]:
    norms = {day: norms_at(history, cutoff=day) for day in CUTOFFS}
    own = [feature for feature in history.catalogue if feature.group == "own"]
    return {each.promise for each in broken_promises(history, norms=norms, churn=CHURN, features=own)}


def test_our_own_features_keep_every_promise() -> None:
    history = load_history(taken_in(company(Random(5))))
    norms = {day: norms_at(history, cutoff=day) for day in CUTOFFS}
    assert list(broken_promises(history, norms=norms, churn=CHURN)) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(name: str) -> None:
    group, compute = PLANTED[name]
    assert any(promises_broken(history_with(compute, needs=group.GROUP.needs, seed=seed)) for seed in range(5, 10))


def test_the_future_is_found_and_told_in_one_line() -> None:
    def bought_ever(purchases: Past) -> Column:
        """Days of purchase of all times [count]."""
        return np.bincount(purchases.ledger.customer, minlength=1000)[purchases.customers].astype(np.float64)

    history = history_with(bought_ever)
    norms = {day: norms_at(history, cutoff=day) for day in CUTOFFS}
    with pytest.raises(FeatureError, match=r"own__bought_ever is \d+ for customer K\d+ on 2022-06-01, but \d+ without"):
        require_kept(history, norms=norms, churn=CHURN)


def test_a_look_at_other_customers_is_found() -> None:
    def against_all(purchases: Past) -> Column:
        """Days of purchase over the most of anybody asked for [ratio]."""
        return purchases.count() / max(purchases.count().max(initial=1.0), 1.0)

    assert {"others", "asked"} <= promises_broken(history_with(against_all))


def test_an_honest_feature_passes() -> None:
    def bought(purchases: Past) -> Column:
        """Days of purchase [count]."""
        return purchases.count()

    history = history_with(bought)
    norms = {day: norms_at(history, cutoff=day) for day in CUTOFFS}
    assert promises_broken(history) == set()
    require_kept(history, norms=norms, churn=CHURN)


def test_every_day_on_which_a_known_row_changes_is_named() -> None:
    agreed_beforehand = {"term", "due"}
    dated: dict[str, set[Any]] = {
        table: {number.name for number in reading.numbers if "DATE '1970-01-01'" in number.sql} - agreed_beforehand
        for table, reading in READINGS.items()
    }
    told = {name for days in LATER_DAYS.values() for name in days}
    assert {table: names for table, names in dated.items() if names - told} == {}
