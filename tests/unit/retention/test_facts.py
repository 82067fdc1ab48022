from __future__ import annotations

import pandas as pd

from retention.facts import DERIVED_FACTS, with_derived_facts

MATRIX = pd.DataFrame(
    {
        "cutoff": pd.to_datetime(["2026-03-01", "2026-03-01"]).date,
        "sales__orders_91d": [2.0, 2.0],
        "sales__orders_182d": [7.0, 2.0],
        "sales__orders_364d": [13.0, 2.0],
        "sales__tenure_days": [900.0, 60.0],
        "sales__recency_days": [3.0, None],
    }
)


def test_comparisons_are_made_only_where_the_history_reaches_back():
    facts = with_derived_facts(MATRIX)
    assert facts["orders_before_91d"].tolist()[0] == 5
    assert facts["orders_usual_28d"].tolist()[0] == 1
    assert facts[["orders_before_91d", "orders_usual_28d"]].iloc[1].isna().all()


def test_days_are_counted_back_from_the_cutoff():
    facts = with_derived_facts(MATRIX)
    assert facts["last_order_on"].iloc[0] == pd.Timestamp(2026, 2, 26)
    assert pd.isna(facts["last_order_on"].iloc[1])


def test_a_fact_without_its_inputs_falls_away():
    facts = with_derived_facts(MATRIX.drop(columns=["cutoff", "sales__orders_182d"]))
    assert not {"last_order_on", "orders_before_91d", "turnover_before_91d"} & set(facts.columns)


def test_every_fact_says_what_it_is():
    assert all(fact.meaning and fact.inputs for fact in DERIVED_FACTS.values())
