"""A rival for contracts: what a data scientist writes in an afternoon from the dated contract table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from benchmarks.contest.cases import SHARED, Contest
from features.timeline import horizon_of, learnable_before

_PLAIN = ("Type", "PaperlessBilling", "PaymentMethod")


def said_of_contracts(contest: Contest, origin: date, who: Sequence[str]) -> Mapping[str, Any]:
    """Return LightGBM's chances for these customers, by the flat columns of every month whose outcome is known."""
    if contest.peers is None:
        return {}
    raw = pd.read_parquet(SHARED / "data" / "ibm_telco" / "interconnect_contract.parquet").set_index("customerID")
    churn = contest.company.settings.churn
    days = learnable_before(contest.company.cutoffs(origin), origin, churn)
    learned = [_month(raw, day, horizon_of(day, churn).end) for day in days]
    rows = pd.concat([rows for rows, _ in learned], keys=days)
    ended = pd.concat([lost for _, lost in learned])
    if not 0 < ended.mean() < 1:
        return {}
    return {"peers_hand_lightgbm": contest.peers.boosted(rows, ended.to_numpy(), _features(raw, origin).loc[list(who)])}


def _month(raw: pd.DataFrame, day: date, end: date) -> tuple[pd.DataFrame, pd.Series]:
    """Features of contracts that ran on ``day``, and whether they had ended by the last day of the horizon."""
    at = pd.Timestamp(day)
    running = raw.loc[(raw["BeginDate"] < at) & ~(raw["EndDate"] < at)]
    return _features(running, day), (running["EndDate"] < pd.Timestamp(end)).astype(int)


def _features(raw: pd.DataFrame, day: date) -> pd.DataFrame:
    plain = {name: raw[name].astype("category").cat.codes.astype(float) for name in _PLAIN}
    tenure = (pd.Timestamp(day) - raw["BeginDate"]).dt.days
    return pd.DataFrame({**plain, "tenure": tenure, "charges": raw["MonthlyCharges"].astype(float)})
