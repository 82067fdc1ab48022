"""`treue init`: what it writes can be loaded and taken in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from features.contract import TABLES
from features.errors import ConfigError, ContractError
from features.intake import take_in
from pipelines.init import write_example
from pipelines.settings import load_settings


def test_the_example_loads_and_every_table_has_its_header(tmp_path: Path) -> None:
    paths = write_example(tmp_path / "new")
    assert {path.name for path in paths} == {"treue.yaml", "README.md", *(f"{name}.csv" for name in TABLES)}
    settings = load_settings(tmp_path / "new" / "treue.yaml")
    assert set(settings.sources) == set(TABLES)
    for name, table in TABLES.items():
        with (tmp_path / "new" / "data" / f"{name}.csv").open() as file:
            assert next(csv.reader(file)) == [column.name for column in table.columns]


def test_the_empty_example_says_that_orders_are_missing(tmp_path: Path) -> None:
    write_example(tmp_path)
    sources = load_settings(tmp_path / "treue.yaml").sources
    with pytest.raises(ContractError, match="no orders were read"):
        take_in(sources, cutoff=None, timezone="Europe/Berlin", root=tmp_path)


def test_one_order_is_enough_and_the_other_tables_may_stay_empty(tmp_path: Path) -> None:
    write_example(tmp_path)
    orders = tmp_path / "data" / "orders.csv"
    orders.write_text(orders.read_text() + "1,A,2024-01-01,10" + "," * 7 + "\n")
    sources = load_settings(tmp_path / "treue.yaml").sources
    with take_in(sources, cutoff=None, timezone="Europe/Berlin", root=tmp_path) as tables:
        assert tables.query("from orders").num_rows == 1
        assert tables.names == tuple(TABLES)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match=r"README.md is already there; choose an empty folder, nothing was written"):
        write_example(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_example(tmp_path / "file" / "inside")
