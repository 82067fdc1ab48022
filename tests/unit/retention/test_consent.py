from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from retention.consent import CHANNELS, WHY_NOT, allowed_channels, contactable

CUTOFF = date(2026, 3, 1)
BEFORE, LATER = date(2026, 2, 28), date(2026, 3, 2)


def answer(channel: str, **customer: object) -> tuple[bool, str | None]:
    """Return whether the channel is allowed for one customer, and why not."""
    frame = allowed_channels(pd.DataFrame([{"customer_id": "a", **customer}]), cutoff=CUTOFF)
    row = frame.set_index("channel").loc[channel]
    return bool(row["is_allowed"]), None if pd.isna(row["why_not"]) else row["why_not"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("objection_on", [BEFORE, CUTOFF])
def test_an_objection_ends_every_channel_whatever_was_consented(channel, objection_on):
    consents = {"consent_phone": True, "consent_email": True, "consent_on": date(2020, 1, 1)}
    assert answer(channel, type="b2b", objection_on=objection_on, **consents) == (False, "objection")


def test_an_objection_of_tomorrow_is_not_known_today():
    assert answer("letter", objection_on=LATER) == (True, None)


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        ({"consent_email": True, "consent_on": BEFORE}, (True, None)),
        ({"consent_email": True, "consent_on": CUTOFF}, (False, "later_consent")),
        ({"consent_email": True, "consent_on": None}, (False, "undated_consent")),
        ({"consent_email": False, "consent_on": BEFORE}, (False, "no_consent")),
        ({"consent_email": None, "consent_on": BEFORE}, (False, "no_consent")),
        ({"consent_on": BEFORE}, (False, "no_consent")),
        ({"consent_email": True, "consent_on": BEFORE, "email": " "}, (False, "no_address")),
        ({"consent_email": True, "consent_on": BEFORE, "email": "a@example.org"}, (True, None)),
    ],
)
def test_email_needs_a_dated_consent_from_before_the_cutoff(customer, expected):
    assert answer("email", type="b2b", **customer) == expected


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        ({"type": "b2b", "consent_phone": True}, (True, None)),
        ({"type": "b2b", "consent_phone": True, "consent_on": LATER}, (False, "later_consent")),
        ({"type": "b2b", "consent_phone": None}, (False, "no_consent")),
        ({"type": "b2c", "consent_phone": True}, (False, "undated_consent")),
        ({"type": "b2c", "consent_phone": True, "consent_on": BEFORE}, (True, None)),
        ({"type": None, "consent_phone": True}, (False, "undated_consent")),
        ({"type": "b2b", "consent_phone": True, "phone": None}, (False, "no_address")),
    ],
)
def test_phone_needs_consent_and_for_consumers_its_day(customer, expected):
    assert answer("phone", **customer) == expected


@pytest.mark.parametrize(("kind", "allowed"), [("b2b", True), ("b2c", False), (None, False)])
def test_only_businesses_are_visited(kind, allowed):
    assert answer("visit", type=kind) == (allowed, None if allowed else "consumer_visit")


def test_a_customer_without_master_data_may_get_a_letter_only():
    frame = allowed_channels(pd.DataFrame({"customer_id": ["a"]}), cutoff=CUTOFF, customer_ids=["b"])
    assert frame["customer_id"].unique().tolist() == ["b"]
    assert frame.loc[frame["is_allowed"], "channel"].tolist() == ["letter"]
    empty = pd.DataFrame({"customer_id": pd.Series([], dtype="str")})
    assert len(allowed_channels(empty, cutoff=CUTOFF, customer_ids=["b"])) == 4


def test_evidence_is_the_recorded_document_or_the_business_relation():
    customer = {"customer_id": "a", "consent_email": True, "consent_on": BEFORE, "consent_evidence": "form 12"}
    evidence = allowed_channels(pd.DataFrame([customer]), cutoff=CUTOFF).set_index("channel")["evidence"]
    assert evidence["email"] == "form 12"
    assert evidence["letter"] == "legitimate_interest"
    assert evidence[["visit", "phone"]].isna().all()


def test_rows_come_sorted_whatever_the_order_of_input():
    frame = pd.DataFrame({"customer_id": ["b", "a"], "type": ["b2b", "b2c"]})
    result = allowed_channels(frame, cutoff=CUTOFF)
    assert result.equals(allowed_channels(frame.iloc[::-1], cutoff=CUTOFF))
    assert result["channel"].tolist() == [*CHANNELS, *CHANNELS]
    assert set(result["why_not"].dropna()) <= set(WHY_NOT)


def test_contactable_means_at_least_one_channel():
    frame = pd.DataFrame({"customer_id": ["a", "b"], "objection_on": [CUTOFF, None]})
    assert contactable(allowed_channels(frame, cutoff=CUTOFF)).to_dict() == {"a": False, "b": True}


def test_a_customer_twice_is_refused():
    with pytest.raises(ValueError, match="expected one row per customer"):
        allowed_channels(pd.DataFrame({"customer_id": ["a", "a"]}), cutoff=CUTOFF)
