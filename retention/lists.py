"""The lists a sales person works with.

Early warning = active customers at risk, as the watch lists them (:mod:`retention.watch`), ordered by value at risk.
Win back = lapsed customers without an obstacle (:mod:`retention.win_back`), by the expected net value of acting. Both
take the first ``size`` customers that may be contacted through at least one channel; the others are in
``not_contactable`` with the reason.

The order of work: select → sentences and plan for those selected → list.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from retention.changes import CHANGE_COLUMNS
from retention.consent import CHANNELS, contactable
from retention.formats import date_text, share_text
from retention.measures import ListName
from retention.movement import news, news_codes
from retention.reasons import MOST
from retention.texts import ListTexts, ReasonTexts

WHYS = tuple(f"why_{place}" for place in range(1, MOST + 1))
_STAKES: Mapping[ListName, str] = {"early_warning": "value_at_risk", "win_back": "expected_net_value"}
_ENDING = (*WHYS, *CHANGE_COLUMNS, "measure", "channel", "allowed_channels", "note", "since", "new_because")
EARLY_WARNING_COLUMNS = (
    "rank", "customer_id", "name", "owner", "segment", "probability", "probability_low", "probability_high",
    "probability_before", "risk_band", "by_when", "half_by", "value", "value_at_risk", *_ENDING,
)  # fmt: skip
"""Columns of the early-warning list; half of the probability until by_when falls due by half_by."""
WIN_BACK_COLUMNS = (
    "rank", "customer_id", "name", "owner", "segment", "probability", "probability_low", "probability_high",
    "by_when", "value", "expected_value", "margin_if_returned", "value_if_returned", "expected_net_value",
    "loss_reason", "cure", "moment", "best_from", "best_until", *_ENDING,
)  # fmt: skip
"""Columns of the win-back list; probability is that of a return until by_when."""
HISTORY_COLUMNS = ("cutoff", "list", "customer_id", "rank")
"""What earlier lists must tell: one row per listed customer and cutoff."""


def select_early_warning(
    scores: pd.DataFrame, *, customers: pd.DataFrame, channels: pd.DataFrame, size: int
) -> pd.DataFrame:
    """Return the customers of the early-warning list: the first ``size`` contactable ones by value at risk.

    Parameters
    ----------
    scores : DataFrame, one row per customer the watch has put on the list
        customer_id, probability (with _low and _high), risk_band, segment, value, horizon_end.
    customers : DataFrame
        Master data; ``name`` and ``owner`` are taken where known.
    channels : DataFrame
        See :func:`retention.consent.allowed_channels`.
    size : int
        Most rows.

    Returns
    -------
    DataFrame, rank 1 first
        The rows of ``scores`` with rank (of this list), name, owner, value_at_risk = probability x value [currency].
        Ties by customer_id.
    """
    stakes = scores.assign(value_at_risk=scores["probability"] * scores["value"])
    return _selected(stakes, "early_warning", customers, channels, size)


def select_win_back(
    scores: pd.DataFrame, *, customers: pd.DataFrame, channels: pd.DataFrame, size: int
) -> pd.DataFrame:
    """Return the customers of the win-back list: the first ``size`` contactable ones by expected net value.

    As :func:`select_early_warning`, for lapsed customers as :func:`retention.win_back.weighed` returns them; whoever
    has an obstacle stays out.
    """
    return _selected(scores[scores["obstacle"].isna()], "win_back", customers, channels, size)


def not_contactable(scores: Mapping[ListName, pd.DataFrame], channels: pd.DataFrame) -> pd.DataFrame:
    """Return who would be a candidate of a list but may not be contacted through any channel.

    Parameters
    ----------
    scores : mapping of list name to DataFrame
        Scores as for the two selections.
    channels : DataFrame
        See :func:`retention.consent.allowed_channels`.

    Returns
    -------
    DataFrame, sorted by list and customer_id
        customer_id, list, why_not: the codes of the channels, joined by ", " (an objection is one code for all).
    """
    refused = channels[~channels["is_allowed"]].groupby("customer_id")["why_not"].agg(_codes)
    reachable = contactable(channels)
    parts = []
    for name in sorted(scores):
        ids = scores[name]["customer_id"].sort_values(ignore_index=True)
        silent = ids[~ids.isin(reachable.index[reachable])].to_frame()
        parts.append(silent.assign(list=name, why_not=silent["customer_id"].map(refused)))
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["customer_id", "list", "why_not"])
    return found.astype("str")


def early_warning(
    selected: pd.DataFrame,
    *,
    sentences: pd.DataFrame,
    channels: pd.DataFrame,
    plan: pd.DataFrame,
    states: pd.DataFrame,
    before: pd.DataFrame,
    families: Mapping[str, str],
    texts: ReasonTexts,
    changes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the early-warning list for machines; :func:`retention.tables.for_people` makes it readable.

    Parameters
    ----------
    selected : DataFrame
        As :func:`select_early_warning` returns it.
    sentences : DataFrame, index customer_id
        text_1 … text_5, see :func:`retention.sentences.sentences`.
    channels : DataFrame
        See :func:`retention.consent.allowed_channels`.
    plan : DataFrame
        See :func:`retention.plan.make_plan`; may hold other customers and lists as well.
    states : DataFrame, index customer_id
        See :func:`retention.watch.move`.
    before : DataFrame, index customer_id
        History of the run before, to say what is new; empty at the first run.
    families : mapping of feature to family
    texts : ReasonTexts
    changes : DataFrame, index customer_id, optional
        See :func:`retention.changes.best_changes`; without it their columns are empty.

    Returns
    -------
    DataFrame with ``EARLY_WARNING_COLUMNS``, sorted by rank
        measure and channel: codes, of the treatment arm only. note: what holds instead; a control customer shows no
        channel either. since: first cutoff of the unbroken row of lists up to this one. probability_before: at the
        run before, missing where there was none.
    """
    listed = _listed(selected, "early_warning", _told(sentences, changes), channels, plan, texts)
    ids = listed["customer_id"]
    codes = news_codes(before, listed)
    since = [day.date() for day in pd.to_datetime(states["listed_since"].reindex(ids))]
    dated = listed.assign(
        since=pd.Series(since, index=listed.index, dtype=object),
        new_because=pd.Series(
            news(listed, before, codes, families=families, texts=texts), index=listed.index, dtype="str"
        ),
        probability_before=before["probability"].reindex(ids).to_numpy(np.float64),
    )
    return dated[list(EARLY_WARNING_COLUMNS)]


