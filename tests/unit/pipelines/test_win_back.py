"""What a return is worth in a company of contracts, from tables to the figures of the list."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from features.matrix import of_cohort
from features.norms import norms_at
from models.win_back import if_returned
from pipelines.library import Company
from pipelines.win_back import Learned, learn

CUTOFF = date(2025, 7, 1)
BEGAN, PAUSE = date(2024, 1, 1), 45
CUSTOMERS = 60


def contracts() -> pd.DataFrame:
    """Return contracts of 10, 20, … a month: a third run on, a third ended, a third came back for half of it."""
    rows = []
    for number in range(CUSTOMERS):
        customer, amount = f"K{number:02}", 10.0 * (number + 1)
        over = None if number % 3 == 0 else BEGAN + timedelta(days=200 + 4 * number)
        rows.append((customer, BEGAN, over, amount))
        if number % 3 == 2:
            rows.append((customer, over + timedelta(days=PAUSE), None, amount / 2))
    return pd.DataFrame(rows, columns=["customer_id", "starts_on", "ends_on", "recurring_amount"])


def company(signed: pd.DataFrame, **churn: object) -> Company:
    """Return a company whose orders are the beginnings of its contracts."""
    orders = signed.rename(columns={"starts_on": "occurred_on"}).drop(
        columns=["ends_on", "recurring_amount"], errors="ignore"
    )
    orders = orders.assign(amount=50.0, order_id=orders.index.astype(str))
    tables = {"orders": orders, "contracts": signed}
    own = {"definition": "contract", "lead_days": 0, "horizon_days": 30, **churn}
    return Company(tables, training={"most": 12, "threads": 1}, **own)


def learned_on(made: Company, cutoff: date) -> tuple[Learned, pd.DataFrame, pd.DataFrame]:
    """Return what was learned on a morning, its lapsed customers, and what they bring if they return."""
    known = made._as_of(cutoff)
    days = [*made.cutoffs(cutoff), cutoff]
    found = learn(((day, made._matrix(day, known)) for day in days), now=cutoff, settings=made.settings)
    lapsed = of_cohort(made._matrix(cutoff, known), "lapsed").set_index("customer_id")
    rhythm = norms_at(known.history, cutoff=cutoff).rhythm
    return found, lapsed, found.worth_of(lapsed, rhythm=rhythm, settings=made.settings)


def test_a_return_to_a_contract_is_worth_what_past_returners_signed_for() -> None:
    found, lapsed, worth = learned_on(company(contracts()), CUTOFF)
    assert found.contract is not None
    returners, amount = found.contract.returners, found.contract.amount_share
    assert returners >= 10
    assert amount == pytest.approx((returners * 0.5 + 20) / (returners + 20))
    last = contracts().drop_duplicates("customer_id", keep="first").set_index("customer_id")["recurring_amount"]
    monthly = last.reindex(lapsed.index)
    expected = 12 * monthly * amount * 0.3 * 15 / 365.25
    assert worth["margin_if_returned"].tolist() == pytest.approx(expected.tolist())
    per_month = worth["value_if_returned"] / monthly
    assert per_month.max() == pytest.approx(per_month.min())
    assert 12 * amount * 0.3 < per_month.iloc[0] < 120 * amount * 0.3


def test_what_becomes_known_on_the_cutoff_or_later_changes_nothing() -> None:
    more = pd.DataFrame({"customer_id": [f"K{number:02}" for number in range(CUSTOMERS)],
                         "starts_on": CUTOFF, "ends_on": None, "recurring_amount": 9999.0})  # fmt: skip
    late = more.assign(starts_on=CUTOFF - timedelta(days=40), ends_on=CUTOFF - timedelta(days=20))
    signed = contracts().assign(known_at=lambda rows: rows["starts_on"])
    after = pd.concat([signed, *(each.assign(known_at=CUTOFF) for each in (more, late))], ignore_index=True)
    before = pd.concat([signed, late.assign(known_at=CUTOFF - timedelta(days=1))], ignore_index=True)
    plain, lapsed, worth = learned_on(company(signed), CUTOFF)
    again, _, same = learned_on(company(after), CUTOFF)
    _, _, other = learned_on(company(before), CUTOFF)
    assert len(lapsed) >= 15
    assert plain == again
    pd.testing.assert_frame_equal(worth, same)
    assert (other.loc[worth.index] > worth).all(axis=None)


def test_under_another_definition_or_without_amounts_the_rhythm_speaks() -> None:
    silent = company(contracts(), definition="inactivity", active_within_days=90)
    no_amount = company(contracts().drop(columns="recurring_amount"))
    for made, contract in ((silent, False), (no_amount, True)):
        found, lapsed, worth = learned_on(made, CUTOFF)
        rhythm = norms_at(made._as_of(CUTOFF).history, cutoff=CUTOFF).rhythm
        churn, value = made.settings.churn, made.settings.value
        expected = if_returned(lapsed, found.margin, rhythm=rhythm, churn=churn, settings=value)
        assert (found.contract is not None) == contract
        assert len(lapsed) > 0
        pd.testing.assert_frame_equal(worth, expected)
