"""Find the files or the database of a source."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ConfigError, SourceError
from features.sources.options import REFERENCE, Source
from features.sources.texts import TextFile, prepare

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
_REMOTE = ("http", "https", "s3", "gs", "gcs", "az", "ftp", "sftp", "hf")


@dataclass(frozen=True, kw_only=True)
class Located:
    """A source found: its files, or the address of its database with references filled in (never to be shown)."""

    label: str
    kind: Literal["text", "parquet", "database"]
    files: tuple[Path, ...] = ()
    address: str = ""


def locate(source: Source, *, place: str, root: Path) -> Located:
    """Find the files or database of a source.

    Raises
    ------
    ConfigError
        If the address is of a kind not supported, ``table`` is missing, or an environment variable is not set.
    SourceError
        If there is no such file.
    """
    address = _filled(source.uri, f"{place}.uri")
    scheme = address.split("://", 1)[0].lower() if "://" in address else ""
    if scheme in _REMOTE:
        raise ConfigError(f"{place}.uri: expected a file or a database, got `{source.uri}`; download it first")
    if scheme and scheme != "file":
        return _located_database(source, address, place, root)
    return _located_files(source, root / Path(address.removeprefix("file://")).expanduser(), place)


def _filled(uri: str, place: str) -> str:
    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise ConfigError(f"{place}: the environment variable {match[1]} is not set; set it before the run")
        return found if match[0] == uri else quote(found, safe="")

    return REFERENCE.sub(value, uri)


def _located_database(source: Source, address: str, place: str, root: Path) -> Located:
    if source.table is None:
        raise ConfigError(f"{place}.table: a database needs the name of its table; add `table:` below the uri")
    parts = urlsplit(address)
    if parts.scheme in ("duckdb", "sqlite"):
        path = Path(root, address.split("://", 1)[1].split("?", 1)[0])
        if not path.is_file():
            raise SourceError(f"{place}.uri: there is no database file {path}; check the path")
        address = f"{parts.scheme}://{path}"
    return Located(label=f"{REFERENCE.sub('…', source.uri)} {source.table}", kind="database", address=address)


def _located_files(source: Source, path: Path, place: str) -> Located:
    if source.table is not None:
        raise ConfigError(f"{place}.table: only databases have tables, and `{source.uri}` is a file; remove the key")
    files = _matching(path)
    if not files:
        raise SourceError(
            f"{place}.uri: no file {path}; check the path (relative paths start at the working directory)"
        )
    kinds = {_kind_of(file) for file in files}
    if None in kinds or len(kinds) > 1:
        odd = next((file for file in files if _kind_of(file) is None), files[0])
        raise SourceError(
            f"{place}.uri: expected .csv, .tsv, .txt (also .gz) or .parquet, all of one kind, got {odd};"
            " save it in one of these forms"
        )
    return Located(label=source.uri, kind="parquet" if kinds == {"parquet"} else "text", files=files)


def _matching(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        found = [each for each in path.rglob("*") if each.is_file() and not each.name.startswith((".", "_"))]
        return tuple(sorted(each for each in found if _kind_of(each)) or sorted(found))
    if path.is_file():
        return (path,)
    return tuple(sorted(each for each in _globbed(path) if each.is_file() and not each.name.startswith(".")))


def _globbed(path: Path) -> Iterator[Path]:
    parts = path.parts
    first = next((place for place, part in enumerate(parts) if any(sign in part for sign in "*?[")), None)
    return Path(*parts[:first]).glob("/".join(parts[first:])) if first else iter(())


def _kind_of(path: Path) -> Literal["text", "parquet"] | None:
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "text" if name.removesuffix(".gz").endswith(TEXT_ENDINGS) else None


def prepare_texts(located: Located, source: Source, *, folder: Path, first: int) -> tuple[TextFile, ...]:
    """Make the text files of a source readable; all must have the same columns, in any order."""
    texts = tuple(
        prepare(
            path, encoding=source.read.encoding, delimiter=source.read.delimiter, folder=folder, number=first + place
        )
        for place, path in enumerate(located.files)
    )
    for text in texts[1:]:
        _same_columns(texts[0].origin, texts[0].names, text.origin, text.names)
    return texts


def check_parquet(files: Sequence[Path]) -> None:
    """Check that every file is Parquet and that all have the same columns."""
    first: list[str] = []
    for path in files:
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowInvalid, OSError) as error:
            raise SourceError(f"{path} is not a readable Parquet file ({error}); fetch or export it again") from error
        first = first or names
        _same_columns(files[0], first, path, names)


def _same_columns(first: Path, expected: Sequence[str], path: Path, got: Sequence[str]) -> None:
    odd = sorted(set(expected) ^ set(got))
    if odd:
        raise SourceError(
            f"{path} and {first} belong to one source but differ in column `{odd[0]}`; give both the same columns"
        )
