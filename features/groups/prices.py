"""Price talks: how much discount a customer gets, and whether it grows while the orders shrink.

de: Preisgespräche: wie viel Rabatt ein Kunde bekommt, und ob er wächst, während die Bestellungen schrumpfen.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide
from features.norms import Norms

GROUP = Group("prices", needs={"orders": ("discount_share",)})
CENTS = 100.0
QUARTER, HALF, YEAR = 91, 182, 364


def _before(prices: Past, above: str, below: str, *, days: int) -> Column:
    """Ratio of two totals in the window before the window; missing without a sale at a known discount."""
    return divide(prices.total(above, days, ago=days), prices.total(below, days, ago=days))


@GROUP.feature(unit="share", family="discount", windows=(QUARTER, HALF, YEAR))
def discount(prices: Past, days: int) -> Column:
    """Discount over list price inside the window [share]; missing without a sale whose discount is known.

    de: Rabatt im Verhältnis zum Listenpreis im Zeitraum; fehlt ohne Verkauf, dessen Rabatt bekannt ist.
    """
    return divide(prices.total("given", days), prices.total("listed", days))


@GROUP.feature(unit="currency", family="discount", windows=(YEAR,))
def given(prices: Past, days: int) -> Column:
    """Discount given inside the window [currency].

    de: Gewährter Rabatt im Zeitraum.
    """
    return prices.total("given", days) / CENTS


@GROUP.feature(unit="share", family="discount", windows=(YEAR,))
def discounted_share(prices: Past, days: int) -> Column:
    """Share of the orders inside the window with a discount [share]; missing without an order whose discount is known.

    de: Anteil der Bestellungen im Zeitraum mit Rabatt; fehlt ohne Bestellung, deren Rabatt bekannt ist.
    """
    return divide(prices.total("discounted", days), prices.total("orders", days))


@GROUP.feature(unit="share", family="discount", windows=(YEAR,))
def discount_excess(prices: Past, norms: Norms, days: int) -> Column:
    """Discount inside the window less what is usual in the company [share]; missing without a known discount.

    de: Rabatt im Zeitraum abzüglich des im Unternehmen üblichen; fehlt ohne bekannten Rabatt.
    """
    return discount(prices, days) - norms.discount


@GROUP.feature(unit="share", family="price_talks", expected="+", windows=(HALF,))
def discount_trend(prices: Past, days: int) -> Column:
    """Discount of the window less that of the window before [share]; missing when one has no known discount.

    de: Rabatt des Zeitraums abzüglich dessen des Zeitraums davor; fehlt, wenn einer keinen bekannten Rabatt hat.
    """
    return discount(prices, days) - _before(prices, "given", "listed", days=days)


@GROUP.feature(unit="share", family="price_talks", expected="+", windows=(HALF,))
def discounted_trend(prices: Past, days: int) -> Column:
    """Share of orders with a discount less that of the window before [share]; missing when one has no known discount.

    de: Anteil der Bestellungen mit Rabatt abzüglich dessen des Zeitraums davor; fehlt, wenn einer keinen bekannten
    Rabatt hat.
    """
    return discounted_share(prices, days) - _before(prices, "discounted", "orders", days=days)


@GROUP.feature(unit="share", family="price_talks", expected="+")
def last_discount(prices: Past) -> Column:
    """Discount over list price on the last day of a known discount [share]; missing without one.

    de: Rabatt im Verhältnis zum Listenpreis am letzten Tag mit bekanntem Rabatt; fehlt ohne einen.
    """
    return divide(prices.last("given"), prices.last("listed"))


@GROUP.feature(unit="share", family="price_talks", expected="+", windows=(YEAR,))
def last_discount_excess(prices: Past, days: int) -> Column:
    """Discount on the last day less that of the whole window [share]; missing without a known discount in it.

    de: Rabatt am letzten Tag abzüglich dessen des ganzen Zeitraums; fehlt ohne bekannten Rabatt darin.
    """
    return last_discount(prices) - discount(prices, days)


@GROUP.feature(unit="share", family="price_talks", expected="+", windows=(HALF,))
def squeeze(prices: Past, days: int) -> Column:
    """Rise of the discount times fall of the list value per order, 0 unless both [share]; missing as discount_trend.

    de: Anstieg des Rabatts mal Rückgang des Listenwerts je Bestellung gegenüber dem Zeitraum davor, 0, wenn nicht
    beides; fehlt, wenn ein Zeitraum keinen bekannten Rabatt hat.
    """
    value = divide(prices.total("listed", days), prices.total("orders", days))
    fall = 1 - divide(value, _before(prices, "listed", "orders", days=days))
    return np.maximum(discount_trend(prices, days), 0) * np.maximum(fall, 0)
