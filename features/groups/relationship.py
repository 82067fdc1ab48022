"""Relationship: the contracts that run and for how long the customer has been bound.

de: Beziehung: die laufenden Verträge und wie lange der Kunde schon gebunden ist.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past

GROUP = Group("relationship", needs={"contracts": ()})
CENTS = 100.0


def _is_running(contracts: Past) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return contracts.ledger.values["ends"] >= contracts.cutoff


@GROUP.feature(unit="currency per month", family="contract", needs={"contracts": ("recurring_amount",)})
def recurring_amount(contracts: Past) -> Column:
    """Monthly amount of the contracts that run at the cutoff [currency per month].

    de: Monatlicher Betrag der Verträge, die am Stichtag laufen.
    """
    return contracts.total_of("recurring", _is_running(contracts)) / CENTS


@GROUP.feature(unit="days", family="contract", expected="-")
def contract_days(contracts: Past) -> Column:
    """Days since the first contract began [days]; missing without a contract.

    de: Tage seit Beginn des ersten Vertrags; fehlt ohne Vertrag.
    """
    return contracts.tenure_days
