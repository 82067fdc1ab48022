"""What the page says of lost customers: why they left, how far that is known, and what was lost with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class LossesFound:
    """What the stage ``losses`` found at the cutoff of the page.

    Attributes
    ----------
    by_reason : DataFrame
        As :func:`retention.losses.statistics.by_reason` gives it.
    titles : mapping of reason to its title in the language of the page
    page : str
        Path of the page about lost customers, from that of the report.
    """

    by_reason: pd.DataFrame
    titles: Mapping[str, str]
    page: str


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Part 4c of the page: rows by reason, the most frequent first, and their sums; an unknown ``value`` is NaN."""

    rows: list[dict[str, Any]]
    customers: int
    said: int
    inferred: int
    value: float
    page: str


def lost_in(found: LossesFound | None) -> Lost | None:
    """Return what is said of lost customers; None where the stage was not run or nobody is lost."""
    if found is None or not int(found.by_reason["customers"].sum()):
        return None
    table = found.by_reason[found.by_reason["customers"] > 0]
    table = table.sort_values(["customers", "reason"], ascending=[False, True])
    rows = table.assign(title=table["reason"].map(dict(found.titles)).fillna(table["reason"])).to_dict("records")
    return Lost(
        rows=[{str(key): value for key, value in row.items()} for row in rows],
        customers=int(table["customers"].sum()),
        said=int(table[["told", "noted"]].to_numpy().sum()),
        inferred=int(table["inferred"].sum()),
        value=float(table["value"].sum(min_count=1)),
        page=found.page,
    )
