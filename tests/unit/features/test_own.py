"""Features of the company's own: files are run and vetted, and every mistake is one line with file and advice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features import rhythm
from features.catalogue import Catalogue, Feature, Group, catalogue
from features.definition import Churn
from features.errors import ConfigError, FeatureError
from features.history import load_history
from features.ledger import Column, Past, divide
from features.matrix import build_matrix, feature_names
from features.own import NEEDED, OwnFeatures, load_group, own_catalogue
from features.vetting import vetted_column
from models import candidates, value
from tests.unit.features.small import day, order, tables

GOOD = '''
"""Weekend orders."""
from dataclasses import dataclass
from features.catalogue import Group
from features.ledger import Column, Past, divide

GROUP = Group("weekends", needs={"orders": ()}, texts={"de": {"weekend": "Wochenende"}, "en": {"weekend": "Weekend"}})

@dataclass
class Unused:
    days: int = 7

@GROUP.feature(unit="share", family="weekend", expected="+", windows=(91, 364))
def returned(bookings: Past, days: int) -> Column:
    """Returns over orders inside the window [share]; missing without an order.

    de: Retouren je Bestellung im Zeitraum; fehlt ohne Bestellung.
    """
    return divide(bookings.total("is_return", days), bookings.total("is_order", days))
'''


def with_file(folder: Path, text: str = GOOD, *, name: str = "ours.py", leave_out: tuple[str, ...] = ()) -> Catalogue:
    (folder / name).write_text(text, encoding="utf-8")
    return own_catalogue(OwnFeatures(files=(name,), leave_out=leave_out), root=folder, extras={})


def without(*names: str) -> Catalogue:
    return own_catalogue(OwnFeatures(leave_out=names), root=Path(), extras={})


def test_a_file_of_the_configuration_adds_its_features_after_ours(tmp_path: Path) -> None:
    found = [feature.name for feature in with_file(tmp_path)]
    assert found == [*(each.name for each in catalogue()), "weekends__returned_91d", "weekends__returned_364d"]
    assert with_file(tmp_path).families["weekends__returned_91d"] == "weekend"
    assert not list(tmp_path.rglob("*.pyc"))


def test_the_matrix_has_own_features_and_nobody_else_sees_them(tmp_path: Path) -> None:
    found = with_file(tmp_path)
    orders = [order("a", "2024-02-20"), order("a", "2024-02-21", amount=-5.0), order("b", "2024-01-01")]
    told = {"cutoff": day("2024-03-01"), "churn": Churn(), "known_until": day("2024-03-01")}
    matrix = build_matrix(load_history(tables(orders=orders), found), **told)  # type: ignore[arg-type]
    assert matrix["weekends__returned_91d"].tolist() == [1.0, 0.0]
    plain = build_matrix(load_history(tables(orders=orders)), **told)  # type: ignore[arg-type]
    assert set(feature_names(matrix)) - set(feature_names(plain)) == {
        "weekends__returned_91d",
        "weekends__returned_364d",
    }


def test_the_same_content_is_run_once_and_a_changed_file_is_run_anew_with_another_digest(tmp_path: Path) -> None:
    first, again = with_file(tmp_path), with_file(tmp_path)
    assert again.own_groups[0] is first.own_groups[0]
    changed = with_file(tmp_path, GOOD.replace("(91, 364)", "(91, 182)"))
    assert [feature.name for feature in changed][-1] == "weekends__returned_182d"
    assert len({"", first.digest, changed.digest, without("contacts").digest}) == 4
    assert catalogue().digest == ""


def test_names_left_out_are_groups_measures_or_features() -> None:
    gone = {feature.name for feature in catalogue()} - {
        feature.name for feature in without("contacts", "sales__turnover_trend", "sales__orders_28d")
    }
    contacts = {feature.name for feature in catalogue() if feature.group == "contacts"}
    trends = {f"sales__turnover_trend_{days}d" for days in (28, 91)}
    assert gone == {*contacts, *trends, "sales__orders_28d"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("contact", "features.leave_out: there is no feature or group `contact`; nearest is `contacts`"),
        ("sales__recency_days", "`sales__recency_days` cannot be left out, as models and values read sales__recency_"),
        ("sales", "`sales` cannot be left out, as models and values read sales__orders_728d, sales__turnover_728d"),
    ],
)
def test_a_name_that_cannot_be_left_out_is_explained(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        without(name)


def test_what_cannot_be_left_out_is_read_by_name_in_models_and_values() -> None:
    read = "".join(Path(str(module.__file__)).read_text() for module in (candidates, value, rhythm))
    assert [name for name in NEEDED if f'"{name}"' not in read and f'"{name.partition("__")[2]}"' not in read] == []
    assert {feature.name for feature in catalogue()} >= NEEDED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", r"features.files: ours.py has no GROUP; write GROUP = Group\("),
        ("GROUP = 1", "ours.py has no GROUP"),
        ("def f(:\n", "ours.py line 1: SyntaxError: .*; correct the file"),
        ("x = 1\ny = 1 / 0\n", "ours.py line 2: ZeroDivisionError: division by zero; correct the file"),
        ("import nowhere_to_be_found\n", "ours.py line 1: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        (GOOD.replace(" [share]; missing", "; missing"), r"feature returned in .* needs a docstring .* unit in \[\]"),
        (GOOD.replace("[share]; missing", "[share], missing"), "first line of its docstring must read `Meaning"),
        (GOOD.replace("without an order.\n", "without an order\n"), "first line of its docstring must read `Meaning"),
        (GOOD.replace('Group("weekends"', 'Group("sales"'), "group `sales` is there already; choose another name"),
        (GOOD.replace('Group("weekends"', 'Group("week__ends"'), "expected a name of small letters"),
        (GOOD.partition("@GROUP")[0], "group `weekends` has no feature"),
        (GOOD.replace("(91, 364)", "(91, 91)"), "feature weekends__returned_91d is declared twice; rename one"),
        (GOOD.replace("(91, 364)", "(0,)"), "expected windows of 1 to 3650 days, got 0"),
        (GOOD.replace(", windows=(91, 364)", ""), "it takes `days`, so it needs windows"),
        (GOOD.replace("bookings: Past, days: int", "bookings: Past"), "it must take the parameter `days`"),
        (GOOD.replace("bookings: Past", "bokings: Past"), "asks for `bokings`, which is no ledger; nearest is `bookin"),
        (GOOD.replace("bookings: Past", "contacts: Past"), 'it needs the table: add "contacts": \\(\\) to `needs`'),
        (GOOD.replace('{"orders": ()}', '{"order": ()}'), "it needs `order`, which is no table; nearest is `orders`"),
        (GOOD.replace('{"orders": ()}', '{"orders": ("margn",)}'), "needs orders.margn, .* nearest is `margin`"),
        (GOOD.replace('{"orders": ()}', '{"orders": "margin"}'), r'got the text "margin"; write \("margin",\)'),
        (GOOD.replace('family="weekend"', 'family="Am Wochenende"'), "expected a family of small letters"),
        (GOOD.replace('expected="+"', 'expected="up"'), """expected one of "\\+", "-" and "" for `expected`"""),
        (GOOD.replace('unit="share"', 'unit=""'), "its unit is empty"),
        (GOOD.replace("Retouren je", "Retouren [Anteil] je"), "must have no brackets"),
    ],
)
def test_a_wrong_file_ends_in_one_line_that_names_it(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        with_file(tmp_path, text)
    assert "ours.py" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"features.files: no.py cannot be read \(No such file.*\); correct the path"):
        load_group("no.py", root=tmp_path)


def test_all_that_is_wrong_is_said_at_once_and_two_groups_need_two_names(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(GOOD.replace('unit="share"', 'unit=""').replace("(91, 364)", "(9999,)"))
    (tmp_path / "ours.py").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"^features.files: other.py: .*its unit is empty.*; .*got 9999.*is there al"):
        own_catalogue(OwnFeatures(files=("other.py", "ours.py")), root=tmp_path, extras={})


def test_a_notebook_gives_groups_and_nothing_else() -> None:
    with pytest.raises(ConfigError, match=r"features: expected groups .* got a str"):
        own_catalogue(OwnFeatures(), root=Path(), groups=["ours.py"], extras={})  # type: ignore[list-item]


def _feature(compute: object) -> Feature:
    group = Group("own", needs={"orders": ()})
    group.feature(unit="ratio", family="own")(compute)  # type: ignore[arg-type]
    return group.features[0]


def through_zero(bookings: Past) -> Column:
    """Orders over nothing [ratio]."""
    return np.asarray(bookings.count() / np.zeros(3))


def as_integers(bookings: Past) -> Column:
    """Orders [count]."""
    return bookings.count().astype(np.int64)  # type: ignore[return-value]


def one_for_all(bookings: Past) -> Column:
    """Orders of everybody [count]."""
    return np.asarray(bookings.count().sum())


def as_list(bookings: Past) -> Column:
    """Orders [count]."""
    return bookings.count().tolist()  # type: ignore[return-value]


def failing(bookings: Past) -> Column:
    """Orders [count]."""
    return bookings.total("nothing")


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (through_zero, "own__through_zero gives inf for 2 of 3 customers; give NaN .*`divide` of features.ledger does"),
        (as_integers, r"own__as_integers gives an array of int64 with shape \(3,\), expected an array of float64"),
        (
            one_for_all,
            r"own__one_for_all gives an array of float64 with shape \(\), expected .* each of the 3 cust",
        ),
        (as_list, "own__as_list gives a list, expected an array of float64"),
        (failing, r"own__failing fails \(test_own.py line \d+\): KeyError: 'nothing'; correct the function"),
    ],
)
def test_a_column_that_no_column_may_be_is_refused(compute: object, message: str) -> None:
    rows = [order("a", "2024-01-01"), order("b", "2024-01-01"), order("c", "2025-01-01")]
    bookings = load_history(tables(orders=rows)).ledgers["bookings"].at(np.arange(3), 19_800)
    feature = _feature(compute)
    with pytest.raises(FeatureError, match=message):
        vetted_column(feature, lambda: feature.compute(bookings), count=3)


def test_a_column_with_missing_values_is_fine() -> None:
    column = divide(np.ones(2), np.array([0.0, 2.0]))
    assert vetted_column(_feature(failing), lambda: column, count=2) is column
