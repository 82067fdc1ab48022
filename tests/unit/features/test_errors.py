"""Errors are one line and carry the exit code of the command line."""

from __future__ import annotations

import pytest

from features import errors
from features.errors import TreueError

KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, TreueError)]
CODES = {errors.ConfigError: 2, errors.Tripwire: 3}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_message_is_one_line_whatever_it_is_made_of(kind: type[TreueError]) -> None:
    assert str(kind("expected\n  a number,\tgot `x`")) == "expected a number, got `x`"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_the_exit_code_of_its_cause(kind: type[TreueError]) -> None:
    assert kind.exit_code == CODES.get(kind, 1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_one_except_catches_every_kind(kind: type[TreueError]) -> None:
    with pytest.raises(TreueError, match=r"^why$"):
        raise kind("why")
