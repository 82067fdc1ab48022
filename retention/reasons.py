"""From contributions to reasons: families ranked by weight, and sentences a sales person can read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from retention.texts import Purpose

MOST = 5
"""Reasons per customer."""
STAYS = 0.8
"""The first reason of the run before stays first while it weighs so much of the heaviest: less is no news. Measured on
the demo company: what a reason weighs differs by a fifth to a quarter (median) where tuning ends at other settings."""
_ZERO = 1e-9
"""Log-odds below this are no reason: what is left when contributions cancel."""
_CHUNK = 100_000


def rank_reasons(contributions: pd.DataFrame, families: Mapping[str, str], most: int = MOST) -> pd.DataFrame:
    """Return the strongest reasons of every customer, in both directions.

    Parameters
    ----------
    contributions : DataFrame of float [log-odds], index customer_id, one column per feature
        Contributions to the score; a column ``base`` is ignored. Column order does not matter.
    families : mapping of feature to family
        Features of one family count together; every feature needs one.
    most : int
        How many reasons at most.

    Returns
    -------
    DataFrame, index as given, columns reason_1 … reason_most, contribution_1 … contribution_most
        reason: the feature that leads its family, that is the largest contribution with the sign of the family's
        sum; contribution: the family's sum [log-odds]. Falling by size of the sum, ties by the family's name (what a
        run writes may keep an earlier first reason in front, see :func:`first_kept`).
        Missing where a customer has fewer reasons; a sum of zero is none.

    Raises
    ------
    ValueError
        If a feature has no family.
    """
    features = sorted(set(contributions.columns) - {"base"})
    if lost := [feature for feature in features if feature not in families]:
        raise ValueError(f"expected a family for every feature, got none for {', '.join(lost)}; extend the catalogue")
    groups = _groups(features, families)
    values = contributions[features].to_numpy(dtype=np.float64)
    lead, weight = np.empty((len(values), most), dtype=np.int32), np.empty((len(values), most))
    for start in range(0, len(values), _CHUNK):
        part = slice(start, start + _CHUNK)
        lead[part], weight[part] = _ranked(values[part], groups, most)
    return _reason_frame(lead, weight, features, contributions.index)


def first_kept(reasons: pd.DataFrame, before: pd.DataFrame, families: Mapping[str, str]) -> pd.DataFrame:
    """Return the reasons with the family that came first at the run before in front, where it is still about as heavy.

    Names and contributions stay together: only the order changes. A family stays first while it speaks the same way as
    then and weighs at least ``STAYS`` of the heaviest.

    Parameters
    ----------
    reasons : DataFrame, index customer_id
        As :func:`rank_reasons` returns it; other columns stay as they are.
    before : DataFrame, index customer_id
        reason_1 and contribution_1 as they were said at the run before; whoever is missing had none.
    families : mapping of feature to family
    """
    found = [str(name) for name in reasons.columns]
    names, weights = ([name for name in found if name.startswith(kind)] for kind in ("reason_", "contribution_"))
    weight = reasons[weights].to_numpy(np.float64)
    known = before[["reason_1", "contribution_1"]].reindex(reasons.index)
    family = known["reason_1"].map(families)
    same = np.column_stack([reasons[name].map(families).eq(family).to_numpy(bool) for name in names])
    same_way = np.sign(weight) == np.sign(known["contribution_1"].to_numpy(np.float64))[:, None]
    heavy = np.abs(weight) >= STAYS * np.abs(weight[:, :1])
    stays = same & same_way & heavy
    rows = np.flatnonzero(stays[:, 1:].any(axis=1))
    order = np.argsort(~stays[rows], axis=1, kind="stable")
    told = reasons.copy()
    for columns in (names, weights):
        moved = np.take_along_axis(reasons[columns].to_numpy()[rows], order, axis=1)
        for place, column in enumerate(columns):
            told.loc[reasons.index[rows], column] = moved[:, place]
    return told


def endangering_families(reasons: pd.DataFrame, families: Mapping[str, str], *, purpose: Purpose) -> pd.DataFrame:
    """Return which families endanger each customer: what a measure should answer.

    Parameters
    ----------
    reasons : DataFrame, index customer_id
        As :func:`rank_reasons` returns it.
    families : mapping of feature to family
    purpose : "churn" or "return"
        For churn a positive contribution endangers; for return a negative one does.

    Returns
    -------
    DataFrame of bool, index as given, one column per family that is a reason of somebody, sorted by name
    """
    sign = 1 if purpose == "churn" else -1
    places = [name.removeprefix("reason_") for name in reasons.columns if name.startswith("reason_")]
    family = {place: reasons[f"reason_{place}"].map(families) for place in places}
    speaks = {place: reasons[f"contribution_{place}"] * sign > 0 for place in places}
    found = sorted({name for column in family.values() for name in column.dropna().unique()})
    flags = {name: np.any([family[p].eq(name) & speaks[p] for p in places], axis=0) for name in found}
    return pd.DataFrame(flags, index=reasons.index, dtype=bool)


def _groups(features: list[str], families: Mapping[str, str]) -> list[list[int]]:
    """Return the places of the features of every family, families sorted by name."""
    members: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        members.setdefault(families[feature], []).append(place)
    return [members[family] for family in sorted(members)]


def _ranked(
    values: NDArray[np.float64], groups: list[list[int]], most: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return per row the leading features (-1: none) and sums of its heaviest families."""
    sums = np.empty((len(values), len(groups)))
    leads = np.empty((len(values), len(groups)), dtype=np.int32)
    for family, places in enumerate(groups):
        members = values[:, places]
        sums[:, family] = _added_up(members)
        same_way = members * np.sign(sums[:, [family]])
        leads[:, family] = np.asarray(places, dtype=np.int32)[same_way.argmax(axis=1)]
    return _heaviest(sums, leads, most)


def _added_up(members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of the rows, added column after column: ``sum`` adds in another order where rows are few."""
    total = np.zeros(len(members))
    for column in members.T:
        total += column
    return total


def _heaviest(
    sums: NDArray[np.float64], leads: NDArray[np.int32], most: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    lead = np.full((len(sums), most), -1, dtype=np.int32)
    weight = np.full((len(sums), most), np.nan)
    size = np.abs(sums)
    rows = np.arange(len(sums))
    for place in range(min(most, sums.shape[1])):
        best = size.argmax(axis=1)
        real = size[rows, best] > _ZERO
        lead[real, place] = leads[rows[real], best[real]]
        weight[real, place] = sums[rows[real], best[real]]
        size[rows, best] = -1.0
    return lead, weight


def _reason_frame(
    lead: NDArray[np.int32], weight: NDArray[np.float64], features: list[str], index: pd.Index
) -> pd.DataFrame:
    names = pa.array(features, type=pa.large_string())
    most = lead.shape[1]
    reasons = {f"reason_{place + 1}": _text_column(lead[:, place], names) for place in range(most)}
    weights = {f"contribution_{place + 1}": weight[:, place] for place in range(most)}
    return pd.DataFrame({**reasons, **weights}, index=index)


def _text_column(codes: NDArray[np.int32], names: pa.Array) -> pd.api.extensions.ExtensionArray:
    """Return names by code as strings; -1 is missing."""
    known = pa.array(codes, mask=codes < 0)
    decoded = pa.DictionaryArray.from_arrays(known, names).dictionary_decode()
    column: pd.api.extensions.ExtensionArray = pd.array(decoded, dtype="str")
    return column
