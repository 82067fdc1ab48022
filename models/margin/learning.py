"""Learning a forecast of margins: steps tested on later time, the simplest within one standard error chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.definition import Churn
from features.errors import LeakageError
from features.matrix import feature_names, of_cohort
from features.outcomes import OUTCOME_DAYS, margin_ahead, turnover_ahead
from models.folds import left_out
from models.margin.basis import Column, own_margin_share, usual_in
from models.margin.model import MarginModel, size_of
from models.margin.spread import UNTESTED, Spread, spread_over_mornings
from models.margin.steps import STEPS, StepName, Turnover, fit_step, losses
from models.settings import Training, Value
from models.staying import Staying, fit_staying

LEAST_ROWS = 40
"""Fewer snapshots with a finished window teach nothing: the rhythm speaks as it comes."""
_LEAST_BUYERS, _LEAST_BUYING_SHARE = 10, 0.02
_NEWEST_DAYS = 365
"""Only windows of the newest year are learned from: every season once, and no company of long ago."""
_LEAST_FORECAST = 0.02
"""A forecast counts as at least this share of the usual turnover in its loss, else one surprise would decide."""
_UNSEEN_TIME = 1.5
"""Intervals tested on customers left out know no later time; they are made so much wider."""
_MOST_ROWS = 200_000
"""More snapshots make training longer, not better; of more, an even sample of each cutoff is learned from."""
_MOST_FOLDS = 3

Fold = tuple[pd.DataFrame, pd.DataFrame]


def fit_margin(
    snapshots: pd.DataFrame,
    *,
    cutoff: date,
    churn: Churn,
    training: Training,
    value: Value,
    horizons: Sequence[int] = OUTCOME_DAYS,
) -> MarginModel:
    """Choose and fit a forecast of margins for active customers.

    Parameters
    ----------
    snapshots : DataFrame
        Snapshots of all cohorts and training cutoffs, as ``features.matrix`` gives them.
    cutoff : date
        The day the model is for. A margin is learned from only where its whole window lies before it.
    churn, training, value : sections of the configuration
    horizons : sequence of int
        Days ahead that may be learned; the longest that history allows is.

    Raises
    ------
    LeakageError
        If a margin is given whose window ends after ``cutoff``.
    """
    _require_finished(snapshots, cutoff)
    rows = _sampled(of_cohort(snapshots, "active").sort_values(["cutoff", "customer_id"], ignore_index=True))
    assumed = Staying(return_share=value.return_share, concentration=value.staying_concentration)
    staying = fit_staying(snapshots, churn=churn, otherwise=assumed)
    usual = usual_in(rows, margin_share=value.margin_share)
    days = next((each for each in sorted(horizons, reverse=True) if _teaches(_finished(rows, each), each)), None)
    if days is None:
        plain = Turnover(step="rhythm", days=365, usual=usual, level=1.0)
        evidence: dict[str, Any] = {"chosen": "rhythm", "remark": "no finished window to learn from", "snapshots": 0}
        return MarginModel(turnover=plain, spread=UNTESTED, staying=staying, cutoff=cutoff, evidence=evidence)
    learn = _finished(rows, days)
    tested, is_later, kind = _tested(rows, days, horizons, training, value)
    chosen, remark = choose(tested)
    step = _fit(chosen, learn, days, training, value)
    spread = UNTESTED if tested.empty else _spread(tested.loc[tested["step"] == chosen], is_later=is_later)
    spread = spread if is_later or tested.empty else spread.wider(_UNSEEN_TIME)
    facts = {"chosen": chosen, "remark": remark, "tested_on": kind, "snapshots": len(learn), "days": days}
    losses_by_step = {} if tested.empty else tested.groupby("step")["loss"].mean().round(6).to_dict()
    evidence = {**facts, "losses": losses_by_step, "cutoffs": sorted({str(day) for day in learn["cutoff"]})}
    return MarginModel(turnover=step, spread=spread, staying=staying, cutoff=cutoff, evidence=evidence)


def choose(tested: pd.DataFrame) -> tuple[StepName, str]:
    """Return the simplest step within one standard error of the best, and why.

    The error is that of the mean difference of two steps' loss, counted over customers.
    """
    if tested.empty:
        return "rhythm", "no test was possible: the rhythm speaks, moved to the level seen"
    by_customer = tested.pivot_table(index="customer_id", columns="step", values="loss", aggfunc="mean").sort_index()
    mean = by_customer.mean()
    best = min(STEPS, key=lambda name: float(mean[name]))
    for name in STEPS[: STEPS.index(best)]:
        behind = by_customer[name] - by_customer[best]
        if behind.mean() <= float(behind.std(ddof=1) / np.sqrt(len(behind))):
            return name, f"{name} is within one standard error of the best ({best})"
    return best, f"{best} is the best"


def margin_of(rows: pd.DataFrame, days: int, *, margin_share: float) -> Column:
    """Return what each snapshot then brought [currency]; ``margin_share`` of the turnover where no margin is known."""
    known = rows[margin_ahead(days)].to_numpy(np.float64)
    turnover = rows[turnover_ahead(days)].to_numpy(np.float64)
    return np.where(np.isnan(known), margin_share * turnover, known)


def _require_finished(snapshots: pd.DataFrame, cutoff: date) -> None:
    for days in OUTCOME_DAYS:
        known = snapshots.loc[snapshots[turnover_ahead(days)].notna(), "cutoff"]
        late = sorted({day for day in set(known) if day + timedelta(days=days) > cutoff})
        if late:
            raise LeakageError(
                f"the margin of {days} days from {late[0]} ends after {cutoff}, when the forecast is made; leave it out"
            )


def _sampled(rows: pd.DataFrame) -> pd.DataFrame:
    every = max(1, -(-len(rows) // _MOST_ROWS))
    return rows.iloc[every // 2 :: every].reset_index(drop=True) if every > 1 else rows


def _finished(rows: pd.DataFrame, days: int) -> pd.DataFrame:
    return _newest(_over(rows, days)).reset_index(drop=True)


def _over(rows: pd.DataFrame, days: int) -> pd.DataFrame:
    return rows.loc[rows[turnover_ahead(days)].notna().to_numpy()]


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    cutoffs = sorted(set(rows["cutoff"]))
    kept = [day for day in cutoffs if day > cutoffs[-1] - timedelta(days=_NEWEST_DAYS)]
    return rows.loc[rows["cutoff"].isin(kept)]


def _teaches(rows: pd.DataFrame, days: int) -> bool:
    bought = (rows[turnover_ahead(days)] > 0).to_numpy(dtype=bool)
    return len(rows) >= LEAST_ROWS and int(bought.sum()) >= max(_LEAST_BUYERS, _LEAST_BUYING_SHARE * len(rows))


def _fit(step: StepName, learn: pd.DataFrame, days: int, training: Training, value: Value) -> Turnover:
    turnover = np.maximum(learn[turnover_ahead(days)].to_numpy(np.float64), 0)
    return fit_step(
        step,
        learn,
        turnover,
        days=days,
        usual=usual_in(learn, margin_share=value.margin_share),
        columns=feature_names(learn),
        seed=training.seed,
        threads=training.threads,
    )


def _tested(
    rows: pd.DataFrame, days: int, horizons: Sequence[int], training: Training, value: Value
) -> tuple[pd.DataFrame, bool, str]:
    """Return forecasts on later time, of the longest window that allows it; else among customers left out."""
    for each in sorted((each for each in horizons if each <= days), reverse=True):
        found = _forecasts(_in_time(_over(rows, each), each), each, training, value)
        if not found.empty:
            return found, True, f"later time, {each} days"
    found = _forecasts(left_out(_finished(rows, days)), days, training, value)
    return found, False, f"customers left out, {days} days"


def _in_time(rows: pd.DataFrame, days: int) -> Iterator[Fold]:
    """Yield up to three tests, with all whose windows were over on their mornings: the newest, and others before it.

    They lie half a window apart or more: what strikes a whole company at once shows between mornings, and three
    mornings of one quarter are little more than one.
    """
    cutoffs, span = sorted(set(rows["cutoff"])), timedelta(days=days)
    tests = [day for day in cutoffs if any(each + span <= day for each in cutoffs)]
    for test in _apart(tests, days=days // 2)[-_MOST_FOLDS:]:
        learnable = [each for each in cutoffs if each + span <= test]
        yield _newest(rows.loc[rows["cutoff"].isin(learnable)]), rows.loc[rows["cutoff"] == test]


def _apart(cutoffs: Sequence[date], *, days: int) -> list[date]:
    """Return the newest cutoff and earlier ones so many days or more before the next, oldest first."""
    kept: list[date] = []
    for cutoff in sorted(cutoffs, reverse=True):
        if not kept or cutoff + timedelta(days=days) <= kept[-1]:
            kept.append(cutoff)
    return kept[::-1]


def _forecasts(folds: Iterator[Fold], days: int, training: Training, value: Value) -> pd.DataFrame:
    parts = [
        _forecast(name, learn.reset_index(drop=True), test, days, training, value)
        for learn, test in folds
        if _teaches(learn, days) and len(test)
        for name in STEPS
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _forecast(
    name: StepName, learn: pd.DataFrame, test: pd.DataFrame, days: int, training: Training, value: Value
) -> pd.DataFrame:
    step = _fit(name, learn, days, training, value)
    turnover, share = step.expected(test), own_margin_share(test, step.usual)
    scale = max(float(np.maximum(learn[turnover_ahead(days)], 0).mean()), 0.01)
    brought = np.maximum(test[turnover_ahead(days)].to_numpy(np.float64), 0)
    return pd.DataFrame(
        {
            "customer_id": test["customer_id"].to_numpy(),
            "cutoff": test["cutoff"].to_numpy(),
            "step": name,
            "loss": losses(brought / scale, np.maximum(turnover / scale, _LEAST_FORECAST)),
            "expected": turnover * share,
            "size": size_of(turnover, share),
            "days": days,
            "brought": margin_of(test, days, margin_share=step.usual.margin_share),
        }
    )


def _spread(tested: pd.DataFrame, *, is_later: bool) -> Spread:
    brought, expected, size = (tested[name].to_numpy(np.float64) for name in ("brought", "expected", "size"))
    morning = pd.factorize(tested["cutoff"])[0].astype(np.int64) * is_later
    return spread_over_mornings(brought, expected, size, days=int(tested["days"].iloc[0]), morning=morning)
