"""What has changed since the run before: why a customer is new on the early-warning list, and why one is gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from retention.formats import date_text, share_text, short_number_text
from retention.reasons import MOST
from retention.texts import ReasonTexts

GONE_COLUMNS = (
    "customer_id", "name", "owner", "gone", "because", "probability_before", "probability", "value_at_risk_before",
    "since", "rest_until", "lost_on",
)  # fmt: skip
"""Columns of those who left the early-warning list; gone is a code of ``GONE``."""
GONE = ("lost", "objected", "worked_on", "bought", "fell", "displaced", "absent")
"""Why somebody left: no longer active; may not be contacted any more; a measure reached them; bought and the risk fell;
the risk fell; others have more at stake; not in the data any more."""

Record = Mapping[str, Any]


def news_codes(before: pd.DataFrame, listed: pd.DataFrame) -> pd.Series:
    """Return what is new of every listed customer.

    Parameters
    ----------
    before : DataFrame, index customer_id
        History of the run before; empty at the first.
    listed : DataFrame
        customer_id, rank, probability of the list.

    Returns
    -------
    Series of str, index customer_id in the order of ``listed``
        up, down, same (was listed); place (waited for one); rested; back; rise (the probability rose); new.
    """
    known = before.reindex(listed["customer_id"])
    was = known["state"].astype(object)
    rank, chance = listed["rank"].to_numpy(np.float64), listed["probability"].to_numpy(np.float64)
    moved = rank - known["rank"].to_numpy(np.float64)
    stayed = was.eq("listed").to_numpy(bool)
    order = {
        "up": stayed & (moved < 0),
        "down": stayed & (moved > 0),
        "same": stayed,
        "place": was.eq("waiting").to_numpy(bool),
        "rested": was.eq("resting").to_numpy(bool),
        "back": known["last_listed_on"].notna().to_numpy(bool),
        "rise": chance > known["probability"].to_numpy(np.float64),
    }
    codes = np.select(list(order.values()), [np.array(code, dtype=object) for code in order], np.array("new", object))
    return pd.Series(codes, index=known.index, dtype="str")


def news(listed: pd.DataFrame, before: pd.DataFrame, codes: pd.Series, *, families: Mapping[str, str],
         texts: ReasonTexts) -> list[str]:  # fmt: skip
    """Return why each customer of the list is on it now, in words: the change, and the reason that moved most.

    Parameters
    ----------
    listed : DataFrame
        customer_id, rank, probability, reason_1 … contribution_5, and the sentences why_1 … why_5.
    before : DataFrame, index customer_id
        History of the run before: probability, rank, reasons as they were said then; empty at the first run.
    codes : Series of str, index customer_id
        See :func:`news_codes`.
    families : mapping of feature to family
    texts : ReasonTexts
    """
    earlier = _records(before.loc[before.index.isin(listed["customer_id"])])
    rows = listed.to_dict("records")
    return [
        _told({str(key): value for key, value in row.items()}, earlier.get(row["customer_id"]), code, families, texts)
        for row, code in zip(rows, codes, strict=True)
    ]


def gone(
    before: pd.DataFrame,
    now: pd.DataFrame,
    *,
    customers: pd.DataFrame,
    threshold: float,
    cutoff: date,
    texts: ReasonTexts,
) -> pd.DataFrame:
    """Return who stood on the list at the run before and no longer does, and why.

    Parameters
    ----------
    before : DataFrame, index customer_id
        History of the run before; empty at the first.
    now : DataFrame, index customer_id
        Columns of :func:`retention.watch.move`, probability, worked_on and bought_on of every customer.
    customers : DataFrame
        Master data; ``name`` and ``owner`` are taken where known.
    threshold : float
        Probability below which a listed customer leaves.
    cutoff : date
    texts : ReasonTexts

    Returns
    -------
    DataFrame with ``GONE_COLUMNS``, most at stake before first
    """
    left = before[(before["state"] == "listed").to_numpy(bool)]
    stays = now.index[(now["state"] == "listed").to_numpy(bool)]
    left = left[~left.index.isin(stays)].sort_values("customer_id").sort_values(
        "value_at_risk", ascending=False, kind="stable"
    )  # fmt: skip
    today = now.reindex(left.index)
    codes = _gone_codes(left, today, cutoff=cutoff)
    master = customers.set_index("customer_id").reindex(index=left.index, columns=["name", "owner"]).astype("str")
    earlier, later = left.to_dict("records"), today.to_dict("records")
    why = [_why_gone(*each, threshold=threshold, texts=texts) for each in zip(codes, earlier, later, strict=True)]
    columns = {
        **{name: master[name] for name in ("name", "owner")},
        "gone": pd.Series(codes, index=left.index, dtype="str"),
        "because": pd.Series(why, index=left.index, dtype="str"),
        "probability_before": left["probability"],
        "probability": today["probability"],
        "value_at_risk_before": left["value_at_risk"],
        **{name: _dates(column) for name, column in _moments(left, today).items()},
    }
    return pd.DataFrame(columns).rename_axis("customer_id").reset_index()[list(GONE_COLUMNS)]


def _moments(left: pd.DataFrame, today: pd.DataFrame) -> Mapping[str, pd.Series]:
    return {"since": left["listed_since"], "rest_until": today["rest_until"], "lost_on": today["lost_on"]}


def _gone_codes(left: pd.DataFrame, today: pd.DataFrame, *, cutoff: date) -> list[str]:
    state = today["state"].astype(object)
    rests = today["rest_until"] > pd.Timestamp(cutoff)
    worked = today["worked_on"].notna() & ~(today["worked_on"] < left["listed_since"])
    order = {
        "absent": state.isna(),
        "lost": state.eq("lost"),
        "objected": state.eq("barred"),
        "worked_on": state.eq("resting") & worked & rests,
        "displaced": state.eq("waiting"),
        "bought": today["bought_on"] > left["bought_on"],
    }
    masks = [holds.to_numpy(bool) for holds in order.values()]
    return [str(code) for code in np.select(masks, [np.array(code, dtype=object) for code in order], "fell")]


def _why_gone(code: str, before: Mapping[Any, Any], now: Mapping[Any, Any], *, threshold: float,
              texts: ReasonTexts) -> str:  # fmt: skip
    language, words = texts.language, texts.lists.gone_because
    chance = now["probability"]
    facts = {
        "before": share_text(before["probability"], language=language),
        "now": _chance(chance, texts),
        "threshold": share_text(threshold, language=language),
        "rank": "" if pd.isna(before["rank"]) else str(int(before["rank"])),
        **{name: _day(now[name], texts) for name in ("bought_on", "worked_on", "rest_until", "lost_on")},
    }
    rose = code == "fell" and chance >= before["probability"]
    return words["moved" if rose else code].format(**facts)


def _told(row: Record, before: Record | None, code: str, families: Mapping[str, str], texts: ReasonTexts) -> str:
    changes = texts.lists.changes
    if before is None:
        return changes["new"]
    then, now = (_chance(each["probability"], texts) for each in (before, row))
    facts = {
        "before": then, "now": now, "last": _day(before["cutoff"], texts),
        "listed": _day(before["last_listed_on"], texts), "until": _day(before["rest_until"], texts),
    }  # fmt: skip
    if code in ("up", "down", "same"):
        return changes[code].format(before=int(before["rank"]), now=int(row["rank"]))
    said = changes["new" if code == "rise" and then == now else code].format(**facts)
    return said + _mover(row, before, families, texts)


def _mover(row: Record, before: Record, families: Mapping[str, str], texts: ReasonTexts) -> str:
    """Return the endangering reason that has gained most since the run before, in words; nothing when none has."""
    earlier = {families.get(feature, feature): weight for feature, weight in _reasons(before)}
    gained = [
        (weight - earlier.get(families[feature], 0.0), -place)
        for place, (feature, weight) in enumerate(_reasons(row), start=1)
        if weight > 0 and isinstance(row[f"why_{place}"], str)
    ]
    gain, place = max(gained, default=(0.0, 0))
    if gain <= 0:
        return ""
    feature, weight = row[f"reason_{-place}"], row[f"contribution_{-place}"]
    fact = row[f"why_{-place}"].removeprefix(f"{texts.signs['churn'].raises}: ")
    return _weighed(fact, weight, earlier.get(families[feature]), _day(before["cutoff"], texts), texts)


def _weighed(fact: str, weight: float, earlier: float | None, last: str, texts: ReasonTexts) -> str:
    changes, language = texts.lists.changes, texts.language
    if earlier is None:
        return changes["new_reason"].format(fact=fact)
    before, now = (short_number_text(float(np.exp(each)), language=language) for each in (earlier, weight))
    return changes["more_reason"].format(fact=fact, before=before, now=now, last=last) if before != now else ""


def _reasons(row: Record) -> list[tuple[str, float]]:
    """Return feature and contribution of the reasons in order, up to the first place without one."""
    pairs = [(row[f"reason_{place}"], row[f"contribution_{place}"]) for place in range(1, MOST + 1)]
    return [(feature, weight) for feature, weight in pairs if isinstance(feature, str)]


def _records(frame: pd.DataFrame) -> Mapping[str, Record]:
    rows = frame.to_dict("records")
    found = (({str(key): value for key, value in row.items()}) for row in rows)
    return dict(zip(map(str, frame.index), found, strict=True))


def _chance(value: float, texts: ReasonTexts) -> str:
    return "" if np.isnan(value) else share_text(value, language=texts.language)


def _day(value: Any, texts: ReasonTexts) -> str:
    return "" if pd.isna(value) else date_text(pd.Timestamp(value).date(), language=texts.language)


def _dates(column: pd.Series) -> pd.Series:
    days = [None if pd.isna(value) else pd.Timestamp(value).date() for value in column]
    return pd.Series(days, index=column.index, dtype=object)
