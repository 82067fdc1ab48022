"""Complaint history: how many, how grave, the same again or not, still open, and how fast and well we answered.

de: Reklamationen: wie viele, wie schwer, zum wiederholten Mal oder nicht, noch offen, und wie schnell und gut wir sie
erledigt haben.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide
from features.norms import Norms

GROUP = Group("complaints", needs={"complaints": ()})
YEAR = 364
CENTS, THOUSANDTHS = 100.0, 1000.0
ANSWERED = {"complaints": (), "contacts": ("direction",)}


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


@GROUP.feature(
    unit="complaints", family="complaints", expected="+", windows=(YEAR,), needs={"complaints": ("severity",)}
)
def grave(complaints: Past, days: int) -> Column:
    """Grave complaints inside the window: severity 4 or 5 [count].

    de: Schwere Reklamationen im Zeitraum: Schwere 4 oder 5.
    """
    return complaints.total("is_grave", days)


@GROUP.feature(unit="causes", family="complaints", expected="+", windows=(YEAR,), needs={"complaints": ("category",)})
def causes(complaints: Past, days: int) -> Column:
    """Different causes of the complaints inside the window [count].

    de: Verschiedene Ursachen der Reklamationen im Zeitraum.
    """
    return complaints.distinct("same_cause_before", days)


@GROUP.feature(
    unit="complaints", family="complaints", expected="+", windows=(YEAR,), needs={"complaints": ("category",)}
)
def repeats(complaints: Past, days: int) -> Column:
    """Complaints inside the window whose cause the customer had complained of in the 364 days before [count].

    de: Reklamationen im Zeitraum, deren Ursache der Kunde schon in den 364 Tagen davor reklamiert hatte.
    """
    return complaints.total("is_repeat", days)


@GROUP.feature(unit="days", family="complaints", expected="-")
def purchases_since(complaints: Past, purchases: Past) -> Column:
    """Days of purchase after the day of the last complaint [count]; missing without a complaint.

    de: Kauftage nach dem Tag der letzten Reklamation; fehlt ohne Reklamation.
    """
    return purchases.count_since(complaints.last("day") + 1)


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
    return complaints.cutoff - complaints.least("day", still_open)


@GROUP.feature(
    unit="complaints",
    family="complaint_open",
    expected="+",
    needs={"complaints": ("closed_on",), "contacts": ("direction",)},
)
def unanswered(complaints: Past, first_steps: Past) -> Column:
    """Open complaints after which we have not contacted the customer yet [count].

    de: Offene Reklamationen, nach denen wir uns beim Kunden noch nicht gemeldet haben.
    """
    return complaints.count() - first_steps.count()


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
    unit="days", family="complaint_handling", expected="+", windows=(YEAR,), needs={"complaints": ("closed_on",)}
)
def close_excess_days(settlements: Past, norms: Norms, days: int) -> Column:
    """Mean days from complaint to settlement less what is usual in the company [days]; missing when none was settled.

    de: Mittlere Tage von der Reklamation bis zur Erledigung abzüglich der im Unternehmen üblichen; fehlt, wenn keine
    erledigt wurde.
    """
    return days_to_close(settlements, days) - norms.days_to_close


@GROUP.feature(unit="days", family="complaint_handling", expected="+", windows=(YEAR,), needs=ANSWERED)
def days_to_answer(answers: Past, days: int) -> Column:
    """Mean days from complaint to our first contact, if it came inside the window [days]; missing when none came.

    de: Mittlere Tage von der Reklamation bis zu unserem ersten Kontakt, wenn er in den Zeitraum fällt; fehlt, wenn
    keiner kam.
    """
    return divide(answers.total("days_to_answer", days), answers.count(days))


@GROUP.feature(unit="days", family="complaint_handling", expected="+", windows=(YEAR,), needs=ANSWERED)
def answer_excess_days(answers: Past, norms: Norms, days: int) -> Column:
    """Mean days from complaint to our first contact less what is usual in the company [days]; missing when none came.

    de: Mittlere Tage von der Reklamation bis zu unserem ersten Kontakt abzüglich der im Unternehmen üblichen; fehlt,
    wenn keiner kam.
    """
    return days_to_answer(answers, days) - norms.days_to_answer


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
    unit="share",
    family="complaint_handling",
    expected="-",
    windows=(YEAR,),
    needs={"complaints": ("closed_on", "satisfied")},
)
def satisfied_share(settlements: Past, days: int) -> Column:
    """Share of the settlements inside the window that satisfied the customer [share]; missing when none was judged.

    de: Anteil der Erledigungen im Zeitraum, mit denen der Kunde zufrieden war; fehlt ohne ein Urteil des Kunden.
    """
    return divide(settlements.total("is_satisfied", days), settlements.total("is_judged", days))


@GROUP.feature(
    unit="0 or 1", family="complaint_handling", expected="+", needs={"complaints": ("closed_on", "satisfied")}
)
def last_unsatisfied(verdicts: Past) -> Column:
    """Whether the settlement judged last left the customer unsatisfied [0 or 1]; missing when none was judged.

    de: Ob der Kunde mit der zuletzt beurteilten Erledigung unzufrieden war; fehlt ohne ein Urteil des Kunden.
    """
    return verdicts.last("is_unsatisfied")


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


@GROUP.feature(
    unit="share",
    family="complaint_handling",
    expected="-",
    windows=(YEAR,),
    needs={"complaints": ("closed_on", "goodwill_amount")},
)
def goodwill_share(settlements: Past, bookings: Past, days: int) -> Column:
    """Goodwill over net turnover, both of the window [share]; missing without turnover.

    de: Kulanz im Verhältnis zum Nettoumsatz, beides im Zeitraum; fehlt ohne Umsatz.
    """
    return divide(settlements.total("goodwill", days), np.maximum(bookings.total("amount", days), 0))
