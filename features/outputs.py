"""Writing results so that they appear whole or not at all.

A file is written beside its place, synced and renamed; the manifest of a folder comes last. Readers trust
only what a manifest names: its row counts and SHA-256 digests are checked on reading.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import OutputError

MANIFEST = "manifest.json"


def write_bytes(path: Path, data: bytes) -> Path:
    """Write ``data`` to ``path`` atomically (temporary file, fsync, rename, fsync of the folder); return ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return path


def parquet_bytes(table: pa.Table) -> bytes:
    """Return ``table`` as Parquet; the same table gives the same bytes."""
    buffer = BytesIO()
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd", store_schema=True)
    return buffer.getvalue()


def write_parquet(path: Path, table: pa.Table) -> Path:
    """Write ``table`` as Parquet, atomically; return ``path``."""
    return write_bytes(path, parquet_bytes(table))


class ParquetStream:
    """A Parquet file written table by table, which appears under its name once all are written.

    As a context manager: an error inside leaves nothing behind.
    """

    def __init__(self, path: Path):
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        """Append a table; all have the columns of the first."""
        plain = table.replace_schema_metadata(None)
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _writer(self._temporary, plain.schema)
        if len(plain) or not self.rows:
            self._writer.write_table(plain)
        self.rows += len(plain)

    def __enter__(self) -> ParquetStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
                if kind is None:
                    _sync_file(self._temporary)
                    self._temporary.replace(self._path)
                    _sync_folder(self._path.parent)
        finally:
            self._temporary.unlink(missing_ok=True)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file for tables of numbers: a dictionary of numbers costs more time and space than it saves."""
    texts = [each.name for each in schema if pa.types.is_string(each.type) or pa.types.is_large_string(each.type)]
    compressed: Mapping[str, Any] = {"compression": "zstd", "compression_level": 1}
    return pq.ParquetWriter(path, schema, use_dictionary=texts, store_schema=True, **compressed)


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write ``content`` as readable JSON with sorted keys, atomically; return ``path``."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return write_bytes(path, (text + "\n").encode())


def write_manifest(folder: Path, *, rows: Mapping[str, int], facts: Mapping[str, Any]) -> Path:
    """Write the manifest of ``folder``: for each file its row count and SHA-256, and the run's facts.

    Parameters
    ----------
    folder : Path
        Folder whose files are complete.
    rows : mapping of file name to row count [rows]
        Exactly the files that readers may trust; files not named are ignored by readers.
    facts : mapping
        Run, model, cutoff, config hash and the like.
    """
    files = {name: {"rows": count, "sha256": sha256_of(folder / name)} for name, count in sorted(rows.items())}
    return write_json(folder / MANIFEST, {"files": files, **facts})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of ``folder`` after checking that every file it names is there and unchanged.

    Raises
    ------
    OutputError
        If the manifest is missing, or a file is missing or differs from its digest.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise OutputError(f"{folder} has no {MANIFEST}: the step that writes it has not finished; run it first")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{path} is damaged; run the step that writes it again") from error
    for name, digest in files.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise OutputError(f"{folder / name} is not the file its manifest names; run the step that writes it again")
    return manifest


def read_parquet(folder: Path, name: str) -> pa.Table:
    """Return the Parquet file ``name`` of ``folder``, if the folder's manifest names it and it is unchanged."""
    manifest = read_manifest(folder)
    if name not in manifest["files"]:
        raise OutputError(f"the manifest of {folder} does not name {name}; run the step that writes it again")
    return pq.read_table(folder / name)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
