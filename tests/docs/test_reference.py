"""The reference of the configuration is generated: it must not be stale, and every key is explained."""

from __future__ import annotations

from pathlib import Path

from pipelines.reference import configuration_markdown


def test_the_reference_of_the_configuration_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert written.read_text(encoding="utf-8") == configuration_markdown(), "run `make docs`"


def test_every_key_has_a_meaning() -> None:
    rows = [line for line in configuration_markdown().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert all(row.rstrip(" |").rsplit("|", 1)[1].strip() for row in rows)
