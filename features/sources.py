"""Where tables come from: files and databases, opened read-only and brought into one embedded DuckDB.

The only module that opens files and databases for reading. Afterwards the engine is locked: expressions of
the configuration cannot reach anything but the rows loaded for them.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, field_validator

from features.coercion import quoted
from features.errors import ConfigError, SourceError
from features.nearest import suggestion
from features.section import Section
from features.textfiles import TextFile, prepare, read_sql, sql_text

if TYPE_CHECKING:
    import ibis.expr.types as ir

THREADS = 2
MEMORY_LIMIT = "3GB"
FILE, ROW = "_treue_file", "_treue_row"
TEXT_ENDINGS = (".csv", ".tsv", ".txt")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DATE_CODES = re.compile(r"%(?![-]?[dmyYbBHIMSpfzjaAgn]|%)")
_REMOTE = ("http", "https", "s3", "gs", "gcs", "az", "ftp", "sftp", "hf")


class ReadOptions(Section):
    """How a text file, or a text column of any source, is to be read."""

    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Character between fields; without it the one of comma, semicolon, tab and bar that is most"
        " frequent in the header line.",
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign of numbers written as text.")
    thousands: Literal["", ".", ",", " ", "'"] = Field(
        default="", description="Sign between groups of three digits; empty: none is allowed."
    )
    date_format: str = Field(
        default="",
        description='Form of dates written as text, e.g. "%d.%m.%Y"; ISO dates (2024-12-31) are always understood.',
    )
    encoding: str = Field(default="utf-8", description="Encoding of text files, e.g. utf-8, cp1252, latin-1, utf-16.")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
            b"".decode(value)
        except (LookupError, ValueError) as error:
            raise ValueError("expected an encoding such as utf-8, cp1252, latin-1 or utf-16") from error
        return codecs.lookup(value).name

    @field_validator("date_format")
    @classmethod
    def _known_codes(cls, value: str) -> str:
        if value and (_DATE_CODES.search(value) or not re.search("%-?d", value) or not re.search("%-?[yY]", value)):
            raise ValueError('expected codes for day, month and year such as "%d.%m.%Y"')
        return value


class Source(Section):
    """Where one table comes from and which expression gives each of its columns."""

    uri: str = Field(
        min_length=1,
        description="A file (.csv, .tsv, .txt, also .gz; .parquet), a folder, a glob, or the address of a database"
        " (postgres://, duckdb://, sqlite://, or any Ibis backend). Credentials only as ${NAME} of an environment"
        " variable. Relative paths start at the working directory.",
    )
    table: str | None = Field(default=None, min_length=1, description="Databases: the table or view, also schema.table.")
    where: str | None = Field(default=None, min_length=1, description="SQL condition; rows that do not meet it are not read.")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Column of the contract: SQL expression over the source. Columns left out are taken from the"
        " source's columns of the same name.",
    )
    currency: str | None = Field(
        default=None,
        min_length=1,
        description="SQL expression that gives the currency of each row; any other than the run's is an error.",
    )
    read: ReadOptions = Field(default_factory=ReadOptions, description="How text is read.")

    @field_validator("uri")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if "://" in value and _literal_password(value):
            raise ValueError("expected no password in the text; put it into an environment variable and write ${NAME}")
        return value


def _literal_password(uri: str) -> bool:
    authority = uri.split("://", 1)[1].split("/", 1)[0]
    password = authority.rpartition("@")[0].partition(":")[2]
    named = re.findall(r"(?i)[?&](?:password|passwd|pwd|token|secret|sslpassword)=([^&]*)", uri)
    return any(_REFERENCE.sub("", each) for each in (password, *named))


@dataclass(frozen=True, kw_only=True)
class Located:
    """A source found: its files, or the address of its database with references filled in (never to be shown)."""

    label: str
    kind: Literal["text", "parquet", "database"]
    files: tuple[Path, ...] = ()
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A source inside the engine: relation ``relation`` with the source's columns plus file number and row number."""

    relation: str
    types: Mapping[str, str]
    labels: tuple[str, ...]
    texts: tuple[TextFile, ...] = ()


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
    return _located_files(source, Path(root, os.path.expanduser(address.removeprefix("file://"))), place)


def _filled(uri: str, place: str) -> str:
    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise ConfigError(f"{place}: the environment variable {match[1]} is not set; set it before the run")
        return found if match[0] == uri else quote(found, safe="")

    return _REFERENCE.sub(value, uri)


def _located_database(source: Source, address: str, place: str, root: Path) -> Located:
    if source.table is None:
        raise ConfigError(f"{place}.table: a database needs the name of its table; add `table:` below the uri")
    parts = urlsplit(address)
    if parts.scheme in ("duckdb", "sqlite"):
        path = Path(root, address.split("://", 1)[1].split("?", 1)[0])
        if not path.is_file():
            raise SourceError(f"{place}.uri: there is no database file {path}; check the path")
        address = f"{parts.scheme}://{path}" + ("?read_only=True" if parts.scheme == "duckdb" else "")
    return Located(label=f"{_REFERENCE.sub('…', source.uri)} {source.table}", kind="database", address=address)


