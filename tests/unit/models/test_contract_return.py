"""What a return to a contract brings: beside every figure stands what a person would add up year by year."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, lgamma

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import Churn
from features.last_contract import LAST_AMOUNT
from models.contract_return import (
    ContractReturn,
    if_returned_to_contract,
    is_by_contract,
    learn_contract_return,
)
from models.settings import Value
from models.staying import Staying

CHURN = Churn(definition="contract", lead_days=14, horizon_days=90)
VALUE = Value(years=3, discount_rate=0.08, margin_share=0.25, growth_rate=0.02)
STAYING = Staying(return_share=0.2, concentration=4.5)
FIRST = date(2024, 1, 1)
RUNNING = "relationship__recurring_amount"
CENTS = st.integers(0, 50_000).map(lambda cents: cents / 100)


def lapsed(amounts: list[float], *, returned: list[bool] | None = None) -> pd.DataFrame:
    """Return lapsed customers who last paid so much a month."""
    label = pd.array(returned or [False] * len(amounts), dtype="boolean").astype("Int8")
    ids = [f"K{at}" for at in range(len(amounts))]
    return pd.DataFrame({"customer_id": ids, "cutoff": FIRST, "cohort": "lapsed", "label": label, LAST_AMOUNT: amounts})


def later(amounts: list[float], *, lost: list[bool | None] | None = None) -> pd.DataFrame:
    """Return the same customers a lead and horizon later, under contract where they pay something."""
    label = pd.array(lost or [None] * len(amounts), dtype="boolean").astype("Int8")
    cohort = ["active" if amount > 0 else "lapsed" for amount in amounts]
    ids = [f"K{at}" for at in range(len(amounts))]
    day = FIRST + timedelta(days=104)
    return pd.DataFrame({"customer_id": ids, "cutoff": day, "cohort": cohort, "label": label, RUNNING: amounts})


def active(*, lost: int, stayed: int) -> pd.DataFrame:
    """Return labelled snapshots of customers under contract."""
    label = pd.array([1] * lost + [0] * stayed, dtype="Int8")
    ids = [f"A{at}" for at in range(lost + stayed)]
    return pd.DataFrame({"customer_id": ids, "cutoff": FIRST, "cohort": "active", "label": label})


def told(share: float = 1.0, loss: float = 0.1) -> ContractReturn:
    return ContractReturn(amount_share=share, loss_share=loss, staying=STAYING, returners=0)


def there(loss: float, year: int) -> float:
    """Chance to be there in the middle of a year: falling hazards, multiplied by way of gamma functions."""
    gone, times = loss * (1 - STAYING.return_share), (year - 0.5) * 365.25 / 104
    beta, whole = (1 - gone) * STAYING.concentration, STAYING.concentration
    return exp(lgamma(beta + times) - lgamma(beta) + lgamma(whole) - lgamma(whole + times))


def by_hand(amount: float, *, share: float, loss: float) -> float:
    """Margin of a monthly amount over three years, year by year."""
    total = 0.0
    for year in (1, 2, 3):
        margin = 12 * max(amount, 0) * share * 0.25 * 1.02 ** (year - 1)
        total += margin * there(loss, year) / 1.08 ** (year - 0.5)
    return total


@settings(max_examples=40, deadline=None)
@given(
    amounts=st.lists(st.floats(-10, 10_000), min_size=1, max_size=5),
    share=st.floats(0.1, 3),
    loss=st.floats(0.001, 0.6),
)
def test_the_value_is_that_of_a_running_contract_added_up_year_by_year(amounts, share, loss) -> None:
    found = if_returned_to_contract(lapsed(amounts), told(share, loss), churn=CHURN, settings=VALUE)
    margins = [max(amount, 0) * share * 0.25 * 12 * 52 / 365.25 for amount in amounts]
    assert found["margin_if_returned"].tolist() == pytest.approx(margins)
    values = [by_hand(amount, share=share, loss=loss) for amount in amounts]
    assert found["value_if_returned"].tolist() == pytest.approx(
        [max(*both) for both in zip(values, margins, strict=True)]
    )


def test_the_value_is_never_below_the_margin_and_0_where_no_amount_is_known() -> None:
    one = VALUE.model_copy(update={"years": 1})
    found = if_returned_to_contract(lapsed([50.0, np.nan]), told(loss=0.99), churn=CHURN, settings=one)
    assert found["value_if_returned"].tolist() == [found["margin_if_returned"].iloc[0], 0.0]
    assert found["margin_if_returned"].iloc[0] > 0


@settings(max_examples=40, deadline=None)
@given(
    customers=st.lists(
        st.tuples(CENTS, st.booleans(), CENTS, st.sampled_from([True, False, None])),
        max_size=60,
    ),
    lost=st.integers(0, 30),
)
def test_the_shares_are_those_of_a_plain_count_drawn_towards_what_is_assumed(customers, lost) -> None:
    last, back, now, again = (list(each) for each in zip(*customers, strict=True)) if customers else ([], [], [], [])
    pair = (lapsed(last, returned=back), later(now, lost=again))
    found = learn_contract_return(active(lost=lost, stayed=70), [pair], churn=CHURN, settings=VALUE)
    came = [each for each in customers if each[1] and each[0] > 0]
    judged = [bool(each[3]) for each in came if each[2] > 0 and each[3] is not None]
    company = lost / (lost + 70)
    usual = sum(each[0] for each in came) / len(came) if came else 1.0
    expected = (sum(each[2] for each in came) + 20 * usual) / (sum(each[0] for each in came) + 20 * usual)
    assert found.returners == len(came)
    assert found.amount_share == pytest.approx(expected if came else 1.0)
    assert found.loss_share == pytest.approx((sum(judged) + 20 * company) / (len(judged) + 20))


def test_many_returners_tell_what_they_sign_for() -> None:
    count = 2000
    pair = lapsed([100.0] * count, returned=[True] * count), later([60.0] * count, lost=[True] * count)
    found = learn_contract_return(active(lost=10, stayed=90), [pair], churn=CHURN, settings=VALUE)
    assert found.amount_share == pytest.approx(0.6, abs=0.01)
    assert found.loss_share == pytest.approx(1.0, abs=0.01)


def test_without_any_past_they_sign_for_what_they_had_and_nothing_is_known_of_staying() -> None:
    nothing = active(lost=0, stayed=0)
    found = learn_contract_return(nothing, [], churn=CHURN, settings=VALUE)
    assert (found.amount_share, found.loss_share, found.returners) == (1.0, 0.5, 0)
    assert found.staying == Staying(return_share=VALUE.return_share, concentration=VALUE.staying_concentration)


def test_matrices_of_an_older_treue_teach_nothing() -> None:
    old = lapsed([50.0], returned=[True]).drop(columns=LAST_AMOUNT)
    assert (
        learn_contract_return(active(lost=1, stayed=1), [(old, later([9.0]))], churn=CHURN, settings=VALUE).returners
        == 0
    )
    assert not is_by_contract(old, CHURN)


def test_the_contract_speaks_only_where_it_is_the_definition_and_an_amount_is_known() -> None:
    assert is_by_contract(lapsed([50.0, np.nan]), CHURN)
    assert not is_by_contract(lapsed([np.nan]), CHURN)
    assert not is_by_contract(lapsed([50.0]), CHURN.model_copy(update={"definition": "inactivity"}))
