"""The ledger knows what every target holds, and learns nothing from hearing it twice."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from features.errors import ExportError
from retention.export.ledger import open_ledger, payload_digests

CUTOFF = date(2025, 1, 1)


def scores(*probabilities: float) -> pd.DataFrame:
    customers = [f"K{number}" for number in range(len(probabilities))]
    return pd.DataFrame({"customer_id": customers, "cutoff": CUTOFF, "probability": probabilities})


def test_the_same_run_twice_records_nothing_new(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        for news in (3, 0):
            ledger.record_run("r1", cutoff=CUTOFF, model_version="abc")
            assert ledger.record_sent(scores(0.1, 0.2, 0.3), run_id="r1", target="crm") == news
    with duckdb.connect(str(tmp_path / "ledger.duckdb"), read_only=True) as connection:
        assert connection.sql("select * from runs").fetchall() == [("r1", CUTOFF, "abc")]
        assert connection.sql("select count(*), max(sequence) from sent").fetchall() == [(3, 3)]


def test_a_row_is_already_sent_only_while_the_target_holds_exactly_it(tmp_path: Path) -> None:
    old, new = scores(0.1, 0.2), scores(0.1, 0.9)
    with open_ledger(tmp_path / "out" / "ledger.duckdb") as ledger:
        assert not ledger.already_sent(old, target="crm").any()
        ledger.record_sent(old, run_id="r1", target="crm")
        assert ledger.already_sent(new, target="crm").tolist() == [True, False]
        assert ledger.record_sent(new, run_id="r2", target="crm") == 1
        assert ledger.already_sent(old, target="crm").tolist() == [True, False]
        assert not ledger.already_sent(old, target="shop").any()


def test_what_was_only_intended_or_rejected_is_not_sent(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        ledger.record_sent(scores(0.1), run_id="r1", target="crm", status="intended")
        assert not ledger.already_sent(scores(0.1), target="crm").any()
        assert ledger.record_sent(scores(0.1), run_id="r1", target="crm") == 1
        assert ledger.already_sent(scores(0.1), target="crm").all()


def test_the_answer_follows_the_order_and_index_of_the_rows(tmp_path: Path) -> None:
    frame = scores(0.1, 0.2, 0.3).set_axis(["x", "y", "z"])
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        ledger.record_sent(frame.loc[["z"]], run_id="r1", target="crm")
        assert ledger.already_sent(frame.iloc[::-1], target="crm").to_dict() == {"z": True, "y": False, "x": False}


def test_a_customer_without_number_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        with pytest.raises(ExportError, match="empty key 'customer_id'"):
            ledger.record_sent(scores(0.1).assign(customer_id=None), run_id="r1", target="crm")
        assert ledger.record_sent(scores(0.1), run_id="r1", target="crm") == 1


def test_digests_differ_by_value_and_by_column_but_not_by_backing() -> None:
    frame = scores(0.1, 0.2, 0.1).assign(customer_id="K")
    first, second, third = payload_digests(frame)
    assert first == third != second
    assert payload_digests(frame.rename(columns={"probability": "score"})).iloc[0] != first
    assert payload_digests(frame.astype({"customer_id": "category"})).iloc[0] == first


def test_a_ledger_in_use_elsewhere_is_named_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    with open_ledger(path):
        pass
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(ExportError, match=r"ledger .*ledger\.duckdb cannot be opened") as caught:
            open_ledger(path)
        assert "\n" not in str(caught.value)
    finally:
        holder.communicate(b"\n")


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    path.write_text("not a database" * 1000)
    with pytest.raises(ExportError, match="cannot be opened"):
        open_ledger(path)
