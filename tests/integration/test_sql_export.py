"""The upsert against a real PostgreSQL: whole or not at all, and nothing touched that has not changed."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.errors import ExportError
from retention.export.address import table_path
from retention.export.sql import Counts, upsert

CUTOFF = date(2025, 1, 1)
HOSTILE_TABLES = [
    "Ümsatz Nr",
    'x"; drop table canary; --',
    "select",
    "a'b\\c",
    '"v1.0"',
    "%s {} $1",
    "😀",
    '"../x"',
    "x" * 63,
]


def scores(count: int = 5, *, run_id: str = "r1", cutoff: date = CUTOFF, seed: int = 7) -> pd.DataFrame:
    """Return a scores frame with every kind of column, missing values among them."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"customer_id": [f"K{number:06d}" for number in range(count)], "cutoff": cutoff})
    frame["probability"] = random.random(count)
    frame["rank"] = np.arange(count) + 1
    frame["reason_1"] = [None if number % 3 == 0 else 'say "=1"\n;ä,\\N' for number in range(count)]
    frame["reason_5"] = None
    frame["contribution_1"] = np.where(np.arange(count) % 2, random.normal(size=count), np.nan)
    frame["horizon_end"] = pd.Timestamp("2025-04-01")
    frame["is_new"] = True
    return frame.assign(model_version="abc", run_id=run_id)


def rows(uri: str, query: str) -> list[tuple[Any, ...]]:
    """Return what ``query`` finds."""
    with psycopg.connect(uri) as connection:
        return connection.execute(query.encode()).fetchall()


def run(uri: str, statement: str) -> None:
    """Execute ``statement``."""
    with psycopg.connect(uri) as connection:
        connection.execute(statement.encode())


def test_the_first_export_creates_a_typed_table_and_every_value_arrives(postgres_uri: str) -> None:
    frame = scores()
    assert upsert(postgres_uri, "treue_scores", frame, run_id="r1") == Counts(inserted=5, updated=0, unchanged=0)
    types = rows(
        postgres_uri,
        "select column_name, data_type from information_schema.columns where table_name = 'treue_scores'",
    )
    assert dict(types) == {
        **dict.fromkeys(["customer_id", "reason_1", "reason_5", "model_version", "run_id"], "text"),
        **dict.fromkeys(["cutoff", "horizon_end"], "date"),
        **dict.fromkeys(["probability", "contribution_1"], "double precision"),
        "rank": "bigint",
        "is_new": "boolean",
    }
    expected = frame.assign(horizon_end=date(2025, 4, 1)).astype(object).where(frame.notna(), None)
    found = rows(postgres_uri, f"select {', '.join(frame.columns)} from treue_scores order by rank")  # noqa: S608
    assert found == list(expected.itertuples(index=False, name=None))


def test_r3_the_same_run_twenty_times_touches_nothing(postgres_uri: str) -> None:
    upsert(postgres_uri, "treue_scores", scores(100), run_id="r1")
    query = "select ctid, xmin, xmax, customer_id from treue_scores order by customer_id"
    before = rows(postgres_uri, query)
    for _ in range(20):
        again = upsert(postgres_uri, "treue_scores", scores(100).sample(frac=1, random_state=1), run_id="r1")
        assert again == Counts(inserted=0, updated=0, unchanged=100)
    assert rows(postgres_uri, query) == before
    assert rows(postgres_uri, "select count(*) from treue_export_log") == [(1,)]


def test_only_changed_rows_are_touched_and_other_columns_and_cutoffs_stay(postgres_uri: str) -> None:
    upsert(postgres_uri, "treue_scores", scores(4, cutoff=date(2024, 12, 1)), run_id="r0")
    upsert(postgres_uri, "treue_scores", scores(6).head(4), run_id="r1")
    run(postgres_uri, "alter table treue_scores add column note text")
    run(postgres_uri, "update treue_scores set note = 'ours'")
    before = dict(rows(postgres_uri, "select customer_id || cutoff, xmin::text from treue_scores"))
    frame = scores(6)
    frame.loc[1, "reason_1"] = None
    frame.loc[2, "contribution_1"] = 0.0
    assert upsert(postgres_uri, "treue_scores", frame, run_id="r1") == Counts(inserted=2, updated=2, unchanged=2)
    after = dict(rows(postgres_uri, "select customer_id || cutoff, xmin::text from treue_scores where note = 'ours'"))
    assert {key for key in before if before[key] != after[key]} == {"K0000012025-01-01", "K0000022025-01-01"}


