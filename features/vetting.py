"""What a feature of the company's own must keep to: how it is declared, and the column that it gives."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from features.catalogue import Feature, Group
from features.contract import KNOWN_AT, TABLES
from features.errors import FeatureError
from features.ledger import Column
from features.ledgers import READINGS
from features.nearest import suggestion

_GROUP = r"[a-z][a-z0-9]*(_[a-z0-9]+)*"
_MEANING = re.compile(r"[^\[\]{}]+ \[[^\[\]{}]+\](; missing [^{}]+)?\.")
_GERMAN = re.compile(r"[^\[\]{}]*\.?")
_LONGEST_WINDOW = 3650
_GIVEN = ("rhythm", "norms")
"""What a feature may name besides ledgers."""

_LEDGERS: Mapping[str, str] = {ledger: table for table, reading in READINGS.items() for ledger in reading.ledgers}


def problems_of(group: Group, *, taken: Iterable[str], extras: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield what is wrong with the declaration of a group, each problem in words that say what to do.

    Parameters
    ----------
    group : Group
    taken : names of the groups it must not be called like
    extras : mapping of table to the further columns that the sources give
    """
    if not re.fullmatch(_GROUP, group.name):
        yield f"group `{group.name}`: expected a name of small letters, digits and single underscores; rename it"
    if group.name in taken:
        yield f"group `{group.name}` is there already; choose another name"
    if not group.features:
        yield f"group `{group.name}` has no feature; declare one with @GROUP.feature(…)"
    names = [feature.name for feature in group.features]
    yield from (f"feature {name} is declared twice; rename one" for name in sorted({*names}) if names.count(name) > 1)
    for feature in group.features:
        for problem in (*_in_words(feature), *_in_window(feature), *_in_inputs(feature), *_in_needs(feature, extras)):
            yield f"feature {feature.name}: {problem}"


def vetted_column(feature: Feature, compute: Callable[[], object], *, count: int) -> Column:
    """Return the column of a feature of the company's own.

    Raises
    ------
    FeatureError
        If it fails, or gives no float64 array of shape (count,) whose values are finite or missing (NaN).
    """
    try:
        with np.errstate(all="ignore"):
            column = compute()
    except Exception as error:
        raise FeatureError(
            f"{feature.name} fails{_line_of(error, feature)}: {type(error).__name__}: {error}; correct the function"
        ) from error
    if not isinstance(column, np.ndarray) or column.dtype != np.float64 or column.shape != (count,):
        raise FeatureError(
            f"{feature.name} gives {_kind(column)}, expected an array of float64 with one value for each of the"
            f" {count} customers asked for; return such an array, e.g. what a Past answers"
        )
    if np.isinf(column).any():
        raise FeatureError(
            f"{feature.name} gives {float(column[np.isinf(column)][0])} for {int(np.isinf(column).sum())} of {count}"
            " customers; give NaN where there is nothing to say: `divide` of features.ledger does"
        )
    return column


def _in_words(feature: Feature) -> Iterator[str]:
    if not _MEANING.fullmatch(feature.meaning):
        yield (
            "the first line of its docstring must read `Meaning [unit].` or `Meaning [unit]; missing when ….`, got"
            f" `{feature.meaning}`"
        )
    if not _GERMAN.fullmatch(feature.german):
        yield f"the German paragraph of its docstring must have no brackets, got `{feature.german}`"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", feature.family):
        yield f"expected a family of small letters and underscores, got `{feature.family}`"
    if feature.expected not in ("+", "-", ""):
        yield f'expected one of "+", "-" and "" for `expected`, got {feature.expected!r}'
    if not feature.unit:
        yield 'its unit is empty; name it, e.g. unit="orders"'
    if not re.fullmatch(r"[a-z][a-z0-9_]*", feature.compute.__name__):
        yield f"expected a function named in small letters, got `{feature.compute.__name__}`"


def _in_window(feature: Feature) -> Iterator[str]:
    takes_days = "days" in inspect.signature(feature.compute).parameters
    if takes_days and feature.days is None:
        yield "it takes `days`, so it needs windows, e.g. windows=(91, 364)"
    if feature.days is not None and not takes_days:
        yield "it has a window, so it must take the parameter `days`"
    if feature.days is not None and not 1 <= feature.days <= _LONGEST_WINDOW:
        yield f"expected windows of 1 to {_LONGEST_WINDOW} days, got {feature.days}"


def _in_inputs(feature: Feature) -> Iterator[str]:
    for name in feature.inputs:
        if name in _GIVEN:
            continue
        table = _LEDGERS.get(name)
        if table is None:
            yield f"it asks for `{name}`, which is no ledger; {suggestion(name, (*_LEDGERS, *_GIVEN))}"
        elif table != "orders" and table not in feature.needs:
            yield f'it reads `{name}`, so it needs the table: add "{table}": () to `needs`'


def _in_needs(feature: Feature, extras: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for table, columns in feature.needs.items():
        if table not in TABLES:
            yield f"it needs `{table}`, which is no table; {suggestion(table, TABLES)}"
            continue
        given: object = columns
        if isinstance(given, str):
            yield f'expected a tuple of columns of {table} in `needs`, got the text "{given}"; write ("{given}",)'
            continue
        known = [*(column.name for column in TABLES[table].columns), KNOWN_AT.name, *extras.get(table, ())]
        for column in columns:
            if column not in known:
                yield f"it needs {table}.{column}, which is no column; {suggestion(column, known)}"


def _line_of(error: Exception, feature: Feature) -> str:
    """Return where in the file of the function an error arose; empty when it did not."""
    code = inspect.unwrap(feature.compute).__code__ if inspect.isfunction(feature.compute) else None
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if code and frame.filename == code.co_filename
    ]
    return f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""


def _kind(column: object) -> str:
    if isinstance(column, np.ndarray):
        return f"an array of {column.dtype} with shape {column.shape}"
    return f"a {type(column).__name__}"
