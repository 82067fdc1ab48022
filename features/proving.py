"""Proof that features keep what every feature promises, on the company's own rows.

Three promises: nothing that happens or becomes known on or after the cutoff counts; other customers do not count (what
is usual among them comes from ``norms`` alone); who else is asked for does not matter. Each is put to the test by
computing the same column from a history changed in just that way: not a bit may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Feature
from features.definition import Churn
from features.errors import FeatureError
from features.history import History
from features.ledgers.rows import NEVER, Rows, picked
from features.matrix import available_features, feature_columns
from features.norms import Norms
from features.timeline import day_number

Promise = Literal["future", "others", "asked"]

LATER_DAYS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "invoices": {"paid": ()},
    "complaints": {"closed": ("goodwill", "is_satisfied", "is_unsatisfied")},
    "contracts": {"ends": (), "cancelled": ()},
    "customers": {"since": ()},
}
"""Days on which a known row changes, and the numbers known only from then on: on or after the cutoff they are not."""

_SAID: Mapping[Promise, str] = {
    "future": "without the rows known from the cutoff on",
    "others": "without half of the other customers",
    "asked": "when only half of the customers are asked for",
}
_DO: Mapping[Promise, str] = {
    "future": "ask the Past for totals and days; never read its ledger's values beyond `end`",
    "others": "take what is usual among customers from `norms`",
    "asked": "give each customer a value of his own",
}
_MOST_CUTOFFS = 4


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One feature that does not keep a promise at a cutoff, with the first customer it shows with."""

    feature: str
    promise: Promise
    cutoff: date
    customer_id: str
    value: float
    otherwise: float

    def __str__(self) -> str:
        return (
            f"{self.feature} is {self.value:g} for customer {self.customer_id} on {self.cutoff}, but"
            f" {self.otherwise:g} {_SAID[self.promise]}; {_DO[self.promise]}"
        )


def broken_promises(
    history: History, *, norms: Mapping[date, Norms], churn: Churn, features: Sequence[Feature] | None = None
) -> Iterator[Broken]:
    """Yield every feature that breaks a promise, once per promise and cutoff.

    Parameters
    ----------
    history : History
        The company, or a part of its customers.
    norms : mapping of cutoff to Norms
        What is usual in the whole company at each cutoff; these cutoffs are looked at.
    churn : Churn
        Definition of the horizon, for the rhythm.
    features : sequence of Feature, optional
        Those to look at; without it all that are available.

    Raises
    ------
    FeatureError
        If a feature of the company's own fails or gives no column.
    """
    asked_for = available_features(history) if features is None else features
    for cutoff, usual in norms.items():
        seen = partial(_columns, cutoff=day_number(cutoff), norms=usual, churn=churn, features=asked_for)
        honest = seen(history, np.arange(len(history.customer_ids)))
        for promise, asked, otherwise in _changed(history, seen, cutoff=day_number(cutoff)):
            yield from _differing(history, honest.iloc[asked], otherwise, promise=promise, cutoff=cutoff)


def _columns(
    known: History,
    asked: NDArray[np.int64],
    *,
    cutoff: int,
    norms: Norms,
    churn: Churn,
    features: Sequence[Feature],
) -> pd.DataFrame:
    return feature_columns(known.at(cutoff), asked, churn=churn, norms=norms, features=features)


def _changed(
    history: History, seen: Callable[[History, NDArray[np.int64]], pd.DataFrame], *, cutoff: int
) -> Iterator[tuple[Promise, NDArray[np.int64], pd.DataFrame]]:
    """Yield each change that must not matter: its promise, whose columns are compared, and what they are then."""
    everyone = np.arange(len(history.customer_ids))
    yield "future", everyone, seen(without_future(history, cutoff), everyone)
    for half in (everyone[::2], everyone[1::2]):
        yield "others", half, seen(only(history, half), np.arange(len(half)))
        yield "asked", half, seen(history, half)


def require_kept(history: History, *, norms: Mapping[date, Norms], churn: Churn) -> None:
    """Put the company's own features to the test at up to four of the cutoffs, spread over time.

    Raises
    ------
    FeatureError
        If one breaks a promise; one line with feature, customer, cutoff and both values.
    """
    groups = {group.name for group in history.catalogue.own_groups}
    own = [feature for feature in available_features(history) if feature.group in groups]
    if not own:
        return
    days = sorted(norms)
    chosen = np.unique(np.linspace(0, len(days) - 1, _MOST_CUTOFFS).round().astype(int))
    spread = {days[place]: norms[days[place]] for place in chosen}
    for broken in broken_promises(history, norms=spread, churn=churn, features=own):
        raise FeatureError(str(broken))


def without_future(history: History, cutoff: int) -> History:
    """Return the history as it would be if nothing had happened or become known from day ``cutoff`` on."""
    return replace(history, rows={name: _without_future(name, rows, cutoff) for name, rows in history.rows.items()})


def only(history: History, codes: NDArray[np.int64]) -> History:
    """Return the history of a company that has these customers (codes ascending) alone, numbered anew."""
    theirs = history.of(codes)
    rows = {
        name: {**each, "customer": np.searchsorted(codes, each["customer"]).astype(np.int64)}
        for name, each in theirs.rows.items()
    }
    return replace(theirs, customer_ids=history.customer_ids[codes], rows=rows)


def _without_future(table: str, rows: Rows, cutoff: int) -> Rows:
    seen = picked(rows, (rows["known"] < cutoff) & (rows["day"] < cutoff))
    changed = dict[str, NDArray[np.int64]]()
    for name, dependents in LATER_DAYS.get(table, {}).items():
        if name in seen:
            happened = seen[name] < cutoff
            changed[name] = np.where(happened, seen[name], NEVER)
            changed |= {each: np.where(happened, seen[each], 0) for each in dependents}
    return {**seen, **changed}


def _differing(
    history: History, honest: pd.DataFrame, otherwise: pd.DataFrame, *, promise: Promise, cutoff: date
) -> Iterator[Broken]:
    for name in honest.columns:
        one, other = honest[name].to_numpy(), otherwise[name].to_numpy()
        differs = np.flatnonzero(one.view(np.int64) != other.view(np.int64))
        if len(differs):
            first = differs[0]
            yield Broken(
                feature=str(name),
                promise=promise,
                cutoff=cutoff,
                customer_id=str(history.customer_ids[honest.index[first]]),
                value=float(one[first]),
                otherwise=float(other[first]),
            )
