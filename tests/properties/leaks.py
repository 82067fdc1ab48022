"""Features and histories that look into the future, at others or at all of time: the check must find each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from features import ledgers as ledgers_module
from features import matrix as matrix_module
from features import norms as norms_module
from features.cohort import Cohort, cohort_of
from features.definition import Churn
from features.groups import (
    assortment,
    complaints,
    contacts,
    feedback,
    losses,
    payments,
    prices,
    relationship,
    rhythm,
    sales,
)
from features.history import History, Seen
from features.ledger import Column, Ledger, Past
from features.ledgers.rows import NEVER
from features.ledgers.rows import History as RowsOfAll
from features.norms import Norms, norms_at
from features.rhythm import Rhythm

Patch = tuple[object, str, object]


def keeping(*tables: str) -> Callable[[History, int], History]:
    """Return a cut that lets late rows of some tables pass."""
    honest = History.known_before

    def known_before(self: History, cutoff: int) -> History:
        cut = honest(self, cutoff)
        return replace(cut, rows={name: (self if name in tables else cut).rows[name] for name in cut.rows})

    return known_before


def known_on_the_cutoff(self: History, cutoff: int) -> History:
    """Let pass what became known exactly at the cutoff."""
    kept = {
        name: {k: v[~((rows["known"] > cutoff) & (rows["day"] < cutoff))] for k, v in rows.items()}
        for name, rows in self.rows.items()
    }
    return replace(self, rows=kept)


def window_with_cutoff(self: Past, age: int | None) -> Any:
    """Let windows end with the cutoff itself."""
    return self._first_on(-(1 << 20) if age is None else self.cutoff - age + (age == 0))


def settled_when_raised(history: RowsOfAll) -> Ledger:
    """Let the settlement of a complaint be known on the day it was raised."""
    rows = history["complaints"]
    early = {**rows, "closed": np.where(rows["closed"] < NEVER, rows["day"], NEVER)}
    return HONEST_SETTLEMENTS({**history, "complaints": early})


def answered_when_raised(history: RowsOfAll) -> Ledger:
    """Let the answer to a complaint be known on the day it was raised."""
    honest = HONEST_ANSWERS(history)
    raised = honest.day - honest.values["days_to_answer"]
    order = np.lexsort((raised, honest.customer))
    return Ledger(
        customer=honest.customer[order],
        day=raised[order],
        values={"days_to_answer": honest.values["days_to_answer"][order]},
    )


def paid_when_issued(history: RowsOfAll) -> Ledger:
    """Let every payment be known on the day of the invoice."""
    rows = history["invoices"]
    chosen = rows["paid"] < NEVER
    days_late = (rows["paid"] - rows["due"])[chosen]
    values = {"invoices": np.ones_like(days_late), "billed": rows["billed"][chosen], "days_late": days_late}
    return Ledger(customer=rows["customer"][chosen], day=rows["day"][chosen], values=values)


HONEST_SETTLEMENTS = ledgers_module._MAKERS["settlements"]
HONEST_ANSWERS = ledgers_module._MAKERS["answers"]


def norms_of_later(history: History, *, cutoff: Any) -> Norms:
    """Learn the norms of the company two months too late."""
    return norms_at(history, cutoff=cutoff + timedelta(days=60))


def cohort_of_later(seen: Seen, *, churn: Churn) -> Cohort:
    """Choose the cohort a week too late."""
    return cohort_of(seen.history.at(seen.cutoff + 7), churn=churn)


def rows_of(ledger: Ledger) -> Column:
    """Count the rows of every customer, future ones too."""
    return np.bincount(ledger.customer, minlength=10_000).astype(np.float64)


def rows_in_all(bookings: Past) -> Column:
    """Rows of the customer in the whole ledger [count]."""
    return rows_of(bookings.ledger)[bookings.customers]


def share_of_all_sales(bookings: Past) -> Column:
    """Turnover over that of all times [share]."""
    return bookings.total("amount", 364) / float(bookings.ledger.values["amount"].sum())


def scaled_by_largest(bookings: Past) -> Column:
    """Turnover over the largest booking on record [ratio]."""
    return bookings.total("amount", 91) / float(bookings.ledger.values["amount"].max(initial=1))


def days_to_next(purchases: Past) -> Column:
    """Days to the next purchase [days]."""
    following = np.minimum(purchases.end, len(purchases.ledger.day) - 1)
    return (purchases.ledger.day[following] - purchases.cutoff).astype(np.float64)


def last_day_of_all(purchases: Past) -> Column:
    """Days from the cutoff to the last day on record [days]."""
    return np.full(len(purchases.customers), purchases.ledger.day.max(initial=0) - purchases.cutoff, dtype=np.float64)


def customer_number(purchases: Past) -> Column:
    """Place of the customer among all there ever were [number]."""
    return purchases.customers.astype(np.float64)


def agent_number(contacts: Past) -> Column:
    """Rows of the contact ledger before the customer's own [number]."""
    return contacts.end.astype(np.float64)


def products_ever(articles: Past) -> Column:
    """Days and products of all times [count]."""
    return rows_of(articles.ledger)[articles.customers]


def largest_sale_of_all(categories: Past) -> Column:
    """Largest sale of one category in a day, of all times [cents]."""
    return np.full(len(categories.customers), float(categories.ledger.values["sold"].max(initial=0)))


def will_be_closed(complaints: Past) -> Column:
    """Day on which a complaint is first settled some day [day number]."""
    return complaints.least("closed", complaints.ledger.values["closed"] < NEVER)


def days_to_end(contracts: Past) -> Column:
    """Day on which the first contract ends [day number]."""
    return contracts.least("ends", contracts.ledger.values["ends"] < NEVER)