def win_back(
    selected: pd.DataFrame,
    *,
    sentences: pd.DataFrame,
    channels: pd.DataFrame,
    plan: pd.DataFrame,
    history: pd.DataFrame,
    cutoff: date,
    texts: ReasonTexts,
    earlier_probability: pd.Series | None = None,
    changes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the win-back list for machines, with ``WIN_BACK_COLUMNS``; as :func:`early_warning`.

    ``selected`` also has cure and moment as sentences. ``history`` holds earlier lists (``HISTORY_COLUMNS``; rows of
    other lists and from ``cutoff`` on do not count), ``earlier_probability`` the chances at the cutoff before.
    """
    listed = _listed(selected, "win_back", _told(sentences, changes), channels, plan, texts)
    return _with_history(listed, "win_back", history, cutoff, texts, earlier_probability)[list(WIN_BACK_COLUMNS)]


def _selected(
    candidates: pd.DataFrame, name: ListName, customers: pd.DataFrame, channels: pd.DataFrame, size: int
) -> pd.DataFrame:
    reachable = contactable(channels)
    may = candidates[candidates["customer_id"].isin(reachable.index[reachable])]
    first = may.sort_values([_STAKES[name], "customer_id"], ascending=[False, True], ignore_index=True).head(size)
    master = customers.set_index("customer_id").reindex(columns=["name", "owner"]).astype("str")
    named = first.drop(columns=["name", "owner"], errors="ignore").join(master, on="customer_id")
    return named.assign(rank=np.arange(1, len(named) + 1))


def _told(sentences: pd.DataFrame, changes: pd.DataFrame | None) -> pd.DataFrame:
    """Return reasons and what would change it, in the columns of the lists."""
    whys = sentences.rename(columns=lambda column: column.replace("text_", "why_")).reindex(columns=list(WHYS))
    known = pd.DataFrame(index=sentences.index) if changes is None else changes
    kinds = {"would_change": "str", "lever": "str", "probability_if": "float64"}
    return whys.join(known.reindex(index=whys.index, columns=list(CHANGE_COLUMNS)).astype(kinds))


def _listed(
    selected: pd.DataFrame,
    name: ListName,
    told: pd.DataFrame,
    channels: pd.DataFrame,
    plan: pd.DataFrame,
    texts: ReasonTexts,
) -> pd.DataFrame:
    """Return the list with reasons, measure, channels and note."""
    assigned = plan[plan["list"] == name].set_index("customer_id")[["measure", "channel", "arm"]]
    joined = selected.join(told, on="customer_id").join(assigned, on="customer_id")
    withheld = joined["arm"].eq("control").fillna(False).to_numpy(dtype=bool)
    idle = joined["arm"].isna().to_numpy()
    notes = texts.lists.notes
    note = np.select([withheld, idle], [notes["control"], notes["no_measure"]], default="")
    return joined.assign(
        measure=joined["measure"].mask(withheld),
        channel=joined["channel"].mask(withheld),
        allowed_channels=joined["customer_id"].map(_allowed(channels)).mask(withheld).astype("str"),
        note=pd.Series(note, index=joined.index, dtype="str").replace("", None),
        by_when=joined["horizon_end"],
        half_by=_half_by(joined),
    )


def _half_by(joined: pd.DataFrame) -> pd.Series[Any]:
    """Return the day by which half of the chance falls due; missing where nobody can say."""
    if "half_after_days" not in joined:
        return pd.Series(None, index=joined.index, dtype=object)
    told = zip(joined["cutoff"], joined["half_after_days"], strict=True)
    days = [None if pd.isna(after) else day + timedelta(days=int(after) - 1) for day, after in told]
    return pd.Series(days, index=joined.index, dtype=object)


def _allowed(channels: pd.DataFrame) -> pd.Series:
    """Return the allowed channels of every customer, joined in the order of ``CHANNELS``."""
    allowed = channels[channels["is_allowed"]]
    place = allowed["channel"].map({channel: number for number, channel in enumerate(CHANNELS)})
    ordered = allowed.assign(place=place).sort_values(["customer_id", "place"])
    return ordered.groupby("customer_id")["channel"].agg(", ".join)


def _codes(why_not: pd.Series) -> str:
    return ", ".join(dict.fromkeys(why_not.dropna()))


def _with_history(
    listed: pd.DataFrame,
    name: ListName,
    history: pd.DataFrame,
    cutoff: date,
    texts: ReasonTexts,
    earlier_probability: pd.Series | None,
) -> pd.DataFrame:
    """Return the list with since and new_because."""
    before = _earlier(history, name, cutoff)
    cutoffs = sorted(set(before["cutoff"]))
    appearances = before.groupby("customer_id")["cutoff"].agg(set).to_dict()
    last = before[before["cutoff"] == cutoffs[-1]] if cutoffs else before
    last_rank = dict(zip(last["customer_id"], last["rank"], strict=True))
    chance = {} if earlier_probability is None else earlier_probability.dropna().to_dict()
    since = [_since(appearances.get(customer, set()), cutoffs, cutoff) for customer in listed["customer_id"]]
    why = [
        _new_because(rank, last_rank.get(customer), appearances.get(customer, set()), now, chance.get(customer), texts)
        for customer, rank, now in zip(
            listed["customer_id"], listed["rank"].tolist(), listed["probability"].tolist(), strict=True
        )
    ]
    return listed.assign(
        since=pd.Series(since, index=listed.index, dtype=object),
        new_because=pd.Series(why, index=listed.index, dtype="str"),
    )


def _earlier(history: pd.DataFrame, name: ListName, cutoff: date) -> pd.DataFrame:
    own = history[history["list"] == name]
    days = pd.to_datetime(own["cutoff"]).dt.date
    return own.assign(cutoff=days)[(days < cutoff).to_numpy(dtype=bool)]


def _since(appearances: set[date], cutoffs: list[date], cutoff: date) -> date:
    """Return the first cutoff of the unbroken row of lists that ends with this one."""
    first = cutoff
    for earlier in reversed(cutoffs):
        if earlier not in appearances:
            break
        first = earlier
    return first


def _new_because(
    rank: int,
    last_rank: int | None,
    appearances: set[date],
    probability: float,
    chance_before: float | None,
    texts: ReasonTexts,
) -> str:
    changes, language = texts.lists.changes, texts.language
    if last_rank is not None:
        return _moved(rank, int(last_rank), texts.lists)
    if appearances:
        return changes["back"].format(listed=date_text(max(appearances), language=language))
    if chance_before is not None and probability > chance_before:
        before, now = share_text(chance_before, language=language), share_text(probability, language=language)
        if before != now:
            return changes["new_rise"].format(before=before, now=now)
    return changes["new"]


def _moved(rank: int, last_rank: int, texts: ListTexts) -> str:
    change = "same" if rank == last_rank else "up" if rank < last_rank else "down"
    return texts.changes[change].format(before=last_rank, now=rank)
