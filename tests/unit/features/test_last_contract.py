"""What the last contracts amounted to: beside every amount stands what a person would add up row by row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

import numpy as np
import pytest

from features.cohort import cohort_of
from features.definition import Churn
from features.history import History, Seen, load_history
from features.last_contract import LAST_AMOUNT, last_amounts_of
from features.matrix import build_matrix, feature_names, of_cohort
from features.timeline import day_number
from tests.oracle.companies import TIMEZONE, Company, company, known_of, some_cutoffs, taken_in
from tests.oracle.known import snapshot_of
from tests.unit.features.small import Row, contract, day, history, order

CONTRACT = Churn(definition="contract", lapsed_within_days=900, lead_days=7, horizon_days=20)
CUTOFF = day("2024-03-01")
SEEDS = range(4)


def amounts(made: History, churn: Churn = CONTRACT) -> Mapping[str, float]:
    """Return the amount of every customer in a cohort on the morning of the cutoff."""
    seen = made.at(day_number(CUTOFF))
    cohort = cohort_of(seen, churn=churn)
    found = last_amounts_of(seen, cohort, churn=churn)[LAST_AMOUNT]
    return dict(zip(made.customer_ids[np.r_[cohort.active, cohort.lapsed]], found, strict=True))


def signed(*contracts: Row) -> History:
    customers = sorted({row["customer_id"] for row in contracts})
    return history(orders=[order(each, "2022-01-01") for each in customers], contracts=list(contracts))


def counted(made: Company, customer: str, cutoff: date) -> float | None:
    """Add up the contracts of a lapsed customer that ended last, row by row; None while one runs or there was none."""
    known = snapshot_of(made, customer, cutoff, timezone=TIMEZONE).contracts
    if not known or any(row["ends_on"] is None or row["ends_on"] >= cutoff for row in known):
        return None
    last = max(row["ends_on"] for row in known)
    return round(sum(row["recurring_amount"] or 0 for row in known if row["ends_on"] == last), 2)


class AllKnowing(Seen):
    """A morning on which rows are seen before they are known."""

    def columns(self, customers, compute):
        return list(compute(self.history, customers))


def with_late_contracts(random: Random, made: Company) -> Company:
    """Return a company in which every second contract is noted only after it has ended."""
    ended = [row for row in made["contracts"] if row["ends_on"] is not None and random.random() < 0.5]
    for row in ended:
        row["known_at"] = row["ends_on"] + timedelta(days=random.randrange(1, 200))
    return made


def compared(seeds: range, morning: type[Seen] = Seen) -> tuple[int, list[object]]:
    """Return how many lapsed snapshots random companies have, and those whose amount is not the one counted by hand."""
    lapsed, wrong = 0, []
    for seed in seeds:
        random = Random(seed)
        made = with_late_contracts(random, company(random, customers=30))
        whole = load_history(taken_in(made))
        for cutoff in some_cutoffs(random, made, count=25):
            cohort = cohort_of(whole.at(day_number(cutoff)), churn=CONTRACT)
            found = last_amounts_of(morning(whole, day_number(cutoff)), cohort, churn=CONTRACT)[LAST_AMOUNT]
            assert found[: len(cohort.active)].isna().all()
            lapsed += len(cohort.lapsed)
            for customer, amount in zip(whole.customer_ids[cohort.lapsed], found[len(cohort.active) :], strict=True):
                expected = counted(made, customer, cutoff)
                wrong += [] if amount == pytest.approx(expected) else [(cutoff, customer, amount, expected)]
    return lapsed, wrong


def test_the_amount_is_that_of_all_contracts_that_ran_on_the_last_day_under_contract() -> None:
    made = signed(
        contract("a", "2022-01-01", "2023-06-30", recurring_amount=70.0),
        contract("a", "2022-05-01", "2023-12-31", recurring_amount=20.5),
        contract("a", "2023-05-01", "2023-12-31", recurring_amount=10.0),
        contract("b", "2022-01-01", "2024-02-29", recurring_amount=8.0),
        contract("c", "2022-01-01", "2024-03-01", recurring_amount=9.0),
    )
    assert amounts(made) == pytest.approx({"a": 30.5, "b": 8.0, "c": np.nan}, nan_ok=True)


def test_under_another_definition_or_without_amounts_it_is_missing() -> None:
    ended = signed(contract("a", "2022-01-01", "2023-12-31", recurring_amount=70.0))
    assert np.isnan(amounts(ended, Churn(active_within_days=30, lapsed_within_days=900))["a"])
    assert np.isnan(amounts(signed(contract("a", "2022-01-01", "2023-12-31")))["a"])


def test_a_contract_that_became_known_later_does_not_count_yet() -> None:
    late = contract("a", "2023-02-01", "2024-01-31", recurring_amount=50.0, known_at=day("2024-03-01"))
    early = contract("a", "2022-01-01", "2023-12-31", recurring_amount=20.0, known_at=day("2022-01-01"))
    assert amounts(signed(early, late)) == {"a": 20.0}
    assert amounts(signed(early, {**late, "known_at": day("2024-02-29")})) == {"a": 50.0}


def test_it_is_no_feature() -> None:
    made = signed(contract("a", "2022-01-01", "2023-12-31", recurring_amount=70.0))
    matrix = build_matrix(made, cutoff=CUTOFF, churn=CONTRACT, known_until=CUTOFF)
    assert of_cohort(matrix, "lapsed")[LAST_AMOUNT].tolist() == [70.0]
    assert LAST_AMOUNT not in feature_names(matrix)


def test_the_amount_equals_the_one_counted_row_by_row_in_random_companies() -> None:
    lapsed, wrong = compared(SEEDS)
    assert lapsed >= 100
    assert not wrong


def test_the_count_finds_an_amount_that_is_known_too_early() -> None:
    assert compared(SEEDS, AllKnowing)[1]


def test_what_becomes_known_on_the_cutoff_or_later_changes_no_amount() -> None:
    made = company(Random(11))
    early = {name: [row for row in rows if known_of(name, row) < CUTOFF] for name, rows in made.items()}
    assert amounts(load_history(taken_in(made))) == pytest.approx(amounts(load_history(taken_in(early))), nan_ok=True)
