from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.errors import ModelError
from models.calibrate import uncalibrated
from models.candidates import untrained_rhythm
from models.churn_model import ChurnModel
from models.digest import digest_of
from models.registry import CHAMPION, RegisteredVersion, Registry, registry_in
from models.runs import Child

FILES = {"model.json": b'{"purpose": "churn"}', "booster_0.txt": b"tree\n"}
PNG = b"\x89PNG\r\n\x1a\n"
LONG_AGO = date(1970, 1, 1)
_NUMBERS = count()


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out") / "demo"


@pytest.fixture(scope="module")
def registry(output: Path) -> Registry:
    return registry_in(output, {})


@pytest.fixture
def name() -> str:
    return f"model-{next(_NUMBERS)}"


def register(
    registry: Registry, name: str, files: Mapping[str, bytes] = FILES, *, cutoff: str = "2024-01-01", **tags: str
) -> RegisteredVersion:
    return registry.register(
        files,
        name=name,
        digest=digest_of(files),
        tags={"cutoff": cutoff, "recipe": "r1", "purpose": "churn", **tags},
        parameters={"candidate": "lightgbm", "trees": 120},
        metrics={"auc": 0.74, "brier": 0.2},
        plots={"calibration.png": PNG},
        signature_features=["sales__recency_days", "rhythm__silent_chance"],
        data_digest="d" * 64,
    )


def champion(registry: Registry, name: str, cutoff: str, **more: Any) -> RegisteredVersion | None:
    asked = {"recipe": "r1", "not_before": LONG_AGO, **more}
    return registry.champion_version(name, cutoff=date.fromisoformat(cutoff), **asked)


def client(output: Path) -> Any:
    from mlflow import MlflowClient

    uri = f"sqlite:///{output / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def stored_folder(output: Path, version: RegisteredVersion) -> Path:
    source = client(output).get_model_version(version.name, str(version.version)).source
    return Path(source.removeprefix("file://")) / "artifacts" / "files"


def test_a_registered_model_comes_back_byte_for_byte(registry: Registry, name: str) -> None:
    register(registry, name)
    found = registry.champion(name, cutoff=date(2024, 1, 1), recipe="r1", not_before=date(2024, 1, 1))
    assert found == FILES


def test_an_unknown_name_has_no_champion(registry: Registry, name: str) -> None:
    assert registry.champion(name, cutoff=date(2024, 1, 1), recipe="r1", not_before=LONG_AGO) is None


def test_the_run_holds_parameters_metrics_tags_plots_and_the_hash_of_its_data(
    registry: Registry, output: Path, name: str
) -> None:
    version = register(registry, name)
    run = client(output).get_run(version.run_id)
    plots = [artifact.path for artifact in client(output).list_artifacts(version.run_id, "plots")]
    assert run.info.status == "FINISHED"
    assert run.data.params == {"candidate": "lightgbm", "trees": "120"}
    assert run.data.metrics == {"auc": 0.74, "brier": 0.2}
    expected = {"cutoff": "2024-01-01", "recipe": "r1", "purpose": "churn", "data_digest": "d" * 64}
    assert expected.items() <= run.data.tags.items()
    assert run.data.tags["digest"] == version.digest == digest_of(FILES)
    assert run.inputs.dataset_inputs[0].dataset.source == "d" * 64
    assert plots == ["plots/calibration.png"]


def test_more_parameters_than_fit_in_one_call_are_logged(registry: Registry, output: Path, name: str) -> None:
    version = registry.register(
        FILES,
        name=name,
        digest=digest_of(FILES),
        tags={"cutoff": "2024-01-01", "recipe": "r1"},
        parameters={f"p{number}": number for number in range(230)},
        metrics={f"m{number}": number for number in range(1200)},
        plots={},
        signature_features=["f"],
        data_digest="d" * 64,
    )
    run = client(output).get_run(version.run_id)
    assert (len(run.data.params), len(run.data.metrics)) == (230, 1200)


