"""``treue demo``: the main job on the built-in company, from invented tables to lists and report."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from pipelines.demo.company import DemoCompany, csv_bytes, demo_company, write_demo
from pipelines.settings import load_settings

_FOLDERS = (
    "data", "truth", "quarantine", "matrix", "backtest", "scores", "lists", "losses", "history", "report", "export",
    "mlartifacts",
)  # fmt: skip
_FILES = ("ledger.duckdb", "mlflow.db")


def demo_config() -> Path:
    """Return the path of the demo's configuration, as shipped."""
    return Path(str(resources.files("configs") / "demo.yaml"))


def write_demo_data(*, customers: int, seed: int) -> Path:
    """Write the tables of the invented company below its output folder; return the folder.

    What an earlier demo left there of another company is removed: its models would speak for customers they never saw.
    """
    folder = Path(load_settings(demo_config()).output)
    company = demo_company(customers=customers, seed=seed)
    if _holds_another(folder, company):
        _clear(folder)
    write_demo(folder, company)
    return folder / "data"


def _holds_another(folder: Path, company: DemoCompany) -> bool:
    kept = folder / "truth" / "truth.csv"
    return kept.is_file() and kept.read_bytes() != csv_bytes(company.truth)


def _clear(folder: Path) -> None:
    for name in _FOLDERS:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)
