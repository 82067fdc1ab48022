from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.outputs import read_parquet
from pipelines.places import Places
from pipelines.settings import Settings
from tests.unit.pipelines.finished_run import CUTOFF, finished_run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a finished run; whoever changes its output works on a copy."""
    return finished_run(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def scored(finished: Settings) -> dict[str, pd.DataFrame]:
    """Scores of the active and of the lapsed, by file."""
    folder = Places(Path(finished.output)).scores(CUTOFF)
    return {name: read_parquet(folder, f"{name}.parquet").to_pandas() for name in ("scores", "returns")}
