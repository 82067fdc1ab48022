"""Sales trends: how often, how much, how lately and how regularly a customer buys, and how that moves.

de: Verkaufsentwicklung: wie oft, wie viel, wie lange her und wie regelmäßig ein Kunde kauft, und wie sich das ändert.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide, log_ratio

GROUP = Group("sales", needs={"orders": ()})
WINDOWS = (28, 91, 182, 364, 728)
"""Whole weeks, so that every window holds each day of the week equally often [days]."""

CENTS = 100.0
YEAR = 364
QUARTER = 91


@GROUP.feature(unit="orders", family="order_frequency", expected="-", windows=WINDOWS)
def orders(bookings: Past, days: int) -> Column:
    """Orders inside the window [count].

    de: Bestellungen im Zeitraum.
    """
    return bookings.total("is_order", days)


@GROUP.feature(unit="currency", family="turnover", expected="-", windows=WINDOWS)
def turnover(bookings: Past, days: int) -> Column:
    """Net turnover inside the window, returns taken off [currency].

    de: Nettoumsatz im Zeitraum, Retouren abgezogen.
    """
    return bookings.total("amount", days) / CENTS


@GROUP.feature(unit="currency", family="basket", windows=(YEAR,))
def basket(bookings: Past, days: int) -> Column:
    """Mean sales per order inside the window [currency]; missing without an order.

    de: Mittlerer Verkaufswert je Bestellung im Zeitraum; fehlt ohne Bestellung.
    """
    return divide(bookings.total("sold", days), bookings.total("is_order", days)) / CENTS


@GROUP.feature(unit="currency", family="basket")
def basket_last(purchases: Past) -> Column:
    """Sales on the last day of purchase [currency]; missing without a purchase.

    de: Verkaufswert am letzten Kauftag; fehlt ohne Kauf.
    """
    return purchases.last("sold") / CENTS


@GROUP.feature(unit="log ratio", family="turnover_trend", expected="-", windows=(QUARTER,))
def turnover_trend(bookings: Past, days: int) -> Column:
    """Turnover of the window against the window before [log ratio]; missing when both are empty.

    de: Umsatz des Zeitraums gegenüber dem Zeitraum davor; fehlt, wenn beide leer sind.
    """
    now, before = bookings.total("amount", days), bookings.total("amount", days, ago=days)
    return log_ratio(now / CENTS, before / CENTS, floor=1.0)


@GROUP.feature(unit="log ratio", family="turnover_trend", expected="-", windows=(QUARTER,))
def orders_trend(bookings: Past, days: int) -> Column:
    """Orders of the window against the window before [log ratio]; missing when both are empty.

    de: Bestellungen des Zeitraums gegenüber dem Zeitraum davor; fehlt, wenn beide leer sind.
    """
    return log_ratio(bookings.total("is_order", days), bookings.total("is_order", days, ago=days), floor=0.5)


@GROUP.feature(unit="log ratio", family="turnover_season", expected="-", windows=(QUARTER,))
def turnover_season(bookings: Past, purchases: Past, days: int) -> Column:
    """Turnover of the window against the same days a year before [log ratio]; missing under a year of history.

    de: Umsatz des Zeitraums gegenüber denselben Tagen des Vorjahres; fehlt bei weniger als einem Jahr Vorgeschichte.
    """
    now, before = bookings.total("amount", days), bookings.total("amount", days, ago=YEAR)
    return np.where(purchases.tenure_days > YEAR, log_ratio(now / CENTS, before / CENTS, floor=1.0), np.nan)


@GROUP.feature(unit="currency", family="turnover_season", windows=(QUARTER,))
def turnover_season_base(bookings: Past, purchases: Past, days: int) -> Column:
    """Turnover in the same days a year before [currency]; missing under a year of history.

    de: Umsatz in denselben Tagen des Vorjahres; fehlt bei weniger als einem Jahr Vorgeschichte.
    """
    return np.where(purchases.tenure_days > YEAR, bookings.total("amount", days, ago=YEAR) / CENTS, np.nan)


@GROUP.feature(unit="days", family="recency", expected="+")
def recency_days(purchases: Past) -> Column:
    """Days since the last purchase [days]; missing without a purchase.

    de: Tage seit dem letzten Kauf; fehlt ohne Kauf.
    """
    return purchases.recency_days


@GROUP.feature(unit="days", family="tenure", expected="-")
def tenure_days(purchases: Past) -> Column:
    """Days since the first purchase on record [days]; missing without a purchase.

    de: Tage seit dem ersten bekannten Kauf; fehlt ohne Kauf.
    """
    return purchases.tenure_days


@GROUP.feature(unit="days of purchase", family="tenure", expected="-")
def purchase_days(purchases: Past) -> Column:
    """Days on which the customer has bought so far [count].

    de: Tage, an denen der Kunde bisher gekauft hat.
    """
    return purchases.count()


@GROUP.feature(unit="days", family="order_rhythm", expected="+")
def gap_mean_days(purchases: Past) -> Column:
    """Mean gap between days of purchase [days]; missing below two such days.

    de: Mittlerer Abstand zwischen Kauftagen; fehlt bei weniger als zwei Kauftagen.
    """
    return divide(purchases.total("gap"), purchases.total("has_gap"))


@GROUP.feature(unit="days", family="order_rhythm")
def gap_sd_days(purchases: Past) -> Column:
    """Standard deviation of the gaps between days of purchase [days]; missing below three such days.

    de: Standardabweichung der Abstände zwischen Kauftagen; fehlt bei weniger als drei Kauftagen.
    """
    count = purchases.total("has_gap")
    mean = divide(purchases.total("gap"), count)
    spread = divide(purchases.total("gap_squared"), count) - mean**2
    return np.where(count >= 2, np.sqrt(np.maximum(spread, 0)), np.nan)


@GROUP.feature(unit="days", family="order_rhythm", expected="+")
def gap_longest_days(purchases: Past) -> Column:
    """Longest gap between days of purchase so far [days]; missing below two such days.

    de: Längster bisheriger Abstand zwischen Kauftagen; fehlt bei weniger als zwei Kauftagen.
    """
    return np.where(purchases.total("has_gap") > 0, purchases.last("longest_gap"), np.nan)


@GROUP.feature(unit="days", family="order_rhythm", expected="+")
def gap_last_days(purchases: Past) -> Column:
    """Gap before the last day of purchase [days]; missing below two such days.

    de: Abstand vor dem letzten Kauftag; fehlt bei weniger als zwei Kauftagen.
    """
    return np.where(purchases.total("has_gap") > 0, purchases.last("gap"), np.nan)


@GROUP.feature(unit="ratio", family="overdue", expected="+")
def overdue_ratio(purchases: Past) -> Column:
    """Days since the last purchase over the customer's own mean gap [ratio]; missing below two days of purchase.

    de: Tage seit dem letzten Kauf, geteilt durch den eigenen mittleren Abstand; fehlt bei weniger als zwei Kauftagen.
    """
    return divide(purchases.recency_days, gap_mean_days(purchases))


@GROUP.feature(unit="ratio", family="overdue", expected="+")
def overdue_z(purchases: Past) -> Column:
    """Days overdue over the customer's spread of gaps plus one day [ratio]; missing below three days of purchase.

    de: Tage der Überfälligkeit, geteilt durch die eigene Streuung der Abstände plus einen Tag; fehlt bei weniger als
    drei Kauftagen.
    """
    return (purchases.recency_days - gap_mean_days(purchases)) / (gap_sd_days(purchases) + 1)


@GROUP.feature(unit="returns", family="returns", windows=(YEAR,))
def returns(bookings: Past, days: int) -> Column:
    """Returns and credit notes inside the window [count].

    de: Retouren und Gutschriften im Zeitraum.
    """
    return bookings.total("is_return", days)


@GROUP.feature(unit="share", family="returns", windows=(YEAR,))
def returns_share(bookings: Past, days: int) -> Column:
    """Returned amount over sales inside the window [share]; missing without sales.

    de: Retournierter Betrag im Verhältnis zum Verkaufswert im Zeitraum; fehlt ohne Verkäufe.
    """
    return divide(bookings.total("returned", days), bookings.total("sold", days))


@GROUP.feature(unit="currency", family="margin", expected="-", windows=(YEAR,), needs={"orders": ("margin",)})
def margin(bookings: Past, days: int) -> Column:
    """Contribution margin inside the window [currency].

    de: Deckungsbeitrag im Zeitraum.
    """
    return bookings.total("margin", days) / CENTS


@GROUP.feature(unit="share", family="margin", windows=(YEAR,), needs={"orders": ("margin",)})
def margin_share(bookings: Past, days: int) -> Column:
    """Margin over turnover inside the window, where margins are known [share]; missing without turnover.

    de: Deckungsbeitrag im Verhältnis zum Umsatz im Zeitraum, soweit er bekannt ist; fehlt ohne Umsatz.
    """
    return divide(bookings.total("margin", days), bookings.total("margin_base", days))


@GROUP.feature(unit="lines per order", family="breadth", expected="-", windows=(YEAR,))
def lines_per_order(bookings: Past, days: int) -> Column:
    """Lines per order inside the window [count]; missing without an order.

    de: Positionen je Bestellung im Zeitraum; fehlt ohne Bestellung.
    """
    return divide(bookings.total("lines", days), bookings.total("is_order", days))
