"""The plan: which measure for which listed customer, within budget and working hours, with a control group.

Expected net value of a measure = probability x assumed effect x value - cost [currency]. On the early-warning list
the probability is that of loss and the effect the share of those lost that stay; on the win-back list it is that of
return and the effect the share by which it rises. Effects are assumptions until the control group has measured them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from retention.control import arms
from retention.knapsack import choose
from retention.measures import ListName, Measure

COLUMNS = (
    "customer_id", "list", "owner", "segment", "measure", "channel", "arm", "cost", "hours",
    "probability", "value", "assumed_effect", "expected_net_value",
)  # fmt: skip
"""Columns of a plan."""
UNASSIGNED = ""
"""The shared owner of customers without an account manager while hours are counted."""


def make_plan(
    listed: pd.DataFrame,
    *,
    list_name: ListName,
    measures: Sequence[Measure],
    families: pd.DataFrame,
    channels: pd.DataFrame,
    budget: float,
    hours_per_owner: float,
    control_share: float,
    run: str,
    seed: int,
) -> pd.DataFrame:
    """Return the plan for the customers of one list.

    Parameters
    ----------
    listed : DataFrame, one row per customer
        customer_id, owner (may be missing), segment, probability, value [currency]; for measures that answer a told
        reason of a loss also loss_reason (may be missing).
    list_name : "early_warning" or "win_back"
    measures : sequence of Measure
    families : DataFrame of bool, index customer_id, one column per family
        What endangers whom, see :func:`retention.reasons.endangering_families`.
    channels : DataFrame
        See :func:`retention.consent.allowed_channels`.
    budget : float
        Most that all measures may cost [currency]; plan the second list with what the first left.
    hours_per_owner : float
        Most hours of one owner; customers without owner share one more owner with the same hours.
    control_share : float in [0, 1]
        Share of the customers chosen that is withheld at random, in the long run. Their money and hours stay unspent:
        handing them to the next customers would make treated and withheld customers differ.
    run, seed
        See :func:`retention.control.arms`.

    Returns
    -------
    DataFrame with ``COLUMNS``, at most one row per customer
        Sorted by expected net value, falling, ties by customer_id. arm: ``treatment`` is to be done, ``control`` is
        not. Only measures with an expected net value above zero are chosen.

    Notes
    -----
    Greedy, see :func:`retention.knapsack.choose`; within 5 % of the exact optimum on small instances (tests).
    """
    options = candidates(listed, list_name=list_name, measures=measures, families=families, channels=channels)
    chosen = options[choose(options, budget=budget, hours_per_owner=hours_per_owner)]
    arm = arms(chosen["customer_id"], share=control_share, run=run, seed=seed)
    plan = chosen.assign(arm=arm.to_numpy(), owner=chosen["owner"].replace({UNASSIGNED: None}))
    ordered = plan.sort_values(["expected_net_value", "customer_id"], ascending=[False, True], ignore_index=True)
    return ordered[list(COLUMNS)]


def candidates(
    listed: pd.DataFrame,
    *,
    list_name: ListName,
    measures: Sequence[Measure],
    families: pd.DataFrame,
    channels: pd.DataFrame,
) -> pd.DataFrame:
    """Return every measure that fits a listed customer and pays, sorted by customer and measure.

    It fits when it is for this list and segment, its channel is allowed, one of its families endangers the customer
    (or it asks for none), and the customer told a reason that it answers (or it answers any). Parameters as for
    :func:`make_plan`; columns as ``COLUMNS`` without arm.
    """
    people = listed.sort_values("customer_id", ignore_index=True)
    people = people.assign(list=list_name, owner=people["owner"].astype("str").fillna(UNASSIGNED))
    reasons = families.reindex(people["customer_id"], fill_value=False)
    allowed = channels[channels["is_allowed"]].groupby("channel")["customer_id"].agg(set).to_dict()
    found = [
        _priced(people[_fitting(people, measure, reasons, allowed.get(measure.channel, set()))], measure)
        for measure in sorted(measures, key=lambda measure: measure.name)
        if list_name in measure.for_lists
    ]
    columns = [name for name in COLUMNS if name != "arm"]
    if not found:
        return _priced(people.head(0), measures[0])[columns]
    every = pd.concat(found, ignore_index=True)
    paying = every[every["expected_net_value"] > 0]
    return paying.sort_values(["customer_id", "measure"], ignore_index=True)[columns]


def _fitting(people: pd.DataFrame, measure: Measure, reasons: pd.DataFrame, allowed: set[str]) -> np.ndarray:
    fits = people["segment"].isin(measure.segments) & people["customer_id"].isin(allowed)
    if measure.loss_reasons:
        fits &= people["loss_reason"].isin(measure.loss_reasons) if "loss_reason" in people.columns else False
    if not measure.families:
        return fits.to_numpy()
    called = reasons.reindex(columns=list(measure.families), fill_value=False).any(axis=1)
    return fits.to_numpy() & called.to_numpy()


def _priced(people: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    gain = people["probability"] * measure.assumed_effect * people["value"]
    return people.assign(
        measure=measure.name,
        channel=measure.channel,
        cost=measure.cost,
        hours=measure.hours,
        assumed_effect=measure.assumed_effect,
        expected_net_value=gain - measure.cost,
    )
