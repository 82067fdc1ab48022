from __future__ import annotations

import pytest
from pydantic import Field

from features.errors import ConfigError
from features.section import Section
from retention.documents import parse_section


class Door(Section):
    width: float = Field(gt=0, description="Width [m].")


class House(Section):
    doors: tuple[Door, ...] = Field(description="Its doors.")


def test_a_sound_document_becomes_its_section():
    assert parse_section("doors: [{width: 1}]", House, where="x.yaml").doors[0].width == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("doors: [{widht: 1}]", r"^x\.yaml: unknown key doors\.0\.widht, did you mean width\?"),
        ("doors: [{width: -1}]", r"^x\.yaml: doors\.0\.width: .*greater than 0, got -1; correct it$"),
        ("- 1", r"^x\.yaml: expected keys and values, got list"),
        ("doors: [", r"^x\.yaml: expected YAML, got .*line"),
        ("", r"^x\.yaml: expected keys and values, got NoneType"),
    ],
)
def test_a_broken_document_is_one_line_that_names_the_place(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        parse_section(text, House, where="x.yaml")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
