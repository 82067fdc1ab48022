"""The folder MLflow keeps for a model: our code as code, our files as files, no pickle."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

FILES = "files"
"""Folder of the model's own files among MLflow's artefacts."""

PREDICTED = ("score", "probability", "probability_low", "probability_high")
"""Columns of a prediction, float64 each."""

PACKAGE = "package"
"""Tag of a version: digest of its whole folder, MLflow's own files included."""

_MODEL_CODE = Path(__file__).with_name("pyfunc_model.py")
_REQUIRED = ("treue", "mlflow", "lightgbm", "numpy", "pandas", "scipy")


def write_package(
    target: Path, files: Mapping[str, bytes], columns: Sequence[str], *, digest: str, run_id: str, model_id: str
) -> None:
    """Write the model folder ``target``.

    Signature and requirements are given, so that MLflow neither runs the model nor starts a process to find them:
    that takes 0.3 s instead of 10 s.

    Parameters
    ----------
    target : Path
        Folder that does not exist yet.
    files : mapping of file name to content [bytes]
        The model's files with their listing.
    columns : sequence of str
        Columns the model reads, float64 each.
    digest, run_id, model_id : str
        Noted in the folder; the digest is what the code checks the files against.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    with folder_of(files) as source, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it asks for an example and types that the signature gives
        mlflow.pyfunc.save_model(
            str(target),
            python_model=str(_MODEL_CODE),
            artifacts={FILES: str(source)},
            signature=_signature(columns),
            model_config={"digest": digest},
            pip_requirements=[f"{package}=={version(package)}" for package in _REQUIRED],
            mlflow_model=Model(model_uuid=model_id, model_id=model_id, run_id=run_id),
        )


def package_digest(folder: Path) -> str:
    """Return one SHA-256 over path, kind and content of everything below ``folder``; a link counts as a link."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file" if path.is_file() else "other"
        if kind == "folder":
            continue
        content = hashlib.sha256(path.read_bytes() if kind == "file" else b"").hexdigest()
        total.update(f"{content} {kind} {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()


def plain_files(folder: Path) -> dict[str, bytes]:
    """Return the content of the files in ``folder``; what is no file comes as an empty one, which no listing has."""
    return {path.name: path.read_bytes() if path.is_file() else b"" for path in folder.iterdir()}


@contextmanager
def folder_of(files: Mapping[str, bytes]) -> Iterator[Path]:
    """Lay ``files`` out in a temporary folder and yield it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / FILES
        target.mkdir()
        for name, content in files.items():
            (target / name).write_bytes(content)
        yield target


def _signature(columns: Sequence[str]) -> ModelSignature:
    from mlflow.models import ModelSignature

    return ModelSignature(inputs=_float_columns(columns), outputs=_float_columns(PREDICTED))


def _float_columns(names: Sequence[str]) -> Schema:
    from mlflow.types import ColSpec, Schema

    return Schema([ColSpec("double", name) for name in names])
