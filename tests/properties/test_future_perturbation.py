"""Whatever happens, or becomes known, on or after the cutoff changes no feature by a single bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from features import ledgers as ledgers_module
from features import matrix as matrix_module
from features.catalogue import GROUPS
from features.cohort import Cohort, cohort_of
from features.definition import Churn
from features.errors import ContractError
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
from features.history import History, Seen, load_history
from features.ledger import Column, Ledger, Past
from features.ledgers.rows import NEVER
from features.ledgers.rows import History as RowsOfAll
from features.matrix import build_matrix
from features.norms import Norms, norms_at
from features.rhythm import Rhythm
from tests.oracle.companies import company, known_of, some_cutoffs, taken_in
from tests.properties.perturbation import CHANGES, Trial, perturbed, trials

CHURN = Churn(active_within_days=400, lapsed_within_days=3650)
DEFINITIONS = {
    "inactivity": CHURN,
    "decline": CHURN.model_copy(update={"definition": "decline"}),
    "contract": CHURN.model_copy(update={"definition": "contract"}),
}
MOST_TRIALS_PER_LEAK = 50


def columns_at(trial: Trial, history: History, churn: Churn) -> Mapping[str, bytes]:
    """Return cohort and features at the trial's cutoff, each column as bytes; empty when nobody is there."""
    try:
        matrix = build_matrix(replace(history), cutoff=trial.cutoff, churn=churn, known_until=trial.cutoff)
    except ContractError:
        return {}
    keys = {name: "\n".join(matrix[name]).encode() for name in ("customer_id", "cohort")}
    features = matrix.drop(columns=["customer_id", "cutoff", "cohort", "label"])
    return keys | {str(name): features[name].to_numpy().tobytes() for name in features}


def moved(trial: Trial, churn: Churn = CHURN) -> list[str]:
    """Return the columns that the change of the future has moved."""
    before, after = (columns_at(trial, history, churn) for history in (trial.before, trial.after))
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


@pytest.fixture(scope="module")
def few() -> list[Trial]:
    """Return the trials that all tests of the day share."""
    return trials(13, count=60)


def test_no_feature_moves_with_the_future(few: list[Trial]) -> None:
    assert [(trial.cutoff, moved(trial)) for trial in few if moved(trial)] == []


@pytest.mark.parametrize("definition", ["decline", "contract"])
def test_no_cohort_moves_with_the_future(few: list[Trial], definition: str) -> None:
    churn = DEFINITIONS[definition]
    assert [trial.cutoff for trial in few[:16] if moved(trial, churn)] == []


def test_every_group_tells_customers_apart_in_the_trials(few: list[Trial]) -> None:
    told = set()
    for trial in few[:12]:
        columns = columns_at(trial, trial.before, CHURN)
        features = {name: np.frombuffer(values, "<i8") for name, values in columns.items() if "__" in name}
        told |= {name.split("__")[0] for name, values in features.items() if len(set(values)) > 2}
    assert set(GROUPS) <= told


def test_a_correction_recorded_later_under_the_same_key_leaves_the_row_known_before() -> None:
    random = Random(77)
    made = company(random)
    cutoff = date(2024, 2, 29)
    known = [row for row in made["complaints"] if known_of("complaints", row) < cutoff]
    corrections = [{**row, "severity": 5.0, "known_at": cutoff} for row in known]
    corrected = {**made, "complaints": [*corrections, *made["complaints"]]}
    before, after = (load_history(taken_in(each)) for each in (made, corrected))
    assert moved(Trial(cutoff=cutoff, before=before, after=after)) == []


@pytest.mark.night
def test_r13_no_feature_moves_with_the_future_in_a_thousand_trials() -> None:
    assert [(trial.cutoff, moved(trial)) for trial in trials(1313, count=1000) if moved(trial)] == []


def test_a_past_cutoff_gives_the_same_with_later_rows_deleted_at_the_door() -> None:
    random = Random(15)
    for _ in range(3):
        made = company(random)
        whole = load_history(taken_in(made))
        for cutoff in some_cutoffs(random, made, count=3):
            cut = load_history(taken_in(made, cutoff=cutoff))
            assert moved(Trial(cutoff=cutoff, before=whole, after=cut)) == []


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_perturbation_really_changes_the_company(change: Callable[..., Any]) -> None:
    random = Random(1)
    made = company(random)
    cutoff = some_cutoffs(random, made, count=1)[0]
    rows = [dict(row) for row in made["orders"]]
    assert change(random, "orders", rows, cutoff) != made["orders"]
    assert perturbed(random, made, cutoff) != made


# --- Planted leaks: each must be found within fifty trials ---

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


@pytest.mark.parametrize("name", LEAKS)
def test_r13_a_planted_leak_is_found(name: str, few: list[Trial]) -> None:
    with planted(LEAKS[name]):
        assert any(moved(trial) for trial in few[:MOST_TRIALS_PER_LEAK])


def test_at_least_twenty_leaks_are_planted() -> None:
    assert len(LEAKS) >= 20
