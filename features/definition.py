"""What it means for a customer to be lost, and from when on that is looked at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from features.section import Section


class Churn(Section):
    """The definition of churn: who is at risk, how many days to act, and what is then called lost."""

    definition: Literal["inactivity", "decline", "contract"] = Field(
        default="inactivity",
        description="inactivity: no purchase inside the horizon; decline: turnover inside the horizon falls by"
        " decline_share against the same days a year before; contract: the last contract runs out inside the horizon.",
    )
    active_within_days: int = Field(
        default=180,
        ge=1,
        le=3650,
        description="A customer is active at a cutoff when the last purchase is at most so many days old"
        " (contract: when a contract is running). Longer keeps slow buyers in, and raises the share that is lost.",
    )
    lapsed_within_days: int = Field(
        default=730,
        ge=1,
        le=7300,
        description="A customer who is no longer active stays a win-back candidate until the last purchase is so many days old.",
    )
    lead_days: int = Field(
        default=14,
        ge=0,
        le=365,
        description="Days left to act between the cutoff and the first day of the horizon.",
    )
    horizon_days: int = Field(
        default=90,
        ge=1,
        le=730,
        description="Length of the horizon [days]; a longer one gives fewer training cutoffs and a later verdict.",
    )
    decline_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="definition decline only: share by which turnover must fall to count as lost (0.5 is by half).",
    )
