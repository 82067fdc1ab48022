"""What truly happens to the customers of the demo company: habits, incidents, losses, returns.

Incidents come to all customers; each kind loses the customer with its own probability (``BITES``) after some
months of fading, and leaves the same kind of trace where it does not. So every trace is a sign, never a proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.demo.clock import DAYS, NEVER, Flags, Floats, Ints
from pipelines.demo.words import INDUSTRIES, INDUSTRY_SHARES, KINDS, SIZES

YEARLY = np.array([0.055, 0.06, 0.05, 0.065, 0.05, 0.024, 0.014])
"""Incidents per customer and year, by kind."""

BITES = np.array([0.62, 0.50, 0.55, 0.35, 0.50, 0.85, 0.95])
"""Chance that an incident loses the customer, by kind."""

UNPLANNED_YEARLY = 0.015
"""Losses per customer and year that nothing announces."""

WINNABLE = np.array([0.5, 0.65, 0.5, 0.6, 0.5, 0.04, 0.0, 0.25])
"""Chance that a lost customer could be won back, by kind; the last one is for unplanned losses."""

_SHORTEST = np.array([70, 120, 70, 70, 80, 120, 60])
_LONGEST = np.array([160, 230, 160, 160, 170, 260, 130])
_QUIET_SHARE = np.array([0.15, 0.35, 0.1, 0.2, 0.2, 0.0, 0.2])

HELPFUL_DAY, HARMFUL_DAY = DAYS - 640, DAYS - 290
"""Days on which the two past campaigns were assigned."""

HELPFUL_FACTOR, HARMFUL_CHANCE = 0.5, 0.06
"""The helpful campaign halves the bite of incidents for 240 days; the harmful one loses 6 % of those it reaches."""


@dataclass(frozen=True, kw_only=True)
class Lives:
    """The hidden truth, one entry per customer (n), kinds in the order of ``KINDS`` (k).

    ``since`` and ``begin`` are days (``since`` may lie before the story), ``rate`` orders per year, ``starts`` and
    ``spans`` (n, k) the incidents, ``depth`` (n, k) how far orders fall in them, ``lost``, ``back`` and ``asked``
    the days of loss, return and win-back contact, ``kind`` the cause of the loss (k: unplanned; -1: not lost).
    """

    industry: Ints
    size: Ints
    since: Ints
    begin: Ints
    rate: Floats
    shape: Floats
    slope: Floats
    pauses: Ints
    pause_days: Ints
    starts: Ints
    spans: Ints
    depth: Floats
    bites: Flags
    kind: Ints
    lost: Ints
    asked: Ints
    back: Ints
    winnable: Flags
    promising: Flags
    costly: Flags
    arms: Ints

    def __len__(self) -> int:
        return len(self.rate)

    def is_gone(self, who: Ints, day: Ints) -> Flags:
        """Return whether each customer is lost on that day (and not yet back)."""
        return (day >= self.lost[who]) & (day < self.back[who])

    def appetite(self, who: Ints, day: Ints) -> Floats:
        """Return the share of the usual orders that is still placed, 0 to 1: the attachment, nothing in a pause."""
        paused = np.zeros(len(who), dtype=np.bool_)
        for pause in range(self.pauses.shape[1]):
            since = day - self.pauses[who, pause]
            paused |= (since >= 0) & (since < self.pause_days[who, pause])
        return np.where(paused, 0.0, self.attachment(who, day))

    def attachment(self, who: Ints, day: Ints) -> Floats:
        """Return how far a customer is still ours, 0 to 1: long trends, fading in incidents, loss, return."""
        level = 1 - np.abs(self.slope[who]) * np.where(self.slope[who] < 0, day / DAYS, 1 - day / DAYS)
        for kind, quiet in enumerate(_QUIET_SHARE):
            fading = np.clip((self.progress(who, day, kind) - quiet) / (1 - quiet), 0, None)
            level *= np.where(fading < 1, 1 - self.depth[who, kind] * fading, 1.0)
        level[self.is_gone(who, day)] = 0
        return np.where(day >= self.back[who], 0.8 * level, level)

    def progress(self, who: Ints, day: Ints, kind: int) -> Floats:
        """Return how far the incident of ``kind`` has gone: below 0 before it, 0 to 1 in it, above 1 afterwards."""
        return np.asarray((day - self.starts[who, kind]) / self.spans[who, kind])

    def strain(self, who: Ints, day: Ints, *kinds: str) -> Floats:
        """Return how strongly the named kinds weigh on each customer that day, 0 to 1."""
        strain = np.zeros(len(who))
        for kind in map(KINDS.index, kinds):
            progress = self.progress(who, day, kind)
            weight = np.where(self.bites[who, kind], 1.0, 0.7) * (0.4 + 0.6 * progress)
            strain = np.maximum(strain, np.where((progress >= 0) & (progress < 1), weight, 0.0))
        return strain


def draw_lives(rng: np.random.Generator, *, customers: int) -> Lives:
    """Draw the hidden truth of ``customers`` customers."""
    size, industry = _sizes_and_industries(rng, customers)
    promising, costly = rng.random(customers) < 0.05, rng.random(customers) < 0.04
    size = np.where(promising, rng.integers(2, 4, customers), np.where(costly, 0, size))
    industry = np.where((promising | costly) & (industry == len(INDUSTRIES) - 1), 0, industry)
    since, begin = _beginnings(rng, customers)
    starts, spans = _incidents(rng, begin=begin)
    arms = rng.choice(np.array([-1, 0, 1]), p=[0.5, 0.2, 0.3], size=(customers, 2))
    bites = _bites(rng, starts=starts, arms=arms[:, 0])
    kind, lost = _losses(rng, starts=starts, spans=spans, bites=bites, begin=begin, harmed=arms[:, 1] == 1)
    winnable, asked, back = _returns(rng, kind=kind, lost=lost)
    rate, shape = _rhythms(rng, size=size, promising=promising)
    slope = rng.uniform(-0.2, 0.25, customers) * np.where(shape > 10, 0.2, 1.0)
    return Lives(
        industry=industry, size=size, since=since, begin=begin, rate=rate, shape=shape,
        slope=np.where(promising, rng.uniform(0.55, 0.75, customers), slope), **_pauses(rng, customers),
        starts=np.where(starts >= lost[:, None], NEVER, starts), spans=spans, bites=bites,
        depth=np.where(bites, rng.uniform(0.6, 0.95, bites.shape), rng.choice(np.array([0.0, 0.4]), bites.shape)),
        kind=kind, lost=lost, asked=asked, back=back, winnable=winnable, promising=promising, costly=costly, arms=arms,
    )  # fmt: skip


def _sizes_and_industries(rng: np.random.Generator, customers: int) -> tuple[Ints, Ints]:
    industry = rng.choice(len(INDUSTRIES), p=INDUSTRY_SHARES, size=customers)
    size = rng.choice(len(SIZES), p=[0.42, 0.34, 0.18, 0.06, 0.0], size=customers)
    private = rng.random(customers) < 0.05
    return np.where(private, len(SIZES) - 1, size), np.where(private, len(INDUSTRIES) - 1, industry)


def _rhythms(rng: np.random.Generator, *, size: Ints, promising: Flags) -> tuple[Floats, Floats]:
    """Return orders per year and their regularity: rare buyers are clockwork, so silence says little."""
    n = len(size)
    style = rng.choice(3, p=[0.3, 0.22, 0.48], size=n)
    mean = np.array([12.0, 20.0, 34.0, 52.0, 8.0])[size] * np.array([1.2, 1.2, 0.35])[style]
    rate = mean * rng.standard_gamma(1.5, n) / 1.5
    rate = np.maximum(np.array([14.0, 11.0, 6.0])[style], np.where(promising, np.minimum(rate, 16.0), rate))
    return rate, np.array([1.0, 2.5, 12.0])[style]


def _beginnings(rng: np.random.Generator, customers: int) -> tuple[Ints, Ints]:
    old = rng.random(customers) < 0.62
    long_ago = -1 - (rng.standard_gamma(1.5, customers) * 1500).astype(np.int64)
    since = np.sort(np.where(old, np.maximum(long_ago, -12000), rng.integers(0, DAYS - 60, customers)))
    return since, np.maximum(since, 0)


def _incidents(rng: np.random.Generator, *, begin: Ints) -> tuple[Ints, Ints]:
    """Return start and length of at most one incident per customer and kind, after four months of habit."""
    frailty = rng.standard_gamma(2.0, len(begin)) / 2.0
    wait = rng.standard_exponential((len(begin), len(KINDS))) * 365.25 / (frailty[:, None] * YEARLY)
    starts = begin[:, None] + np.where(begin > 0, 120, 0)[:, None] + np.minimum(wait, DAYS).astype(np.int64)
    return np.where(starts >= DAYS, NEVER, starts), rng.integers(_SHORTEST, _LONGEST, (len(begin), len(KINDS)))


def _bites(rng: np.random.Generator, *, starts: Ints, arms: Ints) -> Flags:
    sheltered = (arms == 1)[:, None] & (starts >= HELPFUL_DAY) & (starts < HELPFUL_DAY + 240)
    return np.asarray(rng.random(starts.shape) < BITES * np.where(sheltered, HELPFUL_FACTOR, 1.0))


def _losses(
    rng: np.random.Generator, *, starts: Ints, spans: Ints, bites: Flags, begin: Ints, harmed: Flags
) -> tuple[Ints, Ints]:
    """Return the kind and the day of each customer's first loss."""
    sudden = begin + 90 + (rng.standard_exponential(len(begin)) * 365.25 / UNPLANNED_YEARLY).astype(np.int64)
    annoyed = harmed & (rng.random(len(begin)) < HARMFUL_CHANCE) & (begin < HARMFUL_DAY)
    sudden = np.minimum(sudden, np.where(annoyed, HARMFUL_DAY + rng.integers(20, 120, len(begin)), NEVER))
    days = np.column_stack([np.where(bites & (starts < NEVER), starts + spans, NEVER), sudden])
    lost = days.min(axis=1)
    is_lost = lost < DAYS
    return np.where(is_lost, days.argmin(axis=1), -1), np.where(is_lost, lost, NEVER)


def _returns(rng: np.random.Generator, *, kind: Ints, lost: Ints) -> tuple[Flags, Ints, Ints]:
    """Return who is winnable, the day of a win-back contact and the day of the return."""
    n = len(kind)
    winnable = (kind >= 0) & (rng.random(n) < WINNABLE[kind])
    asked = lost + rng.integers(120, 330, n)
    asked = np.where((kind >= 0) & (rng.random(n) < np.where(winnable, 0.55, 0.3)) & (asked < DAYS), asked, NEVER)
    back = asked + rng.integers(8, 40, n)
    returns = winnable & (asked < NEVER) & (rng.random(n) < 0.5) & (back < DAYS)
    return winnable, asked, np.where(returns, back, NEVER)


def _pauses(rng: np.random.Generator, customers: int) -> dict[str, Ints]:
    """Return up to two pauses per customer in which nothing is ordered although nothing is wrong."""
    happens = rng.random((customers, 2)) < 0.4
    pauses = np.where(happens, rng.integers(0, DAYS, (customers, 2)), NEVER)
    return {"pauses": pauses, "pause_days": rng.integers(40, 85, (customers, 2))}
