"""Settings of lists, plan and export."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from features.section import Section

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class EarlyWarning(Section):
    """The list of active customers at risk."""

    size: int = Field(default=200, ge=1, le=1_000_000, description="Most customers on the early-warning list.")
    enter_odds: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        description="A customer comes on the list when the odds of a loss are so many times those of the base rate;"
        " higher makes fewer false alarms and misses more losses.",
    )
    leave_odds: float = Field(
        default=0.7,
        gt=0,
        le=1000,
        description="A listed customer leaves when the odds fall below so many times those of the base rate, at most"
        " enter_odds; lower makes a calmer list that holds customers longer. Risk bands fall by the same share.",
    )
    hold_share: float = Field(
        default=0.1,
        ge=0,
        le=10,
        description="Where places are scarce, a listed customer gives way only to one with so much more at stake"
        " (0.1 is 10 %); higher makes a calmer list that follows the stakes more slowly.",
    )
    rest_days: int = Field(
        default=28,
        ge=0,
        le=366,
        description="Days in which nobody comes on the list again after leaving it or after a measure reached them;"
        " longer spares customers calls and warns later of a second danger.",
    )

    @model_validator(mode="after")
    def _leaves_below_the_entry(self) -> Self:
        if self.leave_odds > self.enter_odds:
            raise ValueError(f"leave_odds: expected at most enter_odds ({self.enter_odds:g}), got {self.leave_odds:g}")
        return self


class WinBack(Section):
    """The list of lapsed customers worth winning back."""

    size: int = Field(default=100, ge=1, le=1_000_000, description="Most customers on the win-back list.")


class Lists(Section):
    """How long the lists are."""

    early_warning: EarlyWarning = Field(default_factory=EarlyWarning, description="Active customers at risk.")
    win_back: WinBack = Field(default_factory=WinBack, description="Lapsed customers.")


class Plan(Section):
    """What may be spent on keeping customers."""

    budget: float = Field(
        default=5000, ge=0, le=1e12, description="Most that the measures of one plan may cost [currency]."
    )
    hours_per_owner: float = Field(
        default=8, ge=0, le=1000, description="Working hours of each account manager for one plan [hours]."
    )
    control_share: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="Share of planned customers withheld at random; without it no effect can be measured.",
    )
    measures: str | None = Field(
        default=None,
        min_length=1,
        description="Path of an own catalogue of measures (YAML); without it the one that comes with Treue.",
    )


class Signals(Section):
    """Rules that a person can read, beside the model's reasons (``docs/signals.md``)."""

    file: str | None = Field(
        default=None,
        min_length=1,
        description="Path of signals of your own (YAML, form of `configs/signals.yaml`): they come on top of those of"
        " Treue, one of the same name takes the place of ours.",
    )
    leave_out: tuple[str, ...] = Field(default=(), description="Names of signals that are not used.")


class Losses(Section):
    """What is known of lost customers (``docs/losses.md``)."""

    reasons: str | None = Field(
        default=None,
        min_length=1,
        description="Path of reasons of loss of your own (YAML, form of `configs/loss_reasons.yaml`), in the place of"
        " those of Treue.",
    )


class FileTarget(Section):
    """Lists delivered as files."""

    to: Literal["file"] = Field(description="file: deliver into a folder.")
    format: Literal["csv", "parquet"] = Field(default="csv", description="csv for people, parquet for machines.")
    path: str = Field(min_length=1, description="Folder or file to write to.")


class SqlTarget(Section):
    """Scores delivered into a table of a database, one row per customer and cutoff."""

    to: Literal["sql"] = Field(description="sql: insert or update in a database table.")
    uri: str = Field(
        min_length=1, description="Address of the database, e.g. postgresql://${CRM_USER}:${CRM_PASSWORD}@crm:5432/crm."
    )
    table: str = Field(
        min_length=1,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$",
        description="Table, also schema.table; it is created if it does not exist.",
    )

    @field_validator("uri")
    @classmethod
    def _no_password(cls, value: str) -> str:
        password = value.partition("://")[2].split("/", 1)[0].rpartition("@")[0].partition(":")[2]
        if _REFERENCE.sub("", password):
            raise ValueError("expected no password in the text; put it into an environment variable and write ${NAME}")
        return value


Target = Annotated[FileTarget | SqlTarget, Field(discriminator="to")]
"""Where lists and scores are delivered to."""
