"""What is learned from all customers at one cutoff: their rhythm, the season, and what is usual in the company.

Each part of the history gives a summary in whole numbers; the norms come from all of them in the order of customers, so
that they do not depend on how the history was divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.definition import YEAR_DAYS
from features.history import History
from features.ledger import Column
from features.rhythm import Buyers, RhythmParameters, fit_rhythm
from features.timeline import day_number
from features.told import NOTHING_TOLD, PEER_FACTS, ToldShares, cause_told, told_shares

QUARTER_DAYS = 91
A_SHARE, B_SHARE = 0.8, 0.95
"""Customers who together bring this share of a year's turnover are class A, up to the second share class B."""

_BUYERS = ("tenure", "recency", "purchase_days", "gaps", "gap", "gap_squared")
_YEARS = ("turnover", "contacts")
_PEERS = ("cause", *PEER_FACTS)
_OF_BUYERS = (*_BUYERS, *_YEARS, *_PEERS)
_COMPANY = (
    *("season", "base_year", "closed", "days_to_close", "answered", "days_to_answer"),
    *("listed", "given", "paid", "days_late"),
)


@dataclass(frozen=True, kw_only=True)
class Norms:
    """What is usual in the company at one cutoff; NaN where nothing can be said.

    Attributes
    ----------
    rhythm : RhythmParameters
        How customers buy.
    season_share : float
        Share of a year's turnover that the last 91 days usually bring [share]: those days a year before, over the 364
        days that began with them.
    days_to_close, days_to_answer : float
        Mean days from a complaint to its settlement, and to our first answer, over the last 364 days [days].
    discount : float
        Discount given over list price in the last 364 days [share].
    days_late : float
        Mean days from the due day of an invoice to its payment, over the last 364 days [days]; negative: early.
    a_turnover, b_turnover : float
        Least turnover of 364 days of classes A and B [cents]; see `A_SHARE`.
    contacts : tuple of three floats
        Mean contacts of a customer of class A, B and C in 364 days [count].
    told : ToldShares
        Shares of customers who told each reason for which they left; empty without the table losses.
    """

    rhythm: RhythmParameters
    season_share: float
    days_to_close: float
    days_to_answer: float
    discount: float
    days_late: float
    a_turnover: float
    b_turnover: float
    contacts: tuple[float, float, float]
    told: ToldShares = NOTHING_TOLD

    def classes(self, turnover: Column) -> NDArray[np.int64]:
        """Return the class by turnover of 364 days [cents]: 0 for A, 1 for B, 2 for C."""
        return np.where(turnover >= self.a_turnover, 0, np.where(turnover >= self.b_turnover, 1, 2))

    def to_facts(self) -> dict[str, Any]:
        """Return all but the rhythm as plain values for a manifest, None where nothing can be said."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self) if each.name != "rhythm"}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], rhythm: RhythmParameters) -> Norms:
        """Return the norms from what `to_facts` gave, and their rhythm."""
        plain = {name: _from_plain(value) for name, value in facts.items()}
        return cls(rhythm=rhythm, **{**plain, "told": ToldShares.from_lists(plain.get("told", ()))})


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if value != value else value


def _from_plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from_plain(each) for each in value)
    return float("nan") if value is None else value


Summary = Mapping[str, NDArray[np.int64]]
"""What one part of the history says of one cutoff, by name, in whole numbers: per customer, or added up (one entry)."""


def summary_of(history: History, *, cutoff: date) -> Summary:
    """Return what the norms of ``cutoff`` need to know of this part of the history, of those who had bought by then.

    Nobody else counts: whether a person with a complaint but no order is a customer may be known only later.
    """
    seen, everyone = history.at(day_number(cutoff)), np.arange(len(history.customer_ids))
    names = (*_BUYERS, *_YEARS, *_COMPANY, *_PEERS)
    columns = seen.columns(everyone, lambda known, asked: _columns(known, asked, seen.cutoff))
    by_name = {name: np.nan_to_num(column).astype(np.int64) for name, column in zip(names, columns, strict=True)}
    bought = by_name["purchase_days"] > 0
    return {
        "customer": everyone[bought],
        **{name: by_name[name][bought] for name in _OF_BUYERS},
        **{name: by_name[name][bought].sum(keepdims=True) for name in _COMPANY},
    }


def _columns(history: History, customers: NDArray[np.int64], cutoff: int) -> Sequence[Column]:
    pasts = {name: history.ledgers[name].at(customers, cutoff) for name in history.ledgers if name in _READ}
    purchases, bookings = pasts["purchases"], pasts["bookings"]
    nothing = np.zeros(len(customers))
    settled, answered = pasts.get("settlements"), pasts.get("answers")
    prices, payments = pasts["prices"], pasts["payments"]
    return (
        *(purchases.tenure_days, purchases.recency_days, purchases.count()),
        *(purchases.total(name) for name in ("has_gap", "gap", "gap_squared")),
        bookings.total("amount", YEAR_DAYS),
        pasts["contacts"].count(YEAR_DAYS) if "contacts" in pasts else nothing,
        bookings.total("amount", QUARTER_DAYS, ago=YEAR_DAYS),
        bookings.total("amount", YEAR_DAYS, ago=QUARTER_DAYS),
        *((settled.count(YEAR_DAYS), settled.total("days_open", YEAR_DAYS)) if settled else (nothing, nothing)),
        *((answered.count(YEAR_DAYS), answered.total("days_to_answer", YEAR_DAYS)) if answered else (nothing, nothing)),
        *(prices.total(name, YEAR_DAYS) for name in ("listed", "given")),
        *(payments.total(name, YEAR_DAYS) for name in ("invoices", "days_late")),
        cause_told(pasts["losses"]) if "losses" in pasts else nothing,
        *(pasts["customers"].last(name) if "customers" in pasts else nothing for name in PEER_FACTS),
    )


_READ = ("purchases", "bookings", "contacts", "settlements", "answers", "prices", "payments", "losses", "customers")


def norms_from(summaries: Iterable[Summary]) -> Norms:
    """Return the norms of one cutoff from the summaries of all parts, in the order of customers."""
    parts = list(summaries)
    said = {name: np.concatenate([part[name] for part in parts]) for name in _OF_BUYERS}
    total = {name: float(sum(int(part[name].sum()) for part in parts)) for name in _COMPANY}
    a_turnover, b_turnover = _class_borders(said["turnover"])
    return Norms(
        rhythm=fit_rhythm(Buyers(**{name: said[name].astype(np.float64) for name in _BUYERS})),
        season_share=_share(total["season"], total["base_year"]),
        days_to_close=_share(total["days_to_close"], total["closed"]),
        days_to_answer=_share(total["days_to_answer"], total["answered"]),
        discount=_share(total["given"], total["listed"]),
        days_late=_share(total["days_late"], total["paid"]),
        a_turnover=a_turnover,
        b_turnover=b_turnover,
        contacts=_contacts_by_class(said["turnover"], said["contacts"], a_turnover, b_turnover),
        told=told_shares(said["cause"], [said[name] for name in PEER_FACTS]),
    )


def rows_of(summary: Summary, customer_ids: NDArray[np.object_]) -> pa.Table:
    """Return a summary as rows that may travel in any order: one per buyer with the id, one without id for the sums.

    ``customer_ids`` are those of the part of the history the summary speaks of.
    """
    columns = {name: np.r_[summary[name], 0] for name in _OF_BUYERS}
    columns |= {name: np.r_[np.zeros(len(summary["customer"]), dtype=np.int64), summary[name]] for name in _COMPANY}
    ids = pa.array([*customer_ids[summary["customer"]], None], pa.string())
    return pa.table({"customer_id": ids, **columns})


def summary_from(rows: pa.Table) -> Summary:
    """Return the summary that the rows of many parts add up to: in the order of ids, however they were divided."""
    buyers = rows.filter(pc.is_valid(rows["customer_id"])).sort_by("customer_id")
    return {
        **{name: buyers[name].to_numpy() for name in _OF_BUYERS},
        **{name: np.array([pc.sum(rows[name]).as_py() or 0]) for name in _COMPANY},
    }


SUMMARY_ROW = ("customer_id", *_OF_BUYERS, *_COMPANY)
"""Columns of `rows_of`: an id, then whole numbers."""


def norms_at(history: History, *, cutoff: date) -> Norms:
    """Return the norms of ``cutoff`` where the whole history is one part."""
    return norms_from([summary_of(history, cutoff=cutoff)])


def _share(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _class_borders(turnover: NDArray[np.int64]) -> tuple[float, float]:
    """Least turnover of the fewest customers who bring the A share, and of those who bring the B share [cents]."""
    ranked = np.sort(turnover[turnover > 0])[::-1]
    if not len(ranked):
        return float("nan"), float("nan")
    reached = np.cumsum(ranked)
    places = [int(np.searchsorted(reached, share * float(reached[-1]), side="left")) for share in (A_SHARE, B_SHARE)]
    a_turnover, b_turnover = (float(ranked[min(place, len(ranked) - 1)]) for place in places)
    return a_turnover, b_turnover


def _contacts_by_class(
    turnover: NDArray[np.int64], contacts: NDArray[np.int64], a_turnover: float, b_turnover: float
) -> tuple[float, float, float]:
    """Mean contacts in 364 days of the customers with turnover in them, by class."""
    is_a, is_b = turnover >= a_turnover, turnover >= b_turnover
    chosen = (is_a & (turnover > 0), is_b & ~is_a & (turnover > 0), ~is_b & (turnover > 0))
    a, b, c = (_share(float(contacts[each].sum()), float(each.sum())) for each in chosen)
    return a, b, c
