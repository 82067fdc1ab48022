"""The rivals of our features say the same as a plain loop over rows, and the made-up company fits our contract."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.rivals import columns, run, simulated
from features.contract import TABLES

CUTOFFS = [*simulated.cutoffs(3), date(2022, 3, 1)]
RIVALS = ("pandas", "polars", "duckdb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("company")
    simulated.write(made, simulated.SIZES["tiny"], seed=1)
    return made


@pytest.fixture(params=RIVALS)
def rival(request: pytest.FixtureRequest) -> Any:
    if reason := run.left_out(request.param):
        pytest.skip(reason)
    return importlib.import_module(f"benchmarks.rivals.in_{request.param}").features


def test_a_rival_says_what_a_loop_over_the_rows_says(rival, folder):
    for cutoff, table in zip(CUTOFFS, rival(folder, CUTOFFS), strict=True):
        assert columns.differences(naive(folder, cutoff), table) == []


def test_a_rival_alone_at_a_cutoff_says_what_it_says_among_others(rival, folder):
    *_, among_others = rival(folder, CUTOFFS[:2])
    (alone,) = rival(folder, CUTOFFS[1:2])
    assert columns.differences(alone, among_others) == []


def test_what_is_recorded_late_matters_to_the_numbers(folder, tmp_path):
    """Otherwise agreeing would prove nothing about rows that are booked but not yet known."""
    for name in simulated.SHARES:
        table = pq.read_table(folder / f"{name}.parquet")
        at = table.schema.get_field_index("known_at")
        pq.write_table(table.set_column(at, "known_at", table["occurred_on"]), tmp_path / f"{name}.parquet")
    found = "; ".join(columns.differences(naive(folder, CUTOFFS[0]), naive(tmp_path, CUTOFFS[0])))
    assert "gap_last_days" in found or "other ids" in found


def test_a_difference_is_told_with_column_and_customer(folder):
    table = naive(folder, CUTOFFS[0]).sort_by("customer_id")
    at = table.schema.get_field_index("orders_28d")
    wrong = table.set_column(at, "orders_28d", pc.add(table["orders_28d"], 1.0))
    (sentence,) = columns.differences(table, wrong)
    assert sentence.startswith(f"orders_28d: {len(table)} rows differ, first {table['customer_id'][0].as_py()}: ")
    (sentence,) = columns.disagreements(columns.checksum(table), columns.checksum(wrong))
    assert sentence.startswith("sum of orders_28d: ")


def test_a_contender_runs_in_a_process_of_its_own_and_says_what_it_took(folder):
    command = [sys.executable, "-m", "benchmarks.rivals.run", "duckdb", str(folder), "2"]
    done = subprocess.run(command, check=True, cwd=run.ROOT, capture_output=True, text=True)
    result = json.loads(done.stdout)
    last = Path(result["last"])
    assert columns.differences(naive(folder, simulated.cutoffs(2)[-1]), pq.read_table(last)) == []
    assert result["seconds"] > 0
    assert result["peak_mb"] > 10
    assert len(result["checksums"]) == 2
    last.unlink()


def test_a_rival_that_is_not_installed_is_left_out_with_the_command_that_installs_it(monkeypatch, capsys):
    monkeypatch.setitem(run.NEEDS, "polars", "no_such_package")
    assert run.race(["polars"], "tiny", 1) == []
    line = "rival polars left out: it is not installed; python -m pip install no_such_package"
    assert capsys.readouterr().out.strip() == line


def test_contenders_that_disagree_are_named(tmp_path, folder):
    table = naive(folder, CUTOFFS[0])
    pq.write_table(table, tmp_path / "one.parquet")
    one = {"contender": "one", "checksums": [columns.checksum(table)], "last": tmp_path / "one.parquet"}
    other = {**one, "contender": "other", "checksums": [columns.checksum(table.slice(1))]}
    with pytest.raises(ValueError, match="one and other disagree:\ncutoff 1: sum of rows: "):
        run.require_same(one, other)


@pytest.mark.parametrize("name", simulated.SHARES)
def test_the_company_fits_the_contract(folder, name):
    table = pq.read_table(folder / f"{name}.parquet")
    contract = {column.name: column for column in TABLES[name].columns}
    kinds = {
        "date": pa.date32(),
        "money": pa.float64(),
        "number": pa.float64(),
        "share": pa.float64(),
        "flag": pa.bool_(),
    }
    types = {field.name: field.type for field in table.schema if field.name != "known_at"}
    assert types == {each: kinds.get(contract[each].kind, pa.string()) for each in types}
    assert set(TABLES[name].required) <= set(types)
    assert set(types) == set(contract)
    assert pc.count_distinct(table[f"{name[:-1]}_id"]).as_py() == len(table)


@pytest.mark.parametrize(("name", "count"), [("orders", 6_000), ("complaints", 120), ("contacts", 1_200)])
def test_the_company_has_the_rows_it_should_and_few_late_ones(folder, name, count):
    table = pq.read_table(folder / f"{name}.parquet")
    late = pc.days_between(table["occurred_on"], table["known_at"])
    assert len(table) == count
    assert 0 <= pc.min(late).as_py() <= pc.max(late).as_py() <= 60
    assert pc.sum(pc.greater(late, 0)).as_py() <= 0.03 * count
    assert pc.min(table["occurred_on"]).as_py() >= simulated.FIRST_DAY
    assert pc.max(table["occurred_on"]).as_py() < CUTOFFS[2]


def test_the_same_seed_writes_the_same_rows(folder, tmp_path):
    simulated.write(tmp_path, simulated.SIZES["tiny"], seed=1)
    for name in simulated.SHARES:
        assert pq.read_table(tmp_path / f"{name}.parquet").equals(pq.read_table(folder / f"{name}.parquet"))


# --- A plain loop over rows -----------------------------------------------------------------------------------------


def naive(folder: Path, cutoff: date) -> pa.Table:
    """Return the shared columns by the words of ``columns``, one customer at a time."""
    known: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in simulated.SHARES:
        known[name] = defaultdict(list)
        for row in pq.read_table(folder / f"{name}.parquet").to_pylist():
            if row["occurred_on"] < cutoff and row["known_at"] < cutoff:
                known[name][row["customer_id"]].append({**row, "age": (cutoff - row["occurred_on"]).days})
    found = []
    for customer, orders in known["orders"].items():
        ages = sorted({row["age"] for row in orders if row["amount"] > 0})
        if ages and ages[0] <= columns.REACH:
            own = (known[name][customer] for name in ("complaints", "contacts"))
            values = {**_bookings(orders), **_gaps(ages), **_relations(*own)}
            found.append({"customer_id": customer} | values)
    return pa.Table.from_pylist(found)


def _bookings(orders: list[dict[str, Any]]) -> dict[str, float]:
    def cents(days: int, name: str = "amount", ago: int = 0, sign: int = 0) -> float:
        rows = (row for row in orders if ago < row["age"] <= ago + days and (not sign or row["amount"] * sign > 0))
        return float(sum(round((row[name] or 0) * 100) for row in rows))

    def count(days: int, ago: int = 0, sign: int = 1) -> float:
        return float(sum(ago < row["age"] <= ago + days and row["amount"] * sign > 0 for row in orders))

    return {
        **{f"orders_{days}d": count(days) for days in columns.WINDOWS},
        **{f"turnover_cents_{days}d": cents(days) for days in columns.WINDOWS},
        "returns_364d": count(364, sign=-1),
        "returned_cents_364d": -cents(364, sign=-1),
        "sold_cents_364d": cents(364, sign=1),
        "margin_cents_364d": cents(364, "margin"),
        "lines_364d": count(364),
        "orders_91d_before": count(91, ago=91),
        "turnover_cents_91d_before": cents(91, ago=91),
        "turnover_cents_91d_year_before": cents(91, ago=364),
    }


def _gaps(ages: list[int]) -> dict[str, float | None]:
    gaps = [older - younger for younger, older in pairwise(ages)]
    mean = sum(gaps) / len(gaps) if gaps else None
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) if len(gaps) > 1 else None
    return {
        "recency_days": float(ages[0]),
        "tenure_days": float(ages[-1]),
        "purchase_days": float(len(ages)),
        "gap_mean_days": mean,
        "gap_sd_days": spread,
        "gap_longest_days": float(max(gaps)) if gaps else None,
        "gap_last_days": float(gaps[0]) if gaps else None,
    }


def _relations(complaints: list[dict[str, Any]], contacts: list[dict[str, Any]]) -> dict[str, float | None]:
    def count(rows: list[dict[str, Any]], days: int, **wanted: str) -> float:
        return float(sum(row["age"] <= days and wanted.items() <= row.items() for row in rows))

    def last(rows: list[dict[str, Any]]) -> float | None:
        return min((float(row["age"]) for row in rows), default=None)

    return {
        **{f"complaints_{days}d": count(complaints, days) for days in (91, 364)},
        "complaint_recency_days": last(complaints),
        **{f"contacts_{days}d": count(contacts, days) for days in (28, 91, 364)},
        "inbound_91d": count(contacts, 91, direction="in"),
        "outbound_91d": count(contacts, 91, direction="out"),
        "contact_recency_days": last(contacts),
    }
