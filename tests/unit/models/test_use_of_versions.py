"""Which version is in use is a function of the day: promotions and roll-backs carry their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import count
from pathlib import Path

import pytest

from features.errors import ModelError
from models.digest import digest_of
from models.registry import CHALLENGER, CHAMPION, EVENTS, Event, RegisteredVersion, Registry, registry_in, text_of
from models.registry.events import events_of, in_use

_NUMBERS = count()
JANUARY, FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in (1, 2, 3, 4))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("use")


@pytest.fixture(scope="module")
def registry(output: Path) -> Registry:
    return registry_in(output, {})


@pytest.fixture
def name() -> str:
    return f"used-{next(_NUMBERS)}"


def promoted(on: date) -> tuple[Event, ...]:
    return (Event(on=on, state="in", by="rule", why="better"),)


def register(registry: Registry, name: str, cutoff: date, events: Sequence[Event] | None) -> RegisteredVersion:
    files = {"model.json": f"{cutoff}".encode()}
    use = {} if events is None else {EVENTS: text_of(events)}
    return registry.register(
        files,
        name=name,
        digest=digest_of(files),
        tags={"cutoff": cutoff.isoformat(), "recipe": "r", **use},
        parameters={},
        metrics={},
        plots={},
        signature_features=["f"],
        data_digest="d",
    )


def champion(registry: Registry, name: str, day: date) -> int | None:
    found = registry.champion_version(name, cutoff=day, recipe="r", not_before=date.min)
    return None if found is None else found.version


def alias(output: Path, name: str, alias: str) -> int | None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{output.absolute() / 'mlflow.db'}"
    found = MlflowClient(uri, uri).get_registered_model(name).aliases
    return int(found[alias]) if alias in found else None


def test_a_challenger_that_was_not_promoted_is_kept_but_not_used(registry: Registry, output: Path, name: str) -> None:
    register(registry, name, JANUARY, promoted(JANUARY))
    register(registry, name, FEBRUARY, ())
    assert champion(registry, name, MARCH) == 1
    assert (alias(output, name, CHAMPION), alias(output, name, CHALLENGER)) == (1, 2)
    register(registry, name, MARCH, promoted(MARCH))
    assert champion(registry, name, MARCH) == 3
    assert (alias(output, name, CHAMPION), alias(output, name, CHALLENGER)) == (3, None)


def test_a_roll_back_counts_from_its_own_day_and_lasts_until_a_newer_promotion(
    registry: Registry, output: Path, name: str
) -> None:
    for day in (JANUARY, FEBRUARY):
        register(registry, name, day, promoted(day))
    registry.put(registry.versions(name)[1:], "out", on=MARCH, by="ana", why="lists look odd")
    assert [champion(registry, name, day) for day in (JANUARY, FEBRUARY, MARCH, APRIL)] == [1, 2, 1, 1]
    assert alias(output, name, CHAMPION) == 1
    register(registry, name, APRIL, promoted(APRIL))
    assert [champion(registry, name, day) for day in (FEBRUARY, MARCH, APRIL)] == [2, 1, 3]


def test_registering_the_same_model_again_does_not_bring_back_what_was_rolled_back(
    registry: Registry, name: str
) -> None:
    for day in (JANUARY, FEBRUARY):
        register(registry, name, day, promoted(day))
    registry.put(registry.versions(name)[1:], "out", on=MARCH, by="ana", why="odd")
    assert register(registry, name, FEBRUARY, promoted(FEBRUARY)).version == 2
    assert champion(registry, name, MARCH) == 1
    registry.put(registry.versions(name)[1:], "in", on=MARCH, by="bert", why="it was right")
    assert champion(registry, name, MARCH) == 2
    log = registry.versions(name)[1].events
    assert log is not None
    assert [(event.state, event.by) for event in log] == [("in", "rule"), ("out", "ana"), ("in", "bert")]


def test_a_version_from_before_there_was_a_log_is_in_use_from_its_cutoff(registry: Registry, name: str) -> None:
    register(registry, name, JANUARY, None)
    register(registry, name, FEBRUARY, None)
    assert [champion(registry, name, day) for day in (JANUARY, MARCH)] == [1, 2]
    registry.put(registry.versions(name)[1:], "out", on=MARCH, by="ana", why="odd")
    assert [champion(registry, name, day) for day in (FEBRUARY, MARCH)] == [2, 1]


def test_the_run_behind_a_version_can_be_searched_by_its_use(registry: Registry, output: Path, name: str) -> None:
    from mlflow import MlflowClient

    version = register(registry, name, JANUARY, ())
    registry.put([version], "in", on=JANUARY, by="ana", why="Messe am Montag")
    uri = f"sqlite:///{output.absolute() / 'mlflow.db'}"
    assert "Messe am Montag" in MlflowClient(uri, uri).get_run(version.run_id).data.tags[EVENTS]


def test_a_log_that_cannot_be_read_keeps_its_version_out_of_use() -> None:
    for damaged in ("", "{", "[1]", '[{"on": "soon"}]'):
        assert events_of(damaged) == ()
        assert not in_use(events_of(damaged), JANUARY)


def test_of_two_entries_of_one_day_the_later_written_counts() -> None:
    log = (*promoted(JANUARY), Event(on=JANUARY, state="out", by="ana", why="odd"))
    assert not in_use(log, JANUARY)
    assert events_of(text_of(log)) == log


def test_a_log_past_what_a_tag_holds_is_refused() -> None:
    with pytest.raises(ModelError, match="the log of this version is full \\(40 entries\\)"):
        text_of([Event(on=JANUARY, state="in", by="ana", why="x" * 200)] * 40)
