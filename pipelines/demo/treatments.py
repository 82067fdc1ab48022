"""The demo company's past campaigns as its CRM tells them: who was assigned, contacted, reached."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from pipelines.demo.campaigns import CAMPAIGNS, OUT, TREATMENT
from pipelines.demo.clock import NEVER, Clock, Ints
from pipelines.demo.fates import ELIGIBLE_AFTER_DAYS
from pipelines.demo.lives import Lives
from pipelines.demo.orders import FIRST_CUSTOMER
from pipelines.demo.words import worded

_OUTCOMES = ("erreicht", "nicht erreicht", "bestellt")


def assigned_to(lives: Lives, number: int) -> Ints:
    """Return the customers that campaign ``number`` of ``CAMPAIGNS`` put into one of its two arms."""
    day = CAMPAIGNS[number].day
    is_buying = (lives.begin < day - ELIGIBLE_AFTER_DAYS) & (lives.lost > day)
    return np.flatnonzero(is_buying & (lives.arms[:, number] != OUT))


def run_id(clock: Clock, number: int) -> str:
    """Return the name of the run of campaign ``number``, month first."""
    month = clock.first_day + timedelta(days=CAMPAIGNS[number].day)
    return f"{month:%Y-%m}-{CAMPAIGNS[number].run}"


def treatments_table(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return the table ``treatments``: every campaign with both arms; nobody in the control arm was contacted."""
    rows = [_campaign(rng, clock=clock, lives=lives, number=number) for number in range(len(CAMPAIGNS))]
    return pd.concat(rows, ignore_index=True)


def _campaign(rng: np.random.Generator, *, clock: Clock, lives: Lives, number: int) -> pd.DataFrame:
    campaign, who = CAMPAIGNS[number], assigned_to(lives, number)
    treated = lives.arms[who, number] == TREATMENT
    assigned = np.full(len(who), campaign.day)
    contacted = np.where(treated, assigned + rng.integers(1, campaign.contact_days, len(who)), NEVER)
    outcome = np.where(treated, rng.choice(3, p=[0.5, 0.3, 0.2], size=len(who)), -1)
    cost = np.round(rng.uniform(campaign.lowest_cost, campaign.highest_cost, len(who)), 2)
    return pd.DataFrame(
        {
            "run_id": run_id(clock, number),
            "customer_id": FIRST_CUSTOMER + who,
            "measure": campaign.measure,
            "arm": worded(treated.astype(np.int64), ("control", "treatment")),
            "assigned_on": clock.dates(assigned),
            "contacted_on": clock.dates(contacted),
            "outcome": worded(outcome, _OUTCOMES),
            "cost": np.where(treated, cost, 0.0),
            "known_at": clock.dates(assigned),
        }
    )
