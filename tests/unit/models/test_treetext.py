"""Texts of trees that LightGBM really writes are read, odd ones are refused."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from features.errors import ModelError
from models.treetext import require_trees

COLUMNS = ["known_or_not"]


def missing_decides() -> str:
    """Return trees whose split sends all known values one way and the missing ones the other: threshold ``inf``."""
    x = np.r_[np.linspace(0, 1, 500), np.full(500, np.nan)][:, None]
    data = lgb.Dataset(x, np.isnan(x[:, 0]).astype(int), feature_name=COLUMNS, params={"verbose": -1})
    settings = {"objective": "binary", "num_leaves": 2, "boost_from_average": False, "verbose": -1, "num_threads": 1}
    return str(lgb.train(settings, data, 3).model_to_string())


def test_a_split_between_known_and_missing_has_an_endless_threshold_and_is_read() -> None:
    text = missing_decides()
    assert "threshold=inf" in text
    require_trees(text.encode(), COLUMNS, where="booster_0.txt")


@pytest.mark.parametrize(("told", "forged"), [("threshold=inf", "threshold=nan"), ("threshold=inf", "threshold=-inf")])
def test_other_endless_thresholds_are_refused(told: str, forged: str) -> None:
    text = missing_decides()
    with pytest.raises(ModelError, match="can be read safely"):
        require_trees(text.replace(told, forged).encode(), COLUMNS, where="booster_0.txt")


def test_an_endless_leaf_is_refused() -> None:
    lines = [
        line if not line.startswith("leaf_value=") else "leaf_value=inf 0" for line in missing_decides().split("\n")
    ]
    with pytest.raises(ModelError, match="can be read safely"):
        require_trees("\n".join(lines).encode(), COLUMNS, where="booster_0.txt")
