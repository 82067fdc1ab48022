"""The truth about the demo company, kept beside its data: tests ask whether Treue found it; Treue never reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.demo.campaigns import CAMPAIGNS, FOLLOWED_DAYS, TREATMENT
from pipelines.demo.clock import DAYS, NEVER, Clock, Floats, Ints
from pipelines.demo.lives import Lives
from pipelines.demo.orders import FIRST_CUSTOMER
from pipelines.demo.treatments import assigned_to, run_id
from pipelines.demo.words import KINDS, UNPLANNED, worded

README = f"""# The truth about the demo company

Treue never reads this folder: no configuration names it, and a test holds that. It is for people and tests that
want to know whether Treue found what was planted.

- `truth.csv`: one row per customer: loss, cause, return, habit, satisfaction, second accounts, and the true effect
  of each past campaign on this customer (1: lost through it within {FOLLOWED_DAYS} days, -1: kept by it, 0: neither;
  empty: not in the campaign), known because the story was reckoned both ways.
- `satisfaction.csv`: the hidden satisfaction of every customer, 0 to 1, at the end of each quarter of a year.
- `effects.json`: the true effect of every campaign: share lost if all were treated minus share lost if none were.
"""


def truth_table(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return one row per customer; the columns are told at :class:`pipelines.demo.company.DemoCompany`."""
    everyone = np.arange(len(lives))
    planted = (lives.kind >= 0) & (lives.kind < len(KINDS))
    fading = np.where(planted, lives.starts[everyone, np.clip(lives.kind, 0, len(KINDS) - 1)], NEVER)
    return pd.DataFrame(
        {
            "customer_id": FIRST_CUSTOMER + everyone,
            "lost_on": clock.dates(lives.lost),
            "cause": worded(lives.kind, (*KINDS, UNPLANNED)),
            "fading_from": clock.dates(fading),
            "reactivated_on": clock.dates(lives.back),
            "winnable": lives.winnable,
            "orders_per_year": np.round(lives.rate, 2),
            "usual_satisfaction": np.round(lives.usual, 3),
            "potential_amount": _potential_amount(rng, lives=lives),
            "high_potential_small": lives.promising,
            "costs_more_than_it_brings": lives.costly,
            "second_account_of": pd.Series(FIRST_CUSTOMER + lives.twin).astype("Int64").mask(lives.twin < 0),
            "second_account_kind": worded(np.where(lives.twin < 0, -1, lives.repeated), ("near", "repeated")),
            **_effects(lives),
        }
    )


def satisfaction_table(*, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return ``customer_id``, ``occurred_on`` and ``satisfaction`` (0 to 1) at every quarter's end since the start."""
    days = np.arange(DAYS - 1, 90, -91)[::-1]
    who, day = np.repeat(np.arange(len(lives)), len(days)), np.tile(days, len(lives))
    who, day = who[day >= lives.begin[who]], day[day >= lives.begin[who]]
    level = np.round(lives.satisfaction(who, day), 3)
    return pd.DataFrame({"customer_id": FIRST_CUSTOMER + who, "occurred_on": clock.dates(day), "satisfaction": level})


def true_effects_by_campaign(*, clock: Clock, lives: Lives) -> dict[str, Any]:
    """Return what each campaign truly did, for ``effects.json``: shares lost within a year of the assignment."""
    return {
        "outcome": f"lost within {FOLLOWED_DAYS} days after the assignment",
        "effect": "share lost if all were treated minus share lost if none were; below 0 keeps customers",
        "campaigns": [_told(clock, lives, number) for number in range(len(CAMPAIGNS))],
    }


def _told(clock: Clock, lives: Lives, number: int) -> dict[str, Any]:
    campaign, who = CAMPAIGNS[number], assigned_to(lives, number)
    treated = lives.arms[who, number] == TREATMENT
    is_lost, effect = lives.lost[who] <= campaign.day + FOLLOWED_DAYS, lives.effects[who, number]
    untreated, all_treated = is_lost - effect * treated, is_lost + effect * ~treated
    mean = float(np.mean(effect)) if len(who) else 0.0
    return {
        "run_id": run_id(clock, number),
        "measure": campaign.measure,
        "assigned_on": (pd.Timestamp(clock.dates(np.array([campaign.day]))[0])).date().isoformat(),
        "customers": len(who),
        "treated": int(treated.sum()),
        "lost_share_if_none_treated": _share(untreated),
        "lost_share_if_all_treated": _share(all_treated),
        "effect": round(mean, 4),
        "verdict": {-1: "keeps customers", 0: "does nothing", 1: "drives customers away"}[int(np.sign(mean))],
        "mechanism": campaign.mechanism,
    }


def _share(lost: Ints) -> float:
    return round(float(np.mean(lost)), 4) if len(lost) else 0.0


def _effects(lives: Lives) -> dict[str, pd.Series[Any]]:
    columns = {}
    for number, campaign in enumerate(CAMPAIGNS):
        inside = np.isin(np.arange(len(lives)), assigned_to(lives, number))
        columns[f"effect_of_{campaign.measure}"] = pd.Series(lives.effects[:, number]).astype("Int64").where(inside)
    return columns


def _potential_amount(rng: np.random.Generator, *, lives: Lives) -> Floats:
    """Return what each customer could spend with us in a year [EUR], were we the only supplier."""
    usual = np.array([4_000.0, 12_000.0, 45_000.0, 140_000.0, 900.0])[lives.size]
    return np.asarray(np.round(usual * rng.lognormal(0, 0.3, len(lives)) * np.where(lives.promising, 1.6, 1.0), -1))
