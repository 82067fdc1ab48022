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
        description="auto: every step_days back from the last cutoff with a complete horizon, and the younger ones of"
        " which half is known; or a list of dates with complete horizons.",
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


class CostToServe(Section):
    """What serving a customer costs: hours per event times the cost of an hour. Taken off the margin."""

    hour_cost: float = Field(
        default=43.4,
        ge=0,
        description="Cost of an hour of work [currency]; labour cost in Germany 2024 by the Statistisches Bundesamt,"
        " 43.40 EUR. Put in your own.",
    )
    visit_hours: float = Field(default=2.0, ge=0, description="Hours of one visit, travel included; an assumption.")
    call_hours: float = Field(default=0.25, ge=0, description="Hours of one call; an assumption.")
    written_hours: float = Field(default=0.1, ge=0, description="Hours of one e-mail or letter; an assumption.")
    complaint_hours: float = Field(default=1.5, ge=0, description="Hours of one complaint; an assumption.")
    return_hours: float = Field(default=0.5, ge=0, description="Hours of one return or credit note; an assumption.")


class Service(Section):
    """How intensely customers of a class are cared for."""

    contacts_per_year: dict[Literal["A", "B", "C"], int] = Field(
        default={"A": 12, "B": 4, "C": 1},
        description="Personal contacts (visits, calls) a year by class of value; an assumption: monthly, quarterly,"
        " once. Whoever has had fewer is named in the table of classes.",
    )


class Value(Section):
    """How the value of a customer (Kundenwert) is reckoned; `docs/value.md` tells the whole way."""

    years: int = Field(default=10, ge=1, le=20, description="Years ahead whose margin counts [years].")
    discount_rate: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="Yearly rate at which later margin counts less (0.08 is 8 %); within the 8 to 15 % usual in"
        " Gupta, Lehmann, Stuart (2004), Valuing Customers, 12 % there.",
    )
    margin_share: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Share of turnover assumed as margin where orders carry no margin (0.3 is 30 %); an assumption.",
    )
    growth_rate: float = Field(
        default=0.0,
        ge=-0.5,
        le=0.5,
        description="Yearly change of the margin of those who stay, from the second year on; the first year's is"
        " learned. 0: neither growth nor decline is assumed.",
    )
    staying_concentration: float = Field(
        default=4.5,
        gt=0,
        le=500,
        description="How little customers differ in their chance of staying, where the past is too short to tell"
        " (smaller: the chance of loss falls faster for those who stay); Fader, Hardie (2007), High End: 4.47.",
    )
    return_share: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="Share of the customers lost in a horizon who buy again later, where the past is too short to"
        " tell; an assumption.",
    )
    uptake_share: float = Field(
        default=0.15,
        ge=0,
        le=1,
        description="Share of what good comparable customers bring and this one does not that is won each year, of what"
        " is left of it, by cross-selling and up-selling; an assumption, 0 leaves the potential out of the value.",
    )
    least_peers: int = Field(
        default=20,
        ge=2,
        le=100_000,
        description="Customers of the same industry, size and kind needed to compare with; else of the same size, of"
        " the same kind, of the company [customers].",
    )
    good_peers: float = Field(
        default=0.75,
        gt=0,
        lt=1,
        description="The quantile of comparable customers that shows what is possible (0.75: a quarter bring more); an"
        " assumption.",
    )
    cost_to_serve: CostToServe = Field(default_factory=CostToServe, description="What serving a customer costs.")
    service: Service = Field(default_factory=Service, description="How intensely each class is cared for.")
