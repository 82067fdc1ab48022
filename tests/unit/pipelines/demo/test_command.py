from __future__ import annotations

from pathlib import Path

import pytest

from features.contract import TABLES
from pipelines.demo import demo_config, write_demo_data
from pipelines.settings import load_settings


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_tables_lie_where_the_shipped_configuration_looks_for_them() -> None:
    folder = write_demo_data(customers=50, seed=7)
    sources = load_settings(demo_config()).sources
    assert {name: Path(source.uri) for name, source in sources.items()} == {
        name: folder / f"{name}.csv" for name in TABLES
    }
    assert all(Path(source.uri).is_file() for source in sources.values())


def left_behind() -> tuple[Path, Path, Path]:
    files = Path("out/demo/lists/cutoff=2026-07-01/plan.csv"), Path("out/demo/mlflow.db"), Path("out/demo/notes.txt")
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return files


def test_the_same_company_again_keeps_what_was_made_of_it() -> None:
    write_demo_data(customers=50, seed=7)
    files = left_behind()
    write_demo_data(customers=50, seed=7)
    assert all(file.is_file() for file in files)


def test_another_company_takes_models_and_lists_of_the_former_away_and_nothing_else() -> None:
    write_demo_data(customers=50, seed=7)
    plan, registry, own = left_behind()
    write_demo_data(customers=50, seed=8)
    assert (plan.exists(), registry.exists(), own.exists()) == (False, False, True)
