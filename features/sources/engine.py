"""The embedded DuckDB: opens located sources, is locked, then answers SQL with readable errors."""

# ruff: noqa: S608 - names are quoted, texts escaped, configured expressions parsed and restricted

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.coercion import quoted
from features.errors import ConfigError, SourceError
from features.sources.texts import TextFile, line_numbers, read_sql, sql_text

THREADS = 2
MEMORY_GB = 3.0
FILE, ROW = "_treue_file", "_treue_row"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A source inside the engine: relation ``relation`` with the source's columns plus file number and row number."""

    relation: str
    types: Mapping[str, str]
    labels: tuple[str, ...]
    texts: tuple[TextFile, ...] = ()


class Engine:
    """One embedded DuckDB: opens sources, then answers SQL; every failure becomes one readable line."""

    def __init__(
        self,
        folder: Path,
        *,
        timezone: str,
        allowed: Sequence[Path],
        memory_gb: float = MEMORY_GB,
        threads: int = THREADS,
    ) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": f"{round(memory_gb * 1000)}MB",
                "temp_directory": str(folder / "spill"),
            },
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

    def batches(self, sql: str, *, rows: int, place: str = "") -> Iterator[pa.RecordBatch]:
        """Yield the result of a query in batches of at most so many rows."""
        try:
            yield from self._connection.sql(sql).to_arrow_reader(rows)
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

    def load(self, name: str, data: pa.Table | pa.RecordBatchReader, *, place: str = "") -> None:
        """Copy Arrow data into the table ``name``."""
        self._connection.register("_incoming", data)
        try:
            self._connection.execute(f"create or replace table {quoted(name)} as from _incoming").fetchall()
        except duckdb.Error as error:
            raise SourceError(f"{place or name}: {_first_line(error)}") from error
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
        self.run(
            f"create table {quoted(f'malformed_{name}')} ({FILE} integer, record bigint, problem varchar, line varchar)"
        )
        for number, text in enumerate(texts):
            self._load_text(name, number, text)
        labels = tuple(str(text.origin) for text in texts)
        return Opened(relation=relation, types=self._source_types(relation), labels=labels, texts=tuple(texts))

    def _load_text(self, name: str, number: int, text: TextFile) -> None:
        insert = (
            f"insert into {quoted(f'raw_{name}')} by name"
            f" select {number} as {FILE}, row_number() over () as {ROW}, * from "
        )
        self.run(insert + read_sql(text), place=str(text.origin))
        self._keep_rejects(name, number, text)
        self._drop_rejects()

    def _keep_rejects(self, name: str, number: int, text: TextFile) -> None:
        place = str(text.origin)
        found = "select line, error_type, csv_line from reject_errors"
        bad = self.one(f"{found} where error_type = 'INVALID ENCODING' order by line limit 1")
        if bad:
            raise SourceError(
                f"{place} line {self._line_of(text, bad[0])}: not text in UTF-8; set read.encoding to the file's own"
                " (often cp1252, latin-1 or utf-16), or save it as UTF-8"
            )
        swallowed = self.one(
            f"{found} where error_type = 'UNQUOTED VALUE' and length(trim(csv_line, chr(10) || chr(13)))"
            " - length(replace(trim(csv_line, chr(10) || chr(13)), chr(10), '')) > 1 order by line limit 1"
        )
        if swallowed:
            raise SourceError(
                f"{place} line {self._line_of(text, swallowed[0])}: a quotation mark opened here is not closed and"
                " swallows the lines after it; close it, or double it if it belongs to the text"
            )
        self.run(
            f"insert into {quoted(f'malformed_{name}')}"
            f" select {number}, line, min(lower(error_type) || ': ' || error_message),"
            " any_value(csv_line) from reject_errors group by line",
            place=place,
        )

    def _line_of(self, text: TextFile, record: int) -> int:
        none: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        return line_numbers(text, wanted=none, malformed=[record])[1][record]

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

    def open_accepted(self, name: str, data: Sequence[Path] | pa.Table) -> tuple[str, ...]:
        """Make rows that were accepted before visible as ``<name>``; return their columns."""
        if isinstance(data, pa.Table):
            self._connection.register(name, data)
        else:
            paths = ", ".join(sql_text(str(path)) for path in data)
            self.run(f"create view {quoted(name)} as from read_parquet([{paths}])", place=str(data[0]))
        return tuple(self.types(f"from {quoted(name)}"))

    def open_rows(self, name: str, data: pa.Table | pa.RecordBatchReader, *, label: str, order: str = "") -> Opened:
        """Load rows of a database or a frame into ``raw_<name>``; ``order`` ranks rows that come in no order."""
        self.load("incoming_rows", data, place=label)
        self.run(
            f"create table {quoted(f'raw_{name}')} as"
            f" select 0 as {FILE}, row_number() over ({order}) as {ROW}, * from incoming_rows",
            place=label,
        )
        self.run("drop table incoming_rows")
        return Opened(relation=f"raw_{name}", types=self._source_types(f"raw_{name}"), labels=(label,))


def _reason(error: Exception) -> str:
    return str(error).split("\n\n")[0].split("\nLINE ")[0].split("\nCandidate")[0].split("Detail: Python")[0].strip()


def _first_line(error: Exception) -> str:
    return f"{_reason(error)}; check the data and the expressions of this source"
