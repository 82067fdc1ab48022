"""Rows that were accepted before are opened as they are, from files or from memory."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

import pyarrow.parquet as pq

from features.accepted import accepted
from features.definition import Churn
from features.history import load_history
from features.matrix import build_matrix
from tests.oracle.companies import company, taken_in

CUTOFF = date(2024, 6, 1)


def test_accepted_rows_from_files_and_from_memory_give_the_same_matrix(tmp_path: Path) -> None:
    given = taken_in(company(Random(4)))
    rows = {name: given.arrow(name, (*given.columns(name), "known_at")) for name in given.names}
    for name, table in rows.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    files = {name: [tmp_path / f"{name}.parquet"] for name in rows}
    churn = Churn(active_within_days=400, lapsed_within_days=3650)
    matrices = [
        build_matrix(load_history(made), cutoff=CUTOFF, churn=churn, known_until=CUTOFF)
        for made in (given, accepted(rows), accepted(files))
    ]
    assert matrices[0].equals(matrices[1])
    assert matrices[0].equals(matrices[2])


def test_tables_whose_source_did_not_say_when_rows_became_known_can_be_named() -> None:
    given = taken_in(company(Random(4)))
    rows = {name: given.arrow(name, (*given.columns(name), "known_at")) for name in given.names}
    assert "known_at" in accepted(rows).mapped("orders")
    one = accepted(rows, dated=["contacts"])
    assert [name for name in one.names if "known_at" in one.mapped(name)] == ["contacts"]
    assert one.digest == given.digest
