"""Where the figures come from: the balance of every table, what is missing, and what falls away with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.catalogue import Catalogue, Feature
from features.contract import TABLES


@dataclass(frozen=True, kw_only=True)
class TableBalance:
    """Rows of one table: read = accepted + quarantined + later (known only from the cutoff on, as if not there)."""

    table: str
    read: int
    accepted: int
    quarantined: int
    later: int

    @property
    def is_even(self) -> bool:
        """Whether no row got lost."""
        return self.read == self.accepted + self.quarantined + self.later


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What a missing table, or missing columns of a table that is there, takes away.

    ``families`` are those left without any feature at all: their reasons cannot come.
    """

    table: str
    columns: tuple[str, ...]
    features: tuple[Feature, ...]
    families: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The data section of the page."""

    balances: tuple[TableBalance, ...]
    losses: tuple[Loss, ...]
    silent_families: tuple[str, ...]
    notes: tuple[str, ...]
    features: int
    missing: int


def origin_in(data: Mapping[str, Any], declared: Catalogue) -> Origin:
    """Return the data section from facts of a matrix (balances, notes, missing_features) and the features in use."""
    balances = tuple(TableBalance(**{key: each[key] for key in _KEYS}) for each in data["balances"])
    there = {each.table for each in balances}
    missing = tuple(feature for feature in declared if feature.name in set(data["missing_features"]))
    left = tuple(feature for feature in declared if feature.name not in set(data["missing_features"]))
    families = {feature.family for feature in left}
    silent = tuple(dict.fromkeys(feature.family for feature in missing if feature.family not in families))
    absent = [_absent(table, missing, silent) for table in TABLES if table not in there]
    known = _known_columns(data["notes"])
    readable = tuple(feature for feature in missing if set(feature.needs) <= there)
    partial = [_partial(table, readable, left, silent, known=known[table]) for table in TABLES if table in there]
    return Origin(
        balances=balances,
        losses=(*absent, *(loss for loss in partial if loss.columns)),
        silent_families=silent,
        notes=tuple(note for note in data["notes"] if not _MISSING.match(note)),
        features=len(declared),
        missing=len(missing),
    )


_KEYS = ("table", "read", "accepted", "quarantined", "later")
_MISSING = re.compile(r"(?:table (?P<table>\w+)|column (?P<of>\w+)\.(?P<column>\w+)) is missing")


def _known_columns(notes: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the columns that the notes of the intake call missing, by table."""
    found = [match for note in notes if (match := _MISSING.match(note)) and match["column"]]
    return {table: tuple(each["column"] for each in found if each["of"] == table) for table in TABLES}


def _absent(table: str, missing: Iterable[Feature], silent: tuple[str, ...]) -> Loss:
    return _loss(table, (), tuple(feature for feature in missing if table in feature.needs), silent)


def _partial(
    table: str,
    missing: Iterable[Feature],
    left: Iterable[Feature],
    silent: tuple[str, ...],
    *,
    known: tuple[str, ...],
) -> Loss:
    """Return what columns missing from a table that is there take away."""
    present = {column for feature in left for column in feature.needs.get(table, ())}
    suspects = [
        (feature, tuple(column for column in feature.needs.get(table, ()) if column not in present))
        for feature in missing
    ]
    columns = _blamed([needed for _, needed in suspects if needed], known)
    features = tuple(feature for feature, needed in suspects if set(needed) & set(columns))
    return _loss(table, columns, features, silent)


def _blamed(suspects: Sequence[tuple[str, ...]], known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the missing columns: those known, those that alone explain a feature, and what else is unexplained."""
    certain = dict.fromkeys((*known, *(columns[0] for columns in suspects if len(columns) == 1)))
    unexplained = (column for columns in suspects if not set(columns) & set(certain) for column in columns)
    return tuple(dict.fromkeys((*certain, *unexplained)))


def _loss(table: str, columns: tuple[str, ...], features: tuple[Feature, ...], silent: tuple[str, ...]) -> Loss:
    families = tuple(dict.fromkeys(feature.family for feature in features if feature.family in silent))
    return Loss(table=table, columns=columns, features=features, families=families)
