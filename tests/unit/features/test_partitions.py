"""Parts of the history: however customers are divided, every feature, norm and label stays the same to the last bit."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest

from features.definition import Churn
from features.history import History
from features.matrix import build_matrix
from features.norms import norms_at
from features.one_pass import build_blocks, norms_of
from features.partitions import Partitions, in_one_part
from features.shelf import Shelf
from tests.oracle.companies import company, taken_in
from tests.unit.features.small import contract, day, order, tables

CHURN = Churn(active_within_days=400, lapsed_within_days=3650, lead_days=7, horizon_days=60)
CUTOFFS = (date(2023, 6, 1), date(2024, 2, 29), date(2024, 12, 31))
KNOWN_UNTIL = date(2025, 1, 1)


def built(parts: Partitions) -> dict[date, pd.DataFrame]:
    """Return the matrix of every cutoff, put together from the blocks of all parts."""
    blocks: dict[date, list[pd.DataFrame]] = {cutoff: [] for cutoff in CUTOFFS}
    norms = norms_of(parts, CUTOFFS)
    build_blocks(
        parts, norms, churn=CHURN, known_until=KNOWN_UNTIL, take=lambda cutoff, block: blocks[cutoff].append(block)
    )
    return {cutoff: pd.concat(own, ignore_index=True) for cutoff, own in blocks.items()}


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    numbers = [name for name in one.columns if "__" in name]
    keys = [name for name in one.columns if "__" not in name]
    equal = one[numbers].to_numpy().tobytes() == other[numbers].to_numpy().tobytes()
    return equal and list(one.columns) == list(other.columns) and one[keys].equals(other[keys])


@pytest.mark.parametrize("rows_per_part", [1, 60, 400, None])
def test_every_division_gives_the_same_matrices(rows_per_part: int | None) -> None:
    made = taken_in(company(Random(5), customers=40), cutoff=KNOWN_UNTIL)
    parts = Partitions(made, rows_per_part=rows_per_part)
    assert (len(parts) > 1) == (rows_per_part is not None)
    whole = in_one_part(taken_in(company(Random(5), customers=40), cutoff=KNOWN_UNTIL))
    for cutoff, matrix in built(parts).items():
        expected = build_matrix(whole, cutoff=cutoff, churn=CHURN, known_until=KNOWN_UNTIL)
        assert same(matrix, expected), cutoff


def test_a_division_that_tears_a_customer_apart_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    made = taken_in(company(Random(5), customers=40), cutoff=KNOWN_UNTIL)
    parts = Partitions(made, rows_per_part=60)
    honest, torn = parts._shelves[0].rows, dict[str, object]()
    monkeypatch.setattr(parts._shelves[0], "rows", lambda table: {k: v[1:] for k, v in honest(table).items()} | torn)
    whole = in_one_part(taken_in(company(Random(5), customers=40), cutoff=KNOWN_UNTIL))
    matrices = built(parts)
    assert not all(
        same(matrices[cutoff], build_matrix(whole, cutoff=cutoff, churn=CHURN, known_until=KNOWN_UNTIL))
        for cutoff in CUTOFFS
    )


def test_norms_do_not_depend_on_the_division() -> None:
    made = taken_in(company(Random(6), customers=50), cutoff=KNOWN_UNTIL)
    parts, whole = (
        Partitions(made, rows_per_part=80),
        in_one_part(taken_in(company(Random(6), customers=50), cutoff=KNOWN_UNTIL)),
    )
    for cutoff, norms in norms_of(parts, CUTOFFS).items():
        assert repr(norms) == repr(norms_at(whole, cutoff=cutoff))


def test_customers_without_orders_are_divided_too() -> None:
    given = tables(orders=[order("a", "2024-01-01")], contracts=[contract(f"k{n}", "2023-01-01") for n in range(200)])
    parts = Partitions(given, rows_per_part=50)
    assert [name for part in parts for name in part.customer_ids] == sorted(["a", *(f"k{n}" for n in range(200))])
    assert sum(len(part.rows["contracts"]["day"]) for part in parts) == 200


def test_an_error_while_blocks_are_taken_ends_the_pass() -> None:
    parts = Partitions(taken_in(company(Random(5), customers=40), cutoff=KNOWN_UNTIL), rows_per_part=60)

    def full(cutoff: date, block: pd.DataFrame) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        build_blocks(parts, norms_of(parts, CUTOFFS), churn=CHURN, known_until=KNOWN_UNTIL, take=full)


def test_blocks_of_one_cutoff_come_in_the_order_of_ids_even_if_a_later_part_is_faster() -> None:
    rows = [order(f"c{n:03d}", str(day("2024-01-01") + timedelta(days=n % 50))) for n in range(300)]
    parts = Partitions(tables(orders=rows), rows_per_part=100)
    ids: list[str] = []
    build_blocks(
        parts,
        norms_of(parts, [date(2024, 6, 1)]),
        churn=CHURN,
        known_until=date(2024, 6, 1),
        take=lambda _, block: ids.extend(block["customer_id"]),
    )
    assert ids == sorted(ids)
    assert len(ids) == 300


# --- Late rows: small ledgers for the surprised customers equal ledgers made anew for everybody ---


def as_if_rebuilt(history: History, cutoff: date) -> pd.DataFrame:
    """Return the matrix from ledgers made anew from the rows that were known, for every customer."""
    number = (cutoff - date(1970, 1, 1)).days
    return build_matrix(history.known_before(number), cutoff=cutoff, churn=CHURN, known_until=cutoff)


def test_surprised_customers_are_few_and_their_own_ledgers_change_nothing() -> None:
    made = company(Random(9), customers=60)
    history = in_one_part(taken_in(made))
    for cutoff in CUTOFFS:
        surprised = history.surprised((cutoff - date(1970, 1, 1)).days)
        assert 0 < len(surprised) < len(history.customer_ids)
        direct = build_matrix(history, cutoff=cutoff, churn=CHURN, known_until=cutoff)
        assert same(direct, as_if_rebuilt(history, cutoff))


def test_a_company_that_records_everything_late_is_read_as_well() -> None:
    rows = [
        order(
            f"c{n}", str(day("2024-01-01") + timedelta(days=9 * k)), known_at=day("2024-03-01") + timedelta(days=9 * k)
        )
        for n in range(5)
        for k in range(9)
    ]
    history = in_one_part(tables(orders=rows))
    cutoff = date(2024, 4, 1)
    assert len(history.surprised((cutoff - date(1970, 1, 1)).days)) == 5
    direct = build_matrix(history, cutoff=cutoff, churn=CHURN, known_until=cutoff)
    assert direct["sales__purchase_days"].tolist() == [4] * 5
    assert same(direct, as_if_rebuilt(history, cutoff))


# --- The shelf ---


@pytest.mark.parametrize("in_file", [False, True])
def test_a_shelf_gives_back_what_was_put_on_it(tmp_path: Path, in_file: bool) -> None:
    shelf = Shelf(tmp_path / "part" if in_file else None)
    shelf.begin("orders", ("customer", "amount"))
    shelf.begin("complaints", ("customer",))
    shelf.add("orders", [np.array([1, 2]), np.array([-5, 7])])
    shelf.add("orders", [np.array([3]), np.array([1 << 60])])
    shelf.finish()
    rows = shelf.rows("orders")
    assert rows["customer"].tolist() == [1, 2, 3]
    assert rows["amount"].tolist() == [-5, 7, 1 << 60]
    assert shelf.rows("complaints")["customer"].tolist() == []
    assert shelf.tables == ("orders", "complaints")
