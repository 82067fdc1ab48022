"""Rhythm: the chance of silence that follows from how often and how regularly a customer has bought so far.

de: Kaufrhythmus: die Chance auf Stille, die daraus folgt, wie oft und wie regelmäßig ein Kunde bisher kaufte.

Parameters are fitted on all customers with only what was known at the cutoff (``features.rhythm``).
"""

from __future__ import annotations

from features.catalogue import Group
from features.ledger import Column
from features.rhythm import Rhythm

GROUP = Group("rhythm", needs={"orders": ()})


@GROUP.feature(unit="probability", family="rhythm", expected="+")
def silent_chance(rhythm: Rhythm) -> Column:
    """Chance of no purchase inside the horizon, BG/NBD [probability]; missing without a purchase.

    de: Chance, dass im Horizont kein Kauf folgt, nach BG/NBD; fehlt ohne Kauf.
    """
    return rhythm.silent_chance


@GROUP.feature(unit="probability", family="rhythm", expected="-")
def alive_chance(rhythm: Rhythm) -> Column:
    """Chance of still being a customer, BG/NBD [probability]; missing without a purchase.

    de: Chance, noch Kunde zu sein, nach BG/NBD; fehlt ohne Kauf.
    """
    return rhythm.alive_chance


@GROUP.feature(unit="orders", family="rhythm", expected="-")
def expected_orders(rhythm: Rhythm) -> Column:
    """Days of purchase to be expected within a year, BG/NBD [count]; missing without a purchase.

    de: Kauftage, die innerhalb eines Jahres zu erwarten sind, nach BG/NBD; fehlt ohne Kauf.
    """
    return rhythm.expected_orders


@GROUP.feature(unit="probability", family="rhythm", expected="+")
def regular_silent_chance(rhythm: Rhythm) -> Column:
    """Chance of no purchase inside the horizon, regular buyers BG/CNBD-k [probability]; missing without a purchase.

    de: Chance, dass im Horizont kein Kauf folgt, für regelmäßige Käufer nach BG/CNBD-k; fehlt ohne Kauf.
    """
    return rhythm.regular_silent_chance


@GROUP.feature(unit="orders", family="rhythm", expected="-")
def regular_expected_orders(rhythm: Rhythm) -> Column:
    """Days of purchase to be expected within a year, regular buyers BG/CNBD-k [count]; missing without a purchase.

    de: Kauftage, die innerhalb eines Jahres zu erwarten sind, für regelmäßige Käufer nach BG/CNBD-k; fehlt ohne Kauf.
    """
    return rhythm.regular_expected_orders


@GROUP.feature(unit="probability", family="overdue", expected="+")
def gap_survival(rhythm: Rhythm) -> Column:
    """Chance that the running gap outlasts the horizon, by own regularity [probability]; missing without a purchase.

    de: Chance, dass die laufende Pause den Horizont überdauert, nach eigener Regelmäßigkeit; fehlt ohne Kauf.
    """
    return rhythm.gap_survival
