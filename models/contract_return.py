"""What a customer who was under contract brings if they return: by their last amount, learned from past returns.

Who returns signs for a share of what they last paid, and stays as customers under contract do: the value is that of a
running contract of so much (`models.value`), from the day of the return on. The share, and the chance to be lost again
within one lead and horizon, are those of past returners, drawn towards the same amount and towards the company's chance
by the weight of 20 of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.definition import Churn
from features.last_contract import LAST_AMOUNT
from models.settings import Value
from models.staying import YEAR_DAYS, Column, Staying, fit_staying
from models.value import assumed, value_of_amounts

_RUNNING = "relationship__recurring_amount"
CONTRACT_COLUMNS = (LAST_AMOUNT, _RUNNING)
"""Columns of the matrix read here, beside customer_id, cutoff, cohort and label."""

_DRAWN = 20.0
"""Returners that what is assumed counts for beside those seen."""
_SAME = 1.0
"""Without any past return: whoever returns signs for what they last paid."""
_EVEN = 0.5
"""Chance to be lost within one lead and horizon where no past tells one."""
_HALF = 0.5
"""Share of lead and horizon that a returner is back for: the day of the return is as likely early as late."""


@dataclass(frozen=True, kw_only=True)
class ContractReturn:
    """What past returners to a contract tell.

    ``amount_share`` is their monthly amount a lead and horizon later over the one they had last; ``loss_share`` the
    chance to be lost again within the lead and horizon after that; ``staying`` how it falls; ``returners`` were seen.
    """

    amount_share: float
    loss_share: float
    staying: Staying
    returners: int


def is_by_contract(lapsed: pd.DataFrame, churn: Churn) -> bool:
    """Return whether lapsed customers are weighed by their last contract: definition and amounts are there."""
    return churn.definition == "contract" and LAST_AMOUNT in lapsed.columns and bool(lapsed[LAST_AMOUNT].notna().any())


def learn_contract_return(
    labelled: pd.DataFrame, pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], *, churn: Churn, settings: Value
) -> ContractReturn:
    """Learn what returners sign for and how long customers under contract stay.

    Parameters
    ----------
    labelled : DataFrame
        Labelled snapshots of both cohorts and all past cutoffs: customer_id, cutoff, cohort, label.
    pairs : sequence of (DataFrame, DataFrame)
        Lapsed snapshots with their label, and the whole matrix of the cutoff a lead and horizon later.
    churn, settings : sections of the configuration
    """
    lost = labelled.loc[labelled["cohort"] == "active", "label"].to_numpy(np.float64)
    company = float(lost.mean()) if len(lost) else _EVEN
    returned = _returned(pairs)
    before, now, again = (returned[name].to_numpy(np.float64) for name in ("before", "now", "again"))
    seen = again[np.isfinite(again)]
    return ContractReturn(
        amount_share=_ratio(now, before, towards=_SAME),
        loss_share=float((seen.sum() + company * _DRAWN) / (len(seen) + _DRAWN)),
        staying=fit_staying(labelled, churn=churn, otherwise=assumed(settings)),
        returners=len(returned),
    )


def if_returned_to_contract(
    lapsed: pd.DataFrame, learned: ContractReturn, *, churn: Churn, settings: Value
) -> pd.DataFrame:
    """Return what each lapsed customer brings if they return to a contract within the horizon.

    Returns
    -------
    DataFrame with the index of ``lapsed``
        ``margin_if_returned``: margin until the end of the horizon, for half of the days until then [currency];
        ``value_if_returned``: discounted margin over the configured years, never below it [currency]. Both are 0 where
        the last contracts cost nothing, or nobody noted what.
    """
    last = np.nan_to_num(lapsed[LAST_AMOUNT].to_numpy(np.float64))
    monthly = np.maximum(last, 0) * learned.amount_share
    whole = churn.lead_days + churn.horizon_days
    margin = 12 * monthly * settings.margin_share * _HALF * whole / YEAR_DAYS
    chance = np.full(len(lapsed), learned.loss_share)
    value = value_of_amounts(monthly, chance, churn=churn, settings=settings, staying=learned.staying)
    whole_value = np.maximum(value["value"].to_numpy(np.float64), margin)
    return pd.DataFrame({"margin_if_returned": margin, "value_if_returned": whole_value}, index=lapsed.index)


def _returned(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Return every past returner with a last amount: it, the one a horizon later, and whether lost again."""
    parts = [_since(lapsed, later) for lapsed, later in pairs if _RUNNING in later.columns and LAST_AMOUNT in lapsed]
    return pd.concat([pd.DataFrame(columns=["before", "now", "again"], dtype=np.float64), *parts], ignore_index=True)


def _since(lapsed: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    came = lapsed.loc[((lapsed["label"] == 1).fillna(False) & (lapsed[LAST_AMOUNT] > 0)).to_numpy(dtype=bool)]
    known = later.loc[later["cohort"] == "active"].set_index("customer_id")
    now = came["customer_id"].map(known[_RUNNING]).fillna(0.0).clip(lower=0.0)
    again = came["customer_id"].map(known["label"].astype("Float64"))
    columns = {"before": came[LAST_AMOUNT], "now": now, "again": again}
    return pd.DataFrame({name: column.astype(np.float64) for name, column in columns.items()})


def _ratio(now: Column, before: Column, *, towards: float) -> float:
    """Sum over sum, drawn towards another ratio by the weight of some returners of mean size."""
    if not len(before):
        return towards
    weight = _DRAWN * before.mean()
    return float((now.sum() + towards * weight) / (before.sum() + weight))
