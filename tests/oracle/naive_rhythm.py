"""The naive rhythm: the formulas, given the fitted parameters, one customer at a time."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.known import YEAR, Snapshot, age_of_last, distinct_days
from tests.oracle.naive import purchase_gaps


@dataclass(frozen=True, kw_only=True)
class Regular:
    """Parameters of BG/CNBD-k."""

    k: int
    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Parameters that the rhythm features take as given, and the days to look ahead."""

    r: float
    alpha: float
    a: float
    b: float
    mean_gap_days: float
    gap_variation: float
    regular: Regular
    lead_days: int
    horizon_days: int


def rhythm(snapshot: Snapshot, fitted: Fitted) -> dict[str, float | None]:
    """Return the features of the group rhythm; all are missing for a customer who never bought."""
    names = (
        *("alive_chance", "silent_chance", "expected_orders", "gap_survival"),
        *("regular_silent_chance", "regular_expected_orders"),
    )
    days = distinct_days(snapshot.purchases)
    if not days:
        return {f"rhythm__{name}": None for name in names}
    x, last = len(days) - 1, (days[-1] - days[0]).days / 7
    age = (snapshot.cutoff - days[0]).days / 7
    alive = _alive(fitted, x, last, age)
    values = (
        *(alive, _silent(fitted, x, age, alive), alive * _expected(fitted, x, age), _survival(snapshot, fitted)),
        *_regular(fitted, x, last, age),
    )
    return {f"rhythm__{name}": value for name, value in zip(names, values, strict=True)}


def _alive(fitted: Fitted, x: int, last: float, age: float) -> float:
    if x == 0:
        return 1.0
    stretch = math.pow((fitted.alpha + age) / (fitted.alpha + last), fitted.r + x)
    return 1 / (1 + fitted.a / (fitted.b + x - 1) * stretch)


def _silent(fitted: Fitted, x: int, age: float, alive: float) -> float:
    lead, horizon = fitted.lead_days / 7, fitted.horizon_days / 7
    leaving = fitted.a / (fitted.a + fitted.b + x)

    def nothing_for(weeks: float) -> float:
        return math.pow((fitted.alpha + age) / (fitted.alpha + age + weeks), fitted.r + x)

    left_in_lead, stays_silent = 1 - nothing_for(leaving * lead), nothing_for(leaving * lead + horizon)
    return (1 - alive) + alive * (left_in_lead + stays_silent)


def _expected(fitted: Fitted, x: int, age: float) -> float:
    """Expected purchases of a living customer within a year, the hypergeometric function as its series."""
    weeks, a, b = YEAR / 7, fitted.a, fitted.b
    z = weeks / (fitted.alpha + age + weeks)
    term = series = 1.0
    for n in range(1_000_000):
        term *= (fitted.r + x + n) * (b + x + n) / ((a + b + x - 1 + n) * (n + 1)) * z
        series += term
        if term < series * 1e-17:
            break
    return (a + b + x - 1) / (a - 1) * (1 - math.pow(1 - z, fitted.r + x) * series)


def _survival(snapshot: Snapshot, fitted: Fitted) -> float:
    """P(gap > now + lead + horizon) / P(gap > now) of a Gamma gap, integrated by a fine midpoint rule."""
    own = purchase_gaps(snapshot)
    middle = (sum(own) + fitted.mean_gap_days) / (len(own) + 1)
    variation, weight = fitted.gap_variation * 4, 4
    if len(own) >= 2:
        squares = sum((gap - Fraction(sum(own), len(own))) ** 2 for gap in own) / (len(own) - 1)
        variation += float(squares / Fraction(sum(own), len(own)) ** 2) * len(own)
        weight += len(own)
    shape = 1 / max(variation / weight, 0.01)
    now = age_of_last(snapshot, snapshot.purchases) or 0
    through = _gamma_tail(shape, shape * (now + fitted.lead_days + fitted.horizon_days) / middle)
    so_far = _gamma_tail(shape, shape * now / middle)
    return through / so_far if so_far > 1e-12 else 1.0


def _gamma_tail(shape: float, x: float) -> float:
    """Regularised upper incomplete gamma function: series below, continued fraction (Lentz) above the mean."""
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape)) if x > 0 else 0.0
    if x < shape + 1:
        term = series = 1 / shape
        n = shape
        while term > series * 1e-17:
            n += 1
            term *= x / n
            series += term
        return 1 - front * series
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 10_000):
        an = -i * (i - shape)
        b += 2
        d = 1 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return front * h


# --- BG/CNBD-k: only every k-th stage of the Poisson process is a purchase --------------------------------------------


def _regular(fitted: Fitted, x: int, last: float, age: float) -> tuple[float, float]:
    """Chance of silence and expected purchases, summed over the stages behind and the stages to come."""
    model = fitted.regular
    shape, rate = model.r + model.k * x, model.alpha + age
    behind = [_rising(shape, j) * ((age - last) / rate) ** j for j in range(model.k)]
    left = model.a / (model.b + x - 1) * (rate / (model.alpha + last)) ** shape / sum(behind) if x else 0.0
    alive = 1 / (1 + left)
    silent = bought = 0.0
    for j, weight in enumerate(behind):
        chance = weight / sum(behind)
        lead, horizon, year = fitted.lead_days / 7, fitted.horizon_days / 7, YEAR / 7
        to_come = _stages_to_come(shape + j, rate, lead)
        stays = _stays(model, x, (j + len(to_come)) // model.k)
        for n, stages in to_come:
            stay = stays[(j + n) // model.k]
            silent += chance * stages * (1 - stay + stay * _nothing(model, shape, rate + lead, j + n, horizon))
        to_come = _stages_to_come(shape + j, rate, year)
        sums = [0.0, *itertools.accumulate(_stays(model, x, (j + len(to_come)) // model.k))]
        bought += chance * sum(stages * sums[(j + n) // model.k] for n, stages in to_come)
    return 1 - alive + alive * silent, alive * bought


def _rising(start: float, count: int) -> float:
    """start (start + 1) ... (start + count - 1) / count!."""
    return math.prod((start + i) / (i + 1) for i in range(count))


def _stages_to_come(shape: float, rate: float, weeks: float) -> list[tuple[int, float]]:
    """Chance of every number of stages within so many weeks: negative binomial, as far as it is above 1e-18."""
    share = weeks / (rate + weeks)
    if share == 0:
        return [(0, 1.0)]
    found, n, mean = [], 0, shape * weeks / rate
    while True:
        log = math.lgamma(shape + n) - math.lgamma(shape) - math.lgamma(n + 1)
        chance = math.exp(log + n * math.log(share) + shape * math.log1p(-share))
        found.append((n, chance))
        if n > mean and chance < 1e-18:
            return found
        n += 1


def _stays(model: Regular, x: int, most: int) -> list[float]:
    """Chance of staying through 0, 1, … up to ``most`` further purchases."""
    chances = [1.0]
    for i in range(most):
        chances.append(chances[-1] * (model.b + x + i) / (model.a + model.b + x + i))
    return chances


def _nothing(model: Regular, shape: float, rate: float, stages: int, weeks: float) -> float:
    """Chance that a living customer with so many stages since the last purchase but some completes no gap."""
    share = rate / (rate + weeks)
    missing = model.k - stages % model.k
    return share ** (shape + stages) * sum(_rising(shape + stages, i) * (1 - share) ** i for i in range(missing))
