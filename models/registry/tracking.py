"""What Treue asks of MLflow, spoken through its client: no global state, no default store in the working folder."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from features.errors import ModelError
from models.registry.events import EVENTS, Event, events_of, in_use
from models.registry.package import FILES, PACKAGE, folder_of, package_digest, plain_files, write_package
from models.runs import Child
from models.signature import SIGNATURE

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion

_PARAMETERS_PER_BATCH = 100
_METRICS_PER_BATCH = 1000
_DATASET_DIGEST_LENGTH = 36
_TAGS_OF_CHILDREN = ("cutoff", "purpose", "recipe", "config", "digest", "data_digest")
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True, kw_only=True)
class RegisteredVersion:
    """One version in the registry: what it is called, what it was trained for, and the digest of its files."""

    name: str
    version: int
    cutoff: date
    recipe: str
    digest: str
    run_id: str
    events: tuple[Event, ...] | None = None
    package: str = ""
    signature: str = ""

    def signed_facts(self) -> Mapping[str, str]:
        """What a signature binds together."""
        facts = {"name": self.name, "cutoff": self.cutoff.isoformat(), "recipe": self.recipe, "digest": self.digest}
        return {**facts, "package": self.package}

    def in_use_on(self, day: date) -> bool:
        """Whether it was trained by ``day``, promoted and not taken out."""
        return self.cutoff <= day and in_use(self.events, day)

    @property
    def label(self) -> str:
        """The version as messages name it."""
        return f"model {self.name!r} version {self.version}"


class Tracking:
    """One MLflow store or server, reached at the first call."""

    def __init__(self, uri: str, artifact_root: Path | None) -> None:
        self._uri = uri
        self._artifact_root = artifact_root

    @cached_property
    def _client(self) -> MlflowClient:
        _prepare_environment()
        from mlflow import MlflowClient

        if self._uri.startswith("sqlite:///"):
            Path(self._uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    @contextmanager
    def one_line_errors(self) -> Iterator[None]:
        """Turn MLflow's errors into one line that names the store without its password.

        Raises
        ------
        ModelError
            In place of any error of MLflow or of its database.
        """
        _prepare_environment()
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError) as error:
            reason = _without_password((str(error).splitlines() or [type(error).__name__])[0][:300], self._uri)
            raise ModelError(
                f"MLflow at {_without_password(self._uri, self._uri)}: {reason}; check MLFLOW_TRACKING_URI"
            ) from error

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
        """Open a run in the experiment ``name``; it ends as FINISHED, or as FAILED when the block raises."""
        run = self._client.create_run(
            self._experiment(name), tags=dict(tags), run_name=f"{tags['cutoff']} {tags['digest'][:12]}"
        )
        status = "FAILED"
        try:
            yield run
            status = "FINISHED"
        finally:
            self._client.set_terminated(run.info.run_id, status)

    def log_facts(
        self, run: Run, parameters: Mapping[str, object], metrics: Mapping[str, float], plots: Mapping[str, bytes]
    ) -> None:
        """Log parameters (as text), metrics and plots (by file name) with ``run``."""
        from mlflow.entities import Metric, Param

        params = [Param(key, str(value)) for key, value in parameters.items()]
        values = [Metric(key, float(value), run.info.start_time, 0) for key, value in metrics.items()]
        for start in range(0, len(params), _PARAMETERS_PER_BATCH):
            self._client.log_batch(run.info.run_id, params=params[start : start + _PARAMETERS_PER_BATCH])
        for start in range(0, len(values), _METRICS_PER_BATCH):
            self._client.log_batch(run.info.run_id, metrics=values[start : start + _METRICS_PER_BATCH])
        if plots:
            with folder_of(plots) as folder:
                self._client.log_artifacts(run.info.run_id, str(folder), "plots")

    def log_children(self, run: Run, children: Sequence[Child], tags: Mapping[str, str]) -> None:
        """Log finished runs below ``run``, three calls each, tagged with the hashes that ``tags`` holds."""
        from mlflow.entities import Metric, Param

        kept = {tag: tags[tag] for tag in _TAGS_OF_CHILDREN if tag in tags}
        for child in children:
            below = {**kept, "mlflow.parentRunId": run.info.run_id, "treue.kind": child.kind}
            found = self._client.create_run(run.info.experiment_id, tags=below, run_name=child.name).info
            self._client.log_batch(
                found.run_id,
                metrics=[Metric(key, value, found.start_time, 0) for key, value in child.metrics.items()],
                params=[Param(key, str(value)) for key, value in child.parameters.items()],
            )
            self._client.set_terminated(found.run_id)

    def log_dataset(self, run: Run, *, name: str, data_digest: str) -> None:
        """Name the data the model learned from as the input of ``run``; MLflow keeps 36 digits as its digest."""
        from mlflow.entities import Dataset, DatasetInput

        short = data_digest[:_DATASET_DIGEST_LENGTH]
        dataset = Dataset(name=name, digest=short, source_type="sha256", source=data_digest)
        self._client.log_inputs(run.info.run_id, [DatasetInput(dataset, [])])

    def store(
        self,
        run: Run,
        files: Mapping[str, bytes],
        columns: Sequence[str],
        *,
        digest: str,
        documents: Mapping[str, bytes],
    ) -> tuple[LoggedModel, str]:
        """Store ``files`` as the model of ``run`` and return it with the digest of its whole folder.

        ``columns`` are what it reads; ``documents`` lie beside MLflow's own files, for people.
        """
        from mlflow.entities import LoggedModelOutput

        logged = self._client.create_logged_model(
            run.info.experiment_id, name="model", source_run_id=run.info.run_id, tags={"digest": digest}
        )
        self._client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, step=0)])
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model"
            write_package(target, files, columns, digest=digest, run_id=run.info.run_id, model_id=logged.model_id)
            for file_name, content in documents.items():
                (target / file_name).write_bytes(content)
            package = package_digest(target)
            self._client.log_model_artifacts(logged.model_id, str(target))
        return self._client.finalize_logged_model(logged.model_id, "READY"), package

    def add_version(self, run: Run, name: str, stored: LoggedModel, tags: Mapping[str, str]) -> RegisteredVersion:
        """Register ``stored`` as the next version of ``name``, its tags with it in one step."""
        with _already_there_is_fine():
            self._client.create_registered_model(name)
        added = self._client.create_model_version(
            name, stored.artifact_location, run_id=run.info.run_id, tags=dict(tags), model_id=stored.model_id
        )
        version = _registered(added)
        if version is None:
            raise ModelError(
                f"MLflow did not keep the tags of model {name!r} version {added.version}; update the server"
            )
        return version

    def set_alias(self, version: RegisteredVersion, alias: str) -> None:
        """Point ``alias`` at ``version``."""
        self._client.set_registered_model_alias(version.name, alias, str(version.version))

    def drop_alias(self, name: str, alias: str) -> None:
        """Take ``alias`` away from whichever version has it."""
        self._client.delete_registered_model_alias(name, alias)

    def set_tag(self, version: RegisteredVersion, key: str, value: str) -> None:
        """Write one tag of a version, and of the run behind it, so that both can be searched by it."""
        self._client.set_model_version_tag(version.name, str(version.version), key, value)
        if version.run_id:
            self._client.set_tag(version.run_id, key, value)

    def search(self, name: str) -> Iterator[RegisteredVersion]:
        """Yield the versions of ``name`` that carry Treue's tags."""
        token: str | None = None
        while True:
            page = self._client.search_model_versions(f"name = '{name}'", page_token=token)
            yield from filter(None, map(_registered, page))
            token = page.token
            if not token:
                return

    def fetch(self, version: RegisteredVersion) -> tuple[Mapping[str, bytes], bool]:
        """Return everything in the file folder of ``version``, unchecked, and whether its whole folder is unchanged.

        A version from before there was a digest of the whole folder counts as unchanged.

        Raises
        ------
        ModelError
            If the folder cannot be fetched.
        """
        with self._fetched(version, f"artifacts/{FILES}") as found:
            return plain_files(found / "artifacts" / FILES), version.package in ("", package_digest(found))

    def documents(self, version: RegisteredVersion) -> tuple[Mapping[str, bytes], bool]:
        """Return the texts for people in the folder of ``version``, and whether that folder is unchanged.

        Raises
        ------
        ModelError
            If the folder cannot be fetched.
        """
        with self._fetched(version, "*.md") as found:
            texts = {path.name: path.read_bytes() for path in sorted(found.glob("*.md"))}
            return texts, version.package in ("", package_digest(found))

    @contextmanager
    def _fetched(self, version: RegisteredVersion, wanted: str) -> Iterator[Path]:
        """Yield a copy of the folder of ``version``, which is removed afterwards."""
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        source = str(self._client.get_model_version(version.name, str(version.version)).source)
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = download_artifacts(
                    artifact_uri=source, dst_path=folder, tracking_uri=self._uri, registry_uri=self._uri
                )
                yield Path(found)
            except (OSError, MlflowException) as error:
                raise ModelError(
                    f"{version.label}: cannot fetch {source}/{wanted}; restore its files or train again"
                ) from error

    def _experiment(self, name: str) -> str:
        root = None if self._artifact_root is None else self._artifact_root.absolute().as_uri()
        found = self._client.get_experiment_by_name(name)
        if found is None:
            with _already_there_is_fine():
                self._client.create_experiment(name, artifact_location=root)
            found = self._client.get_experiment_by_name(name)
        if found is None:
            raise ModelError(f"MLflow neither has nor creates the experiment {name!r}; look at its server log")
        return str(found.experiment_id)


@contextmanager
def _already_there_is_fine() -> Iterator[None]:
    """Pass over the error of creating what another run has created first."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _prepare_environment() -> None:
    """Switch off MLflow's telemetry and chatter; runs before its first import and overrides nothing already set."""
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    for chatty in ("alembic", "mlflow.store.db"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _registered(found: ModelVersion) -> RegisteredVersion | None:
    cutoff, recipe, digest = (found.tags.get(tag, "") for tag in ("cutoff", "recipe", "digest"))
    day = day_of(cutoff)
    if day is None or not recipe or not digest:
        return None
    return RegisteredVersion(
        name=found.name,
        version=int(found.version),
        cutoff=day,
        recipe=recipe,
        digest=digest,
        run_id=found.run_id or "",
        events=events_of(found.tags.get(EVENTS)),
        package=found.tags.get(PACKAGE, ""),
        signature=found.tags.get(SIGNATURE, ""),
    )


def day_of(text: str) -> date | None:
    """Return the ISO date in ``text``, or None when it holds none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _without_password(text: str, uri: str) -> str:
    password = urlsplit(uri).password
    return text.replace(password, "***") if password else text
