"""Payments: how long after the due day a customer pays, how often too late, and what is overdue now.

de: Zahlungen: wie lange nach der Fälligkeit ein Kunde zahlt, wie oft zu spät, und was jetzt überfällig ist.

A payment exists from its own day on; an invoice is paid when the last of its lines is.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide
from features.norms import Norms

GROUP = Group("payments", needs={"orders": ("due_on", "paid_on")})
CENTS = 100.0
QUARTER, YEAR = 91, 364


@GROUP.feature(unit="days", family="payment_delay", expected="+", windows=(QUARTER, YEAR))
def days_late(payments: Past, days: int) -> Column:
    """Mean days from due to paid of the invoices paid inside the window, early ones negative [days]; missing without.

    de: Mittlere Tage von der Fälligkeit bis zur Zahlung der im Zeitraum bezahlten Rechnungen, vorzeitige negativ; fehlt
    ohne solche.
    """
    return payments.mean("days_late", days, of="invoices")


@GROUP.feature(unit="days", family="payment_delay", expected="+")
def days_late_last(payments: Past) -> Column:
    """Mean days from due to paid of the invoices paid last, early ones negative [days]; missing without a payment.

    de: Mittlere Tage von der Fälligkeit bis zur Zahlung der zuletzt bezahlten Rechnungen, vorzeitige negativ; fehlt
    ohne Zahlung.
    """
    return divide(payments.last("days_late"), payments.last("invoices"))


@GROUP.feature(unit="days", family="payment_delay", expected="+", windows=(QUARTER,))
def days_late_trend(payments: Past, days: int) -> Column:
    """Mean days late of the window less that of the rest of the year before it [days]; missing when one is empty.

    de: Mittlere Tage der Verspätung im Zeitraum abzüglich derer im übrigen Jahr davor; fehlt, wenn eines leer ist.
    """
    return days_late(payments, days) - payments.mean("days_late", YEAR - days, of="invoices", ago=days)


@GROUP.feature(unit="days", family="payment_delay", expected="+", windows=(YEAR,))
def days_late_excess(payments: Past, norms: Norms, days: int) -> Column:
    """Mean days late inside the window less what is usual in the company [days]; missing without a payment.

    de: Mittlere Tage der Verspätung im Zeitraum abzüglich der im Unternehmen üblichen; fehlt ohne Zahlung.
    """
    return days_late(payments, days) - norms.days_late


@GROUP.feature(unit="share", family="payment_delay", expected="+", windows=(YEAR,))
def late_share(dues: Past, days: int) -> Column:
    """Share of the invoices that fell due inside the window and were not paid by then [share]; missing without.

    de: Anteil der im Zeitraum fällig gewordenen Rechnungen, die bis dahin nicht bezahlt waren; fehlt ohne solche.
    """
    return divide(dues.total("is_late", days), dues.count(days))


@GROUP.feature(unit="invoices", family="payment_delay", expected="+", windows=(YEAR,))
def dunned(reminders: Past, days: int) -> Column:
    """Invoices that became unpaid for 14 days after they were due, inside the window [count].

    de: Rechnungen, die im Zeitraum 14 Tage nach Fälligkeit noch unbezahlt waren.
    """
    return reminders.count(days)


@GROUP.feature(unit="invoices", family="payment_overdue", expected="+")
def overdue_count(arrears: Past, clearances: Past) -> Column:
    """Invoices past their due day and not paid before the cutoff [count].

    de: Rechnungen, die fällig und vor dem Stichtag nicht bezahlt waren.
    """
    return arrears.count() - clearances.count()


@GROUP.feature(unit="currency", family="payment_overdue", expected="+")
def overdue_amount(arrears: Past, clearances: Past) -> Column:
    """Amount of the invoices past their due day and not paid before the cutoff [currency].

    de: Betrag der Rechnungen, die fällig und vor dem Stichtag nicht bezahlt waren.
    """
    return (arrears.total("billed") - clearances.total("billed")) / CENTS


@GROUP.feature(unit="share", family="payment_overdue", expected="+")
def overdue_share(arrears: Past, clearances: Past, invoices: Past, payments: Past) -> Column:
    """Overdue amount over all that is open [share]; missing when nothing is open.

    de: Überfälliger Betrag im Verhältnis zu allem, was offen ist; fehlt, wenn nichts offen ist.
    """
    still_open = invoices.total("billed") - payments.total("billed")
    return divide(overdue_amount(arrears, clearances) * CENTS, np.maximum(still_open, 0))


@GROUP.feature(unit="days", family="payment_overdue", expected="+")
def oldest_overdue_days(arrears: Past) -> Column:
    """Days since the oldest overdue invoice fell due [days]; missing when none is overdue.

    de: Tage seit der Fälligkeit der ältesten überfälligen Rechnung; fehlt, wenn keine überfällig ist.
    """
    unpaid = arrears.ledger.values["paid"] >= arrears.cutoff
    return arrears.cutoff - arrears.least("due", unpaid)
