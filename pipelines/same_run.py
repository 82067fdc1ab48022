"""Whether what another stage left behind belongs to this run: the same rows, the same configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import OutputError
from features.outputs import MANIFEST, read_manifest
from pipelines.settings import Settings


def manifest_of_same_run(folder: Path, settings: Settings, *, data: str, command: str) -> Mapping[str, Any] | None:
    """Return what the manifest of ``folder`` says; None where that stage was not run.

    Raises
    ------
    OutputError
        If it was made from other rows or another configuration than ``data`` and ``settings`` name; ``command`` makes
        it anew.
    """
    if not (folder / MANIFEST).is_file():
        return None
    manifest = read_manifest(folder)
    if (manifest["data"], manifest["config"]) != (data, settings.digest):
        raise OutputError(f"{folder} was made from other rows or another configuration; run `{command}` again")
    return manifest
