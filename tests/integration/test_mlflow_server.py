from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from features.errors import ModelError
from models.digest import digest_of
from models.registry import CHAMPION, RegisteredVersion, Registry, registry_in
from tests.servers import free_port

FILES = {"model.json": b'{"purpose": "churn"}', "booster_0.txt": b"tree\n"}
LONG_AGO = date(1970, 1, 1)

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(mlflow_server_uri: str, tmp_path: Path) -> Registry:
    return registry_in(tmp_path / "out", {"MLFLOW_TRACKING_URI": mlflow_server_uri})


def register(registry: Registry, name: str, *, cutoff: str) -> RegisteredVersion:
    return registry.register(
        FILES,
        name=name,
        digest=digest_of(FILES),
        tags={"cutoff": cutoff, "recipe": "r1", "purpose": "churn"},
        parameters={"candidate": "lightgbm"},
        metrics={"auc": 0.74},
        plots={"calibration.png": b"\x89PNG\r\n\x1a\n"},
        signature_features=["sales__recency_days"],
        data_digest="d" * 64,
    )


def test_a_server_keeps_the_model_and_gives_it_back_byte_for_byte(registry: Registry, tmp_path: Path) -> None:
    first = register(registry, "served", cutoff="2024-02-01")
    assert register(registry, "served", cutoff="2024-02-01") == first
    older = register(registry, "served", cutoff="2024-01-01")
    assert registry.champion("served", cutoff=date(2024, 3, 1), recipe="r1", not_before=LONG_AGO) == FILES
    assert registry.champion_version("served", cutoff=date(2024, 1, 31), recipe="r1", not_before=LONG_AGO) == older
    assert not (tmp_path / "out").exists()


def test_a_server_shows_run_plots_and_champion(registry: Registry, mlflow_server_uri: str) -> None:
    from mlflow import MlflowClient

    version = register(registry, "shown", cutoff="2024-02-01")
    client = MlflowClient(tracking_uri=mlflow_server_uri, registry_uri=mlflow_server_uri)
    assert int(client.get_model_version_by_alias("shown", CHAMPION).version) == version.version
    assert client.get_run(version.run_id).data.metrics == {"auc": 0.74}
    assert [plot.path for plot in client.list_artifacts(version.run_id, "plots")] == ["plots/calibration.png"]


def test_a_model_changed_on_the_server_is_refused(registry: Registry, mlflow_server_uri: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    version = register(registry, "changed", cutoff="2024-02-01")
    client = MlflowClient(tracking_uri=mlflow_server_uri, registry_uri=mlflow_server_uri)
    forged = tmp_path / "artifacts" / "files" / "booster_0.txt"
    forged.parent.mkdir(parents=True)
    forged.write_bytes(b"evil")
    outputs = client.get_run(version.run_id).outputs
    assert outputs is not None
    client.log_model_artifacts(outputs.model_outputs[0].model_id, str(tmp_path / "artifacts" / ".."))
    with pytest.raises(ModelError, match=r"model 'changed' version 1: booster_0\.txt was changed"):
        registry.champion("changed", cutoff=date(2024, 3, 1), recipe="r1", not_before=LONG_AGO)


def test_a_server_that_does_not_answer_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ModelError, match=rf"MLflow at {uri}: .*; check MLFLOW_TRACKING_URI") as refused:
        registry_in(tmp_path, {"MLFLOW_TRACKING_URI": uri}).versions("demo")
    assert "\n" not in str(refused.value)
