"""Incidents and losses of the demo company's customers, as they are and as they would be under other campaigns.

All chance is drawn first (``draw_chances``); what follows from it under given campaign arms is a plain function
(``fates_under``). So the effect of a campaign on each customer is not estimated, it is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.demo.campaigns import ARM_SHARES, CAMPAIGNS, CONTROL, FOLLOWED_DAYS, OUT, TREATMENT
from pipelines.demo.clock import DAYS, NEVER, Flags, Floats, Ints
from pipelines.demo.words import KINDS

YEARLY = np.array([0.050, 0.054, 0.044, 0.060, 0.045, 0.020, 0.012])
"""Incidents per customer and year, by kind."""

BITES = np.array([0.62, 0.50, 0.55, 0.35, 0.50, 0.85, 0.95])
"""Chance that an incident loses the customer, by kind."""

UNPLANNED_YEARLY = 0.012
"""Losses per customer and year that nothing announces."""

ELIGIBLE_AFTER_DAYS = 30
"""A campaign takes only customers who have been buying for so long."""

_SHORTEST = np.array([70, 120, 70, 70, 80, 120, 60])
_LONGEST = np.array([160, 230, 160, 160, 170, 260, 130])
_PRICE = KINDS.index("price")


@dataclass(frozen=True, kw_only=True)
class Chances:
    """All that is left to chance: n customers, k kinds of incident, c campaigns.

    ``starts`` and ``spans`` (n, k) are the incidents before any campaign, ``luck`` (n, k) decides whether one bites,
    ``sudden`` (n) is the day of a loss that nothing announces, ``temper`` (n, c) decides who is annoyed by a
    campaign, ``delay`` (n, c) how soon, 0 to 1.
    """

    begin: Ints
    starts: Ints
    spans: Ints
    luck: Floats
    sudden: Ints
    temper: Floats
    delay: Floats


@dataclass(frozen=True, kw_only=True)
class Fates:
    """What comes of it: incidents, which of them bite, cause (k: unplanned, -1: not lost) and day of the loss."""

    starts: Ints
    bites: Flags
    kind: Ints
    lost: Ints


def draw_chances(rng: np.random.Generator, *, begin: Ints) -> Chances:
    """Draw at most one incident per customer and kind, after four months of habit, and all that decides about it."""
    shape = (len(begin), len(KINDS))
    frailty = rng.standard_gamma(2.0, len(begin)) / 2.0
    wait = rng.standard_exponential(shape) * 365.25 / (frailty[:, None] * YEARLY)
    starts = begin[:, None] + np.where(begin > 0, 120, 0)[:, None] + np.minimum(wait, DAYS).astype(np.int64)
    return Chances(
        begin=begin,
        starts=np.where(starts >= DAYS, NEVER, starts),
        spans=rng.integers(_SHORTEST, _LONGEST, shape),
        luck=rng.random(shape),
        sudden=begin + 90 + (rng.standard_exponential(len(begin)) * 365.25 / UNPLANNED_YEARLY).astype(np.int64),
        temper=rng.random((len(begin), len(CAMPAIGNS))),
        delay=rng.random((len(begin), len(CAMPAIGNS))),
    )


def draw_arms(rng: np.random.Generator, *, customers: int) -> Ints:
    """Return the arm of each customer in each campaign, shape (n, c): drawn at random before anything happens."""
    return rng.choice(np.array([OUT, CONTROL, TREATMENT]), p=ARM_SHARES, size=(customers, len(CAMPAIGNS)))


def fates_under(chances: Chances, arms: Ints) -> Fates:
    """Return incidents and losses if the campaigns had these ``arms``, shape (n, c)."""
    starts, chance = chances.starts, np.tile(BITES, (len(chances.begin), 1))
    for number, campaign in enumerate(CAMPAIGNS):
        treated = (arms[:, number] == TREATMENT) & (chances.begin < campaign.day - ELIGIBLE_AFTER_DAYS)
        if campaign.works == "annoys":
            starts = _annoyed(chances, starts, number=number, treated=treated)
        elif campaign.works == "shelters":
            near = (starts >= campaign.day) & (starts < campaign.day + campaign.days)
            chance = chance * np.where(treated[:, None] & near, 1 - campaign.strength, 1.0)
    bites = chances.luck < chance
    days = np.column_stack([np.where(bites & (starts < NEVER), starts + chances.spans, NEVER), chances.sudden])
    is_lost = days.min(axis=1) < DAYS
    kind, lost = np.where(is_lost, days.argmin(axis=1), -1), np.where(is_lost, days.min(axis=1), NEVER)
    return Fates(starts=np.where(starts >= lost[:, None], NEVER, starts), bites=bites, kind=kind, lost=lost)


def _annoyed(chances: Chances, starts: Ints, *, number: int, treated: Flags) -> Ints:
    """Return the incidents after a campaign that makes some customers compare prices, unless they did already."""
    campaign = CAMPAIGNS[number]
    annoyed = treated & (chances.temper[:, number] < campaign.strength) & (starts[:, _PRICE] > campaign.day)
    moved = starts.copy()
    early = campaign.day + 3 + (chances.delay[:, number] * (campaign.days - 3)).astype(np.int64)
    moved[annoyed, _PRICE] = np.minimum(early, starts[:, _PRICE])[annoyed]
    return moved


def true_effects(chances: Chances, arms: Ints) -> Ints:
    """Return what the treatment does to each customer in each campaign, shape (n, c), whatever arm was drawn.

    1: lost within ``FOLLOWED_DAYS`` through it; -1: kept by it; 0: no difference. The other campaigns are as drawn.
    """
    columns = []
    for number, campaign in enumerate(CAMPAIGNS):
        lost = [
            fates_under(chances, _with_arm(arms, number, arm)).lost <= campaign.day + FOLLOWED_DAYS
            for arm in (CONTROL, TREATMENT)
        ]
        columns.append(lost[1].astype(np.int64) - lost[0].astype(np.int64))
    return np.column_stack(columns)


def _with_arm(arms: Ints, number: int, arm: int) -> Ints:
    changed = arms.copy()
    changed[:, number] = arm
    return changed
