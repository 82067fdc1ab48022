"""Results appear whole or not at all, and a reader trusts only what a manifest names."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from features.errors import OutputError
from features.outputs import (
    MANIFEST,
    parquet_bytes,
    read_manifest,
    read_parquet,
    write_bytes,
    write_json,
    write_manifest,
    write_parquet,
)

TABLE = pa.table({"customer_id": ["A", "B"], "probability": [0.25, None]})


def finished(folder: Path) -> Path:
    write_parquet(folder / "scores.parquet", TABLE)
    write_manifest(folder, rows={"scores.parquet": TABLE.num_rows}, facts={"cutoff": "2024-01-01"})
    return folder


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    assert read_parquet(finished(tmp_path / "new" / "folder"), "scores.parquet") == TABLE


def test_the_manifest_tells_rows_digests_and_facts(tmp_path: Path) -> None:
    manifest = read_manifest(finished(tmp_path))
    assert manifest["cutoff"] == "2024-01-01"
    assert manifest["files"]["scores.parquet"]["rows"] == 2
    assert len(manifest["files"]["scores.parquet"]["sha256"]) == 64


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    chunks = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    assert parquet_bytes(TABLE) == parquet_bytes(chunks.combine_chunks())
    assert parquet_bytes(TABLE) == parquet_bytes(TABLE.replace_schema_metadata({"written": "today"}))
    first, second = (finished(tmp_path / name) / MANIFEST for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_json_is_sorted_and_keeps_umlauts(tmp_path: Path) -> None:
    assert (
        write_json(tmp_path / "a.json", {"ü": 1, "a": 2}).read_text(encoding="utf-8") == '{\n  "a": 2,\n  "ü": 1\n}\n'
    )


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_file_whole_and_nothing_beside_it(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bytes(tmp_path / "list.csv", b"old")

    def crash(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os if step == "fsync" else Path, step, crash)
    with pytest.raises(OSError, match="disk full"):
        write_bytes(path, b"new and longer")
    assert [each.name for each in tmp_path.iterdir()] == ["list.csv"]
    assert path.read_bytes() == b"old"


def test_a_folder_without_manifest_is_not_finished(tmp_path: Path) -> None:
    write_parquet(tmp_path / "scores.parquet", TABLE)
    with pytest.raises(OutputError, match=r"has no manifest.json: the step that writes it has not finished"):
        read_parquet(tmp_path, "scores.parquet")


def test_a_file_the_manifest_does_not_name_is_not_read(tmp_path: Path) -> None:
    write_parquet(finished(tmp_path) / "other.parquet", TABLE)
    with pytest.raises(OutputError, match=r"does not name other.parquet"):
        read_parquet(tmp_path, "other.parquet")


def test_a_single_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = finished(tmp_path) / "scores.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(OutputError, match=r"scores.parquet is not the file its manifest names; run the step"):
        read_parquet(tmp_path, "scores.parquet")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    (finished(tmp_path) / "scores.parquet").unlink()
    with pytest.raises(OutputError, match=r"scores.parquet is not the file its manifest names"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"files": {', b"[]", b'{"cutoff": 1}', b'{"files": {"a": 1}}', b"\xff\xfe"])
def test_a_damaged_manifest_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (finished(tmp_path) / MANIFEST).write_bytes(content)
    with pytest.raises(OutputError, match=r"manifest.json is damaged; run the step that writes it again"):
        read_manifest(tmp_path)
