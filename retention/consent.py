"""Which channels may be used for which customer at a cutoff.

The rules are a cautious reading for advertising in Germany, not legal advice: UWG § 7 (calls and e-mail need
consent), § 7a (proof of consumers' consent to calls), GDPR Art. 6(1)(f) with recital 47 (post to existing
customers), Art. 21(2) and (3) (an objection ends all advertising). Unknown always means no.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

CHANNELS = ("visit", "phone", "email", "letter")
"""Every channel, in the order of lists."""

LEGITIMATE_INTEREST = "legitimate_interest"
"""Evidence where no consent is needed: an existing business relation (GDPR Art. 6(1)(f), recital 47)."""

WHY_NOT = ("objection", "no_consent", "undated_consent", "later_consent", "no_address", "consumer_visit")
"""Codes of refusal; the texts of every language have a phrase for each."""

_KINDS = {
    "type": "str",
    "email": "str",
    "phone": "str",
    "consent_evidence": "str",
    "consent_phone": "boolean",
    "consent_email": "boolean",
    "consent_on": "datetime64[s]",
    "objection_on": "datetime64[s]",
}


def allowed_channels(
    customers: pd.DataFrame, *, cutoff: date, customer_ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return for every customer and channel whether it may be used at ``cutoff``, on what evidence or why not.

    Parameters
    ----------
    customers : DataFrame, one row per customer
        Columns of the contract's table ``customers``; only ``customer_id`` is compulsory.
    cutoff : date
        An objection on or before it counts; a consent only from before it.
    customer_ids : iterable of str, optional
        Customers to answer for; default: those of ``customers``. Who has no master data counts as a consumer
        without consent: only the letter remains.

    Returns
    -------
    DataFrame, sorted by customer_id, then visit, phone, email, letter
        customer_id (str), channel (str), is_allowed (bool), evidence (str: the consent's reference,
        ``legitimate_interest``, or missing), why_not (str: a code of ``WHY_NOT``; missing where allowed).

    Raises
    ------
    ValueError
        If ``customers`` names a customer twice.

    Notes
    -----
    - objection: no channel at all, GDPR Art. 21(3).
    - e-mail: recorded consent with a day before the cutoff, UWG § 7(2) no. 2; the exception for existing
      customers in § 7(3) is not used, its conditions cannot be read from the data.
    - phone: recorded consent, UWG § 7(2) no. 1; consumers: also dated, § 7a; businesses: presumed consent counts
      where it is recorded, and a day after the cutoff does not.
    - visit: businesses without objection; consumers and unknown types never, there is no consent to record it.
    - letter: everyone without objection.
    """
    if customers["customer_id"].duplicated().any():
        raise ValueError("expected one row per customer, got duplicates; take the last known row first")
    known = _complete(customers, customer_ids)
    refusals = {
        "visit": _visit_refusal(known),
        "phone": _phone_refusal(known, customers.columns, cutoff),
        "email": _email_refusal(known, customers.columns, cutoff),
        "letter": np.full(len(known), None, dtype=object),
    }
    objects = known["objection_on"].le(pd.Timestamp(cutoff)).to_numpy()
    why_not = np.column_stack([np.where(objects, "objection", refusals[channel]) for channel in CHANNELS])
    return _long(known, why_not)


def contactable(channels: pd.DataFrame) -> pd.Series:
    """Return for every customer of ``channels`` whether at least one channel is allowed (bool, index customer_id)."""
    return channels.groupby("customer_id", sort=True)["is_allowed"].any()


def _complete(customers: pd.DataFrame, customer_ids: Iterable[str] | None) -> pd.DataFrame:
    """Return one row per wanted customer with every column the rules read, missing where unknown."""
    keyed = customers.set_index("customer_id").reindex(columns=list(_KINDS))
    wanted = keyed.index if customer_ids is None else pd.Index(list(customer_ids), dtype="str")
    frame = keyed.reindex(wanted.unique().sort_values())
    frame.index.name = "customer_id"
    return frame.astype(_KINDS)


def _visit_refusal(known: pd.DataFrame) -> np.ndarray:
    return _first_true(consumer_visit=~_is_business(known))


def _phone_refusal(known: pd.DataFrame, columns: pd.Index, cutoff: date) -> np.ndarray:
    day, business = known["consent_on"], _is_business(known)
    return _first_true(
        no_consent=~known["consent_phone"].fillna(False).to_numpy(dtype=bool),
        undated_consent=day.isna().to_numpy() & ~business,
        later_consent=day.ge(pd.Timestamp(cutoff)).to_numpy(),
        no_address=_unreachable(known, columns, "phone"),
    )


def _email_refusal(known: pd.DataFrame, columns: pd.Index, cutoff: date) -> np.ndarray:
    day = known["consent_on"]
    return _first_true(
        no_consent=~known["consent_email"].fillna(False).to_numpy(dtype=bool),
        undated_consent=day.isna().to_numpy(),
        later_consent=day.ge(pd.Timestamp(cutoff)).to_numpy(),
        no_address=_unreachable(known, columns, "email"),
    )


def _is_business(known: pd.DataFrame) -> np.ndarray:
    return known["type"].eq("b2b").fillna(False).to_numpy(dtype=bool)


def _unreachable(known: pd.DataFrame, columns: pd.Index, address: str) -> np.ndarray:
    """Return where the address is missing; when the column itself is, addresses are kept elsewhere."""
    if address not in columns:
        return np.zeros(len(known), dtype=bool)
    return known[address].fillna("").str.strip().eq("").to_numpy(dtype=bool)


def _first_true(**refusals: np.ndarray) -> np.ndarray:
    """Return per customer the name of the first refusal that holds, or None."""
    first = np.full(len(next(iter(refusals.values()))), None, dtype=object)
    for name, holds in reversed(refusals.items()):
        first[holds] = name
    return first


def _long(known: pd.DataFrame, why_not: np.ndarray) -> pd.DataFrame:
    recorded = known["consent_evidence"].astype(object).to_numpy()
    interest = np.full(len(known), LEGITIMATE_INTEREST, dtype=object)
    evidence = np.column_stack([interest, recorded, recorded, interest])
    allowed = pd.isna(why_not)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(np.repeat(known.index.to_numpy(dtype=object), len(CHANNELS)), dtype="str"),
            "channel": pd.Series(np.tile(np.array(CHANNELS, dtype=object), len(known)), dtype="str"),
            "is_allowed": allowed.ravel(),
            "evidence": pd.Series(evidence.ravel(), dtype="str").where(allowed.ravel()),
            "why_not": pd.Series(why_not.ravel(), dtype="str"),
        }
    )
