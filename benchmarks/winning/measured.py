"""Past mornings of the lapsed: what each ranking said, what they brought, and the lists with and without reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.norms import norms_at
from features.timeline import horizon_of
from models.backtest import judge
from models.resample import ranks_of, weighted_auc
from models.standing import DELIVERED
from pipelines.backtest import as_of
from pipelines.library import Company
from pipelines.mornings import mornings_of
from pipelines.told_losses import COLUMNS
from pipelines.win_back import Learned, last_purchase_on, learn
from retention.consent import allowed_channels
from retention.loss_reasons import shipped_loss_reasons
from retention.measures import shipped_measures
from retention.win_back import TOLD_COLUMNS, still_holding, weighed

PURPOSE = "return"
RIVALS = ("last_order", "rfm_logistic", "rfm_x_turnover")
"""Rules people use: who left last, a regression on recency, frequency and turnover, and that times last turnover."""


@dataclass(frozen=True, kw_only=True)
class LapsedMorning:
    """One origin: the lapsed with chance, worth, what rivals say (log-odds), and what became of them.

    ``rows`` has customer_id, label, brought (margin inside the horizon [currency]), turnover_728d, one column per
    ranking, probability (as delivered), margin_if_returned, value_if_returned, last (day of the last purchase).
    """

    origin: date
    rows: pd.DataFrame
    learned: Learned
    chosen: str


def mornings(company: Company, cutoff: date, *, origins: Sequence[date] | None) -> Iterator[LapsedMorning]:
    """Yield every origin as it was, with what is known of it on ``cutoff``."""
    churn, training = company.settings.churn, company.settings.training
    for morning in mornings_of(company, cutoff, PURPOSE, origins=origins):
        said = judge(morning, purpose=PURPOSE, churn=churn, training=training)
        lapsed = morning.ranked.sort_values("customer_id", ignore_index=True)
        wide = said.folds.query("kind != 'candidate'").pivot(index="customer_id", columns="candidate")
        past = copy(company)
        past.settings = as_of(company.settings, morning.origin)
        known = past._as_of(morning.origin)
        days = [*past.cutoffs(morning.origin), morning.origin]
        learned = learn(((day, past._matrix(day, known)) for day in days), now=morning.origin, settings=past.settings)
        rhythm = norms_at(past.history(morning.origin), cutoff=morning.origin).rhythm
        worth = learned.worth_of(lapsed.set_index("customer_id"), rhythm=rhythm, settings=company.settings)
        rows = pd.DataFrame({"customer_id": lapsed["customer_id"], "label": lapsed["label"].astype(int)})
        rows = rows.join(wide["log_odds"], on="customer_id").join(worth, on="customer_id")
        rows["probability"] = rows["customer_id"].map(wide["probability"][DELIVERED])
        rows["turnover"] = lapsed["sales__turnover_728d"].clip(lower=0).to_numpy()
        if "rfm_logistic" in wide["probability"]:
            rows["rfm_x_turnover"] = rows["customer_id"].map(wide["probability"]["rfm_logistic"]) * rows["turnover"]
        rows["brought"] = rows["customer_id"].map(_brought(company, morning.origin, cutoff)).fillna(0.0)
        rows["last"] = rows["customer_id"].map(last_purchase_on(lapsed))
        chosen = str(said.evidence["chosen"])
        yield LapsedMorning(origin=morning.origin, rows=rows, learned=learned, chosen=chosen)


def _brought(company: Company, origin: date, cutoff: date) -> pd.Series:
    """Return the margin of every customer inside the horizon of ``origin`` [currency], never below 0."""
    orders, horizon = company.check(cutoff).table("orders"), horizon_of(origin, company.settings.churn)
    day = pd.to_datetime(orders["occurred_on"])
    inside = orders[(day >= pd.Timestamp(horizon.first)) & (day < pd.Timestamp(horizon.end))]
    has_margin = "margin" in inside.columns and inside["margin"].notna().any()
    amount = inside["margin"] if has_margin else inside["amount"] * company.settings.value.margin_share
    found: pd.Series = amount.groupby(inside["customer_id"].astype("str")).sum().clip(lower=0)
    return found


def figures(found: Sequence[LapsedMorning], *, places: int) -> Mapping[str, Mapping[str, float]]:
    """Return AUC (mean over origins, weighted by customers) and captured margin (share of all brought) per ranking.

    ``treue`` ranks by chance x margin if returned where margin is captured, by chance where AUC is measured.
    """
    names = [name for name in (DELIVERED, *RIVALS) if all(name in each.rows.columns for each in found)]
    return {name: _figures(found, name, places) for name in names}


def _figures(found: Sequence[LapsedMorning], name: str, places: int) -> Mapping[str, float]:
    sizes = [len(each.rows) for each in found]
    aucs = [
        weighted_auc(
            each.rows["label"].to_numpy(np.int8), ranks_of(each.rows[name].to_numpy()), np.ones(len(each.rows))
        )
        for each in found
    ]
    captured = [_captured(each.rows, _by_margin(each.rows) if name == DELIVERED else each.rows[name], places)
                for each in found]  # fmt: skip
    brought = sum(float(each.rows["brought"].sum()) for each in found)
    known = np.isfinite(aucs)
    return {
        "auc": float(np.average(np.array(aucs)[known], weights=np.array(sizes)[known]))
        if known.any()
        else float("nan"),
        "captured_margin": sum(captured) / brought if brought else float("nan"),
    }


def _by_margin(rows: pd.DataFrame) -> pd.Series:
    return rows["probability"] * rows["margin_if_returned"]


def _captured(rows: pd.DataFrame, score: pd.Series, places: int) -> float:
    first = rows.assign(score=score).sort_values(["score", "customer_id"], ascending=[False, True]).head(places)
    return float(first["brought"].sum())


def margin_error(found: Sequence[LapsedMorning]) -> Mapping[str, float]:
    """Return how the expected margin of those who returned compares with what they brought."""
    came = pd.concat([each.rows[each.rows["label"] == 1] for each in found], ignore_index=True)
    expected, brought = came["margin_if_returned"], came["brought"]
    return {
        "returned": float(len(came)),
        "expected_over_brought": float(expected.sum() / max(brought.sum(), 1e-9)),
        "rank_correlation": float(expected.corr(brought, method="spearman")) if len(came) > 2 else float("nan"),
    }


def lists(morning: LapsedMorning, tables: Mapping[str, pd.DataFrame], *, places: int) -> Mapping[str, pd.DataFrame]:
    """Return the win-back list of one origin that knows told reasons, and the one that is blind to them."""
    known = pd.to_datetime(tables["losses"]["known_at"]) < pd.Timestamp(morning.origin)
    reasons = shipped_loss_reasons()
    losses = tables["losses"][known].assign(customer_id=lambda rows: rows["customer_id"].astype("str"))
    told = losses.assign(
        loss_reason=reasons.understood_all(losses["reason"]), told_on=pd.to_datetime(losses["known_at"])
    )[list(COLUMNS)]
    last = morning.rows.set_index("customer_id")["last"]
    holding = still_holding(told.astype({"winnable": "boolean"}), last)
    customers = tables["customers"].assign(customer_id=lambda rows: rows["customer_id"].astype("str"))
    ids = morning.rows["customer_id"]
    channels = allowed_channels(
        customers.drop_duplicates("customer_id", keep="last"), cutoff=morning.origin, customer_ids=ids
    )
    worth = morning.rows.set_index("customer_id")[["margin_if_returned", "value_if_returned"]]
    common: dict[str, Any] = {"channels": channels, "measures": shipped_measures(), "reasons": reasons,
                              "families": pd.DataFrame(index=pd.Index(ids))}  # fmt: skip
    scores = morning.rows.drop(columns=["margin_if_returned", "value_if_returned"])
    found = {}
    for name, knows in {"aware": holding, "blind": holding.head(0)}.items():
        whole = weighed(scores, worth, knows[list(TOLD_COLUMNS)], **common)
        open_ = whole[whole["obstacle"].isna()]
        found[name] = open_.sort_values(["expected_net_value", "customer_id"], ascending=[False, True]).head(places)
    return found


def by_truth(listed: pd.DataFrame, truth: pd.DataFrame) -> Mapping[str, float]:
    """Return what a list is truly worth: how many could be won back, came back, and what is within reach [currency].

    Within reach is the value if returned of those who truly could be won back, none of the others'.
    """
    winnable = listed["customer_id"].map(truth["winnable"]).fillna(False).to_numpy(dtype=bool)
    return {
        "listed": float(len(listed)),
        "winnable": float(winnable.sum()),
        "returned": float(listed["label"].sum()),
        "brought": float(listed["brought"].sum()),
        "within_reach": float(listed.loc[winnable, "value_if_returned"].sum()),
    }
