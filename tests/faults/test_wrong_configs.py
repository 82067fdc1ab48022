"""Wrong configurations: each gives one line with file, key, what was expected, what came; exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import ConfigError
from features.intake import take_in
from pipelines.settings import load_settings

BASE = "name: x\nsources:\n  orders:\n    uri: orders.csv\n"


def message_of(action: Callable[[], object], folder: Path) -> str:
    with pytest.raises(ConfigError, match=r".") as caught:
        action()
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert "\n" not in message
    assert "Traceback" not in message
    return message.replace(f"{folder}/", "")


def loading(folder: Path, content: str | bytes) -> str:
    path = folder / "c.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return message_of(lambda: load_settings(path), folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "c.yaml: expected keys and values such as `name: my-company`, got an empty file"),
        ("- a\n", "c.yaml: expected keys and values such as `name: my-company`, got a list"),
        (
            BASE + "churn:\n  horizont_days: 9\n",
            "c.yaml: key `churn.horizont_days` is unknown; nearest is `horizon_days`",
        ),
        (BASE + "sprache: de\n", "c.yaml: key `sprache` is unknown; "),
        (BASE + "churn: {horizon_days: 0}\n", "c.yaml: key `churn.horizon_days`: expected at least 1, got 0"),
        (BASE + "churn: {lead_days: soon}\n", "c.yaml: key `churn.lead_days`: expected a whole number, got 'soon'"),
        (BASE + "churn:\n", "c.yaml: key `churn`: expected keys and values, got null"),
        (BASE + "language: fr\n", "c.yaml: key `language`: expected 'de' or 'en', got 'fr'"),
        (BASE + "currency: euro\n", "c.yaml: key `currency`: expected three capital letters such as EUR, got 'euro'"),
        (BASE + "timezone: Europe/Berln\n", "c.yaml: key `timezone`: expected an IANA zone such as Europe/Berlin, got"),
        (BASE + "timezone: ../../etc/passwd\n", "c.yaml: key `timezone`: expected an IANA zone such as Europe/Berlin"),
        ("name: x\n", "c.yaml: key `sources` is missing; add it"),
        ("name: x\nsources: {}\n", "c.yaml: sources.orders: the orders table is compulsory; add it"),
        ("name: ../x\nsources: {orders: {uri: a.csv}}\n", "c.yaml: key `name`: expected at most 64 letters, digits"),
        ("name: x\nsources: {orders: {}}\n", "c.yaml: key `sources.orders.uri` is missing; add it"),
        (BASE + "  order: {uri: a.csv}\n", "c.yaml: sources.order: unknown table; nearest is `orders`"),
        (
            BASE + "    columns: {amont: x}\n",
            "c.yaml: sources.orders.columns.amont: orders has no such column; nearest is `amount`",
        ),
        (BASE + "    columns: {amount: 5}\n", "c.yaml: key `sources.orders.columns.amount`: expected a text, got 5"),
        (
            BASE + "    columns: {amount: sum(x)}\n",
            "c.yaml: sources.orders.columns.amount: `sum(x)` uses what is not allowed there (sum); allowed are",
        ),
        (
            BASE + '    where: "1=1; drop table x"\n',
            "c.yaml: sources.orders.where: expected one expression, got `1=1; drop table x`; remove semicolons",
        ),
        (
            BASE + "    where: x in (select 1)\n",
            "c.yaml: sources.orders.where: `x in (select 1)` uses a subquery; allowed are",
        ),
        (
            BASE + "    columns: {amount: now()}\n",
            "c.yaml: sources.orders.columns.amount: `now()` uses the function now",
        ),
        (BASE + "    columns: {amount: 'a b c('}\n", "c.yaml: sources.orders.columns.amount: `a b c(` is not an SQL"),
        (BASE + "    read: {encoding: klingon}\n", "c.yaml: key `sources.orders.read.encoding`: expected an encoding"),
        (
            BASE + "    read: {date_format: TT.MM}\n",
            "c.yaml: key `sources.orders.read.date_format`: expected codes for day",
        ),
        (BASE + "    read: {decimal: ';'}\n", "c.yaml: key `sources.orders.read.decimal`: expected '.' or ','"),
        (
            "name: x\nsources: {orders: {uri: 'postgres://u:geheim@h/db', table: t}}\n",
            "c.yaml: key `sources.orders.uri`: expected no password in the text; put it into an environment variable",
        ),
        (BASE + "training: {cutoffs: soon}\n", "c.yaml: key `training.cutoffs`: expected 'auto', got 'soon'"),
        (
            BASE + "training: {cutoffs: [2024-03-01, 2024-02-01]}\n",
            "c.yaml: key `training.cutoffs`: expected `auto` or dates in rising order, each once, got",
        ),
        (BASE + "training: {seed: true}\n", "c.yaml: key `training.seed`: expected a whole number, got true"),
        (BASE + "value: {discount_rate: 8}\n", "c.yaml: key `value.discount_rate`: expected at most 1.0, got 8"),
        (BASE + "plan: {budget: .nan}\n", "c.yaml: key `plan.budget`: expected at most 1000000000000.0, got NaN"),
        (BASE + "lists: {early_warning: 5}\n", "c.yaml: key `lists.early_warning`: expected keys and values, got 5"),
        (BASE + "export: [{to: fax, path: x}]\n", "c.yaml: key `export[0]`: expected one of 'file', 'sql', got"),
        (BASE + "export: [{path: x}]\n", "c.yaml: key `export[0].to` is missing; add it"),
        (
            BASE + "export: [{to: file, pfad: x}]\n",
            "c.yaml: key `export[0].path` is missing; add it; key `export[0].pfad`",
        ),
        (
            BASE + "export: [{to: sql, uri: 'postgres://a:geheim@h/x', table: t}]\n",
            "c.yaml: key `export[0].uri`: expected no password in the text",
        ),
        (BASE + "churn: {definition: contract}\n", "c.yaml: churn.definition: `contract` needs the table contracts"),
        (BASE + "\tplan: {}\n", "c.yaml line 5: a tab is used for indentation; use spaces"),
        (BASE + "name: y\n", "c.yaml line 5: key `name` appears twice; keep one"),
        (BASE + "plan: &p {}\nvalue: *p\n", "c.yaml line 6: aliases are not allowed; write the value out"),
        ("a: " + "[" * 40 + "]" * 40, "c.yaml line 1: nested deeper than 32 levels; flatten it"),
        (BASE + "plan: {budget: 1\n", "c.yaml line 6: expected ',' or '}', but got '<stream end>'; check indentation"),
        (BASE + "x: !!python/object/apply:os.system [ls]\n", "c.yaml line 5: could not determine a constructor"),
        ("name: M\xfcller\n".encode("latin-1"), "c.yaml line 1: not UTF-8 text; save the file as UTF-8"),
        ("# " + "x" * (1 << 20), "c.yaml: larger than 1048576 bytes; that is no configuration, check --config"),
    ],
)
def test_a_wrong_config_gives_one_line(tmp_path: Path, text: str | bytes, expected: str) -> None:
    message = loading(tmp_path, text)
    assert message.startswith(expected)
    assert "geheim" not in message


def test_a_config_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    message = message_of(lambda: load_settings(tmp_path / "no.yaml"), tmp_path)
    assert message == "no.yaml: there is no such file; check --config, or write one with `treue init`"


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    message = message_of(lambda: load_settings(tmp_path), tmp_path)
    assert message.endswith("cannot be read (Is a directory); expected a YAML file")


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    message = loading(tmp_path, BASE + "language: fr\nchurn: {lead_days: -1, horizont_days: 3}\n")
    assert message.count("key `") == 3


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (
            "columns: {amount: Amnt * 2}",
            "sources.orders.columns.amount: the source has no column `Amnt`; nearest is `amount`",
        ),
        ("columns: {amount: upper(amount) + interval 1 day}", "sources.orders.columns.amount: `upper(amount) + "),
        ("where: amount", "sources.orders.where: expected a condition that is true or false, got `amount` (varchar)"),
        ("table: x", "sources.orders.table: only databases have tables, and `orders.csv` is a file; remove the key"),
    ],
)
def test_what_does_not_fit_the_source_names_the_key(tmp_path: Path, orders: str, expected: str) -> None:
    (tmp_path / "orders.csv").write_text("order_id,customer_id,occurred_on,amount\n1,A,2024-01-01,1\n")
    (tmp_path / "c.yaml").write_text(BASE + f"    {orders}\n")
    sources = load_settings(tmp_path / "c.yaml").sources
    message = message_of(lambda: take_in(sources, cutoff=None, timezone="UTC", root=tmp_path), tmp_path)
    assert message.startswith(expected)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgres://${TREUE_NO_SUCH}@h/db", "sources.orders.uri: the environment variable TREUE_NO_SUCH is not set"),
        ("https://example.org/orders.csv", "sources.orders.uri: expected a file or a database"),
        ("postgres://h/db", "sources.orders.table: a database needs the name of its table"),
    ],
)
def test_an_address_that_cannot_work_names_the_key(tmp_path: Path, uri: str, expected: str) -> None:
    (tmp_path / "c.yaml").write_text(f"name: x\nsources: {{orders: {{uri: '{uri}'}}}}\n")
    sources = load_settings(tmp_path / "c.yaml").sources
    message = message_of(lambda: take_in(sources, cutoff=None, timezone="UTC", root=tmp_path), tmp_path)
    assert message.startswith(expected)
