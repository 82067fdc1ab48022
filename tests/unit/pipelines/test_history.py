"""The history is appended and never rewritten; what a run builds on is decided once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.errors import OutputError
from features.outputs import sha256_of
from pipelines.history import HISTORY, SCHEMA, append, built_on, read_before, read_history, read_revisions, revisions
from pipelines.places import Places

FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 8), date(2026, 1, 15)


def rows(day: date, probability: float) -> pd.DataFrame:
    known = {"customer_id": "a", "cutoff": day, "state": "listed", "since": day, "probability": probability}
    return pd.DataFrame([{**dict.fromkeys(SCHEMA.names), **known}])


def test_the_same_run_adds_nothing_and_another_outcome_stands_beside_the_first(tmp_path: Path) -> None:
    places = Places(tmp_path)
    first = append(places, FIRST, rows(FIRST, 0.4))
    digest = sha256_of(first.folder / HISTORY)
    assert append(places, FIRST, rows(FIRST, 0.4)) == first
    second = append(places, FIRST, rows(FIRST, 0.5))
    assert [each.number for each in revisions(places, FIRST)] == [1, 2]
    assert sha256_of(first.folder / HISTORY) == digest != sha256_of(second.folder / HISTORY)
    assert read_history(tmp_path)["probability"].tolist() == [0.5]
    assert read_revisions(tmp_path)["probability"].tolist() == [0.4, 0.5]


def test_a_past_cutoff_sees_only_earlier_ones_and_a_re_run_what_it_saw_at_first(tmp_path: Path) -> None:
    places = Places(tmp_path)
    append(places, FIRST, rows(FIRST, 0.4))
    append(places, SECOND, rows(SECOND, 0.3))
    append(places, FIRST, rows(FIRST, 0.9))
    assert read_before(places, FIRST).empty
    assert read_before(places, SECOND)["probability"].tolist() == [0.4]
    assert read_before(places, THIRD)["cutoff"].tolist() == [pd.Timestamp(SECOND)]
    assert read_history(tmp_path, before=SECOND)["probability"].tolist() == [0.9]


def test_the_first_run_builds_on_nothing_even_when_an_earlier_cutoff_comes_later(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert read_history(tmp_path).empty
    append(places, SECOND, rows(SECOND, 0.3))
    append(places, FIRST, rows(FIRST, 0.4))
    assert built_on(places, SECOND) is None


def test_an_unfinished_revision_is_not_there_and_a_changed_one_is_an_error(tmp_path: Path) -> None:
    places = Places(tmp_path)
    kept = append(places, FIRST, rows(FIRST, 0.4))
    (kept.folder.with_name("revision=0002")).mkdir()
    assert [each.number for each in revisions(places, FIRST)] == [1]
    (kept.folder / HISTORY).write_bytes(b"changed")
    with pytest.raises(OutputError, match="is not the file its manifest names"):
        read_history(tmp_path)
