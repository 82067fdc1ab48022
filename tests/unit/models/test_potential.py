from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.cost_to_serve import cost_to_serve
from models.potential import potential_of
from models.settings import CostToServe


def matrix(count: int, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [f"c{at}" for at in range(count)], **columns})


def about(count: int, size: list[str | None], kind: str = "b2b") -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": [f"c{at}" for at in range(count)], "type": kind, "industry": "steel", "size": size}
    )


def test_the_gap_is_what_good_customers_of_the_same_kind_bring_beyond() -> None:
    margin = np.array([10.0, 20, 30, 40, 1000, 2000, 3000, 4000])
    known = about(8, ["small"] * 4 + ["large"] * 4)
    found = potential_of(matrix(8), margin, known, least=4, level=0.5)
    assert found["margin_gap"].tolist() == [15, 5, 0, 0, 1500, 500, 0, 0]


def test_too_few_of_a_kind_are_compared_with_more() -> None:
    margin = np.array([10.0, 20, 30, 40, 50])
    known = about(5, ["small"] * 4 + ["large"])
    found = potential_of(matrix(5), margin, known, least=3, level=0.5)
    assert found["margin_gap"].tolist() == [15, 5, 0, 0, 0]
    assert potential_of(matrix(5), margin, known, least=5, level=0.5)["margin_gap"].tolist() == [20, 10, 0, 0, 0]


def test_without_master_data_everybody_is_compared_with_everybody() -> None:
    margin = np.array([10.0, 20, 30])
    expected = [10, 0, 0]
    assert potential_of(matrix(3), margin, None, least=2, level=0.5)["margin_gap"].tolist() == expected
    unknown = about(3, [None, None, None]).assign(type=None, industry=None)
    assert potential_of(matrix(3), margin, unknown, least=2, level=0.5)["margin_gap"].tolist() == expected


def test_missing_categories_are_counted_against_the_broad_ones() -> None:
    rows = matrix(3, assortment__categories_364d=[1.0, 3.0, 5.0])
    found = potential_of(rows, np.ones(3), None, least=2, level=0.5)
    assert found["missing_categories"].tolist() == [2, 0, 0]


def test_nobody_has_no_potential() -> None:
    assert potential_of(matrix(0), np.zeros(0), None, least=2, level=0.5).empty


def test_serving_costs_hours_and_goodwill() -> None:
    rows = matrix(
        2, contacts__visits_364d=[3.0, np.nan], complaints__count_364d=[1.0, 0.0], complaints__goodwill_364d=[25.0, 0.0]
    )
    settings = CostToServe(hour_cost=10, visit_hours=2, complaint_hours=1.5)
    assert cost_to_serve(rows, settings).tolist() == [pytest.approx(3 * 2 * 10 + 1.5 * 10 + 25), 0.0]
