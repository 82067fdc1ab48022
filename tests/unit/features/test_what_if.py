from __future__ import annotations

import numpy as np
import pytest

from features.definition import Churn
from features.norms import norms_at
from features.what_if import (
    Act,
    contacted,
    days_silent,
    days_without_person,
    features_if,
    open_complaints,
    settled,
    unanswered_complaints,
    usual_goodwill_cents,
)
from tests.unit.features.small import complaint, contact, day, history, order, tables

CUTOFF = day("2026-03-01")
NUMBER = int(np.datetime64(CUTOFF).astype(int))
ORDERS = [order("a", "2025-06-01", 100.0), order("a", "2026-01-10", 100.0), order("b", "2026-01-10", 50.0)]
CONTACTS = [
    contact("a", "2025-12-01", direction="out", channel="email", agent="Anna"),
    contact("a", "2025-11-01", direction="in", channel="phone", agent="Bernd"),
    contact("b", "2026-02-20", direction="out", channel="visit", agent=None),
]
COMPLAINTS = [
    complaint("a", "2026-01-20", goodwill_amount=None),
    complaint("a", "2025-08-01", closed_on="2025-08-11", goodwill_amount=40.0),
    complaint("b", "2025-10-01", closed_on="2025-10-03", goodwill_amount=10.0),
]
BOTH = np.array([0, 1])


def company():
    return history(cutoff=CUTOFF, orders=ORDERS, contacts=CONTACTS, complaints=COMPLAINTS)


def after(act: Act | None):
    known = company()
    return features_if(known, BOTH, act, cutoff=NUMBER, churn=Churn(), norms=norms_at(known, cutoff=CUTOFF)).set_axis(
        ["a", "b"]
    )


def test_a_settled_complaint_is_settled_in_every_feature():
    found = after(lambda known, whom, cutoff: settled(known, whom, cutoff, goodwill_cents=2500))
    assert found.loc["a", ["complaints__open_count", "complaints__unanswered"]].tolist() == [0, 0]
    assert np.isnan(found.at["a", "complaints__oldest_open_days"])
    assert found.at["a", "complaints__goodwill_364d"] == 65.0
    assert found.at["a", "complaints__days_to_close_364d"] == pytest.approx((10 + 39) / 2)
    assert found.at["a", "complaints__count_364d"] == 2


def test_nothing_else_moves():
    changed, as_it_is = after(settled), after(None)
    moved = [name for name in changed if not np.array_equal(changed[name], as_it_is[name], equal_nan=True)]
    assert {name.split("__")[0] for name in moved} == {"complaints"}
    assert np.array_equal(changed.loc["b"], as_it_is.loc["b"], equal_nan=True)


def test_a_contact_is_one_by_the_person_who_spoke_last_and_yesterday():
    found, before = after(lambda known, whom, cutoff: contacted(known, whom, cutoff, way="is_call")), after(None)
    assert found.at["a", "contacts__our_silence_days"] == found.at["a", "contacts__recency_days"] == 1
    assert found.at["a", "contacts__calls_364d"] == before.at["a", "contacts__calls_364d"] + 1
    assert found.at["a", "contacts__agent_changes_364d"] == before.at["a", "contacts__agent_changes_364d"] == 1
    assert found.at["a", "contacts__their_silence_days"] == before.at["a", "contacts__their_silence_days"]
    assert found.at["a", "complaints__unanswered"] == 0
    assert found.at["b", "contacts__agents_364d"] == 1, "nobody was noted before; now one person is"


def test_what_is_open_is_seen_per_customer():
    known = company()
    assert open_complaints(known, BOTH, NUMBER).tolist() == [1, 0]
    assert unanswered_complaints(known, BOTH, NUMBER).tolist() == [1, 0]
    assert days_silent(known, BOTH, NUMBER).tolist() == [90, 9]
    assert days_without_person(known, BOTH, NUMBER).tolist() == [90, np.inf]


def test_where_tables_are_missing_there_is_nothing_to_mend():
    known = history(cutoff=CUTOFF, orders=ORDERS)
    for gap in (open_complaints, unanswered_complaints, days_silent, days_without_person):
        assert gap(known, BOTH, NUMBER).tolist() == [0, 0]


def test_usual_goodwill_is_the_median_of_what_was_granted():
    assert usual_goodwill_cents(tables(cutoff=CUTOFF, orders=ORDERS, complaints=COMPLAINTS), CUTOFF) == 2500
    assert usual_goodwill_cents(tables(cutoff=CUTOFF, orders=ORDERS), CUTOFF) == 0


def test_the_customers_of_a_run_can_be_narrowed_before_they_are_numbered():
    taken = tables(cutoff=CUTOFF, orders=ORDERS)
    taken.narrow_to({"b", "o'neill"})
    assert taken.customers["customer_id"].to_pylist() == ["b"]
