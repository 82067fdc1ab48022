"""Who is worth what: classes by value and by turnover side by side, who differs, and what is at stake where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

CLASSES = ("A", "B", "C")
CLASSES_FILE = "classes"
"""Name of the table of classes among the lists, without its ending."""
NEEDED = (
    *("turnover_segment", "standing", "turnover", "potential", "expected_margin", "cost_to_serve"),
    *("value_at_risk_low", "value_at_risk_high"),
)
"""Columns of the scores that say more of worth than value and class; scores of an older Treue lack them."""
COLUMNS = (
    *("customer_id", "name", "owner", "segment", "turnover_segment", "differs", "standing", "value", "value_low"),
    *("value_high", "turnover", "expected_margin", "cost_to_serve", "potential", "contacts_per_year"),
)
"""Columns of the table of classes."""


def classes_table(
    scores: pd.DataFrame, *, names: pd.Series, owners: pd.Series, contacts_per_year: Mapping[str, int]
) -> pd.DataFrame:
    """Return every active customer with both classes, the most valuable first, ties by customer_id.

    Parameters
    ----------
    scores : DataFrame
        As the stage ``score`` writes them.
    names, owners : Series of str, index customer_id
        From the master data; may be empty.
    contacts_per_year : mapping of class to count
        How often a customer of the class shall hear from us.

    Returns
    -------
    DataFrame with ``COLUMNS``
        ``differs``: "worth_more" where the class by value is above that by turnover, "worth_less" below, else empty.
    """
    ids = scores["customer_id"]
    place = {name: scores[name].map({each: at for at, each in enumerate(CLASSES)}) for name in _BOTH}
    above = place["turnover_segment"] - place["segment"]
    table = scores.assign(
        name=ids.map(names) if len(names) else "",
        owner=ids.map(owners) if len(owners) else "",
        differs=np.select([above > 0, above < 0], ["worth_more", "worth_less"], ""),
        contacts_per_year=scores["segment"].map(contacts_per_year).fillna(0).astype("int64"),
    )
    ordered = table.sort_values(["value", "customer_id"], ascending=[False, True], ignore_index=True)
    texts = {name: ordered[name].fillna("").astype("str") for name in ("name", "owner")}
    return ordered.assign(**texts)[list(COLUMNS)]


_BOTH = ("segment", "turnover_segment")


def crossed(scores: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many customers are in each class by value (outer) and by turnover (inner).

    Examples
    --------
    >>> crossed(pd.DataFrame({"segment": ["A", "A"], "turnover_segment": ["A", "C"]}))["A"]
    {'A': 1, 'B': 0, 'C': 1}
    """
    counts = scores.groupby(list(_BOTH)).size()
    return {one: {other: int(counts.get((one, other), 0)) for other in CLASSES} for one in CLASSES}


@dataclass(frozen=True, kw_only=True)
class AtStake:
    """Value at risk of a group [currency] with its 80 % interval, and how much of it this week's work reaches.

    ``listed`` is what stands on the early-warning list, ``planned`` what the plan treats.
    """

    name: str
    customers: int
    at_risk: float
    low: float
    high: float
    listed: float
    planned: float


def at_stake(
    scores: pd.DataFrame, group: pd.Series, *, listed: Collection[str], planned: Collection[str]
) -> tuple[AtStake, ...]:
    """Return what is at stake in each group, the most first; ``group`` has the index of ``scores``.

    The interval of a sum takes customers as independent of each other: what errs for all alike is not in it.
    """
    at_risk, low, high = (scores[f"value_at_risk{side}"].fillna(0.0) for side in ("", "_low", "_high"))
    on_list, in_plan = (scores["customer_id"].isin(list(ids)) for ids in (listed, planned))
    parts = pd.DataFrame(
        {
            "customers": 1,
            "at_risk": at_risk,
            "below": (at_risk - low) ** 2,
            "above": (high - at_risk) ** 2,
            "listed": at_risk.where(on_list, 0.0),
            "planned": at_risk.where(in_plan, 0.0),
        }
    )
    sums = parts.groupby(group.astype("str")).sum().sort_index(kind="stable")
    falling = sums.sort_values("at_risk", ascending=False, kind="stable")
    return tuple(
        AtStake(
            name=str(name),
            customers=int(row["customers"]),
            at_risk=float(row["at_risk"]),
            low=max(float(row["at_risk"] - row["below"] ** 0.5), 0.0),
            high=float(row["at_risk"] + row["above"] ** 0.5),
            listed=float(row["listed"]),
            planned=float(row["planned"]),
        )
        for name, row in falling.iterrows()
    )


def texts_of(customers: pd.DataFrame, name: str) -> pd.Series:
    """Return a text of the master data by customer_id; nothing where there is no such column."""
    known = customers.set_index("customer_id")
    return known[name].astype("str") if name in known.columns else pd.Series(dtype="str")


def regions_of(customers: pd.DataFrame) -> pd.Series:
    """Return the region of every customer, index customer_id: country and the first two places of the postcode.

    Examples
    --------
    >>> rows = {"customer_id": ["1", "2", "3"], "country": ["DE", None, "AT"], "postcode": ["24103", "10115", None]}
    >>> regions_of(pd.DataFrame(rows)).tolist()
    ['DE 24', '10', 'AT']
    """
    known = customers.set_index("customer_id")
    country, postcode = (
        known[name].fillna("").astype("str") if name in known.columns else pd.Series("", index=known.index)
        for name in ("country", "postcode")
    )
    return (country + " " + postcode.str[:2]).str.strip()
