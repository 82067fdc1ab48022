"""Complaint history: how many, how grave, still open or not, and how well they were settled.

de: Reklamationen: wie viele, wie schwer, noch offen oder nicht, und wie gut sie erledigt wurden.
"""

from __future__ import annotations

from features.catalogue import Group
from features.ledger import Column, Past, divide

GROUP = Group("complaints", needs={"complaints": ()})
YEAR = 364
CENTS, THOUSANDTHS = 100.0, 1000.0


@GROUP.feature(unit="complaints", family="complaints", expected="+", windows=(91, YEAR))
def count(complaints: Past, days: int) -> Column:
    """Complaints raised inside the window [count].

    de: Im Zeitraum eingegangene Reklamationen.
    """
    return complaints.count(days)


@GROUP.feature(unit="complaints per order", family="complaints", expected="+", windows=(YEAR,))
def per_order(complaints: Past, bookings: Past, days: int) -> Column:
    """Complaints over orders inside the window [ratio]; missing without an order.

    de: Reklamationen je Bestellung im Zeitraum; fehlt ohne Bestellung.
    """
    return divide(complaints.count(days), bookings.total("is_order", days))


@GROUP.feature(unit="days", family="complaints", expected="-")
def recency_days(complaints: Past) -> Column:
    """Days since the last complaint [days]; missing without a complaint.

    de: Tage seit der letzten Reklamation; fehlt ohne Reklamation.
    """
    return complaints.recency_days


@GROUP.feature(unit="1 to 5", family="complaints", expected="+", windows=(YEAR,), needs={"complaints": ("severity",)})
def severity(complaints: Past, days: int) -> Column:
    """Mean severity of the complaints inside the window [1 to 5]; missing without a rated one.

    de: Mittlere Schwere der Reklamationen im Zeitraum; fehlt ohne eine bewertete.
    """
    return complaints.mean("severity", days, of="is_rated") / THOUSANDTHS


@GROUP.feature(unit="complaints", family="complaint_open", expected="+", needs={"complaints": ("closed_on",)})
def open_count(complaints: Past, settlements: Past) -> Column:
    """Complaints not settled before the cutoff [count].

    de: Reklamationen, die vor dem Stichtag nicht erledigt waren.
    """
    return complaints.count() - settlements.count()


@GROUP.feature(unit="days", family="complaint_open", expected="+", needs={"complaints": ("closed_on",)})
def oldest_open_days(complaints: Past) -> Column:
    """Age of the oldest complaint not settled before the cutoff [days]; missing when none is open.

    de: Alter der ältesten Reklamation, die vor dem Stichtag nicht erledigt war; fehlt, wenn keine offen ist.
    """
    still_open = complaints.ledger.values["closed"] >= complaints.cutoff
    return complaints.cutoff - complaints.day_of_first(still_open)


@GROUP.feature(
    unit="days", family="complaint_handling", expected="+", windows=(YEAR,), needs={"complaints": ("closed_on",)}
)
def days_to_close(settlements: Past, days: int) -> Column:
    """Mean days from complaint to settlement, if settled inside the window [days]; missing when none was settled.

    de: Mittlere Tage von der Reklamation bis zur Erledigung, wenn im Zeitraum erledigt; fehlt, wenn keine erledigt
    wurde.
    """
    return divide(settlements.total("days_open", days), settlements.count(days))


@GROUP.feature(
    unit="complaints",
    family="complaint_handling",
    expected="+",
    windows=(YEAR,),
    needs={"complaints": ("closed_on", "satisfied")},
)
def unsatisfied(settlements: Past, days: int) -> Column:
    """Complaints settled inside the window without satisfying the customer [count].

    de: Im Zeitraum erledigte Reklamationen, mit deren Erledigung der Kunde nicht zufrieden war.
    """
    return settlements.total("is_unsatisfied", days)


@GROUP.feature(
    unit="currency",
    family="complaint_handling",
    expected="-",
    windows=(YEAR,),
    needs={"complaints": ("closed_on", "goodwill_amount")},
)
def goodwill(settlements: Past, days: int) -> Column:
    """Goodwill granted in settlements inside the window [currency].

    de: Kulanz in Erledigungen des Zeitraums.
    """
    return settlements.total("goodwill", days) / CENTS
