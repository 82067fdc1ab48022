"""Signals: rules as text, parsed and never evaluated; wrong ones end in one line."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import catalogue
from features.errors import ConfigError
from retention.signals import condition, firings, joined, missing_columns, parse_rules, shipped_rules, told
from retention.texts import reason_texts

RULE = """
rules:
  - name: {name}
    title: {{de: Alt, en: Old}}
    text: {{de: "Seit {{sales__recency_days:days}}", en: "{text}"}}
    when: {when}
"""


def parsed(
    *, name: str = "old", text: str = "Since {sales__recency_days:days}", when: str = "sales__recency_days > 30"
):
    return parse_rules(RULE.format(name=name, text=text, when=when), where="own.yaml", features=catalogue())


def matrix(**columns: Any) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": [f"c{n}" for n in range(rows)], "cutoff": date(2026, 3, 1), **columns})


def test_and_binds_closer_than_or_and_what_is_missing_does_not_fire():
    facts = pd.DataFrame({"a": [1.0, 1.0, 0.0, np.nan], "b": [0.0, 5.0, 5.0, 5.0], "c": [0.0, 0.0, 9.0, np.nan]})
    assert condition("c > 8 or a = 1 and b >= 5").holds(facts).tolist() == [False, True, True, False]
    assert condition("a missing").holds(facts).tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"when": "sales__recencey_days > 30"}, r"no feature `sales__recencey_days`; nearest is `sales__recency_days`"),
        ({"when": "__import__('os').system('x') > 1"}, r"own.yaml: rules.0.when: cannot read the condition"),
        ({"when": "sales__recency_days > 30 or"}, r"own.yaml: rules.0.when: cannot read the condition"),
        ({"when": "'sales__recency_days > 30 or  or sales__recency_days > 9'"}, r"expected a comparison on both sides"),
        ({"text": "Since {sales__recency_days:dayz}"}, r"signal `old`: unknown unit `dayz` of sales__recency_days"),
        ({"name": "Too Old"}, r"own.yaml: rules.0.name"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_one_line(changed: dict[str, str], message: str):
    with pytest.raises(ConfigError, match=message) as caught:
        parsed(**changed)
    assert "\n" not in str(caught.value)


def test_a_name_that_stands_there_twice_is_refused():
    twice = RULE.format(name="old", text="x", when="sales__recency_days > 30")
    with pytest.raises(ConfigError, match="old stands there twice"):
        parse_rules(twice + twice.replace("\nrules:\n", ""), where="own.yaml", features=catalogue())


def test_an_own_rule_takes_the_place_of_ours_and_an_unknown_one_cannot_be_left_out():
    ours, own = shipped_rules(catalogue()), parsed(name="detractor")
    assert [rule.when for rule in joined(ours, own) if rule.name == "detractor"] == ["sales__recency_days > 30"]
    assert "detractor" not in {rule.name for rule in joined(ours, (), leave_out=["detractor"])}
    with pytest.raises(ConfigError, match=r"signals.leave_out: there is no signal `detracter`; nearest is `detractor`"):
        joined(ours, (), leave_out=["detracter"])


def test_a_rule_without_its_features_falls_away_and_says_what_is_missing():
    rules = shipped_rules(catalogue())
    few = matrix(sales__overdue_ratio=[3.0], sales__orders_728d=[5.0])
    assert list(firings(few, rules).columns) == ["order_overdue"]
    lacking = {rule.name: missing_columns(rule, few) for rule in rules}
    assert lacking["detractor"] == ("feedback__detractor",)


@pytest.mark.parametrize(("language", "expected"), [("de", "Seit 45 Tage"), ("en", "Since 45 days")])
def test_a_rule_tells_the_customers_own_number_else_its_title(language: Any, expected: str):
    rows = matrix(sales__recency_days=[45.0, np.nan])
    said = told(rows, parsed()[0], reason_texts(language), currency="EUR")
    assert said == [expected, "Alt" if language == "de" else "Old"]


def test_a_text_in_one_language_serves_for_both():
    text = "rules: [{name: x, title: {de: Alt}, text: {de: Lange her}, when: sales__recency_days > 30}]"
    (rule,) = parse_rules(text, where="own.yaml", features=catalogue())
    assert (rule.title.told("en"), rule.text.told("en")) == ("Alt", "Lange her")
