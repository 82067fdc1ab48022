"""BG/NBD against the paper's figures, numerical integration over its mixing distributions, and simulation."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, optimize, special

from features import bgnbd
from features.bgnbd import WEEK, BgNbd, Purchases, fit_bgnbd, histories_of, log_likelihood

CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
"""Fader, Hardie, Lee (2005), table 2."""


def seen(*histories: tuple[float, float, float]) -> Purchases:
    """Return customers with repeat purchases, weeks to the last one and weeks observed."""
    x, last, age = np.array(histories, dtype=np.float64).T
    return Purchases(repeats=x, last_weeks=last, age_weeks=age)


def mixed(value: object, *, x: int, last: float, age: float, model: BgNbd, alive_only: bool = False) -> float:
    """Integrate ``value(rate, leaving)`` times the likelihood of a history over both mixing distributions.

    With leaving = p: alive (1-p)^x k^x e^(-k age), left after the last purchase p (1-p)^(x-1) k^x e^(-k last).
    """
    constant = model.r * math.log(model.alpha) - math.lgamma(model.r) - float(special.betaln(model.a, model.b))

    def integrand(p: float, log_rate: float) -> float:
        k = math.exp(log_rate)
        prior = model.r * log_rate - model.alpha * k + (model.a - 1) * math.log(p) + (model.b - 1) * math.log1p(-p)
        alive = x * math.log1p(-p) + x * log_rate - k * age
        left = math.log(p) + (x - 1) * math.log1p(-p) + x * log_rate - k * last
        likelihood = math.exp(prior + alive) + (math.exp(prior + left) if x and not alive_only else 0.0)
        return float(value(k, p)) * likelihood * math.exp(constant)  # type: ignore[operator]

    found, _ = integrate.dblquad(integrand, -120, 7, 1e-12, 1 - 1e-12, epsabs=1e-16, epsrel=1e-8)
    return float(found)


HISTORIES = [(0, 0.0, 12.0), (1, 3.0, 12.0), (2, 30.43, 38.86), (9, 20.0, 26.0)]


def test_the_worked_example_of_the_paper_comes_out() -> None:
    assert CDNOW.expected_purchases(seen((2, 30.43, 38.86)), days=39 * WEEK) == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_the_likelihood_equals_the_integral_over_rate_and_leaving(history: tuple[int, float, float]) -> None:
    x, last, age = history
    expected = math.log(mixed(lambda k, p: 1.0, x=x, last=last, age=age, model=CDNOW))
    theta = np.log([CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b])
    found, _ = log_likelihood(histories_of(np.array([history]).T), theta, stages=1)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_the_chance_to_be_alive_equals_the_integral(history: tuple[int, float, float]) -> None:
    x, last, age = history
    alive = mixed(lambda k, p: 1.0, x=x, last=last, age=age, model=CDNOW, alive_only=True)
    both = mixed(lambda k, p: 1.0, x=x, last=last, age=age, model=CDNOW)
    assert CDNOW.alive_chance(seen(history)) == pytest.approx(alive / both, rel=1e-5)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_expected_purchases_equal_the_integral(history: tuple[int, float, float]) -> None:
    x, last, age = history
    bought = mixed(lambda k, p: -math.expm1(-k * p * 26) / p, x=x, last=last, age=age, model=CDNOW, alive_only=True)
    both = mixed(lambda k, p: 1.0, x=x, last=last, age=age, model=CDNOW)
    assert CDNOW.expected_purchases(seen(history), days=26 * WEEK) == pytest.approx(bought / both, rel=1e-5)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_without_a_lead_the_chance_of_silence_equals_the_integral(history: tuple[int, float, float]) -> None:
    x, last, age = history
    buys = mixed(lambda k, p: -math.expm1(-k * 90 / 7), x=x, last=last, age=age, model=CDNOW, alive_only=True)
    both = mixed(lambda k, p: 1.0, x=x, last=last, age=age, model=CDNOW)
    found = CDNOW.silent_chance(seen(history), lead_days=0, horizon_days=90)
    assert found == pytest.approx(1 - buys / both, rel=1e-5)


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_with_a_lead_the_chance_of_silence_is_within_a_hundredth_of_the_integral(
    history: tuple[int, float, float],
) -> None:
    x, last, age = history
    lead, horizon = 14 / 7, 90 / 7

    def buys(k: float, p: float) -> float:
        return math.exp(-k * p * lead) * -math.expm1(-k * horizon)

    expected = 1 - mixed(buys, x=x, last=last, age=age, model=CDNOW, alive_only=True) / mixed(
        lambda k, p: 1.0, x=x, last=last, age=age, model=CDNOW
    )
    found = CDNOW.silent_chance(seen(history), lead_days=14, horizon_days=90)
    assert found == pytest.approx(expected, abs=0.01)


def test_silence_is_never_less_likely_after_a_longer_pause_or_over_a_longer_horizon() -> None:
    pauses = seen(*((5, 20.0, 20.0 + pause) for pause in range(0, 60, 5)))
    by_pause = CDNOW.silent_chance(pauses, lead_days=14, horizon_days=90)
    assert (np.diff(by_pause) > 0).all()
    longer = [CDNOW.silent_chance(pauses, lead_days=14, horizon_days=days) for days in (10, 30, 90, 365)]
    assert all((more < less).all() for less, more in pairwise(longer))
    assert ((by_pause > 0) & (by_pause < 1)).all()


@pytest.mark.parametrize("years", [1, 3, 10])
@pytest.mark.parametrize("repeats", [0, 50, 364, 1500])
def test_expected_purchases_stay_finite_and_sane_for_daily_buyers(years: int, repeats: int) -> None:
    age = max(repeats, 7) / WEEK
    found = CDNOW.expected_purchases(seen((repeats, age, age)), days=365.25 * years)
    assert 0 <= found <= 1.01 * 365.25 * years


def test_expected_purchases_grow_smoothly_through_a_equal_to_one() -> None:
    near = [BgNbd(r=1.0, alpha=5.0, a=a, b=2.0).expected_purchases(seen((3, 9.0, 10.0)), days=364)[0]
            for a in (0.999, 1.0, 1.001)]  # fmt: skip
    assert near[0] > near[1] > near[2]
    assert near[1] == pytest.approx((near[0] + near[2]) / 2, rel=1e-5)


def test_a_customer_who_never_bought_has_no_rhythm() -> None:
    nobody = seen((-1, np.nan, np.nan))
    assert np.isnan(CDNOW.alive_chance(nobody))
    assert np.isnan(CDNOW.silent_chance(nobody, lead_days=14, horizon_days=90))
    assert np.isnan(CDNOW.expected_purchases(nobody, days=364))


def simulated(model: BgNbd, *, customers: int, weeks: float, seed: int = 1) -> Purchases:
    """Draw customers as the model says: a rate, a chance to leave after each repeat purchase, and purchases."""
    random = np.random.default_rng(seed)
    rates, leaving = random.gamma(model.r, 1 / model.alpha, customers), random.beta(model.a, model.b, customers)
    drawn = [_life(random, rate, p, weeks) for rate, p in zip(rates, leaving, strict=True)]
    return seen(*((len(times), times[-1] if len(times) else 0.0, weeks) for times in drawn))


def _life(random: np.random.Generator, rate: float, leaving: float, weeks: float) -> NDArray[np.float64]:
    times, now = [], 0.0
    while (now := now + random.exponential(1 / max(rate, 1e-12))) < weeks:
        times.append(now)
        if random.random() < leaving:
            break
    return np.array(times)


def test_the_fit_finds_the_parameters_a_company_was_made_with() -> None:
    made = BgNbd(r=0.8, alpha=6.0, a=0.8, b=2.5)
    drawn = simulated(made, customers=4000, weeks=104.0)
    found = fit_bgnbd(drawn)
    assert found.r / found.alpha == pytest.approx(made.r / made.alpha, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(made.a / (made.a + made.b), rel=0.15)
    assert found.alive_chance(drawn).mean() == pytest.approx(made.alive_chance(drawn).mean(), abs=0.02)


@pytest.mark.parametrize("most_fitted", [10_000, 100], ids=["all", "sample"])
def test_the_fit_does_not_depend_on_the_order_of_customers(monkeypatch: pytest.MonkeyPatch, most_fitted: int) -> None:
    monkeypatch.setattr(bgnbd, "_MOST_FITTED", most_fitted)
    drawn = simulated(CDNOW, customers=300, weeks=40.0)
    back = Purchases(repeats=drawn.repeats[::-1], last_weeks=drawn.last_weeks[::-1], age_weeks=drawn.age_weeks[::-1])
    assert fit_bgnbd(drawn) == fit_bgnbd(back)


@pytest.mark.parametrize(
    "few", [[], [(0, 0.0, 1.0)], [(0, 0.0, 0.2)] * 3, [(50, 50.0, 50.0)]], ids=["nobody", "one", "new", "clockwork"]
)
def test_the_smallest_bases_get_finite_parameters(few: list[tuple[float, float, float]]) -> None:
    nobody = Purchases(repeats=np.zeros(0), last_weeks=np.zeros(0), age_weeks=np.zeros(0))
    model = fit_bgnbd(seen(*few) if few else nobody)
    assert all(0 < value < math.inf for value in (model.r, model.alpha, model.a, model.b))


ODD = {
    "bought once": (np.zeros(900), np.zeros(900), np.arange(900) / WEEK),
    "bought once, long ago": (np.zeros(900), np.zeros(900), np.full(900, 100.0)),
    "daily": (np.arange(7, 1500, 5), np.arange(7, 1500, 5) / WEEK, np.arange(7, 1500, 5) / WEEK),
    "daily, then gone": (np.arange(7, 1500, 5), np.arange(7, 1500, 5) / WEEK, np.arange(7, 1500, 5) / 3),
    "one repeat at once": (np.ones(900), np.full(900, 1 / WEEK), 1 / WEEK + np.arange(900) / WEEK),
    "two kinds": (np.repeat([0.0, 700.0], 400), np.repeat([0.0, 100.0], 400), np.full(800, 100.0)),
}
"""Repeats, weeks to the last purchase and weeks observed."""


@pytest.mark.parametrize("stages", [1, 3, 6])
@pytest.mark.parametrize("rows", ODD.values(), ids=ODD.keys())
def test_odd_bases_are_fitted_at_least_as_well_as_by_scipy(rows: tuple[NDArray[np.float64], ...], stages: int) -> None:
    loss = bgnbd.Loss(
        histories=histories_of(np.array(rows, dtype=np.float64)),
        centre=np.log([1.0, 5.0 / stages, 0.5, 2.0]),
        prior=2 / len(rows[0]),
        stages=stages,
    )
    bounds = [(value - 7, value + 7) for value in loss.centre]
    scipys = optimize.minimize(loss.at, loss.centre, jac=True, method="L-BFGS-B", bounds=bounds)
    assert loss.at(loss.lowest())[0] <= scipys.fun + 1e-9 * (1 + abs(scipys.fun))


def few_drawn(seed: int) -> Purchases:
    random = np.random.default_rng(seed)
    repeats, age = random.integers(0, 30, 1 + seed % 5), random.uniform(0.2, 200, 1 + seed % 5)
    return seen(*zip(repeats, np.where(repeats > 0, age * random.random(len(age)), 0), age, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_with_one_to_five_customers_the_loss_is_level_where_the_fit_ends(seed: int) -> None:
    few = few_drawn(seed)
    found, rows = fit_bgnbd(few), bgnbd._in_order(few)
    centre = np.log([1.0, np.clip(few.age_weeks.sum() / (1 + few.repeats.sum()), 0.2, 200.0), 0.5, 2.0])
    loss = bgnbd.Loss(histories=histories_of(rows), centre=centre, prior=2 / len(few.repeats), stages=1)
    _, slope = loss.at(np.log([found.r, found.alpha, found.a, found.b]))
    assert np.abs(slope).max() < 1e-6


@pytest.mark.parametrize("stages", [1, 2, 5])
def test_the_slope_of_the_likelihood_is_what_differences_say(stages: int) -> None:
    histories = histories_of(bgnbd._in_order(simulated(CDNOW, customers=200, weeks=52.0)))
    for theta in (np.log([0.3, 4.0, 0.8, 2.4]), np.log([6.0, 0.5, 3.0, 0.2]), np.log([0.05, 40.0, 0.02, 30.0])):
        _, slope = log_likelihood(histories, theta, stages=stages)
        for each, shift in enumerate(np.eye(4) * 1e-5):
            ahead, behind = (log_likelihood(histories, theta + sign * shift, stages=stages)[0] for sign in (1, -1))
            assert slope[each] == pytest.approx((ahead - behind) / 2e-5, rel=1e-6, abs=1e-4)


def company(model: BgNbd, *, customers: int, seed: int) -> Purchases:
    """Draw as ``simulated`` does, all customers at once, each first seen on a day of four years."""
    random = np.random.default_rng(seed)
    rates, leaving = random.gamma(model.r, 1 / model.alpha, customers), random.beta(model.a, model.b, customers)
    age = np.floor(random.uniform(1, 1461, customers)) / WEEK
    now, last, repeats, there = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.arange(customers)
    while len(there):
        now[there] += random.exponential(1 / np.maximum(rates[there], 1e-9))
        there = there[now[there] < age[there]]
        repeats[there] += 1
        last[there] = np.floor(now[there] * WEEK) / WEEK
        there = there[random.random(len(there)) >= leaving[there]]
    return Purchases(repeats=repeats, last_weeks=last, age_weeks=age)


@pytest.mark.parametrize(
    "made", [CDNOW, BgNbd(r=3.0, alpha=8.0, a=0.05, b=1.0), BgNbd(r=1.0, alpha=30.0, a=2.5, b=4.0)], ids=str
)
def test_fitting_a_sample_says_the_same_as_fitting_everyone(monkeypatch: pytest.MonkeyPatch, made: BgNbd) -> None:
    everyone = company(made, customers=200_000, seed=1)
    sampled = fit_bgnbd(everyone).silent_chance(everyone, lead_days=14, horizon_days=90)
    monkeypatch.setattr(bgnbd, "_MOST_FITTED", 200_000)
    exact = fit_bgnbd(everyone).silent_chance(everyone, lead_days=14, horizon_days=90)
    assert np.abs(sampled - exact).max() < 0.001


def test_those_who_never_bought_do_not_count_in_the_fit() -> None:
    buyers = simulated(CDNOW, customers=50, weeks=40.0)
    joined = Purchases(
        repeats=np.append(buyers.repeats, -1.0),
        last_weeks=np.append(buyers.last_weeks, np.nan),
        age_weeks=np.append(buyers.age_weeks, np.nan),
    )
    assert fit_bgnbd(joined) == fit_bgnbd(buyers)
