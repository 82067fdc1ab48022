"""Relationship: the contracts, when they end and whether notice was given; how long and how well we know the customer.

de: Beziehung: die Verträge, wann sie enden und ob gekündigt ist; wie lange und wie gut wir den Kunden kennen.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide, log_ratio
from features.ledgers.rows import NEVER
from features.pairs import PairPast

GROUP = Group("relationship", needs={})
YEAR = 364
CENTS = 100.0
CONTRACTS = {"contracts": ()}
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def _recurring(contracts: Past, endings: Past, *, ago: int = 0) -> Column:
    """Monthly amount of the contracts that ran so many days before the cutoff [currency per month]."""
    return (contracts.total("recurring", ago=ago) - endings.total("recurring", ago=ago)) / CENTS


def _is_running(contracts: Past) -> Mask:
    running: Mask = contracts.ledger.values["ends"] >= contracts.cutoff
    return running


@GROUP.feature(unit="currency per month", family="contract", needs={"contracts": ("recurring_amount",)})
def recurring_amount(contracts: Past, endings: Past) -> Column:
    """Monthly amount of the contracts that run at the cutoff [currency per month].

    de: Monatlicher Betrag der Verträge, die am Stichtag laufen.
    """
    return _recurring(contracts, endings)


@GROUP.feature(
    unit="log ratio",
    family="contract",
    expected="-",
    windows=(YEAR,),
    needs={"contracts": ("recurring_amount",)},
)
def recurring_trend(contracts: Past, endings: Past, days: int) -> Column:
    """Monthly amount of running contracts against that at the window's start [log ratio]; missing when both are 0.

    de: Monatlicher Betrag der laufenden Verträge gegenüber dem zu Beginn des Zeitraums; fehlt, wenn beide 0 sind.
    """
    return log_ratio(_recurring(contracts, endings), _recurring(contracts, endings, ago=days), floor=1.0)


@GROUP.feature(unit="log ratio", family="contract", needs={"contracts": ("recurring_amount",)})
def recurring_change(beginnings: Past) -> Column:
    """Monthly amount of the last contract against the one before [log ratio]; missing below two and when both are 0.

    de: Monatlicher Betrag des letzten Vertrags gegenüber dem vorigen; fehlt bei weniger als zwei und wenn beide 0 sind.
    """
    last, before = (beginnings.last("recurring", back=back) / CENTS for back in (0, 1))
    return log_ratio(last, before, floor=1.0)


@GROUP.feature(unit="days", family="contract", expected="-", needs=CONTRACTS)
def contract_days(contracts: Past) -> Column:
    """Days since the first contract began [days]; missing without a contract.

    de: Tage seit Beginn des ersten Vertrags; fehlt ohne Vertrag.
    """
    return contracts.tenure_days


@GROUP.feature(unit="contracts", family="contract", expected="-", needs=CONTRACTS)
def running(contracts: Past, endings: Past) -> Column:
    """Contracts that run at the cutoff [count].

    de: Verträge, die am Stichtag laufen.
    """
    return contracts.count() - endings.count()


@GROUP.feature(unit="products", family="contract", expected="-", needs={"contracts": ("product",)})
def products(products: PairPast) -> Column:
    """Different products of the contracts that run at the cutoff [count].

    de: Verschiedene Produkte der Verträge, die am Stichtag laufen.
    """
    return products.per_customer(products.total("running") > 0)


@GROUP.feature(unit="contracts", family="contract", expected="-", needs=CONTRACTS)
def renewals(beginnings: Past) -> Column:
    """Later days on which the customer began contracts after the first [count].

    de: Spätere Tage, an denen der Kunde nach dem ersten weitere Verträge begann.
    """
    return np.maximum(beginnings.count() - 1, 0)


@GROUP.feature(unit="contracts", family="contract", expected="+", windows=(YEAR,), needs={"contracts": ("ends_on",)})
def ended(endings: Past, days: int) -> Column:
    """Contracts whose last day lies inside the window [count].

    de: Verträge, deren letzter Tag in den Zeitraum fällt.
    """
    return endings.count(days)


@GROUP.feature(unit="contracts", family="contract_end", expected="+", needs={"contracts": ("cancelled_on",)})
def notices(notices: Past) -> Column:
    """Running contracts for which notice has been given [count].

    de: Laufende Verträge, die gekündigt sind.
    """
    return notices.total("running")


@GROUP.feature(unit="days", family="contract_end", needs={"contracts": ("agreed_until",)})
def term_days(contracts: Past) -> Column:
    """Days to the next end of the agreed term of a running contract [days]; missing when no such day lies ahead.

    de: Tage bis zum nächsten Ende der vereinbarten Laufzeit eines laufenden Vertrags; fehlt, wenn keines bevorsteht.
    """
    ahead = contracts.ledger.values["term"] >= contracts.cutoff
    return _days_to(contracts, "term", ahead & _is_running(contracts))


@GROUP.feature(unit="days", family="contract_end", needs={"contracts": ("agreed_until", "notice_days")})
def notice_days_left(contracts: Past) -> Column:
    """Days left to give notice of a running contract to the end of its term [days]; missing when no day is left.

    de: Tage, die noch bleiben, um einen laufenden Vertrag zum Ende seiner Laufzeit zu kündigen; fehlt, wenn keiner
    bleibt.
    """
    ahead = contracts.ledger.values["deadline"] >= contracts.cutoff
    not_given = contracts.ledger.values["cancelled"] >= contracts.cutoff
    return _days_to(contracts, "deadline", ahead & not_given & _is_running(contracts))


def _days_to(contracts: Past, name: str, chosen: Mask) -> Column:
    known = contracts.ledger.values[name] < NEVER
    return contracts.least(name, chosen & known) - contracts.cutoff


@GROUP.feature(unit="days", family="loyalty", expected="-", needs={"customers": ("since",)})
def since_days(customers: Past) -> Column:
    """Days since the customer is one, as the master data say [days]; missing when they do not.

    de: Tage, seit denen der Kunde laut Stammdaten Kunde ist; fehlt, wenn sie es nicht sagen.
    """
    return customers.cutoff - _since(customers)


@GROUP.feature(unit="days", family="loyalty", needs={"customers": ("since",)})
def anniversary_days(customers: Past, purchases: Past) -> Column:
    """Days to the next anniversary of the first day noted, else of the first purchase [days]; missing without both.

    de: Tage bis zum nächsten Jahrestag des Tages, seit dem der Kunde laut Stammdaten Kunde ist, sonst des ersten Kaufs;
    fehlt ohne beides.
    """
    since = _since(customers)
    first = np.where(np.isnan(since), purchases.first("day"), since)
    known = ~np.isnan(first)
    return np.where(known, _days_to_anniversary(np.where(known, first, 0).astype(np.int64), customers.cutoff), np.nan)


@GROUP.feature(unit="share", family="customer_facts", expected="-", needs={"customers": ("known_at",)})
def facts_share(customers: Past) -> Column:
    """Share of the soft facts about the customer that are filled in [share]; missing when nobody knows since when.

    de: Anteil der weichen Angaben zum Kunden, die ausgefüllt sind; fehlt, wenn nicht bekannt ist, seit wann.
    """
    return divide(customers.last("filled"), customers.last("asked"))


def _since(customers: Past) -> Column:
    """First day as customer [day number]; missing where it is not noted or not before the cutoff."""
    since = customers.last("since")
    return np.where(since < customers.cutoff, since, np.nan)


def _days_to_anniversary(first: np.ndarray[tuple[int], np.dtype[np.int64]], cutoff: int) -> Column:
    """Days from the cutoff to the next day of that name, today being one; of 29 February in other years 1 March."""
    day = first.astype("datetime64[D]")
    month, year = (day.astype(f"datetime64[{each}]") for each in "MY")
    this_year = np.datetime64(cutoff, "D").astype("datetime64[Y]")
    years = [(each + (month - year.astype("datetime64[M]"))).astype("datetime64[D]") for each in _months(this_year)]
    days = [(each + (day - month)).astype(np.int64) for each in years]
    left: Column = np.where(days[0] >= cutoff, *days).astype(np.float64) - cutoff
    return left


def _months(year: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
    """January of the year and of the next."""
    return year.astype("datetime64[M]"), (year + 1).astype("datetime64[M]")