def _located_files(source: Source, path: Path, place: str) -> Located:
    if source.table is not None:
        raise ConfigError(f"{place}.table: only databases have tables, and `{source.uri}` is a file; remove the key")
    files = _matching(path)
    if not files:
        raise SourceError(f"{place}.uri: no file {path}; check the path (relative paths start at the working directory)")
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
    return tuple(sorted(Path(each) for each in glob(str(path), recursive=True) if Path(each).is_file())) if has_magic(
        str(path)
    ) else ()


def _kind_of(path: Path) -> Literal["text", "parquet"] | None:
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "text" if name.removesuffix(".gz").endswith(TEXT_ENDINGS) else None


def prepare_texts(located: Located, source: Source, *, folder: Path, first: int) -> tuple[TextFile, ...]:
    """Make the text files of a source readable; all must have the same columns, in any order."""
    texts = tuple(
        prepare(path, encoding=source.read.encoding, delimiter=source.read.delimiter, folder=folder, number=first + place)
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


class Engine:
    """One embedded DuckDB: opens sources, then answers SQL; every failure becomes one readable line."""

    def __init__(self, folder: Path, *, timezone: str, allowed: Sequence[Path]) -> None:
        self._connection = duckdb.connect(
            ":memory:", config={"threads": THREADS, "memory_limit": MEMORY_LIMIT, "temp_directory": str(folder / "spill")}
        )
        self._connection.execute("attach ':memory:' as vault (compress)")
        self._connection.execute("use vault")
        self._connection.execute(f"set TimeZone={sql_text(timezone)}")
        self._connection.execute("set python_enable_replacements=false")
        self._connection.execute(f"set allowed_paths=[{', '.join(sql_text(str(path)) for path in allowed)}]")
        self._connection.execute("set enable_external_access=false")
        self._connection.execute("set lock_configuration=true")

    def run(self, sql: str, *, place: str = "") -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; a failure becomes a SourceError that names ``place``."""
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise SourceError(f"{place}: {_first_line(error)}") from error

    def arrow(self, sql: str, *, place: str = "") -> pa.Table:
        """Return the result of a query as an Arrow table."""
        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise SourceError(f"{place}: {_first_line(error)}") from error

    def one(self, sql: str, *, place: str = "") -> tuple[Any, ...]:
        """Return the first row of a query; empty when it has none."""
        rows = self.run(sql, place=place)
        return rows[0] if rows else ()

    def types(self, relation_sql: str, *, place: str = "") -> dict[str, str]:
        """Return the columns of a query and their DuckDB types."""
        return {name: kind for name, kind, *_ in self.run(f"describe {relation_sql}", place=place)}

    def fitting_types(self, query: str, *, place: str, text: str) -> dict[str, str]:
        """Return the types of a query built from a configured expression; one that does not fit is a ConfigError."""
        try:
            return {name: kind for name, kind, *_ in self._connection.execute(f"describe {query}").fetchall()}
        except duckdb.Error as error:
            raise ConfigError(f"{place}: `{text}` does not fit its columns ({_reason(error)})") from error

    def load(self, name: str, data: pa.Table | pa.RecordBatchReader) -> None:
        """Copy Arrow data into the table ``name``."""
        self._connection.register("_incoming", data)
        try:
            self._connection.execute(f"create or replace table {quoted(name)} as from _incoming").fetchall()
        except duckdb.Error as error:
            raise SourceError(f"{name}: {_first_line(error)}") from error
        finally:
            self._connection.unregister("_incoming")

    def close(self) -> None:
        """Release memory and files."""
        self._connection.close()

    def _source_types(self, relation: str) -> dict[str, str]:
        types = self.types(f"select * from {quoted(relation)}")
        return {name: kind for name, kind in types.items() if name not in (FILE, ROW)}

    def open_texts(self, name: str, texts: Sequence[TextFile]) -> Opened:
        """Load text files into ``raw_<name>`` (all columns as text) and malformed lines into ``malformed_<name>``."""
        relation = f"raw_{name}"
        columns = ", ".join(f"{quoted(each)} varchar" for each in texts[0].names)
        self.run(f"create table {quoted(relation)} ({FILE} integer, {ROW} bigint, {columns})")
        self.run(f"create table {quoted(f'malformed_{name}')} ({FILE} integer, record bigint, problem varchar, line varchar)")
        for number, text in enumerate(texts):
            self._load_text(name, number, text)
        labels = tuple(str(text.origin) for text in texts)
        return Opened(relation=relation, types=self._source_types(relation), labels=labels, texts=tuple(texts))

    def _load_text(self, name: str, number: int, text: TextFile) -> None:
        insert = f"insert into {quoted(f'raw_{name}')} by name select {number} as {FILE}, row_number() over () as {ROW}, * from "
        try:
            self._connection.execute(insert + read_sql(text)).fetchall()
        except duckdb.Error:
            self._drop_rejects()
            self.run(insert + read_sql(text, relaxed=", strict_mode=false"), place=str(text.origin))
        self._keep_rejects(name, number, text)
        self._drop_rejects()

    def _keep_rejects(self, name: str, number: int, text: TextFile) -> None:
        place = str(text.origin)
        found = "select line, error_type, csv_line from reject_errors"
        bad = self.one(f"{found} where error_type = 'INVALID ENCODING' order by line limit 1")
        if bad:
            raise SourceError(
                f"{place} line {bad[0]}: not text in UTF-8; set read.encoding to the file's own"
                " (often cp1252, latin-1 or utf-16), or save it as UTF-8"
            )
        swallowed = self.one(
            f"{found} where error_type = 'UNQUOTED VALUE' and length(trim(csv_line, chr(10) || chr(13)))"
            " - length(replace(trim(csv_line, chr(10) || chr(13)), chr(10), '')) > 1 order by line limit 1"
        )
        if swallowed:
            raise SourceError(
                f"{place} line {swallowed[0]}: a quotation mark opened here is not closed and swallows the lines after it;"
                " close it, or double it if it belongs to the text"
            )
        self.run(
            f"insert into {quoted(f'malformed_{name}')} select {number}, line, min(lower(error_type) || ': ' || error_message),"
            " any_value(csv_line) from reject_errors group by line",
            place=place,
        )

    def _drop_rejects(self) -> None:
        self.run("drop table if exists temp.reject_errors")
        self.run("drop table if exists temp.reject_scans")

    def open_parquet(self, name: str, files: Sequence[Path]) -> Opened:
        """Make Parquet files visible as ``raw_<name>``; they are scanned in place."""
        paths = ", ".join(sql_text(str(path)) for path in files)
        number = f"cast(list_position([{paths}], {FILE}) - 1 as integer)" if len(files) > 1 else "0"
        self.run(
            f"create view {quoted(f'raw_{name}')} as select {number} as {FILE}, file_row_number + 1 as {ROW},"
            f" * exclude ({FILE}, file_row_number)"
            f" from read_parquet([{paths}], filename='{FILE}', file_row_number=true)",
            place=str(files[0]),
        )
        labels = tuple(str(path) for path in files)
        return Opened(relation=f"raw_{name}", types=self._source_types(f"raw_{name}"), labels=labels)

    def open_rows(self, name: str, data: pa.Table | pa.RecordBatchReader, *, label: str, order: str = "") -> Opened:
        """Load rows of a database or a frame into ``raw_<name>``; ``order`` ranks rows that come in no order."""
        self.load("incoming_rows", data)
        self.run(
            f"create table {quoted(f'raw_{name}')} as"
            f" select 0 as {FILE}, row_number() over ({order}) as {ROW}, * from incoming_rows",
            place=label,
        )
        self.run("drop table incoming_rows")
        return Opened(relation=f"raw_{name}", types=self._source_types(f"raw_{name}"), labels=(label,))


def _reason(error: Exception) -> str:
    return str(error).split("\n\n")[0].split("\nLINE ")[0].split("\nCandidate")[0].strip()


def _first_line(error: Exception) -> str:
    return f"{_reason(error)}; check the data and the expressions of this source"


class Database:
    """A table in a database, read through Ibis: its columns, and only those asked for as Arrow batches."""

    def __init__(self, located: Located, table: str, *, place: str) -> None:
        self._located, self._place = located, place
        self._table = self._guarded(lambda: _ibis_table(located.address, table, place))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the table."""
        return tuple(self._table.schema().names)

    def batches(self, columns: Sequence[str]) -> pa.Table:
        """Return the rows with only ``columns``."""
        selected = self._table.select(list(columns))
        table: pa.Table = self._guarded(lambda: selected.to_pyarrow_batches().read_all())
        return table

    def _guarded(self, action: Any) -> Any:
        try:
            return action()
        except _driver_errors() as error:
            secrets = {part for part in (urlsplit(self._located.address).password,) if part}
            text = str(error)
            for secret in secrets:
                text = text.replace(secret, "…")
            raise SourceError(f"{self._place}: {self._located.label} cannot be read ({text}); check address, rights and name") from error


def _ibis_table(address: str, table: str, place: str) -> ir.Table:
    import ibis

    connection = ibis.connect(address)
    schema, _, name = table.rpartition(".")
    known = connection.list_tables(database=schema) if schema else connection.list_tables()
    if name not in known:
        raise SourceError(f"{place}.table: there is no table `{table}`; {suggestion(name, known)}")
    return connection.table(name, database=schema) if schema else connection.table(name)


def _driver_errors() -> tuple[type[Exception], ...]:
    import sqlite3

    import ibis.common.exceptions
    import psycopg

    return (ibis.common.exceptions.IbisError, psycopg.Error, sqlite3.Error, duckdb.Error, pa.ArrowException, OSError,
            ImportError, ValueError, TypeError, NotImplementedError)  # fmt: skip
