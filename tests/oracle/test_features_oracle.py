"""Every feature equals the naive oracle: integers exactly, floats to 1e-9, missing where it is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.catalogue import catalogue
from features.definition import Churn
from features.dictionary import missing_when
from features.history import History, load_history
from features.ledger import Past
from features.ledgers import assortment, orders
from features.ledgers.rows import Rows
from features.matrix import feature_columns
from features.norms import Norms, norms_at
from features.timeline import day_number
from tests.oracle import known, naive_norms, naive_rhythm
from tests.oracle.companies import DIFFICULT_DAYS, FIRST, TIMEZONE, Company, company, some_cutoffs, taken_in

for path in sorted(Path(__file__).parent.glob("naive_*.py")):
    import_module(f"tests.oracle.{path.stem}")

CHURN = Churn(lead_days=14, horizon_days=90)
RHYTHM = {feature.name for feature in catalogue() if feature.group == "rhythm"}


def features_at(history: History, cutoff: date, norms: Norms) -> pd.DataFrame:
    seen, everyone = history.at(day_number(cutoff)), np.arange(len(history.customer_ids))
    found = feature_columns(seen, everyone, churn=CHURN, norms=norms)
    return found.set_index(pd.Index(history.customer_ids))


def expected_of(snapshot: known.Snapshot, norms: Norms) -> dict[str, known.Value]:
    rhythm = norms.rhythm
    model = rhythm.bgnbd
    fitted = naive_rhythm.Fitted(
        r=model.r,
        alpha=model.alpha,
        a=model.a,
        b=model.b,
        mean_gap_days=rhythm.mean_gap_days,
        gap_variation=rhythm.gap_variation,
        regular=naive_rhythm.Regular(**asdict(rhythm.regular)),
        lead_days=CHURN.lead_days,
        horizon_days=CHURN.horizon_days,
    )
    return {name: compute(snapshot) for name, compute in known.FEATURES.items()} | naive_rhythm.rhythm(snapshot, fitted)


def agrees(found: float, expected: known.Value, *, within: float = 1e-9) -> bool:
    if expected is None or math.isnan(found):
        return expected is None and math.isnan(found)
    if isinstance(expected, int):
        return found == expected
    return math.isclose(found, expected, rel_tol=within, abs_tol=within)


def differences(made: Company, cutoffs: list[date], *, history: History | None = None) -> Iterator[tuple[object, ...]]:
    """Yield every snapshot and feature that differ from the oracle, and None for every snapshot compared."""
    history = history or load_history(taken_in(made))
    for cutoff in cutoffs:
        norms = norms_at(history, cutoff=cutoff)
        found = features_at(history, cutoff, norms)
        snapshots = [known.snapshot_of(made, str(customer), cutoff, timezone=TIMEZONE) for customer in found.index]
        usual = naive_norms.norms_of(snapshots)
        for snapshot, (customer, row) in zip(snapshots, found.iterrows(), strict=True):
            for name, expected in expected_of(replace(snapshot, norms=usual), norms).items():
                if not agrees(row[name], expected):
                    yield cutoff, customer, name, row[name], expected
            yield ()


def compare(seed: int, *, companies: int, cutoffs: int) -> int:
    random = Random(seed)
    compared = 0
    for _ in range(companies):
        made = company(random)
        found = list(differences(made, some_cutoffs(random, made, count=cutoffs)))
        assert [each for each in found if each] == []
        compared += len(found)
    return compared


def test_the_oracle_knows_every_feature_of_the_catalogue_and_no_other() -> None:
    assert {*known.FEATURES} | RHYTHM == {feature.name for feature in catalogue()}


def test_every_feature_equals_the_oracle_at_random_cutoffs() -> None:
    assert compare(20240229, companies=6, cutoffs=8) >= 300


@pytest.mark.parametrize("cutoff", DIFFICULT_DAYS, ids=str)
def test_every_feature_equals_the_oracle_on_leap_day_year_end_and_clock_changes(cutoff: date) -> None:
    made, history = difficult()
    assert [each for each in differences(made, [cutoff], history=history) if each] == []


@pytest.mark.night
def test_r14_ten_thousand_random_snapshots_equal_the_oracle() -> None:
    assert compare(14, companies=60, cutoffs=20) >= 10_000


def test_exactly_the_features_that_say_so_can_be_missing() -> None:
    _, history = difficult()
    seen = set()
    for cutoff in (FIRST + timedelta(days=9), date(2022, 3, 1), date(2024, 2, 29), date(2025, 1, 1)):
        found = features_at(history, cutoff, norms_at(history, cutoff=cutoff))
        seen |= set(found.columns[found.isna().any()])
    assert seen == {feature.name for feature in catalogue() if missing_when(feature)}


def with_late_rows(self: History, cutoff: int) -> History:
    """Keep rows that became known later than the cutoff."""
    return self


def one_day_too_long(self: Past, age: int | None) -> NDArray[np.int64]:
    """Let windows begin one day too early."""
    return self._first_on(-(1 << 20) if age is None else self.cutoff - age - (age > 0))


def cutoff_inside(self: Past, age: int | None) -> NDArray[np.int64]:
    """Let windows end with the cutoff itself."""
    return self._first_on(-(1 << 20) if age is None else self.cutoff - age + (age == 0))


def gaps_of_nobody(customer: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count gaps across customers."""
    return np.abs(np.diff(day, prepend=0))


def any_part(rows: Rows) -> NDArray[np.bool_]:
    """Count every part of an order as a purchase."""
    return rows["amount"] > 0


def things_forgotten(customer: NDArray[np.int64], *more: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Forget every other time that a thing had been bought before."""
    first, number, total, before = HONEST_DAYS(customer, *more)
    return first, number, total, np.where(np.arange(len(before)) % 2, before, before.min(initial=0))


def returned_too(lines: Rows) -> Rows:
    """Count what came back as bought."""
    return HONEST_ITEMS({**lines, "amount": np.abs(lines["amount"])})


HONEST_DAYS, HONEST_ITEMS = assortment.bought_per_day, assortment.items

FAULTS: dict[str, tuple[object, str, object]] = {
    "late rows are seen": (History, "known_before", with_late_rows),
    "a window is a day too long": (Past, "_position", one_day_too_long),
    "the cutoff is inside": (Past, "_position", cutoff_inside),
    "gaps run across customers": (orders, "gaps", gaps_of_nobody),
    "parts count as orders": (orders, "_first_of_order", any_part),
    "products forget that they were bought": (assortment, "bought_per_day", things_forgotten),
    "returned products count as bought": (assortment, "items", returned_too),
    "the longest gap is another's": (orders, "running_most", lambda _, value: np.maximum.accumulate(value)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_oracle_finds_a_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = difficult()
    owner, name, planted = FAULTS[fault]
    monkeypatch.setattr(owner, name, planted)
    assert [each for each in differences(made, [date(2024, 2, 29), date(2024, 12, 31)]) if each] != []


_MADE: list[tuple[Company, History]] = []


def difficult() -> tuple[Company, History]:
    """Return one company for all difficult days."""
    if not _MADE:
        made = company(Random(7))
        _MADE.append((made, load_history(taken_in(made))))
    return _MADE[0]
