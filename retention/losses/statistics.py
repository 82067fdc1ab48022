"""Who left, when, why and at what cost: counts by reason, by month and by group of customers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from retention.loss_reasons import UNKNOWN, LossReasons

KNOWN_BY = ("told", "noted", "inferred", "nobody")
"""How a reason is known: told by the customer, noted by sales without asking, inferred by the model, or not at all."""
GROUPS = ("segment", "type", "industry", "size", "country", "cohort")
"""Columns by which lost customers are told apart; account managers only when asked for expressly."""
REST = "rest"
"""The level that holds those of all groups smaller than ``LEAST_IN_GROUP``."""
LEAST_IN_GROUP = 5
"""Lost customers below which a group is not shown on its own: single people could be recognised in it."""


def with_reason(lost: pd.DataFrame) -> pd.DataFrame:
    """Return lost customers with the reason that counts, and how it is known.

    Parameters
    ----------
    lost : DataFrame, one row per lost customer
        told_reason, told_source ("interview" or "inferred" by sales), inferred_reason; each may be missing.

    Returns
    -------
    DataFrame
        With loss_reason and known_by (``KNOWN_BY``): a reason told in an interview counts before one that sales noted,
        that before one the model points to; a told ``unknown`` gives way to the next.
    """
    says = {
        "told": _meaning(lost["told_reason"].where(lost["told_source"].eq("interview"))),
        "noted": _meaning(lost["told_reason"].where(lost["told_source"].eq("inferred"))),
        "inferred": _meaning(lost["inferred_reason"]),
    }
    known_by = np.select([says[name].notna() for name in says], list(says), default="nobody")
    reason = says["told"].fillna(says["noted"]).fillna(says["inferred"]).fillna(UNKNOWN)
    return lost.assign(loss_reason=reason.astype("str"), known_by=pd.Series(known_by, index=lost.index, dtype="str"))


def _meaning(reason: pd.Series) -> pd.Series:
    return reason.where(reason.ne(UNKNOWN).fillna(False))


def by_reason(lost: pd.DataFrame, reasons: LossReasons) -> pd.DataFrame:
    """Return one row per reason in the order of the taxonomy.

    Columns: reason, curable, customers, share, told, noted, inferred (customers by how it is known), value (sum of
    what was lost with them [currency]).
    """
    counts = pd.crosstab(lost["loss_reason"], lost["known_by"]) if len(lost) else pd.DataFrame()
    counts = counts.reindex(index=list(reasons.names), columns=list(KNOWN_BY), fill_value=0).astype(np.int64)
    table = counts.rename_axis(index="reason", columns=None).assign(customers=counts.sum(axis=1))
    table["share"] = table["customers"] / max(len(lost), 1)
    table["value"] = lost.groupby("loss_reason")["value"].sum(min_count=1).reindex(table.index)
    table["curable"] = [name in reasons.curable for name in table.index]
    columns = ["reason", "curable", "customers", "share", "told", "noted", "inferred", "value"]
    return table.reset_index()[columns]


def by_month(lost: pd.DataFrame) -> pd.DataFrame:
    """Return month (its first day), customers and value [currency] of the losses, without gaps; oldest first.

    The value is missing where that of no customer is known.
    """
    if lost.empty:
        return pd.DataFrame({"month": [], "customers": [], "value": []})
    month = pd.to_datetime(lost["lost_on"]).dt.to_period("M")
    every = pd.period_range(month.min(), month.max(), freq="M")
    counted = month.value_counts().reindex(every, fill_value=0).to_numpy(np.int64)
    value = lost.groupby(month)["value"].sum(min_count=1).reindex(every).to_numpy(np.float64)
    return pd.DataFrame({"month": [each.start_time.date() for each in every], "customers": counted, "value": value})


def by_group(lost: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return lost customers by the levels of each column that tells them apart.

    Columns: by, level, customers, share (of all lost), main_reason (the most frequent known one; missing without any),
    main_share (of those with a known reason), value [currency]. Levels below ``LEAST_IN_GROUP`` are joined to
    ``REST``; columns with one level are left out.
    """
    parts = [_levels(lost, column) for column in columns if column in lost.columns and lost[column].nunique() > 1]
    empty = pd.DataFrame(columns=["by", "level", "customers", "share", "main_reason", "main_share", "value"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _levels(lost: pd.DataFrame, column: str) -> pd.DataFrame:
    level = lost[column].astype("str")
    sizes = level.map(level.value_counts())
    named = level.where(sizes >= LEAST_IN_GROUP, REST).where(level.notna(), None)
    rows = [
        {
            "by": column,
            "level": str(each),
            "customers": len(part),
            "share": len(part) / len(lost),
            **_main_reason(part),
            "value": float(part["value"].sum(min_count=1)),
        }
        for each, part in lost.groupby(named, sort=True)
    ]
    return pd.DataFrame(rows).sort_values(["customers", "level"], ascending=[False, True], ignore_index=True)


def _main_reason(part: pd.DataFrame) -> dict[str, object]:
    counts = part.loc[part["loss_reason"] != UNKNOWN, "loss_reason"].value_counts()
    if counts.empty:
        return {"main_reason": None, "main_share": float("nan")}
    first = counts.sort_index().sort_values(ascending=False, kind="stable")
    return {"main_reason": str(first.index[0]), "main_share": float(first.iloc[0] / counts.sum())}