def test_the_log_balances_and_a_repeat_that_repairs_is_a_second_attempt(postgres_uri: str) -> None:
    upsert(postgres_uri, "treue_scores", scores(3), run_id="r1")
    run(postgres_uri, "delete from treue_scores where rank = 1")
    run(postgres_uri, "update treue_scores set probability = 0 where rank = 2")
    upsert(postgres_uri, "treue_scores", scores(3), run_id="r1")
    upsert(postgres_uri, "treue_scores", scores(3), run_id="r2")
    assert rows(postgres_uri, "select * from treue_export_log order by run_id, attempt") == [
        ("r1", "treue_scores", CUTOFF, 1, 3, 3, 0, 0, "abc"),
        ("r1", "treue_scores", CUTOFF, 2, 3, 1, 1, 1, "abc"),
        ("r2", "treue_scores", CUTOFF, 1, 3, 0, 0, 3, "abc"),
    ]


def test_a_schema_qualified_table_has_its_log_beside_it(postgres_uri: str) -> None:
    run(postgres_uri, "create schema crm")
    upsert(postgres_uri, "crm.Scores", scores(2), run_id="r1")
    assert rows(postgres_uri, 'select count(*) from crm."Scores"') == [(2,)]
    assert rows(postgres_uri, "select table_name from crm.treue_export_log") == [("crm.Scores",)]


def test_a_table_of_the_firm_keeps_its_own_types(postgres_uri: str) -> None:
    run(
        postgres_uri,
        "create table crm_scores (id serial, customer_id integer, cutoff date, probability numeric(5, 4),"
        " rank smallint, reason varchar(20), unique (customer_id, cutoff))",
    )
    frame = pd.DataFrame(
        {
            "customer_id": ["7", "8"],
            "cutoff": CUTOFF,
            "probability": [0.123456, 1.0],
            "rank": [1, 2],
            "reason": ["", "x"],
        }
    )
    assert upsert(postgres_uri, "crm_scores", frame, run_id="r1").inserted == 2
    assert upsert(postgres_uri, "crm_scores", frame, run_id="r1").unchanged == 2
    assert rows(postgres_uri, "select customer_id, probability::float, reason from crm_scores order by 1") == [
        (7, 0.1235, ""),
        (8, 1.0, "x"),
    ]


@pytest.mark.parametrize("table", HOSTILE_TABLES)
def test_a_hostile_table_name_is_only_a_name(postgres_uri: str, table: str) -> None:
    run(postgres_uri, "create table canary (x int)")
    upsert(postgres_uri, table, scores(2), run_id="r1")
    assert upsert(postgres_uri, table, scores(2), run_id="r1").unchanged == 2
    tables = rows(postgres_uri, "select tablename from pg_tables where schemaname = 'public'")
    assert {name for (name,) in tables} == {"canary", "treue_export_log", table_path(table)[0]}


def test_a_hostile_column_name_is_only_a_name(postgres_uri: str) -> None:
    frame = scores(2).rename(columns={"reason_1": 'x"; drop table canary; --', "rank": "Überlänge in %s"})
    run(postgres_uri, "create table canary (x int)")
    upsert(postgres_uri, "treue_scores", frame, run_id="r1")
    assert rows(postgres_uri, "select count(*) from canary") == [(0,)]