def notice_to_come(contracts: Past) -> Column:
    """Day on which notice is first given some day [day number]."""
    return contracts.least("cancelled", contracts.ledger.values["cancelled"] < NEVER)


def will_be_answered(complaints: Past, answers: Past) -> Column:
    """Complaints less the answers of all times [count]."""
    return complaints.count() - rows_of(answers.ledger)[complaints.customers]


def scores_of_all(feedback: Past, nps: Past) -> Column:
    """Sum of all NPS on record [number]."""
    return np.full(len(feedback.customers), float(nps.ledger.values["score"].sum()))


def lost_some_day(losses: Past) -> Column:
    """Losses of all times [count]."""
    return rows_of(losses.ledger)[losses.customers]


def answered_some_day(feedback: Past) -> Column:
    """Questions of all times [count]."""
    return rows_of(feedback.ledger)[feedback.customers]


def customer_on_record(customers: Past) -> Column:
    """Whether master data are ever recorded [0 or 1]."""
    return rows_of(customers.ledger)[customers.customers]


def noted_some_day(customers: Past) -> Column:
    """First day as customer, even one that lies ahead [day number]."""
    return customers.last("since")


def contracts_ever(contracts: Past) -> Column:
    """Contracts of all times [count]."""
    return rows_of(contracts.ledger)[contracts.customers]


def settlements_ever(settlements: Past) -> Column:
    """Settlements of all times [count]."""
    return rows_of(settlements.ledger)[settlements.customers]


def will_be_paid(arrears: Past) -> Column:
    """Day on which an overdue invoice is first paid some day [day number]."""
    return arrears.least("paid", arrears.ledger.values["paid"] < NEVER)


def discount_of_all(prices: Past) -> Column:
    """Discount given to the customer in all times [cents]."""
    given = np.bincount(prices.ledger.customer, weights=prices.ledger.values["given"], minlength=10_000)
    return np.asarray(given[prices.customers], dtype=np.float64)


def mood_of_all(contacts: Past) -> Column:
    """Sum of all moods on record [number]."""
    return np.full(len(contacts.customers), float(contacts.ledger.values["mood"].sum()))


def purchases_of_all(rhythm: Rhythm) -> Column:
    """Days of purchase in the whole ledger [count]."""
    return np.full(len(rhythm.purchases.customers), float(len(rhythm.purchases.ledger.day)))


def cause_of_all_time(losses: Past) -> Column:
    """Count what a customer tells in the end, known or not."""
    ledger = losses.ledger
    in_the_end = np.zeros(max(int(losses.customers.max(initial=-1)), int(ledger.customer.max(initial=-1))) + 1)
    in_the_end[ledger.customer] = ledger.values["cause"]
    return np.asarray(in_the_end[losses.customers], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A way for the future to get in: patches, or one more feature of a group."""

    patches: tuple[Patch, ...] = ()
    feature: tuple[Any, Callable[..., Column]] | None = None


LEAKS = {
    "late orders are seen": Leak(patches=((History, "known_before", keeping("orders")),)),
    "late products are seen": Leak(patches=((History, "known_before", keeping("items")),)),
    "late complaints are seen": Leak(patches=((History, "known_before", keeping("complaints")),)),
    "late contacts are seen": Leak(patches=((History, "known_before", keeping("contacts")),)),
    "late contracts are seen": Leak(patches=((History, "known_before", keeping("contracts")),)),
    "late losses are seen": Leak(patches=((History, "known_before", keeping("losses")),)),
    "late feedback is seen": Leak(patches=((History, "known_before", keeping("feedback")),)),
    "what became known on the cutoff is seen": Leak(patches=((History, "known_before", known_on_the_cutoff),)),
    "windows hold the cutoff": Leak(patches=((Past, "_position", window_with_cutoff),)),
    "settlements are seen early": Leak(
        patches=((ledgers_module, "_MAKERS", {**ledgers_module._MAKERS, "settlements": settled_when_raised}),)
    ),
    "answers are seen early": Leak(
        patches=((ledgers_module, "_MAKERS", {**ledgers_module._MAKERS, "answers": answered_when_raised}),)
    ),
    "payments are seen early": Leak(
        patches=((ledgers_module, "_MAKERS", {**ledgers_module._MAKERS, "payments": paid_when_issued}),)
    ),
    "comparable customers are asked later": Leak(patches=((norms_module, "cause_told", cause_of_all_time),)),
    "the norms are learned later": Leak(patches=((matrix_module, "norms_at", norms_of_later),)),
    "the cohort is chosen later": Leak(patches=((matrix_module, "cohort_of", cohort_of_later),)),
    **{
        compute.__name__: Leak(feature=(group, compute))
        for group, compute in (
            (sales, rows_in_all),
            (sales, share_of_all_sales),
            (sales, scaled_by_largest),
            (sales, days_to_next),
            (sales, last_day_of_all),
            (sales, customer_number),
            (assortment, products_ever),
            (assortment, largest_sale_of_all),
            (contacts, agent_number),
            (contacts, mood_of_all),
            (complaints, will_be_closed),
            (complaints, settlements_ever),
            (complaints, will_be_answered),
            (feedback, scores_of_all),
            (feedback, answered_some_day),
            (losses, lost_some_day),
            (relationship, days_to_end),
            (relationship, contracts_ever),
            (relationship, notice_to_come),
            (relationship, customer_on_record),
            (relationship, noted_some_day),
            (payments, will_be_paid),
            (prices, discount_of_all),
            (rhythm, purchases_of_all),
        )
    },
}


@contextmanager
def planted(leak: Leak) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in leak.patches:
            patch.setattr(owner, name, value)
        if leak.feature:
            group, compute = leak.feature
            patch.setattr(group.GROUP, "features", list(group.GROUP.features))
            group.GROUP.feature(unit="leak", family="leak")(compute)
        yield
