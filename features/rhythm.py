"""The buying rhythm of each customer at one cutoff: BG/NBD, and a gap model for regular buyers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from features.bgnbd import WEEK, BgNbd, Purchases, fit_bgnbd
from features.definition import YEAR_DAYS, Churn
from features.ledger import Column, Past, divide
from features.regular import RegularBuyers, fit_regular, stages_for

_MEAN_WEIGHT = 1.0
"""Gaps that the company's mean gap counts for beside the customer's own."""

_SHAPE_WEIGHT = 4.0
"""Gaps that the company's regularity counts for beside the customer's own."""


@dataclass(frozen=True, kw_only=True)
class RhythmParameters:
    """What is learned about rhythm from all customers at one cutoff.

    ``mean_gap_days`` and ``gap_variation`` (variance over squared mean, 1 for a Poisson buyer, 0 for clockwork) are
    those of the company's repeat buyers.
    """

    bgnbd: BgNbd
    regular: RegularBuyers
    mean_gap_days: float
    gap_variation: float

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> RhythmParameters:
        """Return the parameters that ``dataclasses.asdict`` has turned into plain numbers."""
        models = {"bgnbd": BgNbd(**facts["bgnbd"]), "regular": RegularBuyers(**facts["regular"])}
        return cls(**{**facts, **models})


@dataclass(frozen=True, kw_only=True)
class Buyers:
    """Everyone who had bought by a cutoff, shape (n_buyers,).

    Days since the first and since the last purchase, days of purchase, number of gaps between them, their sum and the
    sum of their squares [days].
    """

    tenure: Column
    recency: Column
    purchase_days: Column
    gaps: Column
    gap: Column
    gap_squared: Column

    @property
    def seen(self) -> Purchases:
        """The buyers as BG/NBD sees them."""
        age, recency = self.tenure / WEEK, self.recency / WEEK
        return Purchases(repeats=self.purchase_days - 1, last_weeks=age - recency, age_weeks=age)


def fit_rhythm(buyers: Buyers) -> RhythmParameters:
    """Learn the company's rhythm from every customer who has bought."""
    mean, variation = _mean_and_variation(buyers.gaps, buyers.gap, buyers.gap_squared)
    repeat = buyers.gaps > 0
    regular = buyers.gaps >= 3
    gap_variation = float(np.clip(np.median(variation[regular]), 0.02, 2.0)) if regular.any() else 1.0
    return RhythmParameters(
        bgnbd=fit_bgnbd(buyers.seen),
        regular=fit_regular(buyers.seen, k=stages_for(gap_variation)),
        mean_gap_days=float(np.exp(np.log(mean[repeat]).mean())) if repeat.any() else float(YEAR_DAYS),
        gap_variation=gap_variation,
    )


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """The rhythm of a cohort at one cutoff: what the features of the group ``rhythm`` read."""

    purchases: Past
    parameters: RhythmParameters
    churn: Churn

    @cached_property
    def seen(self) -> Purchases:
        """The cohort as BG/NBD sees it."""
        return seen_by_bgnbd(self.purchases)

    @property
    def alive_chance(self) -> Column:
        """Chance of still being a customer."""
        return self.parameters.bgnbd.alive_chance(self.seen)

    @property
    def silent_chance(self) -> Column:
        """Chance of no purchase inside the horizon."""
        lead, horizon = self.churn.lead_days, self.churn.horizon_days
        return self.parameters.bgnbd.silent_chance(self.seen, lead_days=lead, horizon_days=horizon)

    @property
    def expected_orders(self) -> Column:
        """Days of purchase to be expected within a year."""
        return self.parameters.bgnbd.expected_purchases(self.seen, days=YEAR_DAYS)

    @property
    def regular_silent_chance(self) -> Column:
        """Chance of no purchase inside the horizon, for buyers as regular as the company's."""
        lead, horizon = self.churn.lead_days, self.churn.horizon_days
        return self.parameters.regular.silent_chance(self.seen, lead_days=lead, horizon_days=horizon)

    @property
    def regular_expected_orders(self) -> Column:
        """Days of purchase to be expected within a year, for buyers as regular as the company's."""
        return self.parameters.regular.expected_purchases(self.seen, days=YEAR_DAYS)

    @property
    def gap_survival(self) -> Column:
        """Chance that a gap as long as the running one lasts through the horizon.

        Gaps are Gamma with the customer's own mean and regularity, both drawn towards the company's by the weight of a
        few gaps; P(gap > recency + lead + horizon | gap > recency).
        """
        count, own_mean, own_variation = _own_gaps(self.purchases)
        mean = (np.nan_to_num(own_mean) * count + self.parameters.mean_gap_days * _MEAN_WEIGHT) / (count + _MEAN_WEIGHT)
        known = np.where(count >= 2, count, 0)
        prior = self.parameters.gap_variation * _SHAPE_WEIGHT
        variation = (np.nan_to_num(own_variation) * known + prior) / (known + _SHAPE_WEIGHT)
        shape = 1 / np.maximum(variation, 0.01)
        now, end = self.purchases.recency_days, self.churn.lead_days + self.churn.horizon_days
        so_far = special.gammaincc(shape, shape * now / mean)
        through = special.gammaincc(shape, shape * (now + end) / mean)
        return np.where(so_far <= 1e-12, 1.0, through / np.maximum(so_far, 1e-12))


def seen_by_bgnbd(purchases: Past) -> Purchases:
    """Return repeat purchase days, weeks from the first to the last and weeks from the first to the cutoff."""
    age, recency = purchases.tenure_days / WEEK, purchases.recency_days / WEEK
    return Purchases(repeats=purchases.count() - 1, last_weeks=age - recency, age_weeks=age)


def seen_in_matrix(matrix: pd.DataFrame) -> Purchases:
    """Return the same from the columns of a matrix; a customer who never bought counts as one who just did."""
    age = np.nan_to_num(matrix["sales__tenure_days"].to_numpy(np.float64)) / WEEK
    recency = np.nan_to_num(matrix["sales__recency_days"].to_numpy(np.float64)) / WEEK
    repeats = np.maximum(matrix["sales__purchase_days"].to_numpy(np.float64) - 1, 0)
    return Purchases(repeats=repeats, last_weeks=age - recency, age_weeks=age)


def _own_gaps(purchases: Past) -> tuple[Column, Column, Column]:
    """Count, mean [days] and variance over squared mean of each customer's gaps."""
    count = purchases.total("has_gap")
    return count, *_mean_and_variation(count, purchases.total("gap"), purchases.total("gap_squared"))


def _mean_and_variation(count: Column, gap: Column, gap_squared: Column) -> tuple[Column, Column]:
    mean = divide(gap, count)
    variance = divide(gap_squared, count) - mean**2
    unbiased = variance * divide(count, np.maximum(count - 1, 1))
    return mean, divide(np.maximum(unbiased, 0), mean**2)
