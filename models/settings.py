"""Settings of training and of the value of a customer."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from features.section import Section


class Tune(Section):
    """How much is tried out in training."""

    trials: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Settings of the trees tried out on the folds [trials]; 0 uses proven ones, each costs seconds.",
    )
    minutes: float = Field(
        default=60.0,
        gt=0,
        le=10080,
        description="No trial begins later than this [minutes]; a search cut short goes on at the next training of the"
        " same snapshots.",
    )


class Training(Section):
    """How models are trained."""

    cutoffs: Literal["auto"] | tuple[date, ...] = Field(
        default="auto",
        description="auto: every step_days back from the last cutoff with a complete horizon; or a list of dates.",
    )
    step_days: int = Field(
        default=28,
        ge=1,
        le=366,
        description="At most so many days between training cutoffs with `cutoffs: auto`;"
        " they divide lead and horizon evenly.",
    )
    most: int = Field(
        default=24,
        ge=1,
        le=120,
        description="Most training cutoffs with `cutoffs: auto`; more cost time and reach further back.",
    )
    tune: Tune = Field(default_factory=Tune, description="How much is tried out.")
    seed: int = Field(default=7, ge=0, le=2**31 - 1, description="Seed of everything random in training.")
    retrain_after_days: int = Field(
        default=28,
        ge=1,
        le=3650,
        description="`treue run` trains anew when the champion's cutoff is older than this [days].",
    )
    threads: int = Field(
        default=2, ge=1, le=256, description="Threads used in training; the result is the same for any number."
    )

    @field_validator("cutoffs")
    @classmethod
    def _in_order(cls, value: Literal["auto"] | tuple[date, ...]) -> Literal["auto"] | tuple[date, ...]:
        if value != "auto" and (not value or list(value) != sorted(set(value))):
            raise ValueError("expected `auto` or dates in rising order, each once")
        return value


class Value(Section):
    """How the value of a customer (Kundenwert) is reckoned."""

    years: int = Field(default=10, ge=1, le=20, description="Years ahead whose margin counts [years].")
    discount_rate: float = Field(
        default=0.08, ge=0, le=1, description="Yearly rate at which later margin counts less (0.08 is 8 %)."
    )
    margin_share: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Share of turnover assumed as margin where orders carry no margin (0.3 is 30 %).",
    )
