"""Norms from rows that travelled: in whatever order and division they arrive, the same to the last bit."""

from __future__ import annotations

from datetime import date
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from features.norms import SUMMARY_ROW, norms_at, norms_from, rows_of, summary_from, summary_of
from features.partitions import Partitions, in_one_part
from tests.oracle.companies import company, taken_in

CUTOFF = date(2024, 2, 29)


def travelled(seed: int, *, rows_per_part: int) -> pa.Table:
    """Return the rows of all parts of a company, shuffled."""
    parts = Partitions(taken_in(company(Random(5), customers=60)), rows_per_part=rows_per_part)
    tables = [rows_of(summary_of(part, cutoff=CUTOFF), part.customer_ids) for part in parts]
    rows = pa.concat_tables(tables)
    return rows.take(np.random.default_rng(seed).permutation(len(rows)))


@pytest.mark.parametrize("rows_per_part", [1, 300, 100_000])
def test_norms_from_rows_are_those_of_the_whole_history(rows_per_part: int) -> None:
    whole = in_one_part(taken_in(company(Random(5), customers=60)))
    rows = travelled(1, rows_per_part=rows_per_part)
    assert tuple(rows.column_names) == SUMMARY_ROW
    assert repr(norms_from([summary_from(rows)])) == repr(norms_at(whole, cutoff=CUTOFF))


def test_rows_left_in_the_order_of_arrival_would_be_seen() -> None:
    first, second = (summary_from(travelled(seed, rows_per_part=1)) for seed in (1, 2))
    assert {name: first[name].tolist() for name in first} == {name: second[name].tolist() for name in second}
    unsorted = travelled(1, rows_per_part=1)
    arrived = unsorted["tenure"].to_numpy()[unsorted["customer_id"].is_valid().to_numpy()]
    assert arrived.tolist() != first["tenure"].tolist()


def test_a_part_where_nobody_bought_gives_its_sums_alone() -> None:
    made = taken_in({**company(Random(5), customers=4)}, cutoff=None)
    (part,) = Partitions(made, rows_per_part=None)
    rows = rows_of(summary_of(part, cutoff=date(2000, 1, 1)), part.customer_ids)
    assert rows["customer_id"].to_pylist() == [None]
    assert norms_from([summary_from(rows)]).rhythm.gap_variation == 1.0
