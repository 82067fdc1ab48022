"""Contact frequency: how often, by which channel and at whose wish we speak, in which mood, and who speaks for us.

de: Kontakte: wie oft, auf welchem Weg und auf wessen Wunsch wir sprechen, in welcher Stimmung, und wer für uns spricht.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide, log_ratio
from features.norms import Norms

GROUP = Group("contacts", needs={"contacts": ()})
MONTH, QUARTER, HALF, YEAR = 28, 91, 182, 364
THOUSANDTHS = 1000.0


def _usual_of_class(bookings: Past, norms: Norms) -> Column:
    """Mean contacts in 364 days of customers of the same class (A, B, C by turnover of 364 days) [count]."""
    return np.array(norms.contacts)[norms.classes(bookings.total("amount", YEAR))]


def _usual_before(past: Past, *, days: int) -> Column:
    """Mean number in as many days as the window has, over the rest of 364 days or since the first [count]."""
    return past.count(YEAR - days, ago=days) * days / np.clip(past.tenure_days - days, days, YEAR - days)


def _unanswered(outbound: Past, inbound: Past, purchases: Past, *, days: int | None = None) -> Column:
    """Contacts we started after the day on which the customer last contacted us or bought, in the window [count]."""
    last = np.fmax(inbound.last("day"), purchases.last("day")) + 1
    since = last if days is None else np.fmax(last, outbound.cutoff - days)
    return np.where(np.isnan(since), outbound.count(), outbound.count_since(since))


@GROUP.feature(unit="contacts", family="contact_frequency", expected="-", windows=(28, QUARTER, YEAR))
def count(contacts: Past, days: int) -> Column:
    """Contacts inside the window, both directions [count].

    de: Kontakte im Zeitraum, in beiden Richtungen.
    """
    return contacts.count(days)


@GROUP.feature(unit="contacts", family="contact_frequency", windows=(QUARTER,), needs={"contacts": ("direction",)})
def inbound(contacts: Past, days: int) -> Column:
    """Contacts inside the window that the customer started [count].

    de: Kontakte im Zeitraum, die vom Kunden ausgingen.
    """
    return contacts.total("is_inbound", days)


@GROUP.feature(
    unit="contacts", family="contact_frequency", expected="-", windows=(QUARTER,), needs={"contacts": ("direction",)}
)
def outbound(contacts: Past, days: int) -> Column:
    """Contacts inside the window that we started [count].

    de: Kontakte im Zeitraum, die von uns ausgingen.
    """
    return contacts.total("is_outbound", days)


@GROUP.feature(unit="log ratio", family="contact_frequency", expected="-", windows=(QUARTER,))
def trend(contacts: Past, days: int) -> Column:
    """Contacts of the window against the window before [log ratio]; missing when both are empty.

    de: Kontakte des Zeitraums gegenüber dem Zeitraum davor; fehlt, wenn beide leer sind.
    """
    return log_ratio(contacts.count(days), contacts.count(days, ago=days), floor=0.5)


@GROUP.feature(unit="share", family="contact_frequency", windows=(YEAR,), needs={"contacts": ("direction",)})
def inbound_share(contacts: Past, days: int) -> Column:
    """Share of the contacts inside the window that the customer started [share]; missing when no direction is known.

    de: Anteil der Kontakte im Zeitraum, die vom Kunden ausgingen; fehlt, wenn keine Richtung bekannt ist.
    """
    theirs = contacts.total("is_inbound", days)
    return divide(theirs, theirs + contacts.total("is_outbound", days))


@GROUP.feature(unit="log ratio", family="contact_frequency", expected="-", windows=(MONTH,))
def habit(contacts: Past, days: int) -> Column:
    """Contacts of the window against the customer's own mean of the year before it [log ratio]; missing without any.

    de: Kontakte des Zeitraums gegenüber dem eigenen Mittel des Jahres davor; fehlt, wenn es keine gab.
    """
    return log_ratio(contacts.count(days), _usual_before(contacts, days=days), floor=0.5)


@GROUP.feature(unit="contacts", family="contact_frequency", windows=(YEAR,))
def class_excess(contacts: Past, bookings: Past, norms: Norms, days: int) -> Column:
    """Contacts inside the window less the mean of the same class A, B or C [count]; missing when nobody is in it.

    de: Kontakte im Zeitraum abzüglich des Mittels der Kunden derselben Klasse A, B oder C; fehlt, wenn es dort keinen
    gibt.
    """
    return contacts.count(days) - _usual_of_class(bookings, norms)


@GROUP.feature(
    unit="contacts", family="contact_channel", expected="-", windows=(YEAR,), needs={"contacts": ("channel",)}
)
def visits(contacts: Past, days: int) -> Column:
    """Visits inside the window [count].

    de: Besuche im Zeitraum.
    """
    return contacts.total("is_visit", days)


@GROUP.feature(
    unit="contacts", family="contact_channel", expected="-", windows=(YEAR,), needs={"contacts": ("channel",)}
)
def calls(contacts: Past, days: int) -> Column:
    """Telephone calls inside the window [count].

    de: Telefonate im Zeitraum.
    """
    return contacts.total("is_call", days)


@GROUP.feature(unit="contacts", family="contact_channel", windows=(YEAR,), needs={"contacts": ("channel",)})
def written(contacts: Past, days: int) -> Column:
    """E-mails and letters inside the window [count].

    de: E-Mails und Briefe im Zeitraum.
    """
    return contacts.total("is_written", days)


@GROUP.feature(unit="share", family="contact_channel", expected="-", windows=(YEAR,), needs={"contacts": ("channel",)})
def personal_share(contacts: Past, days: int) -> Column:
    """Share of visits and calls among the contacts inside the window [share]; missing when no channel is known.

    de: Anteil der Besuche und Telefonate an den Kontakten des Zeitraums; fehlt, wenn kein Kanal bekannt ist.
    """
    personal = contacts.total("is_visit", days) + contacts.total("is_call", days)
    return divide(personal, contacts.total("has_channel", days))


@GROUP.feature(unit="days", family="contact_silence", expected="+")
def recency_days(contacts: Past) -> Column:
    """Days since the last contact [days]; missing without a contact.

    de: Tage seit dem letzten Kontakt; fehlt ohne Kontakt.
    """
    return contacts.recency_days


@GROUP.feature(unit="ratio", family="contact_silence", expected="+")
def silence_ratio(contacts: Past) -> Column:
    """Days since the last contact over the customer's mean gap plus one day [ratio]; missing below two contacts.

    de: Tage seit dem letzten Kontakt, geteilt durch den eigenen mittleren Abstand plus einen Tag; fehlt bei weniger als
    zwei Kontakten.
    """
    return contacts.recency_days / (divide(contacts.total("gap"), contacts.total("has_gap")) + 1)


@GROUP.feature(unit="days", family="contact_silence", expected="+", needs={"contacts": ("direction",)})
def our_silence_days(outbound: Past) -> Column:
    """Days since we last contacted the customer [days]; missing when we never did.

    de: Tage seit unserem letzten Kontakt zum Kunden; fehlt, wenn es keinen gab.
    """
    return outbound.recency_days


@GROUP.feature(unit="days", family="contact_silence", expected="+", needs={"contacts": ("direction",)})
def their_silence_days(inbound: Past) -> Column:
    """Days since the customer last contacted us [days]; missing when that never happened.

    de: Tage, seit der Kunde sich zuletzt bei uns gemeldet hat; fehlt, wenn er es nie tat.
    """
    return inbound.recency_days


@GROUP.feature(unit="contacts", family="contact_pressure", expected="+", needs={"contacts": ("direction",)})
def unanswered(outbound: Past, inbound: Past, purchases: Past) -> Column:
    """Contacts we started since the customer last contacted us or bought [count].

    de: Von uns begonnene Kontakte, seit der Kunde sich zuletzt gemeldet oder gekauft hat.
    """
    return _unanswered(outbound, inbound, purchases)


@GROUP.feature(
    unit="contacts", family="contact_pressure", expected="+", windows=(MONTH,), needs={"contacts": ("direction",)}
)
def pressure(outbound: Past, inbound: Past, purchases: Past, bookings: Past, norms: Norms, days: int) -> Column:
    """Unanswered contacts from us inside the window beyond what this customer and its class usually get [count].

    de: Unbeantwortete Kontakte von uns im Zeitraum über das hinaus, was dieser Kunde und seine Klasse sonst erhalten.
    """
    usual = np.fmax(_usual_before(outbound, days=days), _usual_of_class(bookings, norms) * days / YEAR)
    return np.fmax(_unanswered(outbound, inbound, purchases, days=days) - usual, 0)


@GROUP.feature(unit="-1 to 1", family="contact_mood", expected="-", windows=(HALF,), needs={"contacts": ("sentiment",)})
def mood(contacts: Past, days: int) -> Column:
    """Mean mood of the contacts inside the window [-1 to 1]; missing when none was noted.

    de: Mittlere Stimmung in den Kontakten des Zeitraums; fehlt, wenn keine notiert wurde.
    """
    return contacts.mean("mood", days, of="has_mood") / THOUSANDTHS


@GROUP.feature(unit="-2 to 2", family="contact_mood", expected="-", windows=(HALF,), needs={"contacts": ("sentiment",)})
def mood_trend(contacts: Past, days: int) -> Column:
    """Mean mood of the window less that of the window before [-2 to 2]; missing when one is not noted.

    de: Mittlere Stimmung des Zeitraums minus die des Zeitraums davor; fehlt, wenn eine nicht notiert wurde.
    """
    noted = contacts.total("has_mood", days, ago=days)
    return mood(contacts, days) - divide(contacts.total("mood", days, ago=days), noted) / THOUSANDTHS


@GROUP.feature(unit="-1 to 1", family="contact_mood", expected="-", needs={"contacts": ("sentiment",)})
def mood_last(moods: Past) -> Column:
    """Mood noted last [-1 to 1]; missing when none was noted.

    de: Zuletzt notierte Stimmung; fehlt, wenn keine notiert wurde.
    """
    return moods.last("mood") / THOUSANDTHS


@GROUP.feature(unit="changes", family="contact_person", expected="+", windows=(YEAR,), needs={"contacts": ("agent",)})
def agent_changes(contacts: Past, days: int) -> Column:
    """Times the person who speaks for us changed inside the window [count].

    de: Wechsel der Person, die für uns spricht, im Zeitraum.
    """
    return contacts.total("is_change", days)


@GROUP.feature(unit="days", family="contact_person", expected="-", needs={"contacts": ("agent",)})
def agent_days(handovers: Past) -> Column:
    """Days since another person began to speak for us [days]; missing without a change.

    de: Tage, seit eine andere Person für uns spricht; fehlt ohne Wechsel.
    """
    return handovers.recency_days


@GROUP.feature(unit="persons", family="contact_person", expected="+", windows=(YEAR,), needs={"contacts": ("agent",)})
def agents(contacts: Past, days: int) -> Column:
    """Different persons who spoke for us inside the window [count].

    de: Verschiedene Personen, die im Zeitraum für uns sprachen.
    """
    return contacts.distinct("same_agent_before", days)
