"""The declared features: one small function each, whose name is the column and whose docstring is its meaning."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Literal

from features.errors import ContractError
from features.ledger import Column
from features.meanings import english_of, german_of

Expected = Literal["+", "-", ""]
"""Whether people expect a higher value to endanger (+) or to bind (-) the customer; empty: no expectation."""

GROUPS = ("sales", "complaints", "contacts", "relationship", "rhythm")
"""Feature groups, each a module of ``features.groups``: to add one, write its file and name it here."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of the matrix.

    Attributes
    ----------
    name : str
        ``group__measure`` or ``group__measure_<days>d``.
    group, family : str
        Source of signal, and the reason it joins with others ("five windows of one thing are one reason").
    unit, meaning, german : str
        Unit, the first line of the function's docstring, and its German paragraph (see ``features.meanings``).
    expected : {"+", "-", ""}
        Direction people expect of a higher value.
    needs : mapping of table to the optional columns it takes
        Without them the feature falls away.
    compute : callable
        Takes the pasts it names as parameters (and ``days`` if windowed), gives one value per snapshot.
    days : int or None
        Window [days].
    """

    name: str
    group: str
    family: str
    unit: str
    meaning: str
    german: str
    expected: Expected
    needs: Mapping[str, tuple[str, ...]]
    compute: Callable[..., Column]
    days: int | None = None

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the pasts that ``compute`` takes."""
        return tuple(name for name in inspect.signature(self.compute).parameters if name != "days")


class Group:
    """Collects the features of one source of signal; used as a decorator in ``features/groups/<name>.py``."""

    def __init__(self, name: str, *, needs: Mapping[str, tuple[str, ...]]):
        self.name = name
        self.needs = needs
        self.features: list[Feature] = []

    def feature(
        self,
        *,
        unit: str,
        family: str,
        expected: Expected = "",
        windows: Iterable[int | None] = (None,),
        needs: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Callable[[Callable[..., Column]], Callable[..., Column]]:
        """Declare the decorated function as a feature, once per window."""

        def declare(compute: Callable[..., Column]) -> Callable[..., Column]:
            meaning = _meaning(compute)
            for days in windows:
                name = f"{self.name}__{compute.__name__}" + ("" if days is None else f"_{days}d")
                declared = Feature(
                    name=name,
                    group=self.name,
                    family=family,
                    unit=unit,
                    meaning=meaning,
                    german=german_of(compute),
                    expected=expected,
                    needs={**self.needs, **(needs or {})},
                    compute=compute,
                    days=days,
                )
                self.features.append(declared)
            return compute

        return declare


def _meaning(compute: Callable[..., Column]) -> str:
    """Return the first line of the docstring, which is the entry in the dictionary."""
    meaning = english_of(compute)
    if "[" not in meaning:
        raise ContractError(
            f"feature {compute.__name__} in {compute.__module__} needs a docstring whose first line says what it means,"
            f" with its unit in [], got `{meaning}`"
        )
    return meaning


def catalogue() -> tuple[Feature, ...]:
    """Return every declared feature, in the order of the groups and their files."""
    groups = [import_module(f"features.groups.{name}").GROUP for name in GROUPS]
    return tuple(feature for group in groups for feature in group.features)


def available(columns: Mapping[str, Iterable[str]]) -> tuple[Feature, ...]:
    """Return the features whose tables and columns are there; ``columns`` names the columns of each table."""
    return tuple(
        feature
        for feature in catalogue()
        if all(table in columns and set(needed) <= set(columns[table]) for table, needed in feature.needs.items())
    )


def families() -> Mapping[str, str]:
    """Return the reason family of every feature by name."""
    return {feature.name: feature.family for feature in catalogue()}
