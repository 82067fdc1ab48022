"""The matrix: its shape, its labels, and that later rows, row order and the way it was built do not matter."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import numpy as np
import pandas as pd
import pytest

from features.definition import Churn
from features.errors import ContractError
from features.history import load_history
from features.loss_day import LOSS_DAY
from features.matrix import EARLY_LABEL, KEYS, build_matrix, feature_names, of_cohort, stack
from features.norms import norms_at
from features.outcomes import OUTCOMES
from tests.oracle.companies import Company, company, known_of, taken_in
from tests.unit.features.small import contract, day, history, order

CUTOFF = date(2024, 2, 29)
CHURN = Churn(active_within_days=200, lapsed_within_days=900, lead_days=14, horizon_days=90)


@pytest.fixture(scope="module")
def made() -> Company:
    return company(Random(12), customers=30)


def matrix_of(
    given: Company, *, known_until: date = date(2025, 2, 1), cutoff: date = CUTOFF, churn: Churn = CHURN
) -> pd.DataFrame:
    """Return the matrix of a company taken in with all that was known before ``known_until``."""
    history = load_history(taken_in(given, cutoff=known_until))
    return build_matrix(history, cutoff=cutoff, churn=churn, known_until=known_until)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two matrices are equal to the last bit."""
    keys = one[list(KEYS)].equals(other[list(KEYS)])
    names = feature_names(one)
    bits = [frame[list(names)].to_numpy().tobytes() for frame in (one, other)] if names == feature_names(other) else []
    return keys and bool(bits) and bits[0] == bits[1]


def test_a_matrix_has_keys_then_features_and_is_ordered_by_id(made: Company) -> None:
    matrix = matrix_of(made)
    assert tuple(matrix.columns[: len(KEYS)]) == KEYS
    assert {str(matrix[name].dtype) for name in feature_names(matrix)} == {"float64"}
    assert [str(matrix[name].dtype) for name in ("customer_id", "cohort", "label")] == ["str", "str", "Int8"]
    assert set(matrix["cutoff"]) == {CUTOFF}
    assert matrix["customer_id"].is_monotonic_increasing
    assert matrix["cohort"].value_counts().min() > 0
    assert matrix["customer_id"].is_unique


