"""What was planted in the demo company about worth is found: the promising that are small, and the costly."""

from __future__ import annotations

import pytest

from benchmarks.kundenwert.planted import planted_found

pytestmark = pytest.mark.slow


def test_the_promising_stand_in_the_top_half_by_value_and_the_costly_are_named() -> None:
    found = planted_found(customers=800)
    assert found["promising and small by turnover"] >= 5
    assert found["of these in top half by value"] >= 0.5 * found["promising and small by turnover"]
    assert found["promising in top half by value"] >= 0.5
    assert found["costly named"] >= 0.7 * found["costly"]
