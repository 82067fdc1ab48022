from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ModelError
from models.digest import LISTING, digest_of, listing_of, verified, with_listing

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(lambda name: name != LISTING)
MODELS = st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=4)


@given(MODELS)
def test_what_was_stored_comes_back_verified(files: dict[str, bytes]) -> None:
    assert verified(with_listing(files), digest=digest_of(files), where="model") == files


@given(MODELS, st.data())
def test_any_other_byte_is_refused(files: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(with_listing(files))))
    content = bytearray(with_listing(files)[name] or b"\0")
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    damaged = {**with_listing(files), name: bytes(content)}
    with pytest.raises(ModelError, match=r"is not the registered one|was changed"):
        verified(damaged, digest=digest_of(files), where="model")


def test_a_missing_file_is_named() -> None:
    files = {"model.json": b"{}", "booster_0.txt": b"tree"}
    stored = with_listing(files)
    del stored["booster_0.txt"]
    with pytest.raises(ModelError, match=r"model 1 lacks booster_0\.txt"):
        verified(stored, digest=digest_of(files), where="model 1")


def test_an_added_file_is_named() -> None:
    files = {"model.json": b"{}"}
    with pytest.raises(ModelError, match=r"holds 'evil\.pkl'"):
        verified({**with_listing(files), "evil.pkl": b"."}, digest=digest_of(files), where="model 1")


def test_a_listing_that_was_written_anew_for_other_files_is_refused() -> None:
    forged = with_listing({"model.json": b"forged"})
    with pytest.raises(ModelError, match="is not the registered one"):
        verified(forged, digest=digest_of({"model.json": b"{}"}), where="model 1")


def test_files_without_a_listing_are_refused() -> None:
    with pytest.raises(ModelError, match="has no SHA256SUMS"):
        verified({"model.json": b"{}"}, digest=digest_of({"model.json": b"{}"}), where="model 1")


@pytest.mark.parametrize("name", ["../model.json", "a/b", "", ".hidden", "a\nb", LISTING, "ä"])
def test_a_name_that_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="is not plain"):
        listing_of({name: b""})


def test_a_model_without_files_is_refused() -> None:
    with pytest.raises(ModelError, match="at least one file"):
        digest_of({})


def test_sha256sum_can_check_a_stored_model(tmp_path: Path) -> None:
    for name, content in with_listing({"model.json": b"{}", "booster_0.txt": b"tree"}).items():
        (tmp_path / name).write_bytes(content)
    subprocess.run(["sha256sum", "--check", "--strict", LISTING], cwd=tmp_path, check=True, capture_output=True)
