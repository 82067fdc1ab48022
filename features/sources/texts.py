"""CSV, TSV and other delimited text: header, delimiter, encoding, malformed lines and their numbers.

DuckDB reads the rows; nothing is guessed from the data but the delimiter, and that from the header line alone,
so that rows added later cannot change how earlier ones are read.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from features.errors import SourceError

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_ENCODING_HELP = "set read.encoding to the file's own (often cp1252, latin-1 or utf-16), or save it as UTF-8"


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """One delimited file: where it was, the plain UTF-8 copy or original DuckDB reads, its columns and delimiter."""

    origin: Path
    path: Path
    delimiter: str
    names: tuple[str, ...]


def prepare(origin: Path, *, encoding: str, delimiter: str | None, folder: Path, number: int) -> TextFile:
    """Make a text file readable: unpack and transcode it into ``folder`` where needed, read its header.

    Raises
    ------
    SourceError
        If the file cannot be read, is not text in ``encoding``, or has no usable header.
    """
    try:
        plain = _plain_copy(origin, encoding, folder / f"text_{number}.csv")
        path = _even_copy(plain, folder / f"even_{number}.csv")
        first = _first_record_line(path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{origin} is damaged: it does not unpack as gzip ({error}); fetch the file again") from error
    except UnicodeError as error:
        raise SourceError(f"{origin} is not text in {encoding} ({_where(error)}); {_ENCODING_HELP}") from error
    except OSError as error:
        raise SourceError(f"{origin} cannot be read ({error.strerror}); check the path and its rights") from error
    used = delimiter or _delimiter(origin, first)
    return TextFile(origin=origin, path=path, delimiter=used, names=_names(origin, path, used))


def _where(error: UnicodeError) -> str:
    return str(error.reason) if isinstance(error, UnicodeDecodeError) else str(error)


def _plain_copy(origin: Path, encoding: str, copy: Path) -> Path:
    packed = origin.suffix.lower() == ".gz"
    _refuse_foreign(origin, packed)
    if not packed and codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return origin
    with _opened(origin, packed) as source, copy.open("wb") as target:
        for text in codecs.iterdecode(iter(lambda: source.read(_CHUNK), b""), encoding, errors="strict"):
            target.write(text.encode("utf-8", errors="strict"))
    return copy


def _even_copy(path: Path, copy: Path) -> Path:
    """Return ``path``, or a copy with one kind of line end where it mixes them: DuckDB reads strictly only one kind."""
    if not _mixes_line_ends(path):
        return path
    with path.open("rb") as source, copy.open("wb") as target:
        decoder = io.IncrementalNewlineDecoder(None, translate=True)
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            target.write(decoder.decode(chunk.decode("latin-1")).encode("latin-1"))
        target.write(decoder.decode("", final=True).encode("latin-1"))
    return copy


def _mixes_line_ends(path: Path) -> bool:
    decoder = io.IncrementalNewlineDecoder(None, translate=False)
    with path.open("rb") as source:
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            decoder.decode(chunk.decode("latin-1"))
            if isinstance(decoder.newlines, tuple):
                return True
    return False


def _opened(path: Path, packed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


def _refuse_foreign(origin: Path, packed: bool) -> None:
    with origin.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        raise SourceError(
            f"{origin} is a zip or Excel file, not text; save the sheet as CSV (UTF-8) and name that file"
        )
    if start == b"PAR1":
        raise SourceError(f"{origin} is a Parquet file; rename it to end in .parquet")
    if start[:2] == b"\x1f\x8b" and not packed:
        raise SourceError(f"{origin} is packed with gzip; rename it to end in .gz")


def _first_record_line(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnicodeError("it starts like UTF-16")
    return start.split(b"\n", 1)[0].decode("utf-8-sig")


def _delimiter(origin: Path, start: str) -> str:
    if origin.name.lower().removesuffix(".gz").endswith(".tsv"):
        return "\t"
    line = "".join(part for place, part in enumerate(start.lstrip().split('"')) if place % 2 == 0)
    line = line.splitlines()[0] if line.strip() else ""
    return max(DELIMITERS, key=line.count)


def _names(origin: Path, path: Path, delimiter: str) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next(csv.reader(file, delimiter=delimiter), [])
    except csv.Error as error:
        raise SourceError(
            f"{origin} line 1: the header cannot be read ({error}); check quotes and delimiter"
        ) from error
    names = tuple(name.strip() or f"column{place}" for place, name in enumerate(header, start=1))
    if not any(name.strip() for name in header):
        raise SourceError(
            f"{origin} line 1: expected a header with column names, got nothing; the file is empty or damaged"
        )
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise SourceError(f"{origin} line 1: column `{name}` appears twice in the header; rename one of them")
        seen.add(name.lower())
    return names


def read_sql(file: TextFile) -> str:
    """Return the DuckDB call that reads ``file``: every column as text, malformed lines kept apart."""
    columns = ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in file.names)
    return (
        f"read_csv({sql_text(str(file.path))}, auto_detect=false, header=true, columns={{{columns}}},"
        f" delim={sql_text(file.delimiter)}, quote='\"', escape='\"', store_rejects=true, rejects_limit=0)"
    )


def sql_text(text: str) -> str:
    """Return ``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def line_numbers(
    file: TextFile, *, wanted: npt.NDArray[np.int64], malformed: Sequence[int]
) -> tuple[npt.NDArray[np.int64], dict[int, int]]:
    """Return the line of the file (header is line 1) on which each wanted data row starts.

    Parameters
    ----------
    wanted : array of int, shape (n,)
        Data rows as DuckDB counts them: from 1, without header, blank and malformed lines.
    malformed : sequence of int
        Malformed records as DuckDB counts them: header is 1, blank lines count, line ends inside quotes do not.

    Returns
    -------
    (lines, shape (n,); mapping of malformed record to its line)
    """
    refused = np.asarray(sorted(set(malformed)), dtype=np.int64)
    if not _has_blank_or_long_records(file):
        before = refused - 2 - np.arange(len(refused))
        return wanted + 1 + np.searchsorted(before, wanted, side="left"), {int(each): int(each) for each in refused}
    return _walked(file, wanted, set(refused.tolist()))


def _has_blank_or_long_records(file: TextFile) -> bool:
    """Whether counting lines and counting records could differ: a blank line, or a quote that may span lines."""
    previous, quotes_even = b"", True
    with file.path.open("rb") as source:
        for line in source:
            quotes_even = line.count(b'"') % 2 == 0
            if not quotes_even or not line.strip():
                return True
            previous = line
    return b"\r" in previous.rstrip(b"\r\n")


def _walked(
    file: TextFile, wanted: npt.NDArray[np.int64], malformed: set[int]
) -> tuple[npt.NDArray[np.int64], dict[int, int]]:
    starts: list[int] = [1]
    lines_of_malformed: dict[int, int] = {}
    for record, (start, is_blank) in enumerate(_records(file), start=1):
        if record in malformed:
            lines_of_malformed[record] = start
        elif record > 1 and not is_blank:
            starts.append(start)
    known = np.asarray(starts, dtype=np.int64)
    return known[np.minimum(wanted, len(known) - 1)], {each: lines_of_malformed.get(each, each) for each in malformed}


def _records(file: TextFile) -> Iterator[tuple[int, bool]]:
    with file.path.open(encoding="utf-8-sig", errors="replace", newline="") as source:
        reader = csv.reader(source, delimiter=file.delimiter)
        start = 1
        for record in reader:
            yield start, not record
            start = reader.line_num + 1
