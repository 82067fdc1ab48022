"""What it means for a customer to be lost, and from when on that is looked at."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from features.section import Section

YEAR_DAYS = 364
"""A year of whole weeks [days]: the same season and the same days of the week."""


class Churn(Section):
    """The definition of churn: who is at risk, how many days to act, and what is then called lost."""

    definition: Literal["inactivity", "decline", "contract"] = Field(
        default="inactivity",
        description="inactivity: no purchase inside the horizon; decline: turnover inside the horizon falls by"
        " decline_share against the same days a year before; contract: no contract covers the last day of the horizon.",
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
        description="A customer who is no longer active stays a win-back candidate until the last purchase is so many"
        " days old.",
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

    @property
    def early(self) -> Self:
        """The same definition with half the horizon: its outcome is known sooner, and foreshadows the whole one."""
        return self.model_copy(update={"horizon_days": max(1, self.horizon_days // 2)})

    @model_validator(mode="after")
    def _compares_with_the_past(self) -> Self:
        days = self.lead_days + self.horizon_days
        if self.definition == "decline" and days > YEAR_DAYS:
            raise ValueError(
                f"decline compares the horizon with the same days {YEAR_DAYS} days before, which must lie before the"
                f" cutoff: lead_days + horizon_days is {days}, at most {YEAR_DAYS} fit"
            )
        return self
