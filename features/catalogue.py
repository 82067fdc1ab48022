"""The declared features: one small function each, whose name is the column and whose docstring is its meaning."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Literal

from features.errors import ContractError
from features.ledger import Column
from features.meanings import english_of, german_of

Expected = Literal["+", "-", ""]
"""Whether people expect a higher value to endanger (+) or to bind (-) the customer; empty: no expectation."""

GROUPS = (
    *("sales", "assortment", "prices", "complaints", "contacts", "payments", "feedback", "relationship", "losses"),
    "rhythm",
)
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

    @property
    def measure(self) -> str:
        """The name without the window, common to all windows of one function."""
        return self.name if self.days is None else self.name.removesuffix(f"_{self.days}d")


class Group:
    """Collects the features of one source of signal; its ``feature`` is used as a decorator.

    Parameters
    ----------
    name : str
        What the names of its features begin with.
    needs : mapping of table to the optional columns that all its features take
    texts : mapping of language ("de", "en") to mapping of family to texts, optional
        Groups of a company's own only (``docs/own_features.md``): the name of each new family, or all its texts. Those
        of ours lie in ``configs/reasons.<language>.yaml``.
    """

    def __init__(
        self,
        name: str,
        *,
        needs: Mapping[str, tuple[str, ...]],
        texts: Mapping[str, Mapping[str, Any]] | None = None,
    ):
        self.name = name
        self.needs = needs
        self.texts = texts or {}
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


@dataclass(frozen=True, kw_only=True)
class OwnGroup:
    """A group of features of the company's own.

    Attributes
    ----------
    group : Group
    place : str
        Where it was declared, for messages: the file as the configuration names it, or "Company".
    digest : str
        SHA-256 of the file; empty for a group made in a notebook.
    """

    group: Group
    place: str
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The features in use: ours and the company's own, less those left out; goes through them in the matrix's order.

    Attributes
    ----------
    ours : tuple of Group
    own : tuple of OwnGroup
    left_out : set of names
        Groups, measures (all windows) and features that are not used.
    """

    ours: tuple[Group, ...]
    own: tuple[OwnGroup, ...] = ()
    left_out: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Feature]:
        declared = (feature for group in (*self.ours, *self.own_groups) for feature in group.features)
        return (each for each in declared if self.left_out.isdisjoint((each.group, each.measure, each.name)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def own_groups(self) -> tuple[Group, ...]:
        """The groups of the company's own."""
        return tuple(each.group for each in self.own)

    @property
    def digest(self) -> str:
        """Names the files of own features by content, and what is left out; empty when there is neither."""
        said = [*(each.digest for each in self.own), *sorted(self.left_out)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16] if said else ""

    @property
    def families(self) -> Mapping[str, str]:
        """The reason family of every feature by name."""
        return {feature.name: feature.family for feature in self}

    def available(self, columns: Mapping[str, Iterable[str]]) -> tuple[Feature, ...]:
        """Return the features whose tables and columns are there; ``columns`` names the columns of each table."""
        there = {table: set(names) for table, names in columns.items()}
        return tuple(
            feature
            for feature in self
            if all(table in there and there[table].issuperset(needed) for table, needed in feature.needs.items())
        )


def available(columns: Mapping[str, Iterable[str]]) -> tuple[Feature, ...]:
    """Return those of our features whose tables and columns are there."""
    return catalogue().available(columns)


def families() -> Mapping[str, str]:
    """Return the reason family of every feature of ours by name."""
    return catalogue().families


def catalogue(own: Iterable[OwnGroup] = (), *, leave_out: Iterable[str] = ()) -> Catalogue:
    """Return our features and those of ``own``, without those left out; ``features.own`` checks both."""
    ours = tuple(import_module(f"features.groups.{name}").GROUP for name in GROUPS)
    return Catalogue(ours=ours, own=tuple(own), left_out=frozenset(leave_out))
