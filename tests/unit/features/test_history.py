"""The history: what an order is, what was known when, and that the order of rows does not matter."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from features.history import History
from features.ledger import Past
from features.timeline import day_number
from tests.unit.features.small import complaint, contact, contract, day, history, order


def seen(made: History, ledger: str, cutoff: str) -> Past:
    """Return the past of all customers in one ledger, cut to what was known."""
    number = day_number(day(cutoff))
    return made.known_before(number).ledgers[ledger].at(np.arange(len(made.customer_ids)), number)


def test_customers_of_orders_and_contracts_are_numbered_by_id() -> None:
    made = history(orders=[order("b", "2024-01-01"), order("a", "2024-01-02")], contracts=[contract("c", "2024-01-01")])
    assert made.customer_ids.tolist() == ["a", "b", "c"]
    assert made.rows["orders"]["customer"].tolist() == [0, 1]
    assert made.rows["contracts"]["customer"].tolist() == [2]


def test_complaints_of_people_who_are_no_customers_are_left_out() -> None:
    made = history(orders=[order("a", "2024-01-01")], complaints=[complaint("x", "2024-01-01")])
    assert made.rows["complaints"]["day"].tolist() == []


def test_lines_of_one_order_and_day_are_one_booking_in_whole_cents() -> None:
    lines = [order("a", "2024-01-01", 0.1), order("a", "2024-01-01", 0.2), order("a", "2024-01-01", -0.05)]
    rows = history(orders=lines).rows["orders"]
    assert rows["amount"].tolist() == [25]
    assert rows["lines"].tolist() == [3]


def test_two_customers_may_use_the_same_order_number() -> None:
    orders = [order("a", "2024-01-01", order_id="1"), order("b", "2024-01-02", order_id="1")]
    assert seen(history(orders=orders), "purchases", "2024-02-01").count().tolist() == [1, 1]


def test_a_second_part_of_an_order_is_turnover_but_no_second_purchase() -> None:
    parts = [order("a", "2024-01-01", 10.0, order_id="1"), order("a", "2024-01-20", 5.0, order_id="1")]
    made = history(orders=parts)
    assert seen(made, "purchases", "2024-02-01").count() == 1
    assert seen(made, "purchases", "2024-02-01").recency_days == 31
    assert seen(made, "bookings", "2024-02-01").total("sold") == 1500


def test_the_part_that_became_known_first_is_the_purchase_at_every_cutoff() -> None:
    parts = [
        order("a", "2024-01-01", 10.0, order_id="1", known_at=day("2024-03-01")),
        order("a", "2024-01-20", 5.0, order_id="1", known_at=day("2024-01-20")),
    ]
    made = history(orders=parts)
    assert seen(made, "purchases", "2024-02-01").recency_days == 12
    assert seen(made, "purchases", "2024-04-01").recency_days == 72


def test_a_return_is_no_purchase_and_counts_on_its_own_day() -> None:
    made = history(orders=[order("a", "2024-01-01", 10.0, order_id="1"), order("a", "2024-01-09", -4.0, order_id="1")])
    assert seen(made, "bookings", "2024-01-09").total("is_return") == 0
    assert seen(made, "bookings", "2024-01-10").total("is_return") == 1
    assert seen(made, "bookings", "2024-01-10").total("returned") == 400
    assert seen(made, "purchases", "2024-01-10").recency_days == 9


def test_several_orders_of_one_day_are_one_day_of_purchase_with_all_that_was_sold() -> None:
    orders = [
        order("a", "2024-01-01", 1.0, order_id="1"),
        order("a", "2024-01-05", 10.0, order_id="2"),
        order("a", "2024-01-05", 20.0, order_id="3"),
        order("a", "2024-01-05", 5.0, order_id="1"),
    ]
    past = seen(history(orders=orders), "purchases", "2024-01-06")
    assert past.count() == 2
    assert past.last("sold") == 3500
    assert past.total("gap") == 4


def test_a_row_recorded_late_is_unknown_until_then_and_so_are_its_gaps() -> None:
    orders = [
        order("a", "2024-01-01"),
        order("a", "2024-01-11", known_at=day("2024-02-01")),
        order("a", "2024-01-21"),
    ]
    made = history(orders=orders)
    assert seen(made, "purchases", "2024-02-01").total("gap") == 20
    assert seen(made, "purchases", "2024-02-01").last("longest_gap") == 20
    assert seen(made, "purchases", "2024-02-02").last("longest_gap") == 10


def test_without_late_rows_the_history_is_not_copied() -> None:
    made = history(orders=[order("a", "2024-01-01"), order("a", "2024-05-01")])
    assert made.known_before(day_number(day("2024-03-01"))) is made


def test_a_settlement_is_known_when_both_it_and_the_complaint_are() -> None:
    made = history(
        orders=[order("a", "2024-01-01")],
        complaints=[
            complaint("a", "2024-01-01", closed_on="2024-01-10", satisfied=False, known_at=day("2024-02-01")),
            complaint("a", "2024-01-02", closed_on="2024-01-10", satisfied=True),
            complaint("a", "2024-01-03", satisfied=False),
        ],
    )
    assert seen(made, "settlements", "2024-01-10").count() == 0
    assert seen(made, "settlements", "2024-01-11").count() == 1
    assert seen(made, "settlements", "2024-02-02").count() == 2
    assert seen(made, "settlements", "2024-02-02").total("days_open") == 17
    assert seen(made, "settlements", "2024-02-02").total("is_unsatisfied") == 1


def test_a_change_of_person_is_counted_between_known_agents_of_one_customer() -> None:
    contacts = [
        contact("a", "2024-01-01", agent="Bernd"),
        contact("a", "2024-01-02", agent=None),
        contact("a", "2024-01-03", agent="Bernd"),
        contact("a", "2024-01-04", agent="Zoë"),
        contact("b", "2024-01-05", agent="Bernd"),
    ]
    made = history(orders=[order("a", "2024-01-01"), order("b", "2024-01-01")], contacts=contacts)
    assert seen(made, "contacts", "2024-02-01").total("is_change").tolist() == [1, 0]
    assert seen(made, "contacts", "2024-01-04").total("is_change").tolist() == [0, 0]


def test_contacts_of_one_day_follow_each_other_by_their_id() -> None:
    told = [("2024-01-01", "1", "B"), ("2024-01-02", "3", "A"), ("2024-01-02", "2", "B"), ("2024-01-03", "4", "A")]
    contacts = [contact("a", when, agent=agent) | {"contact_id": own} for when, own, agent in told]
    for given in (contacts, contacts[::-1]):
        made = history(orders=[order("a", "2024-01-01")], contacts=given)
        assert seen(made, "contacts", "2024-02-01").total("is_change") == 1


def test_columns_that_are_not_there_read_as_nothing_said() -> None:
    plain = [{"complaint_id": "1", "customer_id": "a", "occurred_on": day("2024-01-01")}]
    contacts = [{"contact_id": "1", "customer_id": "a", "occurred_on": day("2024-01-01")}]
    contracts = [{"customer_id": "a", "starts_on": day("2024-01-01")}]
    made = history(orders=[order("a", "2024-01-01")], complaints=plain, contacts=contacts, contracts=contracts)
    assert made.rows["orders"]["margin_base"].tolist() == [0]
    assert seen(made, "complaints", "2024-02-01").total("is_rated") == 0
    assert seen(made, "settlements", "2024-02-01").count() == 0
    assert seen(made, "contacts", "2024-02-01").total("has_mood") == 0
    assert seen(made, "contracts", "2024-02-01").total("recurring") == 0
    assert "closed_on" not in made.columns["complaints"]


def test_the_order_of_the_source_does_not_matter() -> None:
    random = Random(3)
    rows: dict[str, Any] = {
        "orders": [order(c, f"2024-01-{d:02d}", d / 3) for c in "abc" for d in (1, 2, 9, 17)] * 2,
        "complaints": [complaint(c, f"2024-02-{d:02d}", closed_on="2024-03-01") for c in "ab" for d in (1, 2)],
        "contacts": [contact(c, f"2024-02-{d:02d}", agent=f"A{d}") for c in "ab" for d in (1, 2)],
        "contracts": [contract("a", "2024-01-01", ends) for ends in (None, "2024-02-01", "2024-03-01")],
    }
    straight = history(**rows)
    mixed: dict[str, Any] = {name: random.sample(own, len(own)) for name, own in rows.items()}
    shuffled = history(**mixed)
    for name, columns in straight.rows.items():
        for column, values in columns.items():
            assert values.tobytes() == shuffled.rows[name][column].tobytes(), (name, column)
