"""Addresses take their secrets from the environment and never show them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError
from retention.export.address import address_of, table_path

CANARY = "p@ss/w%rd:x"
ENVIRONMENT = {"PASSWORD": CANARY, "PORT": "5433", "DATABASE_URL": "postgresql://u:geheim@db/treue"}


def test_references_are_resolved_without_percent_encoding() -> None:
    address = address_of("postgres://u:${PASSWORD}@h:${PORT}/treue?sslmode=require", environment=ENVIRONMENT)
    assert address.parameters == {
        "user": "u",
        "password": CANARY,
        "host": "h",
        "port": "5433",
        "dbname": "treue",
        "sslmode": "require",
    }
    assert address.shown == "postgresql://u@h:${PORT}/treue"


def test_one_reference_may_hold_the_whole_uri() -> None:
    address = address_of("${DATABASE_URL}", environment=ENVIRONMENT)
    assert address.parameters["password"] == "geheim"
    assert address.shown == "${DATABASE_URL}"


def test_an_address_never_prints_its_secrets() -> None:
    address = address_of("postgresql+psycopg://u:${PASSWORD}@h/treue", environment=ENVIRONMENT)
    assert CANARY not in repr(address)
    assert address.without_secrets(f"no entry with {CANARY}") == "no entry with ***"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("postgresql://u:geheim@h/treue", "the password of postgresql://u@h/treue stands in the config"),
        ("postgresql://u@h/treue?password=geheim", "the password of postgresql://u@h/treue stands in the config"),
        ("postgresql://u:${PASSWORD}geheim@h/treue", "the password of"),
        ("postgresql://u:geheim%zz@h/treue", "cannot be read"),
        ("mysql://u:geheim@h/treue", "expected postgresql://host:port/database"),
        ("geheim", "expected postgresql://host:port/database"),
        ("postgresql://u:${NOT_SET}@h/treue", "environment variable NOT_SET, which .* is not set"),
    ],
)
def test_a_wrong_uri_is_explained_without_its_password(uri: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        address_of(uri, environment=ENVIRONMENT)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("treue_scores", ("treue_scores",)),
        ("crm.Scores", ("crm", "Scores")),
        ('crm."v1.0"', ("crm", "v1.0")),
        ('"a""b"', ('a"b',)),
        ("Ümsatz Nr.1", ("Ümsatz Nr", "1")),
        ('x"; drop table y; --', ('x"; drop table y; --',)),
    ],
)
def test_a_table_name_is_a_table_or_a_schema_and_a_table(name: str, path: tuple[str, ...]) -> None:
    assert table_path(name) == path


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", "a.b.c", '""', '"a"b', "a\0b", "x" * 64, "ü" * 32])
def test_what_is_no_table_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^table "):
        table_path(name)


@given(st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=15))
def test_any_name_in_double_quotes_is_that_table(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert table_path(f"crm.{quoted}") == ("crm", name)
    assert re.sub('""', '"', quoted[1:-1]) == name
