"""The whole base of active customers in a few figures: how many, how likely, what is at stake, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

BANDS = ("high", "medium", "low")
"""Bands of risk, the worst first."""
BINS = 20
"""Bars of the distribution of probability."""
MOST_OWNERS = 15
"""Account managers shown on their own."""
_CLASSES = 5
"""Classes of value at risk, each ten times the one below."""


@dataclass(frozen=True, kw_only=True)
class Total:
    """A group of customers in sums; amounts in the currency of the run, ``expected_lost`` is the sum of chances."""

    name: str
    customers: int
    high: int
    medium: int
    expected_lost: float
    value: float
    value_at_risk: float

    @property
    def at_risk(self) -> int:
        """Customers at high or medium risk."""
        return self.high + self.medium


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Customers whose probability lies in ``[low, high)``, by band of risk (the last bin holds 1 as well)."""

    low: float
    high: float
    counts: Mapping[str, int]

    @property
    def customers(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class Stake:
    """Customers whose value at risk is at least ``low`` and below ``high`` [currency]; None: no limit."""

    low: float | None
    high: float | None
    customers: int
    value_at_risk: float


@dataclass(frozen=True, kw_only=True)
class FamilyWeight:
    """How strongly one family of reasons moves the chances of all customers.

    ``raises`` and ``lowers`` are the means over all customers of its positive and negative contributions [log-odds,
    both ≥ 0]; ``first`` and ``first_at_risk`` the shares of all customers, and of those at risk, whose first reason
    it is.
    """

    family: str
    raises: float
    lowers: float
    first: float
    first_at_risk: float

    @property
    def weight(self) -> float:
        """Mean absolute contribution [log-odds]."""
        return self.raises + self.lowers


def total(scores: pd.DataFrame, *, name: str = "") -> Total:
    """Return the sums over all rows of ``scores``."""
    return _totals(scores, pd.Series(name, index=scores.index, dtype="str"))[0] if len(scores) else _none(name)


def by_segment(scores: pd.DataFrame) -> tuple[Total, ...]:
    """Return the sums of segments A, B and C, without those that nobody is in."""
    found = {each.name: each for each in _totals(scores, scores["segment"])}
    return tuple(found[name] for name in ("A", "B", "C") if name in found)


def by_owner(scores: pd.DataFrame, owners: pd.Series, *, nobody: str, others: str) -> tuple[Total, ...]:
    """Return the sums of account managers by falling value at risk; nothing when no owner is known.

    Parameters
    ----------
    scores : DataFrame
    owners : Series of str, index customer_id
        Empty text and missing mean no owner.
    nobody, others : str
        Names of the rows for customers without owner, and for the owners after the first ``MOST_OWNERS``.
    """
    mine = scores["customer_id"].map(owners.replace("", np.nan)) if len(owners) else pd.Series(dtype="str")
    if not mine.notna().any():
        return ()
    sums = _totals(scores, mine.astype("str").fillna(nobody))
    falling = sorted(sums, key=lambda each: (each.name == nobody, -each.value_at_risk, each.name))
    known = [each for each in falling if each.name != nobody]
    shown = known[:MOST_OWNERS] + ([_joined(known[MOST_OWNERS:], others)] if len(known) > MOST_OWNERS else [])
    return tuple(shown + falling[len(known) :])


def distribution(scores: pd.DataFrame) -> tuple[Bin, ...]:
    """Return customers by probability in ``BINS`` equal steps, each by band of risk."""
    edges = np.linspace(0, 1, BINS + 1)
    probability = scores["probability"].to_numpy(np.float64)
    band = scores["risk_band"].astype("str").to_numpy()
    counts = {name: np.histogram(probability[band == name], bins=edges)[0] for name in BANDS}
    return tuple(
        Bin(low=float(edges[at]), high=float(edges[at + 1]), counts={name: int(counts[name][at]) for name in BANDS})
        for at in range(BINS)
    )


def stakes(scores: pd.DataFrame) -> tuple[Stake, ...]:
    """Return customers and value at risk by class of value at risk, the largest first, without empty classes."""
    amount = scores["value_at_risk"].fillna(0.0).to_numpy(np.float64)
    if not (amount > 0).any():
        return ()
    top = int(np.floor(np.log10(amount.max())))
    edges = 10.0 ** np.arange(top, top - _CLASSES + 1, -1)
    at = np.searchsorted(-edges, -amount, side="left")
    customers, sums = np.bincount(at, minlength=_CLASSES), np.bincount(at, weights=amount, minlength=_CLASSES)
    lows: list[float | None] = [*edges.tolist(), None]
    highs: list[float | None] = [None, *edges.tolist()]
    return tuple(
        Stake(low=lows[place], high=highs[place], customers=int(customers[place]), value_at_risk=float(sums[place]))
        for place in range(_CLASSES)
        if customers[place]
    )


def top_share(scores: pd.DataFrame, *, share: float) -> float:
    """Return which share of all value at risk the ``share`` of customers with most of it carry; 0 without any."""
    amount = np.sort(scores["value_at_risk"].fillna(0.0).to_numpy(np.float64))[::-1]
    places = int(np.ceil(share * len(amount)))
    return float(amount[:places].sum() / amount.sum()) if amount.sum() > 0 else 0.0


def family_weights(scores: pd.DataFrame, families: Mapping[str, str]) -> tuple[FamilyWeight, ...]:
    """Return the families of reasons by falling weight, over the reasons noted with each customer."""
    if scores.empty:
        return ()
    at_risk = (scores["risk_band"] != "low").to_numpy(dtype=bool)
    long = pd.concat([_place(scores, families, place) for place in range(1, 6)], ignore_index=True)
    sums = long.groupby("family", observed=True)[["raises", "lowers"]].sum() / len(scores)
    first = scores["reason_1"].astype("str").map(families)
    shares, risky = first.value_counts() / len(scores), first[at_risk].value_counts() / max(at_risk.sum(), 1)
    weights = [
        FamilyWeight(
            family=str(row["family"]),
            raises=float(row["raises"]),
            lowers=float(row["lowers"]),
            first=float(shares.get(row["family"], 0.0)),
            first_at_risk=float(risky.get(row["family"], 0.0)),
        )
        for row in sums.reset_index().to_dict("records")
    ]
    return tuple(sorted(weights, key=lambda each: (-each.weight, each.family)))


def _place(scores: pd.DataFrame, families: Mapping[str, str], place: int) -> pd.DataFrame:
    """Return the sums of one place of the reasons by family."""
    family = scores[f"reason_{place}"].astype("str").map(families)
    amount = scores[f"contribution_{place}"].fillna(0.0)
    parts = pd.DataFrame({"family": family, "raises": amount.clip(lower=0), "lowers": (-amount).clip(lower=0)})
    return parts.groupby("family", as_index=False)[["raises", "lowers"]].sum()


def _totals(scores: pd.DataFrame, key: pd.Series) -> list[Total]:
    band = scores["risk_band"].astype("str")
    columns = {
        "key": key.astype("str"),
        "high": band == "high",
        "medium": band == "medium",
        "probability": scores["probability"],
        "value": scores["value"],
        "value_at_risk": scores["value_at_risk"],
    }
    grouped = pd.DataFrame(columns).groupby("key", sort=True)
    sums = grouped.sum().assign(customers=grouped.size())
    return [
        Total(
            name=str(row["key"]),
            customers=int(row["customers"]),
            high=int(row["high"]),
            medium=int(row["medium"]),
            expected_lost=float(row["probability"]),
            value=float(row["value"]),
            value_at_risk=float(row["value_at_risk"]),
        )
        for row in sums.reset_index().to_dict("records")
    ]


def _joined(parts: list[Total], name: str) -> Total:
    return Total(
        name=name,
        customers=sum(each.customers for each in parts),
        high=sum(each.high for each in parts),
        medium=sum(each.medium for each in parts),
        expected_lost=sum(each.expected_lost for each in parts),
        value=sum(each.value for each in parts),
        value_at_risk=sum(each.value_at_risk for each in parts),
    )


def _none(name: str) -> Total:
    return _joined([], name)
