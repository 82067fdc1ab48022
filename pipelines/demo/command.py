"""``treue demo``: the main job on the built-in company, from invented tables to lists and report."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pipelines.demo.company import demo_company, write_demo
from pipelines.settings import load_settings


def demo_config() -> Path:
    """Return the path of the demo's configuration, as shipped."""
    return Path(str(resources.files("configs") / "demo.yaml"))


def write_demo_data(*, customers: int, seed: int) -> Path:
    """Write the tables of the invented company below its output folder; return the folder."""
    folder = Path(load_settings(demo_config()).output)
    write_demo(folder, demo_company(customers=customers, seed=seed))
    return folder / "data"
