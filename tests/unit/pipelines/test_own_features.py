"""Features of the company's own, from the configuration to the lists, and the ways in which they can go wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import Group, catalogue
from features.errors import ConfigError, FeatureError, OutputError
from features.ledger import Column, Past
from features.outputs import read_manifest
from features.own import NEEDED
from models import decisive
from pipelines import stages
from pipelines.demo.company import demo_company, write_demo
from pipelines.library import Company
from pipelines.own_features import catalogue_of
from pipelines.places import Places
from pipelines.settings import Settings, settings_from

CUTOFF = date(2026, 1, 15)
MOST = sorted({feature.name for feature in catalogue()} - NEEDED)
"""All of ours that can be left out, so that what is left is among the five reasons."""

OWN = '''
import numpy as np
from features.catalogue import Group
from features.ledger import Column, Past

GROUP = Group("basket", needs={"orders": ()}, texts={"de": {"size": "Bestellgröße"}, "en": {"size": "Order size"}})

@GROUP.feature(unit="currency", family="size", windows=(364,))
def per_day(purchases: Past, days: int) -> Column:
    """Sales per day of purchase inside the window [currency].

    de: Verkaufswert je Kauftag im Zeitraum.
    """
    return purchases.total("sold", days) / 100.0 / np.maximum(purchases.count(days), 1)
'''


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write_demo(folder, demo_company(customers=120, seed=5))
    return folder / "data"


@pytest.fixture
def settings(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A configuration with a file of own features in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN, encoding="utf-8")
    return settings_of(data, files=["own.py"], leave_out=MOST)


@pytest.fixture
def with_all_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the regression be chosen, which looks at every feature; so small a company would get the rhythm."""
    monkeypatch.setattr(decisive, "choose", lambda *_: ("logistic", "chosen for the test"))


def settings_of(data: Path, **features: Any) -> Settings:
    sources = {path.stem: {"uri": str(path)} for path in sorted(data.glob("*.csv"))}
    training = {"most": 4, "threads": 1}
    content = {"name": "own", "language": "en", "sources": sources, "features": features, "training": training}
    return settings_from(content, place="test")


@pytest.mark.slow
def test_own_features_go_from_the_configuration_to_the_lists_and_a_changed_file_trains_anew(
    settings: Settings, with_all_features: None
) -> None:
    places = Places(Path(settings.output))
    for stage in (stages.build_features, stages.train, stages.score, stages.publish, stages.report):
        stage(settings, CUTOFF)
    assert "basket__per_day_364d" in read_manifest(places.matrix(CUTOFF))["features"]
    assert not stages.training_is_due(settings, CUTOFF)
    reasons = pd.read_parquet(places.scores(CUTOFF) / "scores.parquet").filter(like="reason_")
    assert (reasons == "basket__per_day_364d").any(axis=None)
    assert "Order size" in (places.report(CUTOFF) / "report.html").read_text(encoding="utf-8")
    Path("own.py").write_text(OWN.replace("/ 100.0", "/ 10.0"), encoding="utf-8")
    with pytest.raises(OutputError, match=r"features of your own.* have changed since the results of 2026-01-15"):
        stages.publish(settings, CUTOFF)
    stages.build_features(settings, CUTOFF)
    assert stages.training_is_due(settings, CUTOFF)


def test_a_feature_that_gives_infinity_stops_the_stage_in_one_line(settings: Settings) -> None:
    Path("own.py").write_text(OWN.replace("np.maximum(purchases.count(days), 1)", "0"), encoding="utf-8")
    with pytest.raises(FeatureError, match=r"basket__per_day_364d gives inf for .* customers; give NaN where"):
        stages.build_features(settings, CUTOFF)


def test_a_feature_that_knows_the_future_stops_the_stage_in_one_line(settings: Settings) -> None:
    ever = "np.bincount(purchases.ledger.customer, minlength=9999)[purchases.customers].astype(float)"
    Path("own.py").write_text(OWN.replace("np.maximum(purchases.count(days), 1)", ever), encoding="utf-8")
    with pytest.raises(FeatureError, match=r"basket__per_day_364d is .* on 2\d{3}-.* without the rows known from the"):
        stages.build_features(settings, CUTOFF)


def test_a_notebook_learns_which_features_break_a_promise() -> None:
    group = Group("leaky", needs={"orders": ()}, texts={"en": {"leaky": "Leak"}})

    @group.feature(unit="days", family="leaky")
    def newest_day(purchases: Past) -> Column:
        """Newest day of purchase on record [day number]."""
        return np.full(len(purchases.customers), float(purchases.ledger.day.max()))

    orders = demo_company(customers=50, seed=5).tables["orders"]
    broken = Company({"orders": orders}, features=[group], language="en").prove("2025-06-01")
    assert set(broken["feature"]) == {"leaky__newest_day"}
    assert "future" in set(broken["promise"])
    assert (broken["value"] != broken["otherwise"]).all()


def test_a_family_without_a_name_in_the_language_of_the_run_is_refused_before_anything_is_read(
    settings: Settings,
) -> None:
    Path("own.py").write_text(OWN.replace('"en": {"size": "Order size"}', ""), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"features.files: own.py: group `basket`: its family `size` is new and has no"
    ):
        catalogue_of(settings)
    with pytest.raises(ConfigError, match="is new and has no name in English"):
        stages.build_features(settings, CUTOFF)


def test_what_is_left_out_is_in_no_matrix_and_is_not_called_missing(data: Path, tmp_path: Path) -> None:
    settings = settings_of(data, leave_out=["contacts", "sales__margin"]).model_copy(
        update={"output": str(tmp_path / "out")}
    )
    manifest = read_manifest(stages.build_features(settings, CUTOFF))
    told = {*manifest["features"], *manifest["missing_features"]}
    assert not [name for name in told if name.startswith("contacts__") or name == "sales__margin_364d"]


@pytest.mark.slow
def test_a_notebook_uses_groups_and_a_configuration_its_files_from_their_root(
    settings: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_all_features: None
) -> None:
    group = catalogue_of(settings).own_groups[0]
    tables = {path.stem: pd.read_csv(path, dtype={"order_id": str}) for path in sorted(data.glob("orders.csv"))}
    company = Company(tables, language="en", training={"most": 4, "threads": 1}, features=[group], leave_out=MOST)
    model = company.train(CUTOFF)
    assert "basket__per_day_364d" in model.features
    told = company.explain(CUTOFF, model).stack()
    assert told.str.contains(r"Sales per day of purchase in the last 52 weeks: £?€?[\d,]+").any()
    config = tmp_path / "own.yaml"
    config.write_text(f"name: own\nfeatures: {{files: [own.py]}}\nsources: {{orders: {{uri: {data}/orders.csv}}}}\n")
    monkeypatch.chdir(data)
    from_config = Company.from_config(config, root=tmp_path)
    assert from_config.matrix(CUTOFF)["basket__per_day_364d"].equals(company.matrix(CUTOFF)["basket__per_day_364d"])