def test_a_column_that_the_table_lacks_is_named(postgres_uri: str) -> None:
    upsert(postgres_uri, "treue_scores", scores().drop(columns="reason_5"), run_id="r1")
    with pytest.raises(ExportError, match=r"table treue_scores has no column 'reason_5'.*type text"):
        upsert(postgres_uri, "treue_scores", scores(), run_id="r2")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("nowhere.scores", 'schema "nowhere" does not exist.*create the schema first'),
        ("unkeyed", "no unique or exclusion constraint.*add a primary key or unique index"),
        ("narrow", r"value too long for type character varying\(3\) \(COPY treue_staging, line 1, column customer_id"),
        ("strict", 'null value in column "owner" .* violates not-null constraint'),
    ],
)
def test_what_the_database_refuses_is_one_line_and_leaves_nothing_behind(
    postgres_uri: str, table: str, message: str
) -> None:
    run(postgres_uri, "create table unkeyed (customer_id text, cutoff date, rank int)")
    run(
        postgres_uri,
        "create table narrow (customer_id varchar(3), cutoff date, rank int, unique (customer_id, cutoff))",
    )
    run(
        postgres_uri,
        "create table strict (customer_id text, cutoff date, rank int, owner text not null,"
        " unique (customer_id, cutoff))",
    )
    with pytest.raises(ExportError, match=message) as caught:
        upsert(postgres_uri, table, scores()[["customer_id", "cutoff", "rank"]], run_id="r1")
    assert "\n" not in str(caught.value)
    assert rows(postgres_uri, "select to_regclass('treue_export_log')") == [(None,)]


