"""Features of the company's own: from files named in the configuration, or as groups made in a notebook.

A file is Python and is run: only the files that the configuration names are, nothing else is looked for.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from pydantic import Field

from features.catalogue import GROUPS, Catalogue, Group, OwnGroup, catalogue
from features.errors import ConfigError, TreueError
from features.nearest import suggestion
from features.section import Section
from features.vetting import problems_of

NEEDED = frozenset(
    "sales__recency_days sales__tenure_days sales__purchase_days sales__orders_728d sales__turnover_728d"
    " rhythm__silent_chance".split()
)
"""Features that models and values read by name; they cannot be left out."""


class OwnFeatures(Section):
    """Features of the company's own, and features that are not used."""

    files: tuple[str, ...] = Field(
        default=(),
        description="Python files with a group of features of your own each (docs/own_features.md), from the working"
        " directory. They are run: name only files you trust. A changed file trains anew.",
    )
    leave_out: tuple[str, ...] = Field(
        default=(),
        description="Groups (contacts), measures (sales__orders: all its windows) or features (sales__orders_28d) that"
        " are not used. The few that models and values read by name cannot be left out.",
    )


def own_catalogue(
    settings: OwnFeatures, *, root: Path, groups: Sequence[Group] = (), extras: Mapping[str, Collection[str]]
) -> Catalogue:
    """Return our features and the company's own, checked.

    Parameters
    ----------
    settings : OwnFeatures
        Files to run and names to leave out.
    root : Path
        Where relative paths start.
    groups : sequence of Group
        Groups made elsewhere, such as in a notebook.
    extras : mapping of table to columns
        What the sources give besides the columns of the contract.

    Raises
    ------
    ConfigError
        If a file cannot be run or a group is not what it must be; one line with all that is wrong.
    """
    own = [*(load_group(name, root=root) for name in settings.files), *(_given(group) for group in groups)]
    problems = list(_problems(own, extras))
    if problems:
        raise ConfigError("; ".join(problems))
    whole = catalogue(own)
    problems = list(_wrongly_left_out(whole, settings.leave_out))
    if problems:
        raise ConfigError("; ".join(problems))
    return catalogue(own, leave_out=settings.leave_out)


def load_group(name: str, *, root: Path) -> OwnGroup:
    """Run a file and return its ``GROUP``; the same content is run once in a process.

    Raises
    ------
    ConfigError
        If the file is not there, is no Python, fails, or has no GROUP.
    """
    path = root / name
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"features.files: {name} cannot be read ({error.strerror}); correct the path") from error
    group = getattr(_module(path, source, name), "GROUP", None)
    if not isinstance(group, Group):
        raise ConfigError(
            f'features.files: {name} has no GROUP; write GROUP = Group("…", needs={{…}}) and decorate its functions'
        )
    return OwnGroup(group=group, place=f"features.files: {name}", digest=hashlib.sha256(source).hexdigest())


def _given(group: object) -> OwnGroup:
    if not isinstance(group, Group):
        raise ConfigError(f"features: expected groups (features.catalogue.Group), got a {type(group).__name__}")
    return OwnGroup(group=group, place="features")


def _module(path: Path, source: bytes, name: str) -> ModuleType:
    """Return the module that the source makes; it is named after path and content, so that no stale one is met."""
    digest = hashlib.sha256(str(path.resolve()).encode() + source).hexdigest()[:16]
    known = f"treue_own_{digest}"
    if known in sys.modules:
        return sys.modules[known]
    module = ModuleType(known)
    module.__file__ = str(path)
    sys.modules[known] = module  # dataclasses look their module up here
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 (the configuration names the file)
    except Exception as error:
        del sys.modules[known]
        raise ConfigError(f"features.files: {name}{_line(error, path)}: {_told(error)}; correct the file") from error
    return module


def _line(error: Exception, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f" line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f" line {lines[-1]}" if lines else ""


def _told(error: Exception) -> str:
    if isinstance(error, TreueError):
        return str(error)
    return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def _problems(own: Sequence[OwnGroup], extras: Mapping[str, Collection[str]]) -> Iterator[str]:
    for place, each in enumerate(own):
        taken = [*GROUPS, *(other.group.name for other in own[:place])]
        yield from (f"{each.place}: {problem}" for problem in problems_of(each.group, taken=taken, extras=extras))


def _wrongly_left_out(whole: Catalogue, leave_out: Iterable[str]) -> Iterator[str]:
    holders = {name: tuple(each.name for each in whole if name in (each.group, each.measure, each.name))
               for name in leave_out}  # fmt: skip
    for name, held in holders.items():
        if not held:
            known = dict.fromkeys(each for feature in whole for each in (feature.name, feature.measure, feature.group))
            yield f"features.leave_out: there is no feature or group `{name}`; {suggestion(name, known)}"
        needed = [each for each in held if each in NEEDED]
        if needed:
            yield (
                f"features.leave_out: `{name}` cannot be left out, as models and values read {', '.join(needed)};"
                " name the others one by one"
            )
