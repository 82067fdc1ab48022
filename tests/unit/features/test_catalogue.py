"""The catalogue: every feature is described, falls away with its columns, and a group is one file and one name."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest

from features import catalogue as catalogue_module
from features.catalogue import GROUPS, Feature, Group, catalogue
from features.contract import TABLES
from features.definition import Churn
from features.dictionary import missing_when
from features.errors import ContractError
from features.ledger import Column, Past
from features.ledgers import READINGS
from features.matrix import build_matrix
from features.meanings import absent_when
from features.vetting import problems_of
from tests.unit.features.small import answer, complaint, contact, contract, day, history, loss, master, order

COMPLETE = {name: {"known_at", *(column.name for column in table.columns)} for name, table in TABLES.items()}
FEATURES = tuple(catalogue())


def names(features: tuple[Feature, ...]) -> set[str]:
    return {feature.name for feature in features}


def test_names_are_unique_and_follow_the_rule() -> None:
    assert len(names(FEATURES)) == len(FEATURES)
    for feature in FEATURES:
        window = "" if feature.days is None else f"_{feature.days}d"
        assert re.fullmatch(rf"{feature.group}__[a-z][a-z_]*[a-z]{window}", feature.name)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_unit_family_direction_and_a_docstring_with_its_unit(feature: Feature) -> None:
    assert feature.unit
    assert re.fullmatch(r"[a-z_]+", feature.family)
    assert feature.expected in {"+", "-", ""}
    assert re.fullmatch(r"[A-Z][^\[\]]* \[[^\[\]]+\](; missing [^.]+)?\.", feature.meaning)


def test_every_feature_says_in_german_what_it_means_and_when_it_is_missing() -> None:
    form = re.compile(r"[A-ZÄÖÜ][^\[\]]*\.")
    unsaid = [each.name for each in FEATURES if not form.fullmatch(each.german)]
    assert unsaid == [], "add the paragraph `de: …` to the docstrings of these features"
    unlike = [each.name for each in FEATURES if bool(missing_when(each)) != bool(absent_when(each.german, "de"))]
    assert unlike == [], "`; fehlt …` stands where the English line says `; missing …`, and only there"


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_needs_tables_and_columns_of_the_contract(feature: Feature) -> None:
    for table, columns in feature.needs.items():
        assert set(columns) <= COMPLETE[table] - set(TABLES[table].required)


@pytest.mark.parametrize("name", GROUPS)
def test_every_feature_needs_the_tables_of_the_ledgers_it_reads(name: str) -> None:
    assert list(problems_of(import_module(f"features.groups.{name}").GROUP, taken=(), extras={})) == []


def test_no_two_ledgers_share_a_name() -> None:
    declared = [name for reading in READINGS.values() for name in reading.ledgers]
    assert len(declared) == len(set(declared))


def test_windows_are_whole_weeks() -> None:
    assert [feature.name for feature in FEATURES if (feature.days or 0) % 7] == []


def test_with_every_column_every_feature_is_available() -> None:
    assert catalogue().available(COMPLETE) == FEATURES


@pytest.mark.parametrize("table", ["complaints", "contacts", "contracts", "customers", "feedback", "losses"])
def test_a_missing_table_takes_exactly_the_features_that_need_it(table: str) -> None:
    there = names(catalogue().available({name: columns for name, columns in COMPLETE.items() if name != table}))
    gone = names(FEATURES) - there
    assert gone == {feature.name for feature in FEATURES if table in feature.needs}
    groups = {
        "contracts": {"relationship"},
        "customers": {"relationship", "losses"},
        "contacts": {"complaints", "contacts"},
    }
    assert {name.split("__")[0] for name in gone} == groups.get(table, {table})


@pytest.mark.parametrize(
    ("table", "column", "gone"),
    [
        (
            "orders",
            "margin",
            {
                *(f"sales__margin_{days}d" for days in (91, 364, 728)),
                "sales__margin_share_91d",
                "sales__margin_share_364d",
            },
        ),
        ("orders", "quantity", {f"sales__quantity_{days}d" for days in (91, 364, 728)}),
        (
            "orders",
            "product_id",
            {
                *(f"assortment__products_{days}d" for days in (91, 364, 728)),
                "assortment__single_product_728d",
                "assortment__new_products_364d",
                "assortment__new_product_days",
                "assortment__top_product_share_364d",
                "assortment__first_products",
            },
        ),
        ("contacts", "agent", {"contacts__agent_changes_364d", "contacts__agent_days", "contacts__agents_364d"}),
        ("contacts", "sentiment", {"contacts__mood_182d", "contacts__mood_trend_182d", "contacts__mood_last"}),
        ("complaints", "category", {"complaints__causes_364d", "complaints__repeats_364d"}),
        ("contracts", "agreed_until", {"relationship__term_days", "relationship__notice_days_left"}),
        ("contracts", "notice_days", {"relationship__notice_days_left"}),
        ("customers", "known_at", {"relationship__facts_share"}),
        ("customers", "since", {"relationship__since_days", "relationship__anniversary_days"}),
        ("complaints", "known_at", set()),
    ],
)
def test_a_missing_column_takes_exactly_the_features_that_need_it(table: str, column: str, gone: set[str]) -> None:
    there = names(catalogue().available({**COMPLETE, table: COMPLETE[table] - {column}}))
    assert names(FEATURES) - there == gone


def test_every_feature_has_one_family() -> None:
    assert catalogue().families == {feature.name: feature.family for feature in FEATURES}


@pytest.mark.parametrize("doc", [None, "", "Weekend orders inside the window."])
def test_a_feature_without_a_meaning_or_unit_is_refused(doc: str | None) -> None:
    def weekend(bookings: Past, days: int) -> Column:
        return bookings.count(days)

    weekend.__doc__ = doc
    with pytest.raises(ContractError, match=r"feature weekend in .* needs a docstring .* with its unit in \[\]"):
        Group("own", needs={"orders": ()}).feature(unit="orders", family="own", windows=(28,))(weekend)


def test_a_group_is_added_by_one_file_and_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("features.groups.loyalty")
    module.GROUP = group = Group("loyalty", needs={"orders": (), "contacts": ()})  # type: ignore[attr-defined]

    @group.feature(unit="ratio", family="loyalty", windows=(28, 364))
    def bookings_per_contact(bookings: Past, contacts: Past, days: int) -> Column:
        """Bookings over contacts inside the window [ratio]."""
        return bookings.count(days) / np.maximum(contacts.count(days), 1)

    monkeypatch.setitem(sys.modules, "features.groups.loyalty", module)
    monkeypatch.setattr(catalogue_module, "GROUPS", (*GROUPS, "loyalty"))
    orders = [order("a", "2024-02-20"), order("a", "2024-02-21"), order("b", "2024-01-01")]
    told = {"cutoff": day("2024-03-01"), "churn": Churn(), "known_until": day("2024-03-01")}
    without = build_matrix(history(orders=orders), **told)  # type: ignore[arg-type]
    matrix = build_matrix(history(orders=orders, contacts=[contact("a", "2024-02-21")]), **told)  # type: ignore[arg-type]
    assert "loyalty__bookings_per_contact_28d" not in without
    assert matrix["loyalty__bookings_per_contact_28d"].tolist() == [2.0, 0.0]
    assert matrix["loyalty__bookings_per_contact_364d"].tolist() == [2.0, 1.0]


@pytest.mark.parametrize("missing", ["complaints", "contacts", "contracts", "customers", "feedback", "losses"])
def test_the_matrix_without_a_table_is_the_matrix_without_its_features(missing: str) -> None:
    rows = {
        "orders": [order("a", "2024-02-20"), order("b", "2024-01-01")],
        "complaints": [complaint("a", "2024-02-01")],
        "contacts": [contact("a", "2024-02-01", direction="out", agent="Zoë")],
        "contracts": [contract("a", "2023-01-01")],
        "customers": [master("a", since=day("2020-01-01"))],
        "feedback": [answer("a", "2024-02-01", "nps", 9)],
        "losses": [loss("a", "2024-02-01", winnable=True)],
    }
    told = {"cutoff": day("2024-03-01"), "churn": Churn(), "known_until": day("2024-03-01")}
    some: dict[str, list[dict[str, object]]] = {name: own for name, own in rows.items() if name != missing}
    whole, less = build_matrix(history(**rows), **told), build_matrix(history(**some), **told)  # type: ignore[arg-type]
    gone = [feature.name for feature in FEATURES if missing in feature.needs]
    kept = whole.drop(columns=[name for name in gone if name in whole])
    assert [name for name in whole if name not in less] == [name for name in gone if name in whole] != []
    assert kept.equals(less)