def test_registering_the_same_model_again_gives_the_version_there_is(registry: Registry, name: str) -> None:
    first = register(registry, name)
    assert register(registry, name) == first
    assert len(registry.versions(name)) == 1


def test_the_same_files_for_another_cutoff_or_recipe_are_another_version(registry: Registry, name: str) -> None:
    register(registry, name)
    assert register(registry, name, cutoff="2024-02-01").version == 2
    assert register(registry, name, recipe="r2").version == 3


def test_the_champion_is_the_newest_by_trained_cutoff_and_not_by_number(
    registry: Registry, output: Path, name: str
) -> None:
    newest = register(registry, name, cutoff="2024-03-01")
    older = register(registry, name, cutoff="2024-02-01")
    assert older.version > newest.version
    assert champion(registry, name, "2024-12-31") == newest
    alias = client(output).get_model_version_by_alias(name, CHAMPION)
    assert int(alias.version) == newest.version


def test_of_two_models_for_one_cutoff_the_later_registered_is_champion(
    registry: Registry, output: Path, name: str
) -> None:
    register(registry, name)
    second = register(registry, name, {**FILES, "booster_0.txt": b"other tree\n"})
    assert champion(registry, name, "2024-12-31") == second
    assert int(client(output).get_model_version_by_alias(name, CHAMPION).version) == second.version


def test_a_model_trained_for_a_later_cutoff_does_not_exist_for_an_earlier_one(registry: Registry, name: str) -> None:
    early = register(registry, name, cutoff="2024-01-01")
    register(registry, name, cutoff="2024-02-01")
    assert champion(registry, name, "2024-01-31") == early
    assert champion(registry, name, "2023-12-31") is None


def test_a_model_older_than_allowed_is_no_champion(registry: Registry, name: str) -> None:
    version = register(registry, name)
    assert champion(registry, name, "2024-12-31", not_before=date(2024, 1, 1)) == version
    assert champion(registry, name, "2024-12-31", not_before=date(2024, 1, 2)) is None


def test_a_model_of_another_recipe_is_no_champion(registry: Registry, name: str) -> None:
    register(registry, name)
    assert champion(registry, name, "2024-12-31", recipe="r2") is None


def test_a_version_that_someone_else_registered_is_passed_over(registry: Registry, output: Path, name: str) -> None:
    ours = register(registry, name)
    client(output).create_model_version(name, (output / "elsewhere").as_uri(), tags={"cutoff": "soon"})
    assert registry.versions(name) == (ours,)


def test_more_versions_than_one_page_are_all_seen(
    registry: Registry, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    original = MlflowClient.search_model_versions
    monkeypatch.setattr(
        MlflowClient,
        "search_model_versions",
        lambda self, text, page_token=None: original(self, text, max_results=1, page_token=page_token),
    )
    expected = [register(registry, name, cutoff=f"2024-01-0{day}") for day in (1, 2, 3)]
    assert list(registry.versions(name)) == expected


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "booster_0.txt").write_bytes(b"evil"), r"version 1: booster_0\.txt was changed"),
        (lambda folder: (folder / "booster_0.txt").unlink(), r"version 1 lacks booster_0\.txt"),
        (lambda folder: (folder / "evil.pkl").write_bytes(b"."), r"version 1 holds 'evil\.pkl'"),
        (lambda folder: (folder / "SHA256SUMS").unlink(), r"version 1 has no SHA256SUMS"),
        (lambda folder: (folder / "SHA256SUMS").write_bytes(b""), r"version 1 is not the registered one"),
        (shutil.rmtree, r"version 1: cannot fetch file:///.*/files; restore"),
    ],
    ids=["changed", "missing", "added", "no listing", "other listing", "gone"],
)
def test_a_damaged_model_is_refused_in_one_line(
    registry: Registry, output: Path, name: str, damage: Any, message: str
) -> None:
    version = register(registry, name)
    damage(stored_folder(output, version))
    with pytest.raises(ModelError, match=message) as refused:
        registry.champion(name, cutoff=date(2024, 1, 1), recipe="r1", not_before=LONG_AGO)
    assert "\n" not in str(refused.value)


