from __future__ import annotations

import pandas as pd
import pytest

from features.catalogue import catalogue
from retention.loss_reasons import shipped_loss_reasons
from retention.losses.inferred import inferred_reasons

FAMILIES = {feature.name: feature.family for feature in catalogue()}
REASONS = shipped_loss_reasons()
CONTRIBUTIONS = pd.DataFrame(
    {
        "sales__recency_days": [2.0, 2.0, 2.0, 0.0, 0.0],
        "complaints__open_count": [0.3, 0.3, 0.0, 0.0, -0.4],
        "complaints__days_to_close_364d": [0.2, -0.4, 0.0, 0.0, -0.4],
        "contacts__recency_days": [0.1, 0.1, 0.0, 0.04, -0.9],
        "prices__discount_91d": [0.4, 0.0, 0.0, 0.0, 0.0],
        "base": [5.0, 5.0, 5.0, 5.0, 5.0],
    },
    index=pd.Index(["a", "b", "c", "d", "e"], name="customer_id"),
)


def inferred(contributions: pd.DataFrame = CONTRIBUTIONS) -> pd.DataFrame:
    return inferred_reasons(contributions, families=FAMILIES, reasons=REASONS)


def test_the_reason_whose_families_together_raise_the_chance_most_is_inferred():
    found = inferred()
    assert found["loss_reason"].to_dict() == {
        "a": "quality", "b": "service", "c": "unknown", "d": "unknown", "e": "unknown",
    }  # fmt: skip
    assert found["weight"].iloc[0] == pytest.approx(0.5)


def test_signs_of_leaving_are_no_reason_however_heavy():
    found = inferred(CONTRIBUTIONS[["sales__recency_days", "base"]])
    assert set(found["loss_reason"]) == {"unknown"}


def test_the_order_of_columns_and_rows_does_not_matter():
    turned = inferred(CONTRIBUTIONS.iloc[::-1, ::-1]).sort_index()
    pd.testing.assert_frame_equal(turned, inferred())


def test_nobody_lost_gives_no_row():
    assert inferred(CONTRIBUTIONS.head(0)).empty
