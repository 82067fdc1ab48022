"""A run on a small company some of whose customers have odd ids."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from pipelines import stages
from pipelines.demo.company import csv_bytes, demo_company
from pipelines.settings import Settings, settings_from

CUTOFF = date(2026, 1, 15)
ODD = ("../../x", "Müller & Söhne <b>", "a/b\\c", "o'neill")


def finished_run(folder: Path) -> Settings:
    """Run every stage up to the lists; return the settings, whose output lies in ``folder``."""
    tables = demo_company(customers=100, seed=5).tables
    ids = tables["orders"]["customer_id"].drop_duplicates().tolist()
    odd = dict(zip(ids, ODD, strict=False))
    names = {each: odd.get(each, f"K-{each}") for each in tables["customers"]["customer_id"].tolist()}
    for name, table in tables.items():
        named = table.assign(customer_id=pd.Series(table["customer_id"].map(names), dtype="str"))
        (folder / f"{name}.csv").write_bytes(csv_bytes(named))
    sources = {name: {"uri": str(folder / f"{name}.csv")} for name in tables}
    content = {"name": "x", "output": str(folder / "out"), "sources": sources, "language": "de",
               "training": {"most": 3, "threads": 1}}  # fmt: skip
    made = settings_from(content, place="test")
    for stage in (stages.build_features, stages.train, stages.score, stages.publish):
        stage(made, CUTOFF)
    return made
