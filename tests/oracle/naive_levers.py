"""The levers by hand: the raw tables as they would be had each customer's lever been pulled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd


def acted(
    tables: Mapping[str, pd.DataFrame], chosen: pd.Series, cents: int, *, cutoff: date
) -> dict[str, pd.DataFrame]:
    """Return the raw tables as they would be had each customer's lever been pulled on the day before the cutoff."""
    eve, ids = pd.Timestamp(cutoff - timedelta(days=1)), chosen.index
    complaints, contacts = tables["complaints"].astype({"satisfied": object}), tables["contacts"]
    theirs = complaints["customer_id"].astype(str)
    closed, raised = pd.to_datetime(complaints["closed_on"]), pd.to_datetime(complaints["occurred_on"])
    is_open = (closed.isna() | (closed > eve)) & (raised <= eve)
    for lever, amount in (("settle_complaint", 0), ("settle_with_goodwill", cents / 100)):
        rows = is_open & theirs.isin(ids[chosen == lever])
        complaints.loc[rows, "closed_on"] = eve
        complaints.loc[rows, "goodwill_amount"] = float(amount)
        complaints.loc[rows, "satisfied"] = None
    ways = {"visit": "visit", "contact_person_visit": "visit", "write": "letter"}
    past = contacts[(pd.to_datetime(contacts["occurred_on"]) <= eve) & contacts["agent"].notna()]
    past = past.sort_values(["occurred_on", "contact_id"])
    agents = past.groupby(past["customer_id"].astype(str))["agent"].last()
    calls = pd.DataFrame(
        {
            "contact_id": [f"zzz-{customer}" for customer in ids],
            "customer_id": ids.astype(contacts["customer_id"].dtype),
            "occurred_on": eve.date(),
            "channel": [ways.get(lever, "phone") for lever in chosen],
            "direction": "out",
            "agent": [agents.get(customer, "somebody new") for customer in ids],
            "known_at": eve.date(),
        }
    ).reindex(columns=contacts.columns)
    return {**tables, "complaints": complaints, "contacts": pd.concat([contacts.astype(object), calls.astype(object)])}
