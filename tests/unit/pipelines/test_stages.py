"""What decides whether a model may be used again, and what a company's own catalogue of measures must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.catalogue import catalogue
from features.errors import ConfigError
from features.sources import Source
from pipelines.build_features import recipe_of
from pipelines.publish import measures_of
from pipelines.settings import Settings
from retention.settings import Plan


def settings(**orders: object) -> Settings:
    source = Source.model_validate({"uri": "orders.csv", **orders})
    return Settings(name="company", output="out/company", sources={"orders": source})


def test_another_mapping_of_the_columns_asks_for_another_model() -> None:
    assert recipe_of(settings(), ["a"]) != recipe_of(settings(columns={"amount": "-1 * amount"}), ["a"])
    assert recipe_of(settings(), ["a"]) != recipe_of(settings(where="amount > 0"), ["a"])
    assert recipe_of(settings(), ["a"]) != recipe_of(settings(), ["a", "b"])
    assert recipe_of(settings(), ["a"]) != recipe_of(settings(), ["a"], own="0123")


def test_the_place_of_a_source_does_not_matter_for_the_model() -> None:
    moved = settings(uri="postgresql://db/erp", table="orders")
    assert recipe_of(settings(), ["a"]) == recipe_of(moved, ["a"])


def test_a_catalogue_of_measures_that_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    missing = settings().model_copy(update={"plan": Plan(measures=str(tmp_path / "mine.yaml"))})
    with pytest.raises(ConfigError, match=r"plan.measures: .*mine.yaml cannot be read .*; give a YAML file in UTF-8"):
        measures_of(missing, catalogue())


def test_a_catalogue_of_measures_that_is_no_text_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00measures")
    broken = settings().model_copy(update={"plan": Plan(measures=str(tmp_path / "mine.yaml"))})
    with pytest.raises(ConfigError, match="give a YAML file in UTF-8"):
        measures_of(broken, catalogue())
