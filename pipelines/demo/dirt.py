"""Rows of the demo company that break the contract, so that quarantine has something to show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DIRTY_ROWS: Mapping[str, tuple[Mapping[str, str], ...]] = MappingProxyType(
    {
        "customers": (
            {"customer_id": "10001", "name": "Doppelt angelegt GmbH", "since": "2024-02-29", "known_at": "2024-02-29"},
            {"customer_id": "99990", "name": "Art unbekannt KG", "type": "verein", "known_at": "2024-03-01"},
        ),
        "orders": (
            {"order_id": "990001", "customer_id": "10002", "occurred_on": "31.02.2026", "amount": "125.50"},
            {"order_id": "990002", "customer_id": "10003", "occurred_on": "2026-03-04", "amount": "zwölf"},
            {"order_id": "990003", "customer_id": "", "occurred_on": "2026-03-05", "amount": "88.00"},
            {
                "order_id": "990004",
                "customer_id": "10004",
                "occurred_on": "2026-03-06",
                "amount": "45.00",
                "discount_share": "15",
            },
        ),
        "complaints": (
            {"complaint_id": "R99001", "customer_id": "10002", "occurred_on": "2026-02-10", "severity": "-3"},
            {
                "complaint_id": "R99002",
                "customer_id": "10005",
                "occurred_on": "2026-02-11",
                "severity": "2",
                "goodwill_amount": "-50.00",
            },
        ),
        "contacts": (
            {"contact_id": "990001", "customer_id": "10002", "occurred_on": "2026-01-15", "direction": "hin"},
            {"contact_id": "990002", "customer_id": "10003", "occurred_on": "2026-01-16", "sentiment": "7"},
        ),
        "feedback": ({"customer_id": "10002", "occurred_on": "2026-04-01", "kind": "sterne", "score": "4"},),
        "contracts": ({"customer_id": "10003", "starts_on": "bald", "notice_days": "30"},),
        "losses": ({"customer_id": "10004", "occurred_on": "2025-11-11", "source": "gerücht"},),
        "treatments": (
            {
                "run_id": "2099-01-test",
                "customer_id": "10002",
                "measure": "Bedarfsgespräch",
                "arm": "vielleicht",
                "assigned_on": "2025-05-05",
            },
        ),
    }
)
"""Broken rows by table, column to text; ``write_demo`` puts them at the end of each file. Each breaks one rule:

customers: a second row for 10001; an unknown type. orders: a day that does not exist; an amount that is no number;
no customer; a discount of 1,500 %. complaints: severity below 1; goodwill below 0. contacts: unknown direction;
mood above 1. feedback: unknown kind. contracts: no date. losses: unknown source. treatments: unknown arm.
"""
