"""What truly happens to the customers of the demo company: habits, satisfaction, incidents, losses, returns.

Incidents come to all customers. A grievance (a complaint left open, a contact gap, …) wears the hidden satisfaction
down gradually, and orders follow once the customer's patience is used up; where it does not lose the customer, the
satisfaction heals as slowly. So every trace is a sign, never a proof.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from pipelines.demo.clock import DAYS, NEVER, Flags, Floats, Ints
from pipelines.demo.fates import Fates, draw_arms, draw_chances, fates_under, true_effects
from pipelines.demo.words import GRIEVANCES, INDUSTRIES, INDUSTRY_SHARES, KINDS, SIZES

WINNABLE = np.array([0.5, 0.65, 0.5, 0.6, 0.5, 0.04, 0.0, 0.25])
"""Chance that a lost customer could be won back, by kind; the last one is for unplanned losses."""

PRIVATE_SHARE = 0.15
"""Share of consumers among the customers."""

SPLIT_SHARE = 0.6
"""Share of the usual orders that goes to each of two accounts of one customer: two buyers order a little more."""

TWIN_CANDIDATES = 0.05
"""Share of customers that are looked at to be a second account; about half of them can be."""

_NEEDS = {"need_gone": 0.0, "insolvency": 0.2}
"""Kinds that end the need whatever the satisfaction, and the share of them in which nothing shows yet."""


@dataclass(frozen=True, kw_only=True)
class Lives:
    """The hidden truth, one entry per customer (n), kinds in the order of ``KINDS`` (k), campaigns (c).

    ``since`` and ``begin`` are days (``since`` may lie before the story), ``rate`` orders per year, ``usual`` the
    satisfaction while nothing is wrong and ``patience`` the share of it that is tolerated without ordering less,
    ``starts`` and ``spans`` (n, k) the incidents, ``depth`` (n, k) how far satisfaction (or the need) falls in them,
    ``lost``, ``back`` and ``asked`` the days of loss, return and win-back contact, ``kind`` the cause of the loss
    (k: unplanned; -1: not lost), ``arms`` and ``effects`` (n, c) the campaigns, ``twin`` the older account of the
    same customer (-1: none), ``split`` the day from which orders are divided between the two,
    ``repeated`` whether the second account is written exactly as the older one.
    """

    industry: Ints
    size: Ints
    since: Ints
    begin: Ints
    rate: Floats
    shape: Floats
    slope: Floats
    usual: Floats
    patience: Floats
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
    effects: Ints
    twin: Ints
    split: Ints
    repeated: Flags

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
        shared = np.where(day >= self.split[who], SPLIT_SHARE, 1.0)
        return np.where(paused, 0.0, shared * self.attachment(who, day))

    def attachment(self, who: Ints, day: Ints) -> Floats:
        """Return how far a customer is still ours, 0 to 1: long trend, need, willingness; loss and return."""
        trend = 1 - np.abs(self.slope[who]) * np.where(self.slope[who] < 0, day / DAYS, 1 - day / DAYS)
        level = np.where(self.is_gone(who, day), 0.0, trend * self.need(who, day) * self.willingness(who, day))
        return np.where(day >= self.back[who], 0.8 * level, level)

    def satisfaction(self, who: Ints, day: Ints) -> Floats:
        """Return the hidden satisfaction, 0 to 1: it sinks gradually in a grievance and heals as slowly."""
        level = self.usual[who]
        for kind in range(len(GRIEVANCES)):
            progress = self.progress(who, day, kind)
            level = level * (1 - self.depth[who, kind] * np.clip(np.minimum(progress, 2 - progress), 0, 1))
        return level

    def willingness(self, who: Ints, day: Ints) -> Floats:
        """Return the share of orders that satisfaction leaves, 0 to 1: in proportion to it below the patience."""
        return np.minimum(1.0, self.satisfaction(who, day) / (self.usual[who] * self.patience[who]))

    def need(self, who: Ints, day: Ints) -> Floats:
        """Return the share of orders that need and money leave, 0 to 1."""
        level = np.ones(len(who))
        for name, quiet in _NEEDS.items():
            kind = KINDS.index(name)
            fading = np.clip((self.progress(who, day, kind) - quiet) / (1 - quiet), 0, None)
            level *= np.where(fading < 1, 1 - self.depth[who, kind] * fading, 1.0)
        return level

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
    chances, arms = draw_chances(rng, begin=begin), draw_arms(rng, customers=customers)
    fates = fates_under(chances, arms)
    winnable, asked, back = _returns(rng, kind=fates.kind, lost=fates.lost)
    rate, shape = _rhythms(rng, size=size, promising=promising)
    slope = rng.uniform(-0.2, 0.25, customers) * np.where(shape > 10, 0.2, 1.0)
    lives = Lives(
        industry=industry, size=size, since=since, begin=begin, rate=rate, shape=shape,
        slope=np.where(promising, rng.uniform(0.55, 0.75, customers), slope),
        usual=np.clip(rng.normal(0.76, 0.08, customers), 0.45, 0.97), patience=rng.uniform(0.7, 1.0, customers),
        **_pauses(rng, customers), starts=fates.starts, spans=chances.spans, bites=fates.bites,
        depth=_depths(rng, fates), kind=fates.kind, lost=fates.lost, asked=asked, back=back, winnable=winnable,
        promising=promising, costly=costly, arms=arms, effects=true_effects(chances, arms),
        twin=np.full(customers, -1), split=np.full(customers, NEVER),
        repeated=np.zeros(customers, dtype=np.bool_),
    )  # fmt: skip
    return _with_second_accounts(rng, lives)


def _depths(rng: np.random.Generator, fates: Fates) -> Floats:
    """Return how far an incident goes: deep where it bites; elsewhere a need that ends wrongly is only suspected."""
    deep, light = rng.uniform(0.6, 0.95, fates.bites.shape), rng.uniform(0.05, 0.45, fates.bites.shape)
    light[:, len(GRIEVANCES) :] = np.where(light[:, len(GRIEVANCES) :] < 0.25, 0.0, 0.4)
    return np.where(fates.bites, deep, light)


def _with_second_accounts(rng: np.random.Generator, lives: Lives) -> Lives:
    """Give some customers a second number: one life, and from then on orders divided between the two."""
    everyone = np.arange(len(lives))
    older, begin = rng.integers(0, np.maximum(1, everyone)), lives.begin
    ended = lives.starts[older] + 2 * lives.spans[older] < begin[:, None]
    calm = ((lives.starts[older] >= begin[:, None]) | ended).all(axis=1) & (lives.lost[older] > begin + 120)
    chosen = (rng.random(len(lives)) < TWIN_CANDIDATES) & calm & (everyone > len(lives) // 5)
    chosen &= ~chosen[older] & (np.bincount(older[chosen], minlength=len(lives))[older] == 1)
    same = np.where(chosen, older, everyone)
    kept = {"since", "begin", "twin", "split", "repeated"}
    parts = {field.name: getattr(lives, field.name)[same] for field in fields(lives) if field.name not in kept}
    parts["starts"] = np.where(parts["starts"] >= begin[:, None], parts["starts"], NEVER)
    split = np.where(chosen, begin, NEVER)
    split[older[chosen]] = begin[chosen]
    repeated = chosen & (rng.random(len(lives)) < 0.4)
    return replace(lives, **parts, twin=np.where(chosen, older, -1), split=split, repeated=repeated)


def _sizes_and_industries(rng: np.random.Generator, customers: int) -> tuple[Ints, Ints]:
    industry = rng.choice(len(INDUSTRIES), p=INDUSTRY_SHARES, size=customers)
    size = rng.choice(len(SIZES), p=[0.42, 0.34, 0.18, 0.06, 0.0], size=customers)
    private = rng.random(customers) < PRIVATE_SHARE
    return np.where(private, len(SIZES) - 1, size), np.where(private, len(INDUSTRIES) - 1, industry)


def _rhythms(rng: np.random.Generator, *, size: Ints, promising: Flags) -> tuple[Floats, Floats]:
    """Return orders per year and their regularity: rare buyers are clockwork, so silence says little."""
    n = len(size)
    style = rng.choice(3, p=[0.3, 0.22, 0.48], size=n)
    mean = np.array([12.0, 20.0, 34.0, 52.0, 10.0])[size] * np.array([1.2, 1.2, 0.35])[style]
    rate = mean * rng.standard_gamma(1.5, n) / 1.5
    rate = np.maximum(np.array([15.0, 12.0, 7.5])[style], np.where(promising, np.minimum(rate, 16.0), rate))
    return rate, np.array([1.0, 2.5, 12.0])[style]


def _beginnings(rng: np.random.Generator, customers: int) -> tuple[Ints, Ints]:
    old = rng.random(customers) < 0.62
    long_ago = -1 - (rng.standard_gamma(1.5, customers) * 1500).astype(np.int64)
    since = np.sort(np.where(old, np.maximum(long_ago, -12000), rng.integers(0, DAYS - 60, customers)))
    return since, np.maximum(since, 0)


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
    happens = rng.random((customers, 2)) < 0.3
    pauses = np.where(happens, rng.integers(0, DAYS, (customers, 2)), NEVER)
    return {"pauses": pauses, "pause_days": rng.integers(40, 85, (customers, 2))}
