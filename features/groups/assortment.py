"""Assortment: how many products and categories a customer buys, which ones are new, and which ones have fallen silent.

de: Sortiment: wie viele Produkte und Warengruppen ein Kunde kauft, welche neu hinzukommen und welche verstummt sind.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, divide
from features.ledgers.assortment import RangePast

GROUP = Group("assortment", needs={"orders": ()})
QUARTER, YEAR, TWO_YEARS = 91, 364, 728
_PRODUCT = {"orders": ("product_id",)}
_CATEGORY = {"orders": ("category",)}


@GROUP.feature(unit="products", family="breadth", expected="-", windows=(QUARTER, YEAR, TWO_YEARS), needs=_PRODUCT)
def products(articles: RangePast, days: int) -> Column:
    """Different products bought inside the window [count].

    de: Verschiedene Produkte, die im Zeitraum gekauft wurden.
    """
    return articles.different(days)


@GROUP.feature(unit="categories", family="breadth", expected="-", windows=(QUARTER, YEAR, TWO_YEARS), needs=_CATEGORY)
def categories(categories: RangePast, days: int) -> Column:
    """Different categories bought inside the window [count].

    de: Verschiedene Warengruppen, aus denen im Zeitraum gekauft wurde.
    """
    return categories.different(days)


@GROUP.feature(unit="0 or 1", family="breadth", expected="+", windows=(TWO_YEARS,), needs=_PRODUCT)
def single_product(articles: RangePast, days: int) -> Column:
    """Whether one product is all that was bought inside the window [0 or 1]; missing without a product.

    de: Ob im Zeitraum nur ein einziges Produkt gekauft wurde; fehlt ohne Produkt.
    """
    return _is_single(articles.different(days))


@GROUP.feature(unit="0 or 1", family="breadth", expected="+", windows=(TWO_YEARS,), needs=_CATEGORY)
def single_category(categories: RangePast, days: int) -> Column:
    """Whether all that was bought inside the window is of one category [0 or 1]; missing without a category.

    de: Ob im Zeitraum nur aus einer einzigen Warengruppe gekauft wurde; fehlt ohne Warengruppe.
    """
    return _is_single(categories.different(days))


def _is_single(count: Column) -> Column:
    return np.where(count > 0, (count == 1).astype(np.float64), np.nan)


@GROUP.feature(unit="products", family="new_in_range", expected="-", windows=(YEAR,), needs=_PRODUCT)
def new_products(articles: RangePast, days: int) -> Column:
    """Products bought inside the window for the first time on record [count].

    de: Produkte, die im Zeitraum zum ersten Mal gekauft wurden.
    """
    return articles.total("is_new", days)


@GROUP.feature(unit="categories", family="new_in_range", expected="-", windows=(YEAR,), needs=_CATEGORY)
def new_categories(categories: RangePast, days: int) -> Column:
    """Categories bought inside the window for the first time on record [count].

    de: Warengruppen, aus denen im Zeitraum zum ersten Mal gekauft wurde.
    """
    return categories.total("is_new", days)


@GROUP.feature(unit="days", family="new_in_range", expected="+", needs=_PRODUCT)
def new_product_days(articles: RangePast) -> Column:
    """Days since the customer last bought a product for the first time [days]; missing without a product.

    de: Tage, seit der Kunde zuletzt ein für ihn neues Produkt gekauft hat; fehlt ohne Produkt.
    """
    return articles.cutoff - articles.last("newest")


@GROUP.feature(unit="days", family="new_in_range", expected="+", needs=_CATEGORY)
def new_category_days(categories: RangePast) -> Column:
    """Days since the customer last bought from a category for the first time [days]; missing without a category.

    de: Tage, seit der Kunde zuletzt aus einer für ihn neuen Warengruppe gekauft hat; fehlt ohne Warengruppe.
    """
    return categories.cutoff - categories.last("newest")


@GROUP.feature(unit="categories", family="partial_loss", expected="+", windows=(QUARTER, YEAR), needs=_CATEGORY)
def dropped_categories(categories: RangePast, days: int) -> Column:
    """Categories bought in the window of equal length before, and not inside the window [count].

    de: Warengruppen, aus denen im gleich langen Zeitraum davor gekauft wurde, aber nicht im Zeitraum.
    """
    return categories.dropped(days)


@GROUP.feature(unit="categories", family="partial_loss", expected="+", windows=(TWO_YEARS,), needs=_CATEGORY)
def silent_categories(categories: RangePast, days: int) -> Column:
    """Categories bought on three days or more inside the window and silent for over twice their own mean gap [count].

    de: Warengruppen, aus denen im Zeitraum an drei oder mehr Tagen gekauft wurde und die länger als das Doppelte ihres
    eigenen mittleren Abstands schweigen.
    """
    return categories.silent(days).things.astype(np.float64)


@GROUP.feature(unit="share", family="partial_loss", expected="+", windows=(TWO_YEARS,), needs=_CATEGORY)
def silent_share(categories: RangePast, days: int) -> Column:
    """Share of the sales of the window from categories that are silent now [share]; missing without a category.

    Silent as in `silent_categories`.

    de: Anteil des Verkaufswerts im Zeitraum, der auf inzwischen verstummte Warengruppen entfällt; fehlt ohne
    Warengruppe.
    """
    silent = categories.silent(days)
    return divide(silent.sold.astype(np.float64), silent.sold_in_all.astype(np.float64))


@GROUP.feature(unit="categories", family="partial_loss", expected="-", windows=(TWO_YEARS,), needs=_CATEGORY)
def living_categories(categories: RangePast, days: int) -> Column:
    """Categories bought on three days or more inside the window and not silent [count].

    de: Warengruppen, aus denen im Zeitraum an drei oder mehr Tagen gekauft wurde und die nicht verstummt sind.
    """
    silent = categories.silent(days)
    return (silent.regular - silent.things).astype(np.float64)


@GROUP.feature(unit="share", family="concentration", windows=(YEAR,), needs=_CATEGORY)
def top_category_share(categories: RangePast, days: int) -> Column:
    """Share of the strongest category in the sales of the window [share]; missing without a category.

    de: Anteil der stärksten Warengruppe am Verkaufswert im Zeitraum; fehlt ohne Warengruppe.
    """
    return categories.largest_share(days)


@GROUP.feature(unit="share", family="concentration", windows=(YEAR,), needs=_PRODUCT)
def top_product_share(articles: RangePast, days: int) -> Column:
    """Share of the strongest product in the sales of the window [share]; missing without a product.

    de: Anteil des stärksten Produkts am Verkaufswert im Zeitraum; fehlt ohne Produkt.
    """
    return articles.largest_share(days)


@GROUP.feature(unit="products", family="first_purchase", expected="-", needs=_PRODUCT)
def first_products(articles: RangePast) -> Column:
    """Products on the first day on which any is known [count]; missing without a product.

    de: Produkte am ersten Tag, für den welche bekannt sind; fehlt ohne Produkt.
    """
    return articles.first("beside")


@GROUP.feature(unit="categories", family="first_purchase", expected="-", needs=_CATEGORY)
def first_categories(categories: RangePast) -> Column:
    """Categories on the first day on which any is known [count]; missing without a category.

    de: Warengruppen am ersten Tag, für den welche bekannt sind; fehlt ohne Warengruppe.
    """
    return categories.first("beside")