def test_a_digest_that_is_not_that_of_the_files_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match=r"digest '0000.*' is not that of the files"):
        registry.register(
            FILES,
            name=name,
            digest="0" * 64,
            tags={"cutoff": "2024-01-01", "recipe": "r1"},
            parameters={},
            metrics={},
            plots={},
            signature_features=[],
            data_digest="",
        )


def test_a_model_without_a_recipe_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match="without the tag 'recipe'"):
        register(registry, name, recipe="")


def test_a_cutoff_that_is_no_date_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match="expected YYYY-MM-DD, got 'spring'"):
        register(registry, name, cutoff="spring")


@pytest.mark.parametrize("name", ["", "a'b", "a/b", "a:b", " a", "x" * 201])
def test_a_name_that_could_mean_something_to_mlflow_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match="model name"):
        registry.versions(name)


def test_a_run_whose_model_could_not_be_stored_ends_as_failed(
    registry: Registry, output: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("models.registry.tracking.write_package", broken)
    with pytest.raises(OSError, match="disk full"):
        register(registry, name)
    experiment = client(output).get_experiment_by_name(name)
    assert [run.info.status for run in client(output).search_runs([experiment.experiment_id])] == ["FAILED"]
    assert registry.versions(name) == ()


def test_an_error_of_mlflow_is_one_line_that_names_the_store(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"MLflow at ftp://me:\*\*\*@host/x: .*; check MLFLOW_TRACKING_URI") as refused:
        Registry("ftp://me:secret@host/x", tmp_path).versions("demo")
    assert "\n" not in str(refused.value)


def test_nothing_stored_is_a_pickle(registry: Registry, output: Path, name: str) -> None:
    folder = stored_folder(output, register(registry, name)).parents[1]
    files = [path for path in folder.rglob("*") if path.is_file()]
    suspects = [path for path in files if path.suffix in {".pkl", ".pickle", ".skops", ".joblib"}]
    assert len(files) > 5
    assert suspects == []
    assert [path for path in files if path.read_bytes()[:1] == b"\x80"] == []


def test_the_environment_decides_where_the_registry_is(tmp_path: Path) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'shared' / 'mlflow.db'}"
    register(registry_in(tmp_path / "out", {"MLFLOW_TRACKING_URI": elsewhere}), "demo")
    assert (tmp_path / "shared" / "mlflow.db").is_file()
    assert not (tmp_path / "out" / "mlflow.db").exists()
    assert (tmp_path / "out" / "mlartifacts").is_dir()


def stored_churn_model(registry: Registry, output: Path, name: str) -> tuple[ChurnModel, Path]:
    """Register a model that speaks by the rhythm alone; return it and the folder of its files."""
    model = ChurnModel(
        purpose="churn",
        candidate=untrained_rhythm(lost=True),
        calibration=uncalibrated(),
        features=("sales__recency_days", "rhythm__silent_chance"),
        cutoff=date(2024, 1, 1),
    )
    return model, stored_folder(output, register(registry, name, model.to_files()))


