"""Past campaigns of the demo company: randomised, with effects that are planted and therefore known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.demo.clock import DAYS

ARM_SHARES = (0.2, 0.4, 0.4)
"""Shares of customers left out, in the control arm and in the treatment arm of each campaign."""

OUT, CONTROL, TREATMENT = -1, 0, 1
"""Codes of the arms."""

FOLLOWED_DAYS = 365
"""The true effect is told for losses within so many days after the assignment."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One campaign: ``measure`` is a name of the catalogue of measures; costs in EUR per customer.

    ``works`` says how: "shelters" (incidents that begin within ``days`` bite with ``strength`` less of their chance),
    "annoys" (with chance ``strength`` a talk about prices begins within ``days``) or "nothing".
    """

    measure: str
    run: str
    day: int
    works: Literal["shelters", "annoys", "nothing"]
    strength: float
    days: int
    contact_days: int
    lowest_cost: float
    highest_cost: float
    mechanism: str


CAMPAIGNS = (
    Campaign(
        measure="visit", run="besuche", day=DAYS - 800, works="shelters", strength=0.8, days=240, contact_days=25,
        lowest_cost=60.0, highest_cost=110.0,
        mechanism="what goes wrong in the 240 days after the assignment drives away 80 % fewer of those it happens to",
    ),
    Campaign(
        measure="email_offer", run="rabatt", day=DAYS - 560, works="annoys", strength=0.15, days=40, contact_days=4,
        lowest_cost=0.1, highest_cost=0.2,
        mechanism="about one in seven begins to compare prices within 40 days; half of these are lost months later",
    ),
    Campaign(
        measure="reminder_letter", run="briefe", day=DAYS - 400, works="nothing", strength=0.0, days=0, contact_days=6,
        lowest_cost=1.8, highest_cost=2.4,
        mechanism="nothing changes",
    ),
)  # fmt: skip
"""A campaign that keeps customers, one that drives customers away and one that does nothing, oldest first."""
