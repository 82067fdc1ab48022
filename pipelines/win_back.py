"""Weighing the lapsed: what each brings if they return, what they told, and the best moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.catalogue import Catalogue
from features.matrix import of_cohort
from features.outputs import read_manifest
from features.rhythm import RhythmParameters
from models.contract_return import (
    CONTRACT_COLUMNS,
    ContractReturn,
    if_returned_to_contract,
    is_by_contract,
    learn_contract_return,
)
from models.settings import Value
from models.win_back import (
    READ_COLUMNS,
    ReturnMargin,
    ReturnTiming,
    if_returned,
    learn_return_margin,
    learn_timing,
    window_since,
)
from pipelines.build_features import read_matrix, read_rhythm
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.told_losses import reasons_of, told_losses
from retention.loss_reasons import LossReasons
from retention.measures import Measure
from retention.reasons import MOST, endangering_families
from retention.win_back import still_holding, weighed, with_moment

RECENCY = "sales__recency_days"


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What past returns tell: what a return brings, and when customers return (None: too few to tell).

    ``contract`` says what a return to a contract brings; None under other definitions of churn.
    """

    margin: ReturnMargin
    timing: ReturnTiming | None
    contract: ContractReturn | None = None

    def worth_of(self, lapsed: pd.DataFrame, *, rhythm: RhythmParameters, settings: Settings) -> pd.DataFrame:
        """Return ``margin_if_returned`` and ``value_if_returned`` of lapsed customers, by contract or by rhythm."""
        if self.contract is not None and is_by_contract(lapsed, settings.churn):
            return if_returned_to_contract(lapsed, self.contract, churn=settings.churn, settings=settings.value)
        return if_returned(lapsed, self.margin, rhythm=rhythm, churn=settings.churn, settings=settings.value)


@dataclass(frozen=True, kw_only=True)
class Lapsed:
    """The lapsed customers of one cutoff, weighed (`retention.win_back`), the reasons in use, what was learned."""

    rows: pd.DataFrame
    reasons: LossReasons
    learned: Learned


def lapsed_of(
    settings: Settings,
    cutoff: date,
    *,
    scores: pd.DataFrame,
    channels: pd.DataFrame,
    measures: Sequence[Measure],
    features: Catalogue,
) -> Lapsed:
    """Weigh the lapsed customers of ``cutoff``; its matrix and those it was learned from must be there."""
    places, reasons = Places(Path(settings.output)), reasons_of(settings, features)
    lapsed = of_cohort(read_matrix(places.matrix(cutoff)), "lapsed")
    learned = learn(_past(settings, cutoff, places), now=cutoff, settings=settings)
    rows = weigh(
        scores,
        lapsed,
        learned=learned,
        rhythm=read_rhythm(places.matrix(cutoff)),
        settings=settings,
        told=told_losses(settings, cutoff, reasons),
        channels=channels,
        measures=measures,
        families=features.families,
        reasons=reasons,
    )
    return Lapsed(rows=rows, reasons=reasons, learned=learned)


def weigh(
    scores: pd.DataFrame,
    lapsed: pd.DataFrame,
    *,
    learned: Learned,
    rhythm: RhythmParameters,
    settings: Settings,
    told: pd.DataFrame,
    channels: pd.DataFrame,
    measures: Sequence[Measure],
    families: Mapping[str, str],
    reasons: LossReasons,
) -> pd.DataFrame:
    """Return the scores of one morning weighed, from its lapsed snapshots and what had been told by then."""
    known = lapsed.set_index("customer_id")
    worth = learned.worth_of(known, rhythm=rhythm, settings=settings)
    last = last_purchase_on(lapsed)
    reason_columns = [f"{kind}_{place}" for kind in ("reason", "contribution") for place in range(1, MOST + 1)]
    endangered = endangering_families(scores.set_index("customer_id")[reason_columns], families, purpose="return")
    whole = weighed(
        scores,
        worth,
        still_holding(told, last),
        channels=channels,
        measures=measures,
        families=endangered,
        reasons=reasons,
    )
    timing = learned.timing
    best = None if timing is None else (timing.best_from, timing.best_until)
    return with_moment(whole, cutoff=_day_of(lapsed), last_purchase_on=last, best_days=best)


def learn(matrices: Iterable[tuple[date, pd.DataFrame]], *, now: date, settings: Settings) -> Learned:
    """Learn from labelled matrices and, for what was bought since, the one of ``now``; oldest first."""
    days = window_since(settings.churn)
    names = ["customer_id", "cutoff", "cohort", "label", *READ_COLUMNS, *CONTRACT_COLUMNS]
    names += [] if days is None else [f"sales__turnover_{days}d"]
    found = {day: matrix.reindex(columns=[n for n in names if n in matrix.columns]) for day, matrix in matrices}
    whole = timedelta(days=settings.churn.lead_days + settings.churn.horizon_days)
    past = {day: _labelled(matrix) for day, matrix in found.items() if day < now}
    pairs = [(lapsed, found[day + whole]) for day, lapsed in past.items() if day + whole in found]
    timing = learn_timing(pd.concat(list(past.values()), ignore_index=True)) if past else None
    contract = None
    if settings.churn.definition == "contract":
        contract = _contract([found[day] for day in past], pairs, settings)
    return Learned(margin=_margin(pairs, settings), timing=timing, contract=contract)


def _contract(
    past: Sequence[pd.DataFrame], pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], settings: Settings
) -> ContractReturn:
    columns = ["customer_id", "cutoff", "cohort", "label"]
    parts = [matrix.loc[matrix["label"].notna(), columns] for matrix in past]
    labelled = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    value: Value = settings.value
    return learn_contract_return(labelled, pairs, churn=settings.churn, settings=value)


def _margin(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], settings: Settings) -> ReturnMargin:
    value: Value = settings.value
    return learn_return_margin(pairs, churn=settings.churn, settings=value)


def last_purchase_on(matrix: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Return the day of the last purchase of every customer of a matrix, index customer_id."""
    recency = pd.to_timedelta(matrix[RECENCY].to_numpy(np.float64), unit="D")
    last: pd.Series[pd.Timestamp] = pd.Series(
        pd.to_datetime(matrix["cutoff"]).to_numpy() - recency, index=pd.Index(matrix["customer_id"], name="customer_id")
    )
    return last


def _labelled(matrix: pd.DataFrame) -> pd.DataFrame:
    lapsed = of_cohort(matrix, "lapsed")
    return lapsed[lapsed["label"].notna()]


def _past(settings: Settings, cutoff: date, places: Places) -> Iterable[tuple[date, pd.DataFrame]]:
    days = read_manifest(places.matrix(cutoff))["training_cutoffs"]
    for day in [*(date.fromisoformat(text) for text in days), cutoff]:
        yield day, read_matrix(places.matrix(day))


def _day_of(lapsed: pd.DataFrame) -> date:
    return date.min if lapsed.empty else lapsed["cutoff"].iloc[0]