def test_a_wrong_password_is_never_shown(postgres_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run(postgres_uri, "drop role if exists guarded")
    run(postgres_uri, "create role guarded login password 'right'")
    uri = postgres_uri.replace("postgres@", "guarded:${CRM_PASSWORD}@")
    monkeypatch.setenv("CRM_PASSWORD", "w@rong/canary")
    with pytest.raises(ExportError, match=r"at postgresql://guarded@127.*password authentication failed") as caught:
        upsert(uri, "treue_scores", scores(), run_id="r1")
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_role_without_the_right_to_create_can_fill_tables_made_for_it(
    postgres_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upsert(postgres_uri, "treue_scores", scores(1), run_id="r0")
    run(postgres_uri, "drop role if exists guarded")
    run(postgres_uri, "create role guarded login password 'right'")
    run(postgres_uri, "grant select, insert, update on all tables in schema public to guarded")
    monkeypatch.setenv("CRM_PASSWORD", "right")
    uri = postgres_uri.replace("postgres@", "guarded:${CRM_PASSWORD}@")
    assert upsert(uri, "treue_scores", scores(3), run_id="r1").inserted == 2
    with pytest.raises(ExportError, match=r"permission denied for schema public.*grant select"):
        upsert(uri, "other", scores(3), run_id="r1")
    run(postgres_uri, "drop owned by guarded")


def test_a_server_that_is_away_is_one_line() -> None:
    with pytest.raises(
        ExportError, match=r"at postgresql://u@127\.0\.0\.1:1/x did not take the rows.*refused"
    ) as caught:
        upsert("postgresql://u@127.0.0.1:1/x", "treue_scores", scores(), run_id="r1")
    assert "\n" not in str(caught.value)


def test_every_type_arrives_in_binary_as_it_does_in_text(postgres_uri: str) -> None:
    frame = pd.DataFrame({"customer_id": ["a", "b", "c"], "cutoff": CUTOFF, "text": ["ä", "", None]})
    frame["seen_at"] = pd.Series(["1999-12-31 23:59:59.999999", None, "2100-02-28"], dtype="datetime64[us]")
    frame["zoned_at"] = frame["seen_at"].dt.tz_localize("Europe/Berlin")
    frame["born_on"] = [date(1, 1, 1), None, date(9999, 12, 31)]
    frame["small"] = pd.array([None, -128, 127], dtype="Int8")
    frame["flag"] = pd.array([True, None, False], dtype="boolean")
    frame["single"] = np.array([0.1, -0.0, np.inf], dtype="float32")
    upsert(postgres_uri, "in_binary", frame, run_id="r1")
    run(postgres_uri, "create table as_text (like in_binary including all, note text)")
    run(postgres_uri, "alter table as_text alter text type varchar")
    upsert(postgres_uri, "as_text", frame, run_id="r1")
    found = rows(postgres_uri, "select * from in_binary order by 1")
    assert [row[:-1] for row in rows(postgres_uri, "select * from as_text order by 1")] == found
    zoned = frame["zoned_at"].to_list()
    assert [row[4] for row in found] == [zoned[0], None, zoned[2]]
    assert [row[2:4] + row[5:8] for row in found] == [
        ("ä", frame["seen_at"][0], date(1, 1, 1), None, True),
        ("", None, None, -128, None),
        (None, frame["seen_at"][2], date(9999, 12, 31), 127, False),
    ]


def test_a_text_with_a_nul_character_is_refused(postgres_uri: str) -> None:
    with pytest.raises(ExportError, match=r"invalid byte sequence.*COPY treue_staging, line 1, column reason_1"):
        upsert(postgres_uri, "treue_scores", scores(1).assign(reason_1="a\0b"), run_id="r1")


def test_two_exporters_at_once_take_turns(postgres_uri: str) -> None:
    counts: list[Counts] = []

    def export(run_id: str) -> None:
        counts.append(upsert(postgres_uri, "treue_scores", scores(500).assign(run_id="same"), run_id=run_id))

    threads = [threading.Thread(target=export, args=[f"r{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(count.inserted for count in counts) == [0, 0, 0, 500]
    assert sum(count.unchanged for count in counts) == 1500


def test_rows_without_one_cutoff_are_refused(postgres_uri: str) -> None:
    both = pd.concat([scores(1), scores(1, cutoff=date(2024, 12, 1))])
    with pytest.raises(ExportError, match="hold 2 cutoffs; expected one date"):
        upsert(postgres_uri, "treue_scores", both, run_id="r1")


def test_no_rows_are_no_delivery(postgres_uri: str) -> None:
    assert upsert(postgres_uri, "treue_scores", scores(0), run_id="r1").rows == 0


TEXTS = st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=10)
VALUES = st.tuples(st.none() | st.floats(), st.none() | TEXTS, st.booleans(), st.none() | st.dates())
KEYS = st.sampled_from(["", "a", "A", "é", "e\u0301", '"', "\\N", "NULL"])
SNAPSHOTS = st.lists(st.dictionaries(KEYS, VALUES), max_size=4)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],  # each example is minutes of shrinking away from its failure
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("text", ["text", "varchar"])  # a type that is not ours: rows travel as text, not binary
@given(snapshots=SNAPSHOTS)
def test_r4_counts_and_table_agree_with_a_plain_dictionary(
    postgres_uri: str, snapshots: list[dict[str, tuple[Any, ...]]], text: str
) -> None:
    run(postgres_uri, "drop table if exists treue_scores, treue_export_log")
    run(
        postgres_uri,
        f"create table treue_scores (customer_id {text}, cutoff date, x float, s {text}, b bool, d_on date,"
        " primary key (customer_id, cutoff))",
    )
    held: dict[str, tuple[Any, ...]] = {}
    for snapshot in snapshots:
        new = {key: tuple(None if value != value else value for value in row) for key, row in snapshot.items()}
        expected = Counts(
            inserted=len(new.keys() - held.keys()),
            updated=sum(key in held and held[key] != new[key] for key in new),
            unchanged=sum(key in held and held[key] == new[key] for key in new),
        )
        held |= new
        assert upsert(postgres_uri, "treue_scores", as_frame(new), run_id="r1") == expected
    found = rows(postgres_uri, "select customer_id, x, s, b, d_on from treue_scores")
    assert {row[0]: row[1:] for row in found} == held


def as_frame(values: dict[str, tuple[Any, ...]]) -> pd.DataFrame:
    """Return the values by customer as a frame of one cutoff."""
    frame = pd.DataFrame(list(values.values()), columns=["x", "s", "b", "d_on"], dtype="object")
    frame = frame.astype({"x": "float64", "s": "str", "b": "bool"})
    return frame.assign(customer_id=pd.Series(list(values), dtype="str"), cutoff=CUTOFF)
