"""How far reasons inferred from contributions agree with told ones, and with the truth where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from features.matrix import of_cohort
from pipelines.demo.company import DemoCompany
from pipelines.demo.words import KINDS, REASONS, UNPLANNED
from pipelines.library import Company
from retention.loss_reasons import shipped_loss_reasons
from retention.losses.agreement import agreement
from retention.losses.inferred import inferred_reasons

TAXONOMY = shipped_loss_reasons()
MEANT = {kind: TAXONOMY.understood(text) for kind, text in zip((*KINDS, UNPLANNED), REASONS, strict=True)}
"""What each planted cause is called in the taxonomy."""


def inferred(company: Company, cutoff: date, lost: frozenset[str]) -> pd.Series:
    """Return the inferred reason of lost customers at the last cutoff at which each was active, index customer_id."""
    model, known = company.train(cutoff), company._as_of(cutoff)
    parts = [of_cohort(company._matrix(day, known), "active") for day in company.cutoffs(cutoff)]
    seen = pd.concat([part[part["customer_id"].isin(lost)] for part in parts], ignore_index=True)
    last = seen.drop_duplicates("customer_id", keep="last").sort_values("customer_id", ignore_index=True)
    contributions = model.contributions(last).set_axis(pd.Index(last["customer_id"]), axis=0)
    found: pd.Series = inferred_reasons(contributions, families=company.features.families, reasons=TAXONOMY)[
        "loss_reason"
    ]
    return found


def demo_agreement(company: Company, cutoff: date, invented: DemoCompany) -> Mapping[str, Any]:
    """Return how inferred reasons agree with what customers of the demo company told, and with the planted causes."""
    truth = invented.truth.assign(customer_id=lambda rows: rows["customer_id"].astype("str")).set_index("customer_id")
    gone = truth[truth["cause"].notna() & truth["reactivated_on"].isna()]
    losses = invented.tables["losses"].assign(customer_id=lambda rows: rows["customer_id"].astype("str"))
    interviews = losses[losses["source"] == "interview"].drop_duplicates("customer_id", keep="last")
    told = TAXONOMY.understood_all(interviews.set_index("customer_id")["reason"])
    found = inferred(company, cutoff, frozenset(gone.index))
    return {
        **measured(told.reindex(found.index), found),
        "with_truth": measured(gone["cause"].map(MEANT).reindex(found.index), found),
    }


def measured(told: pd.Series, found: pd.Series) -> dict[str, Any]:
    """Return the share that agrees, its interval and that of the most frequent reason."""
    agreed = agreement(told, found, names=TAXONOMY.names)
    speaking = found.ne("unknown") & told.notna()
    spoken = agreement(told[speaking], found[speaking], names=TAXONOMY.names)
    return {
        "customers": agreed.customers,
        "agreement": round(agreed.share, 3),
        "low": round(agreed.low, 3),
        "high": round(agreed.high, 3),
        "most_frequent": round(agreed.guess_share, 3),
        "guess": agreed.guess,
        "where_a_reason_is_named": {"customers": spoken.customers, "agreement": round(spoken.share, 3)},
    }
