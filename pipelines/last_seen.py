"""What was said of lost customers at the last cutoff at which they still were customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from features.definition import YEAR_DAYS
from features.matrix import of_cohort
from features.outputs import read_manifest
from models.churn_model import ChurnModel
from models.value import READ_COLUMNS
from pipelines.build_features import read_matrix, read_rhythm
from pipelines.places import Places
from pipelines.score import compared
from pipelines.settings import Settings
from pipelines.train import champions
from retention.loss_reasons import LossReasons
from retention.losses.inferred import inferred_reasons

_SEEN = ("last_seen_on", "value")
_INFERRED = ("inferred_reason", "inferred_weight")


@dataclass(frozen=True, kw_only=True)
class LastSeen:
    """From the cutoffs at which they were active: class of everybody; last day, value and inferred reason of the lost.

    Class and value are the highest in the year up to the last of these cutoffs: just before a loss both have faded.
    ``classes`` and ``inferred`` have index customer_id; who was never seen active at a cutoff is missing.
    """

    classes: pd.DataFrame
    inferred: pd.DataFrame
    has_model: bool


def last_seen(
    settings: Settings,
    cutoff: date,
    everyone: pd.DataFrame,
    *,
    families: Mapping[str, str],
    reasons: LossReasons,
) -> LastSeen:
    """Look the lost up in the matrices there are; the model in use at ``cutoff`` speaks for all of them alike.

    Its contributions are to the matrix of that day, which holds what was known then; the model itself may have learned
    later. So an inferred reason explains a loss afterwards; it was not what the list said at the time.
    """
    found, places = champions(settings, cutoff), Places(Path(settings.output))
    if found is None:
        return LastSeen(classes=_empty("segment"), inferred=_empty(*_SEEN, *_INFERRED), has_model=False)
    lost = frozenset(everyone.loc[everyone["lost_on"].notna(), "customer_id"])
    judged = [_of_day(settings, day, places, found.churn, lost) for day in _days(places, cutoff)]
    rows = _at_their_best(pd.concat([part for part, _ in judged], ignore_index=True))
    classes = rows.set_index("customer_id")[["segment"]]
    snapshots = pd.concat([part for _, part in judged], ignore_index=True)
    last = snapshots.drop_duplicates("customer_id", keep="last").sort_values("customer_id", ignore_index=True)
    told = _inferred(last, found.churn, families, reasons)
    seen = rows.set_index("customer_id")[list(_SEEN)].reindex(told.index)
    return LastSeen(classes=classes, inferred=seen.join(told), has_model=True)


def _days(places: Places, cutoff: date) -> Iterator[date]:
    yield from (date.fromisoformat(day) for day in read_manifest(places.matrix(cutoff))["training_cutoffs"])
    yield cutoff


def _of_day(
    settings: Settings, day: date, places: Places, model: ChurnModel, lost: frozenset[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return class and value of everybody active that day, and the snapshots of those who are lost today."""
    active = of_cohort(read_matrix(places.matrix(day)), "active")
    known = [name for name in ("customer_id", *READ_COLUMNS) if name in active.columns]
    judged = pd.concat([active[known], model.score(active)], axis=1)
    said = compared(judged, model, read_rhythm(places.matrix(day)), settings)
    rows = pd.DataFrame(
        {
            "customer_id": active["customer_id"],
            "segment": said["segment"],
            "value": said["value"],
            "last_seen_on": pd.Timestamp(day),
        }
    )
    return rows, active[active["customer_id"].isin(lost)]


def _at_their_best(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per customer: the last day seen, with the highest value of the year up to it and its class."""
    last = rows.groupby("customer_id")["last_seen_on"].transform("max")
    recent = rows[(last - rows["last_seen_on"]).dt.days < YEAR_DAYS].assign(last_seen_on=last)
    return recent.sort_values(["customer_id", "value"], ascending=[True, False]).drop_duplicates("customer_id")


def _inferred(last: pd.DataFrame, model: ChurnModel, families: Mapping[str, str], reasons: LossReasons) -> pd.DataFrame:
    if last.empty:
        return _empty(*_INFERRED)
    contributions = model.contributions(last).set_axis(pd.Index(last["customer_id"], name="customer_id"), axis=0)
    found = inferred_reasons(contributions, families=families, reasons=reasons)
    return found.rename(columns={"loss_reason": "inferred_reason", "weight": "inferred_weight"})


def _empty(*columns: str) -> pd.DataFrame:
    kinds = {"segment": "str", "inferred_reason": "str", "last_seen_on": "datetime64[s]"}
    index = pd.Index([], name="customer_id", dtype="str")
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in columns}, index=index)
