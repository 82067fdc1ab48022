"""Sales trends: how often, how much, how lately and how regularly a customer buys, and how that moves.

de: Verkaufsentwicklung: wie oft, wie viel, wie lange her und wie regelmäßig ein Kunde kauft, und wie sich das ändert.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide, log_ratio
from features.norms import Norms

GROUP = Group("sales", needs={"orders": ()})
WINDOWS = (28, 91, 182, 364, 728)
"""Whole weeks, so that every window holds each day of the week equally often [days]."""

CENTS = 100.0
YEAR = 364
QUARTER = 91
BLOCK = 28
BLOCKS = 13
"""Four-week blocks of a year, for its course."""


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


@GROUP.feature(unit="currency", family="basket", windows=(QUARTER, YEAR, 2 * YEAR))
def basket(bookings: Past, days: int) -> Column:
    """Mean sales per order inside the window [currency]; missing without an order.

    de: Mittlerer Verkaufswert je Bestellung im Zeitraum; fehlt ohne Bestellung.
    """
    return divide(bookings.total("sold", days), bookings.total("is_order", days)) / CENTS


@GROUP.feature(
    unit="pieces", family="quantity", expected="-", windows=(QUARTER, YEAR, 2 * YEAR), needs={"orders": ("quantity",)}
)
def quantity(bookings: Past, days: int) -> Column:
    """Pieces inside the window, returns taken off [pieces].

    de: Stückzahl im Zeitraum, Retouren abgezogen.
    """
    return bookings.total("quantity", days) / 1000.0


@GROUP.feature(unit="currency", family="basket")
def basket_last(purchases: Past) -> Column:
    """Sales on the last day of purchase [currency]; missing without a purchase.

    de: Verkaufswert am letzten Kauftag; fehlt ohne Kauf.
    """
    return purchases.last("sold") / CENTS


@GROUP.feature(unit="log ratio", family="turnover_trend", expected="-", windows=(BLOCK, QUARTER))
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


@GROUP.feature(unit="log ratio", family="turnover_season", expected="-", windows=(BLOCK, QUARTER))
def turnover_season(bookings: Past, purchases: Past, days: int) -> Column:
    """Turnover of the window against the same days a year before [log ratio]; missing under a year of history.

    de: Umsatz des Zeitraums gegenüber denselben Tagen des Vorjahres; fehlt bei weniger als einem Jahr Vorgeschichte.
    """
    now, before = bookings.total("amount", days), bookings.total("amount", days, ago=YEAR)
    return np.where(purchases.tenure_days > YEAR, log_ratio(now / CENTS, before / CENTS, floor=1.0), np.nan)


@GROUP.feature(unit="currency", family="turnover_season", windows=(BLOCK, QUARTER))
def turnover_season_base(bookings: Past, purchases: Past, days: int) -> Column:
    """Turnover in the same days a year before [currency]; missing under a year of history.

    de: Umsatz in denselben Tagen des Vorjahres; fehlt bei weniger als einem Jahr Vorgeschichte.
    """
    return np.where(purchases.tenure_days > YEAR, bookings.total("amount", days, ago=YEAR) / CENTS, np.nan)


@GROUP.feature(unit="log ratio", family="turnover_season", expected="-", windows=(QUARTER,))
def season_level(bookings: Past, purchases: Past, norms: Norms, days: int) -> Column:
    """Turnover against the share of the year before that the season brings [log ratio]; missing under 65 weeks.

    The year before are the 364 days that end where the window begins; its usual share is learned from all customers.

    de: Umsatz des Zeitraums gegenüber dem, was die Jahreszeit vom Umsatz des Jahres davor üblicherweise bringt; fehlt
    bei weniger als 65 Wochen Vorgeschichte.
    """
    now = bookings.total("amount", days) / CENTS
    expected = bookings.total("amount", YEAR, ago=days) * norms.season_share / CENTS
    return np.where(purchases.tenure_days > YEAR + days, log_ratio(now, expected, floor=1.0), np.nan)


@GROUP.feature(unit="share per 28 days", family="turnover_course", expected="-", windows=(YEAR,))
def turnover_slope(bookings: Past, purchases: Past, days: int) -> Column:
    """Slope of turnover over 13 four-week blocks, over their mean [share]; missing without turnover or under a year.

    Least squares.

    de: Steigung des Umsatzes über die 13 Vierwochenblöcke des Zeitraums, geteilt durch ihr Mittel; fehlt ohne Umsatz
    oder bei weniger als einem Jahr Vorgeschichte.
    """
    slopes = [block - BLOCKS // 2 for block in range(BLOCKS)]
    return _course(bookings, purchases, slopes, days) / 14


@GROUP.feature(unit="share per 28 days, per 28 days", family="turnover_course", expected="-", windows=(YEAR,))
def turnover_acceleration(bookings: Past, purchases: Past, days: int) -> Column:
    """Change of that slope from block to block, over their mean [share]; missing without turnover or under a year.

    Twice the square term of the least-squares parabola.

    de: Änderung der Steigung des Umsatzes von Vierwochenblock zu Vierwochenblock, geteilt durch das Mittel; fehlt ohne
    Umsatz oder bei weniger als einem Jahr Vorgeschichte.
    """
    bends = [(block - BLOCKS // 2) ** 2 - 14 for block in range(BLOCKS)]
    return _course(bookings, purchases, bends, days) / 77


def _course(bookings: Past, purchases: Past, weights: Sequence[int], days: int) -> Column:
    """Weighted sum of the turnover of the blocks, the oldest first, over their sum: whole numbers until the division.

    With x = -6 … 6 the least-squares slope over the mean is 13 Σxy / (182 Σy); the square term of the parabola over the
    mean is 13 Σ(x² - 14)y / (2002 Σy).
    """
    ago = [BLOCK * (BLOCKS - 1 - block) for block in range(BLOCKS)]
    terms = [weight * bookings.total("amount", BLOCK, ago=each) for weight, each in zip(weights, ago, strict=True)]
    in_all = bookings.total("amount", days)
    return divide(np.sum(terms, axis=0), np.where((purchases.tenure_days > YEAR) & (in_all > 0), in_all, np.nan))


@GROUP.feature(unit="currency", family="first_purchase")
def first_basket(purchases: Past) -> Column:
    """Sales on the first day of purchase on record [currency]; missing without a purchase.

    de: Verkaufswert am ersten bekannten Kauftag; fehlt ohne Kauf.
    """
    return purchases.first("sold") / CENTS


@GROUP.feature(unit="days", family="first_purchase", expected="+")
def second_purchase_days(purchases: Past) -> Column:
    """Days from the first day of purchase to the second [days]; missing below two such days.

    de: Tage vom ersten zum zweiten Kauftag; fehlt bei weniger als zwei Kauftagen.
    """
    return purchases.first("gap", on=1)


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


@GROUP.feature(unit="returns", family="returns", windows=(QUARTER, YEAR))
def returns(bookings: Past, days: int) -> Column:
    """Returns and credit notes inside the window [count].

    de: Retouren und Gutschriften im Zeitraum.
    """
    return bookings.total("is_return", days)


@GROUP.feature(unit="days", family="returns")
def return_days(returned_goods: Past) -> Column:
    """Days since the last return or credit note [days]; missing without one.

    de: Tage seit der letzten Retoure oder Gutschrift; fehlt ohne eine solche.
    """
    return returned_goods.recency_days


@GROUP.feature(unit="share", family="returns", windows=(YEAR,))
def returns_share(bookings: Past, days: int) -> Column:
    """Returned amount over sales inside the window [share]; missing without sales.

    de: Retournierter Betrag im Verhältnis zum Verkaufswert im Zeitraum; fehlt ohne Verkäufe.
    """
    return divide(bookings.total("returned", days), bookings.total("sold", days))


@GROUP.feature(
    unit="currency", family="margin", expected="-", windows=(QUARTER, YEAR, 2 * YEAR), needs={"orders": ("margin",)}
)
def margin(bookings: Past, days: int) -> Column:
    """Contribution margin inside the window [currency].

    de: Deckungsbeitrag im Zeitraum.
    """
    return bookings.total("margin", days) / CENTS


@GROUP.feature(unit="share", family="margin", windows=(QUARTER, YEAR), needs={"orders": ("margin",)})
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
