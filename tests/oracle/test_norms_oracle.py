"""The norms are learned from those who had bought by the cutoff."""

from __future__ import annotations

from features.norms import norms_at
from tests.unit.features.small import complaint, day, history, order


def test_who_becomes_a_customer_later_does_not_count_yet() -> None:
    bought = [order("a", "2024-01-01"), order("a", "2024-02-01")]
    complaints = [
        complaint("a", "2024-01-05", closed_on="2024-01-06"),
        complaint("z", "2024-01-05", closed_on="2024-01-30"),
    ]
    for later in ([], [order("z", "2024-06-01")]):
        norms = norms_at(history(orders=bought + later, complaints=complaints), cutoff=day("2024-03-01"))
        assert norms.days_to_close == 1
