"""The scores of many weeks, each by a model that was trained on rows known on an earlier morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from threading import Lock

import numpy as np
import pandas as pd

from features.definition import Churn
from features.history import History
from features.matrix import of_cohort
from features.one_pass import build_blocks, norms_of
from features.rhythm import RhythmParameters
from features.timeline import LEAST_HISTORY_DAYS, day_of
from models.churn_model import ChurnModel
from pipelines.library import Company
from pipelines.score import base_rate_of, compared
from pipelines.settings import Settings
from retention.simulation import Week


def scored_weeks(company: Company, *, most: int, retrain_days: int) -> tuple[Week, ...]:
    """Return the last ``most`` weeks of a company, oldest first, as far back as something could be learned.

    Features, and what became of everybody, are built for all weeks in one pass; the model of a week was trained less
    than ``retrain_days`` before it, on rows known on that morning.
    """
    newest, churn = company.newest_cutoff(), company.settings.churn
    history = company.history(newest)
    first = first_learnt(int(history.rows["orders"]["day"].min()), churn)
    cutoffs = [day for back in range(most) if (day := newest - timedelta(weeks=back)) >= first][::-1]
    matrices, rhythms = built(history, cutoffs, company.settings)
    models = trained(company, cutoffs, retrain_days=retrain_days)
    return tuple(week(day, matrices[day], models[day], rhythms[day], company.settings) for day in cutoffs)


def first_learnt(first_order: int, churn: Churn) -> date:
    """Return the first day on which a horizon that can be learned from was finished; of the day of the first order."""
    history = min(churn.active_within_days, LEAST_HISTORY_DAYS)
    return day_of(first_order) + timedelta(days=history + churn.lead_days + churn.horizon_days)


def built(
    history: History, cutoffs: Sequence[date], settings: Settings
) -> tuple[Mapping[date, pd.DataFrame], Mapping[date, RhythmParameters]]:
    """Return the matrix of every cutoff, and the rhythm of the company at it."""
    norms, parts, lock = norms_of([history], cutoffs), {day: list[pd.DataFrame]() for day in cutoffs}, Lock()

    def take(day: date, block: pd.DataFrame) -> None:
        with lock:
            parts[day].append(block)

    until = max(cutoffs) if cutoffs else date.min
    build_blocks([history], norms, churn=settings.churn, known_until=until, take=take)
    matrices = {day: pd.concat(blocks, ignore_index=True) for day, blocks in parts.items()}
    return matrices, {day: each.rhythm for day, each in norms.items()}


def trained(company: Company, cutoffs: Sequence[date], *, retrain_days: int) -> Mapping[date, ChurnModel]:
    """Return the model in use at every cutoff: a new one once the last is ``retrain_days`` old."""
    models: dict[date, ChurnModel] = {}
    for day in cutoffs:
        last = next(reversed(models.values()), None)
        is_due = last is None or (day - last.cutoff).days >= retrain_days
        models[day] = company.train(day) if is_due or last is None else last
    return models


def week(day: date, matrix: pd.DataFrame, model: ChurnModel, rhythm: RhythmParameters, settings: Settings) -> Week:
    """Return what the list of one cutoff is made from."""
    active, lapsed = of_cohort(matrix, "active"), of_cohort(matrix, "lapsed")
    judged = pd.concat([active, model.score(active)], axis=1)
    stake = compared(judged, model, rhythm, settings)["value_at_risk"]
    known = judged[["customer_id", "label", "probability"]].assign(stake=stake, is_active=True)
    gone = lapsed[["customer_id"]].assign(label=pd.NA, probability=np.nan, stake=np.nan, is_active=False)
    customers = pd.concat([known, gone.astype({"label": "Int8"})], ignore_index=True).set_index("customer_id")
    return Week(cutoff=day, base_rate=base_rate_of(model, judged["probability"]), customers=customers)