def test_the_early_label_is_the_label_of_half_the_horizon_and_known_on_its_last_day(made: Company) -> None:
    end = CUTOFF + timedelta(days=CHURN.lead_days + CHURN.horizon_days // 2)
    found = matrix_of(made, known_until=end)
    half = matrix_of(made, known_until=end, churn=CHURN.model_copy(update={"horizon_days": CHURN.horizon_days // 2}))
    assert found[EARLY_LABEL].notna().all()
    assert found["label"].isna().all()
    assert found[EARLY_LABEL].tolist() == half["label"].tolist()
    assert matrix_of(made, known_until=end - timedelta(days=1))[EARLY_LABEL].isna().all()


def test_whoever_has_not_bought_by_the_end_had_not_by_half_of_it(made: Company) -> None:
    differ = 0
    for morning in (CUTOFF - timedelta(days=50 * back) for back in range(6)):
        matrix = matrix_of(made, cutoff=morning, known_until=morning + timedelta(days=104))
        active, lapsed = (of_cohort(matrix, name) for name in ("active", "lapsed"))
        assert (active["label"] <= active[EARLY_LABEL]).all()
        assert (lapsed["label"] >= lapsed[EARLY_LABEL]).all()
        differ += int((matrix["label"] != matrix[EARLY_LABEL]).sum())
    assert differ > 0


def test_labels_are_there_when_the_horizon_is_finished_and_missing_one_day_earlier(made: Company) -> None:
    end = CUTOFF + timedelta(days=104)
    assert matrix_of(made, known_until=end)["label"].notna().all()
    assert matrix_of(made, known_until=end - timedelta(days=1))["label"].isna().all()


def test_both_labels_occur_in_both_cohorts(made: Company) -> None:
    found = matrix_of(made).groupby("cohort")["label"].agg(["min", "max"])
    assert found.to_numpy().tolist() == [[0, 1], [0, 1]]


def test_later_rows_deleted_from_the_source_give_the_same_bits(made: Company) -> None:
    end = CUTOFF + timedelta(days=104)
    deleted = {name: [row for row in rows if known_of(name, row) < end] for name, rows in made.items()}
    assert deleted != made
    assert same(matrix_of(made, known_until=end), matrix_of(deleted, known_until=end))
    assert same(matrix_of(made, known_until=CUTOFF), matrix_of(deleted, known_until=CUTOFF))


def test_the_training_path_gives_what_scoring_gave_that_morning(made: Company) -> None:
    scored = matrix_of(made, known_until=CUTOFF)
    learned = matrix_of(made, known_until=date(2025, 2, 1)).assign(
        **scored[["label", EARLY_LABEL, *OUTCOMES, *LOSS_DAY]]
    )
    assert same(scored, learned)


def test_the_order_of_the_source_does_not_matter(made: Company) -> None:
    random = Random(2)
    shuffled = {name: random.sample(rows, len(rows)) for name, rows in made.items()}
    assert same(matrix_of(made), matrix_of(shuffled))


def test_a_changed_past_is_noticed(made: Company) -> None:
    changed = {**made, "orders": [{**row, "amount": row["amount"] + 0.01} for row in made["orders"]]}
    assert not same(matrix_of(made), matrix_of(changed))


def test_norms_at_hand_give_the_same_matrix_as_one_fitted_anew(made: Company) -> None:
    history = load_history(taken_in(made))
    told = {"cutoff": CUTOFF, "churn": CHURN, "known_until": CUTOFF}
    given = build_matrix(history, norms=norms_at(history, cutoff=CUTOFF), **told)  # type: ignore[arg-type]
    assert same(given, build_matrix(history, **told))  # type: ignore[arg-type]


def test_a_cutoff_before_all_orders_is_refused(made: Company) -> None:
    with pytest.raises(ContractError, match=r"no customer is active or lapsed on 2001-01-01: check churn"):
        matrix_of(made, cutoff=date(2001, 1, 1))


def test_a_company_with_contracts_of_people_who_never_ordered_has_a_matrix() -> None:
    made = history(orders=[order("z", "2024-01-01")], contracts=[contract("k", "2023-01-01", recurring_amount=9.5)])
    churn = Churn(definition="contract")
    matrix = build_matrix(made, cutoff=day("2024-03-01"), churn=churn, known_until=day("2024-03-01"))
    assert matrix["customer_id"].tolist() == ["k"]
    assert matrix["relationship__recurring_amount"].tolist() == [9.5]
    assert matrix["sales__orders_364d"].tolist() == [0]
    assert np.isnan(matrix["sales__recency_days"]).all()


def test_matrices_are_stacked_in_order_and_taken_apart_by_cohort(made: Company) -> None:
    parts = [matrix_of(made), matrix_of(made, cutoff=date(2024, 6, 1))]
    whole = stack(parts)
    assert whole["cutoff"].is_monotonic_increasing
    assert len(of_cohort(whole, "active")) + len(of_cohort(whole, "lapsed")) == len(whole) == sum(map(len, parts))
    assert of_cohort(whole, "lapsed").index.tolist() == list(range(len(of_cohort(whole, "lapsed"))))


def test_the_season_a_year_before_is_asked_from_the_first_day_on_that_lies_in_it() -> None:
    cutoff = date(2025, 3, 1)
    first = [str(cutoff - timedelta(days=age)) for age in (364, 365)]
    again = [order(each, "2025-02-01") for each in "ab"]
    made = history(orders=[order("a", first[0]), order("b", first[1]), *again])
    matrix = build_matrix(made, cutoff=cutoff, churn=CHURN, known_until=cutoff)
    assert np.array_equal(matrix["sales__turnover_season_base_91d"], [np.nan, 10.0], equal_nan=True)
    assert np.array_equal(matrix["sales__turnover_season_91d"], [np.nan, 0.0], equal_nan=True)


def test_a_contract_runs_to_its_last_day_and_not_beyond() -> None:
    contracts = [
        contract("k", "2023-01-01", ends, recurring_amount=amount)
        for ends, amount in (("2024-02-29", 1.0), ("2024-03-01", 10.0), ("2024-03-02", 100.0), (None, 1000.0))
    ]
    made = history(orders=[order("k", "2024-02-01")], contracts=contracts)
    matrix = build_matrix(made, cutoff=day("2024-03-01"), churn=CHURN, known_until=day("2024-03-01"))
    assert matrix["relationship__recurring_amount"].tolist() == [1110.0]
