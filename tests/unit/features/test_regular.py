"""BG/CNBD-k against BG/NBD where one stage makes a purchase, numerical integration, and simulated regular buyers."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from features.bgnbd import WEEK, BgNbd, Purchases, fit_bgnbd, histories_of, log_likelihood
from features.regular import RegularBuyers, fit_regular, stages_for

MADE = partial(RegularBuyers, r=0.9, alpha=2.0, a=0.8, b=2.4)
HISTORIES = [(0, 0.0, 12.0), (1, 3.0, 12.0), (2, 30.43, 38.86), (9, 20.0, 26.0), (9, 26.0, 26.0), (40, 51.0, 52.0)]


def seen(*histories: tuple[float, float, float]) -> Purchases:
    """Return customers with repeat purchases, weeks to the last one and weeks observed."""
    x, last, age = np.array(histories, dtype=np.float64).T
    return Purchases(repeats=x, last_weeks=last, age_weeks=age)


class Integrated:
    """One history, integrated over the rate (trapezoids in its logarithm) and leaving (Gauss-Jacobi, exact enough).

    ``alive[phase]`` is the likelihood per rate of living with so many stages of the running gap over, without the
    factor for having stayed, which is ``stayed(x)``; ``left`` that of having left after the last purchase.
    """

    def __init__(self, model: RegularBuyers, x: int, last: float, age: float) -> None:
        self.k, self.x = model.k, x
        log_rates, width = np.linspace(-40, 6, 1500, retstep=True)
        self.rates = np.exp(log_rates)
        prior = model.r * (math.log(model.alpha) + log_rates) - model.alpha * self.rates - math.lgamma(model.r)
        nodes, weights = special.roots_jacobi(80, model.b - 1, model.a - 1)
        self.stays, self.weights = (1 - nodes) / 2, weights / weights.sum()
        paid = np.exp(prior + model.k * x * log_rates - self.rates * age) * width
        waits = [(self.rates * (age - last)) ** phase / math.factorial(phase) for phase in range(model.k)]
        self.alive = [paid * wait for wait in waits]
        leaving = (self.weights * (1 - self.stays) * self.stays ** (x - 1)).sum() if x else 0.0
        self.left = (np.exp(prior + model.k * x * log_rates - self.rates * last) * width).sum() * leaving

    def stayed(self, purchases: int) -> float:
        return float((self.weights * self.stays**purchases).sum())

    @property
    def lives(self) -> float:
        return float(sum(phase.sum() for phase in self.alive)) * self.stayed(self.x)

    def mean_if_alive(self, weeks: float, horizon: float) -> tuple[float, float]:
        """Chance to buy in the horizon after ``weeks``, and purchases within ``weeks``, both given alive now."""
        buys = bought = 0.0
        for phase, likely in enumerate(self.alive):
            for stage in range(250):
                arrives = np.exp(stage * np.log(self.rates * weeks) - self.rates * weeks - math.lgamma(stage + 1))
                purchases, then = divmod(phase + stage, self.k)
                soon = special.gammainc(self.k - then, self.rates * horizon)
                buys += float((likely * arrives * soon).sum()) * self.stayed(self.x + purchases)
                made = sum(self.stayed(self.x + before) for before in range(purchases))
                bought += float((likely * arrives).sum()) * made
        return buys / self.lives, bought / self.lives


@pytest.mark.parametrize("history", HISTORIES, ids=str)
@pytest.mark.parametrize("k", [2, 3])
def test_the_likelihood_equals_the_integral_over_rate_and_leaving(k: int, history: tuple[int, float, float]) -> None:
    integral, model = Integrated(MADE(k=k), *history), MADE(k=k)
    theta = np.log([model.r, model.alpha, model.a, model.b])
    found, _ = log_likelihood(histories_of(np.array([history]).T), theta, stages=k)
    assert found == pytest.approx(math.log(integral.lives + integral.left), rel=1e-9)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
@pytest.mark.parametrize("k", [2, 3])
def test_the_chance_to_be_alive_equals_the_integral(k: int, history: tuple[int, float, float]) -> None:
    integral = Integrated(MADE(k=k), *history)
    expected = integral.lives / (integral.lives + integral.left)
    assert MADE(k=k).alive_chance(seen(history)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("lead", "horizon"), [(14, 90), (60, 10)])
@pytest.mark.parametrize("history", HISTORIES, ids=str)
@pytest.mark.parametrize("k", [2, 3, 6])
def test_the_chance_of_silence_equals_the_integral(
    k: int, history: tuple[int, float, float], lead: int, horizon: int
) -> None:
    integral = Integrated(MADE(k=k), *history)
    buys, _ = integral.mean_if_alive(lead / WEEK, horizon / WEEK)
    alive = integral.lives / (integral.lives + integral.left)
    found = MADE(k=k).silent_chance(seen(history), lead_days=lead, horizon_days=horizon)
    assert found == pytest.approx(1 - alive * buys, rel=1e-9)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
@pytest.mark.parametrize("k", [2, 3, 6])
def test_expected_purchases_equal_the_integral(k: int, history: tuple[int, float, float]) -> None:
    integral = Integrated(MADE(k=k), *history)
    _, bought = integral.mean_if_alive(26.0, 1.0)
    alive = integral.lives / (integral.lives + integral.left)
    found = MADE(k=k).expected_purchases(seen(history), days=26 * WEEK)
    assert found == pytest.approx(alive * bought, rel=1e-9)


@pytest.mark.parametrize("a", [0.3, 0.8, 2.5])
def test_one_stage_is_bgnbd(a: float) -> None:
    one, poisson = MADE(k=1, a=a), BgNbd(r=0.9, alpha=2.0, a=a, b=2.4)
    some = seen(*HISTORIES, (0, 0.0, 0.2), (300, 200.0, 208.0), (1400, 200.0, 208.0))
    assert one.alive_chance(some) == pytest.approx(poisson.alive_chance(some), rel=1e-12)
    for days in (0, 30, 90, 365):
        silent = poisson.silent_chance(some, lead_days=0, horizon_days=days)
        assert one.silent_chance(some, lead_days=0, horizon_days=days) == pytest.approx(silent, rel=1e-9)
        expected = poisson.expected_purchases(some, days=days)
        assert one.expected_purchases(some, days=days) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    with_lead = poisson.silent_chance(some, lead_days=14, horizon_days=90)
    assert one.silent_chance(some, lead_days=14, horizon_days=90) == pytest.approx(with_lead, abs=0.02)


def test_the_fit_of_one_stage_is_that_of_bgnbd() -> None:
    drawn, _ = simulated(MADE(k=1), customers=300, weeks=52.0)
    found, poisson = fit_regular(drawn, k=1), fit_bgnbd(drawn)
    assert (found.r, found.alpha, found.a, found.b) == (poisson.r, poisson.alpha, poisson.a, poisson.b)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_silence_is_never_less_likely_after_a_longer_pause_or_over_a_longer_horizon(k: int) -> None:
    pauses = seen(*((5, 20.0, 20.0 + pause) for pause in range(0, 60, 5)))
    by_pause = MADE(k=k).silent_chance(pauses, lead_days=14, horizon_days=90)
    assert (np.diff(by_pause[1:]) > 0).all()
    longer = [MADE(k=k).silent_chance(pauses, lead_days=14, horizon_days=days) for days in (10, 30, 90, 365)]
    assert all((more < less).all() for less, more in pairwise(longer))
    assert ((by_pause > 0) & (by_pause < 1)).all()


@pytest.mark.parametrize("years", [1, 10])
@pytest.mark.parametrize("repeats", [0, 50, 364, 1500])
@pytest.mark.parametrize("k", [1, 6])
def test_daily_buyers_get_finite_and_sane_figures(k: int, repeats: int, years: int) -> None:
    age = max(repeats, 7) / WEEK
    daily = seen((repeats, age, age))
    assert 0 <= MADE(k=k).expected_purchases(daily, days=365.25 * years) <= 1.01 * 365.25 * years
    assert 0 <= MADE(k=k).silent_chance(daily, lead_days=120, horizon_days=90) <= 1


def test_a_customer_who_never_bought_has_no_rhythm() -> None:
    nobody = seen((-1, np.nan, np.nan))
    assert np.isnan(MADE(k=3).alive_chance(nobody))
    assert np.isnan(MADE(k=3).silent_chance(nobody, lead_days=14, horizon_days=90))
    assert np.isnan(MADE(k=3).expected_purchases(nobody, days=364))


def simulated(
    model: RegularBuyers, *, customers: int, weeks: float, seed: int = 1
) -> tuple[Purchases, list[NDArray[np.float64]]]:
    """Draw customers as the model says; return what is seen after ``weeks``, and the weeks of later purchases."""
    random = np.random.default_rng(seed)
    rates, leaving = random.gamma(model.r, 1 / model.alpha, customers), random.beta(model.a, model.b, customers)
    ages = random.uniform(1, weeks, customers)
    lives = [_life(random, model.k, rate, p, age + 52) for rate, p, age in zip(rates, leaving, ages, strict=True)]
    before = [life[life < age] for life, age in zip(lives, ages, strict=True)]
    known = seen(*((len(b), b[-1] if len(b) else 0.0, age) for b, age in zip(before, ages, strict=True)))
    return known, [life[life >= age] - age for life, age in zip(lives, ages, strict=True)]


def _life(random: np.random.Generator, k: int, rate: float, leaving: float, weeks: float) -> NDArray[np.float64]:
    times, now = [], 0.0
    while (now := now + random.gamma(k, 1 / max(rate, 1e-12))) < weeks:
        times.append(now)
        if random.random() < leaving:
            break
    return np.array(times)


REGULAR = RegularBuyers(k=3, r=1.5, alpha=2.5, a=0.6, b=3.0)


def log_loss(happened: NDArray[np.bool_], chance: NDArray[np.float64]) -> float:
    return float(-np.log(np.where(happened, chance, 1 - chance)).mean())


def test_the_silence_of_regular_buyers_is_predicted_better_than_by_bgnbd() -> None:
    known, later = simulated(REGULAR, customers=4000, weeks=104.0)
    fitted = {"regular": fit_regular(known, k=3), "poisson": fit_bgnbd(known)}
    for lead, horizon in ((0, 30), (14, 30), (14, 90)):
        silent = np.array([not ((lead / WEEK <= at) & (at < (lead + horizon) / WEEK)).any() for at in later])
        chance = {name: m.silent_chance(known, lead_days=lead, horizon_days=horizon) for name, m in fitted.items()}
        assert log_loss(silent, chance["regular"]) < log_loss(silent, chance["poisson"]) - 0.01
        assert chance["regular"].mean() == pytest.approx(silent.mean(), abs=0.02)


def test_expected_purchases_of_regular_buyers_add_up_to_what_they_buy() -> None:
    known, later = simulated(REGULAR, customers=4000, weeks=104.0)
    found = fit_regular(known, k=3).expected_purchases(known, days=26 * WEEK)
    assert found.sum() == pytest.approx(sum((at < 26).sum() for at in later), rel=0.03)


def test_the_fit_finds_the_parameters_a_company_was_made_with() -> None:
    known, _ = simulated(REGULAR, customers=4000, weeks=104.0)
    found = fit_regular(known, k=3)
    assert found.r / found.alpha == pytest.approx(REGULAR.r / REGULAR.alpha, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(REGULAR.a / (REGULAR.a + REGULAR.b), rel=0.15)
    assert found.alive_chance(known).mean() == pytest.approx(REGULAR.alive_chance(known).mean(), abs=0.02)


def test_the_fit_does_not_depend_on_the_order_of_customers() -> None:
    known, _ = simulated(REGULAR, customers=300, weeks=40.0)
    back = Purchases(repeats=known.repeats[::-1], last_weeks=known.last_weeks[::-1], age_weeks=known.age_weeks[::-1])
    assert fit_regular(known, k=3) == fit_regular(back, k=3)


@pytest.mark.parametrize("few", [[(0, 0.0, 1.0)], [(0, 0.0, 0.2)] * 3, [(50, 50.0, 50.0)]], ids=["one", "new", "clock"])
@pytest.mark.parametrize("k", [1, 2, 6])
def test_the_smallest_bases_get_finite_parameters(k: int, few: list[tuple[float, float, float]]) -> None:
    model = fit_regular(seen(*few), k=k)
    assert all(0 < value < math.inf for value in (model.r, model.alpha, model.a, model.b))


@pytest.mark.parametrize(
    ("gap_variation", "stages"), [(2.0, 1), (1.0, 1), (0.63, 1), (0.5, 2), (1 / 3, 3), (0.28, 3), (0.02, 6), (0.0, 6)]
)
def test_regularity_is_rounded_down_to_one_to_six_stages(gap_variation: float, stages: int) -> None:
    assert stages_for(gap_variation) == stages


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_stages_of_simulated_companies_are_found_from_the_median_variation(k: int) -> None:
    random = np.random.default_rng(k)
    gaps = [random.gamma(k, random.lognormal(), random.integers(3, 12)) for _ in range(2000)]
    variation = np.median([each.var(ddof=1) / each.mean() ** 2 for each in gaps])
    assert stages_for(float(variation)) == k
