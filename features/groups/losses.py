"""Losses: what was noted about why a silent customer left, as far as no purchase has overtaken it.

de: Verluste: was darüber notiert ist, warum ein verstummter Kunde ging, soweit kein Kauf es überholt hat.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past
from features.rhythm import Rhythm

GROUP = Group("losses", needs={"losses": ()})
GRACE_DAYS = 30
"""A loss noted so many days before the last purchase, or more, speaks of an earlier loss."""
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
