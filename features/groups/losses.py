"""Losses: what was noted about why a silent customer left, and how many comparable customers told which reason.

de: Verluste: was darüber notiert ist, warum ein verstummter Kunde ging, und wie viele vergleichbare Kunden welchen
Grund genannt haben.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past
from features.norms import Norms
from features.rhythm import Rhythm
from features.told import share_of

GROUP = Group("losses", needs={"losses": ()})
GRACE_DAYS = 30
"""A loss noted so many days before the last purchase, or more, speaks of an earlier loss."""
_OF_OTHERS: Mapping[str, tuple[str, ...]] = {"losses": ("reason",), "customers": ()}
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def _holds(losses: Past, rhythm: Rhythm) -> Mask:
    """Whether the customer has been silent for longer than one counts as active, and the last loss still holds.

    Of the active nothing is said: that they are lost already is for the list of the lapsed, not for a warning.
    """
    silent = rhythm.purchases.recency_days
    holds: Mask = (silent > rhythm.churn.active_within_days) & (losses.recency_days - silent < GRACE_DAYS)
    return holds


@GROUP.feature(unit="-1 to 1", family="told_loss", expected="-", needs={"losses": ("winnable",)})
def winnable(losses: Past, rhythm: Rhythm) -> Column:
    """Whether the lapsed customer is said to be winnable: 1 yes, -1 no, 0 unclear [-1 to 1]; missing without a note.

    de: Ob der verlorene Kunde als rückgewinnbar gilt: 1 ja, -1 nein, 0 unklar; fehlt, wenn nichts notiert ist.
    """
    said = losses.last("is_winnable") - losses.last("is_hopeless")
    return np.where(_holds(losses, rhythm), said, np.nan)


@GROUP.feature(unit="0 or 1", family="told_loss")
def told(losses: Past, rhythm: Rhythm) -> Column:
    """Whether the lapsed customer has told why, rather than sales having guessed [0 or 1]; missing without a note.

    de: Ob der verlorene Kunde selbst gesagt hat, warum, statt dass der Vertrieb es vermutet; fehlt, wenn nichts notiert
    ist.
    """
    return np.where(_holds(losses, rhythm), losses.last("is_told"), np.nan)


@GROUP.feature(unit="share", family="told_by_others", needs=_OF_OTHERS)
def others_price(customers: Past, norms: Norms) -> Column:
    """Share of comparable customers lost within two years who told that price was why [share].

    de: Anteil vergleichbarer Kunden, die in zwei Jahren verloren gingen und als Grund genannt haben: Preis.
    """
    return share_of(norms.told, customers, "price")


@GROUP.feature(unit="share", family="told_by_others", needs=_OF_OTHERS)
def others_service(customers: Past, norms: Norms) -> Column:
    """Share of comparable customers lost within two years who told that service was why [share].

    de: Anteil vergleichbarer Kunden, die in zwei Jahren verloren gingen und als Grund genannt haben: Service.
    """
    return share_of(norms.told, customers, "service")


@GROUP.feature(unit="share", family="told_by_others", needs=_OF_OTHERS)
def others_quality(customers: Past, norms: Norms) -> Column:
    """Share of comparable customers lost within two years who told that quality was why [share].

    de: Anteil vergleichbarer Kunden, die in zwei Jahren verloren gingen und als Grund genannt haben: Qualität.
    """
    return share_of(norms.told, customers, "quality")


@GROUP.feature(unit="share", family="told_by_others", needs=_OF_OTHERS)
def others_delivery(customers: Past, norms: Norms) -> Column:
    """Share of comparable customers lost within two years who told that delivery was why [share].

    de: Anteil vergleichbarer Kunden, die in zwei Jahren verloren gingen und als Grund genannt haben: Lieferung.
    """
    return share_of(norms.told, customers, "delivery")


@GROUP.feature(unit="share", family="told_by_others", needs=_OF_OTHERS)
def others_contact_person(customers: Past, norms: Norms) -> Column:
    """Share of comparable customers lost within two years who told that the contact person was why [share].

    de: Anteil vergleichbarer Kunden, die in zwei Jahren verloren gingen und als Grund genannt haben: Ansprechpartner.
    """
    return share_of(norms.told, customers, "contact_person")


@GROUP.feature(unit="share", family="told_by_others", needs=_OF_OTHERS)
def others_competitor(customers: Past, norms: Norms) -> Column:
    """Share of comparable customers lost within two years who told that a competitor was why [share].

    de: Anteil vergleichbarer Kunden, die in zwei Jahren verloren gingen und als Grund genannt haben: Wettbewerber.
    """
    return share_of(norms.told, customers, "competitor")
