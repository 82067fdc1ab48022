"""Contact frequency: how often we speak, who starts, in which mood, and whether the person changed.

de: Kontakte: wie oft wir sprechen, von wem es ausgeht, in welcher Stimmung, und ob die Person gewechselt hat.
"""

from __future__ import annotations

from features.catalogue import Group
from features.ledger import Column, Past, divide, log_ratio

GROUP = Group("contacts", needs={"contacts": ()})
QUARTER, HALF, YEAR = 91, 182, 364
THOUSANDTHS = 1000.0


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


@GROUP.feature(unit="changes", family="contact_person", expected="+", windows=(YEAR,), needs={"contacts": ("agent",)})
def agent_changes(contacts: Past, days: int) -> Column:
    """Times the person who speaks for us changed inside the window [count].

    de: Wechsel der Person, die für uns spricht, im Zeitraum.
    """
    return contacts.total("is_change", days)