def test_mlflow_scores_as_the_model_does_with_pickles_forbidden(
    registry: Registry, output: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.pyfunc

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model, files = stored_churn_model(registry, output, name)
    matrix = pd.DataFrame({"sales__recency_days": [1.0, None], "rhythm__silent_chance": [0.5, 0.1]}, index=[7, 9])
    predicted = mlflow.pyfunc.load_model(str(files.parents[1])).predict(matrix)
    assert list(predicted.columns) == ["score", "probability", "probability_low", "probability_high"]
    pd.testing.assert_frame_equal(predicted, model.score(matrix))


def test_mlflow_refuses_a_matrix_without_a_feature(registry: Registry, output: Path, name: str) -> None:
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    _, files = stored_churn_model(registry, output, name)
    loaded = mlflow.pyfunc.load_model(str(files.parents[1]))
    with pytest.raises(MlflowException, match="rhythm__silent_chance"):
        loaded.predict(pd.DataFrame({"sales__recency_days": [1.0]}))


def test_mlflow_does_not_build_a_model_whose_files_were_changed(registry: Registry, output: Path, name: str) -> None:
    import mlflow.pyfunc

    _, files = stored_churn_model(registry, output, name)
    (files / "model.json").write_bytes(b"{}")
    with pytest.raises(ModelError, match=r"model\.json was changed"):
        mlflow.pyfunc.load_model(str(files.parents[1]))


@pytest.mark.parametrize("before", ["", "import mlflow"], ids=["command line", "notebook"])
def test_registering_prints_nothing_and_leaves_nothing_in_the_working_folder(tmp_path: Path, before: str) -> None:
    program = f"""{before}
from pathlib import Path
from datetime import date
from models.digest import digest_of
from models.registry import registry_in
registry, files = registry_in(Path("out"), {{}}), {{"model.json": b"1"}}
registry.register(files, name="demo", digest=digest_of(files), tags={{"cutoff": "2024-01-01", "recipe": "r"}},
    parameters={{}}, metrics={{"auc": 0.5}}, plots={{}}, signature_features=["f"], data_digest="d")
registry.champion("demo", cutoff=date(2024, 1, 1), recipe="r", not_before=date(2024, 1, 1))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["mlartifacts", "mlflow.db"]


def test_the_card_comes_back_with_the_version_and_a_changed_one_is_refused(
    registry: Registry, output: Path, name: str
) -> None:
    version = registered_with(
        registry, name, documents={"model_card.de.md": b"# Karte\n", "model_card.en.md": b"# C\n"}
    )
    assert registry.documents(version) == {"model_card.de.md": b"# Karte\n", "model_card.en.md": b"# C\n"}
    assert registry.files(version) == FILES
    (stored_folder(output, version).parents[1] / "model_card.de.md").write_bytes(b"# praised\n")
    with pytest.raises(ModelError, match=r"version 1: something beside its files was added, taken away or changed"):
        registry.documents(version)


def test_folds_and_trials_are_finished_runs_below_the_training_with_its_hashes(
    registry: Registry, output: Path, name: str
) -> None:
    children = (
        Child(name="fold 2023-10-01", kind="fold", parameters={"test": "2023-10-01"}, metrics={"rhythm.auc": 0.7}),
        Child(name="trial 0", kind="trial", parameters={"leaves": 7}, metrics={"log_loss": 0.5}),
    )
    version = registered_with(registry, name, children=children)
    runs = client(output)
    parent = runs.get_run(version.run_id)
    below = f"tags.`mlflow.parentRunId` = '{version.run_id}'"
    found = {run.info.run_name: run for run in runs.search_runs([parent.info.experiment_id], below)}
    assert set(found) == {"fold 2023-10-01", "trial 0"}
    for run in found.values():
        assert run.info.status == "FINISHED"
        for tag in ("digest", "data_digest", "cutoff", "recipe"):
            assert run.data.tags[tag] == parent.data.tags[tag]
    assert found["fold 2023-10-01"].data.metrics == {"rhythm.auc": 0.7}
    assert (found["trial 0"].data.params, found["trial 0"].data.tags["treue.kind"]) == ({"leaves": "7"}, "trial")


def registered_with(registry: Registry, name: str, **more: Any) -> RegisteredVersion:
    return registry.register(
        FILES,
        name=name,
        digest=digest_of(FILES),
        tags={"cutoff": "2024-01-01", "recipe": "r1"},
        parameters={},
        metrics={},
        plots={},
        signature_features=["sales__recency_days"],
        data_digest="d" * 64,
        **more,
    )
