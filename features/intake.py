"""Take tables in: open the sources, check them against the contract, keep what was known before the cutoff.

Rows are accepted, quarantined (with rule, column and message) or later than the cutoff, and nothing else:
``read = accepted + quarantined + later``. Later rows leave no trace, so that a past cutoff gives what that
morning would have given.
"""

# ruff: noqa: S608 - names are quoted, texts escaped, configured expressions parsed and restricted

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from features.coercion import quoted, reading_macros
from features.contract import KNOWN_AT, TABLES, Column, Table
from features.digest import digest_of
from features.errors import ConfigError, ContractError, SourceError
from features.expressions import literal
from features.nearest import suggestion
from features.sources import (
    MEMORY_GB,
    Database,
    Engine,
    Located,
    Opened,
    Source,
    TextFile,
    check_parquet,
    locate,
    prepare_texts,
)
from features.staging import Balance, stage

if TYPE_CHECKING:
    import pandas as pd


class Tables:
    """The accepted rows of every table, in canonical types, known before the cutoff.

    id, text and choice are strings, dates ``date32`` in the source's zone, money, number and share ``float64``,
    flags booleans. Every table has ``known_at``. The rows live in an embedded DuckDB until `close`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        folder: Path,
        columns: Mapping[str, tuple[str, ...]],
        dated: Collection[str],
        balances: Sequence[Balance],
        id_type: pa.DataType,
    ) -> None:
        self._engine, self._columns, self._dated = engine, dict(columns), frozenset(dated)
        self._release = weakref.finalize(self, _release, engine, folder)
        self.balances = tuple(balances)
        self.id_type = id_type
        self._only = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Tables that were configured, in the order of the contract."""
        return tuple(name for name in TABLES if name in self._columns)

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of the contract that table ``name`` really has (without ``known_at``); empty if absent."""
        return self._columns.get(name, ())

    def mapped(self, name: str) -> tuple[str, ...]:
        """Return the columns that the source itself gives: `columns`, and ``known_at`` where it is one of them."""
        return (*self.columns(name), *(("known_at",) if name in self._dated else ()))

    def has(self, name: str, *columns: str) -> bool:
        """Whether table ``name`` was configured and has all ``columns``."""
        return name in self._columns and set(columns) <= {*self._columns[name], "known_at"}

    def arrow(self, name: str, columns: Sequence[str], order_by: Sequence[str] = ()) -> pa.Table:
        """Return columns of a table, sorted by ``order_by`` (order of the source when empty)."""
        order = f" order by {', '.join(quoted(each) for each in order_by)}" if order_by else ""
        return self.query(f"select {', '.join(quoted(each) for each in columns)} from {quoted(name)}{order}")

    def query(self, sql: str) -> pa.Table:
        """Return the result of a DuckDB query; the tables are visible in it by name."""
        return self._engine.arrow(sql, place="query on the accepted tables")

    def batches(self, sql: str, *, rows: int) -> Iterator[pa.Table]:
        """Yield the result of a DuckDB query in batches of about so many rows; ask nothing else meanwhile."""
        waiting: list[pa.RecordBatch] = []
        for batch in self._engine.batches(sql, rows=rows, place="query on the accepted tables"):
            waiting.append(batch)
            if sum(each.num_rows for each in waiting) >= rows:
                yield pa.Table.from_batches(waiting)
                waiting = []
        if waiting:
            yield pa.Table.from_batches(waiting)

    @cached_property
    def customers(self) -> pa.Table:
        """Everyone who ordered or signed, by id: customer_id, rows (orders and contracts).

        From then on the relation ``customer_codes`` (customer_id, code from 0 in that order) is visible in queries.
        """
        signed = " union all select customer_id from contracts" if "contracts" in self._columns else ""
        self._engine.run(
            "create table customer_codes as"
            " select customer_id, row_number() over (order by customer_id) - 1 as code, count(*) as rows"
            f" from (select customer_id from orders{signed}){self._only} group by customer_id"
        )
        return self.query("select customer_id, rows from customer_codes order by code")

    def narrow_to(self, customer_ids: Collection[str]) -> None:
        """Let `customers` be only those of ``customer_ids``, before they are first asked for; rows are not touched."""
        self._only = f" where customer_id in ({', '.join(literal(each) for each in sorted(customer_ids)) or 'null'})"

    def restate(self, name: str, rows: pa.Table) -> None:
        """Let ``rows``, in canonical types and with ``known_at``, take the place of the accepted rows of a table."""
        self._engine.load(name, rows)
        self._columns[name] = tuple(each for each in rows.column_names if each != "known_at")

    def quarantine(self, name: str) -> pa.Table:
        """Return refused rows: file, row, rule, column, message, then the row's original columns as text.

        ``row`` is the line of a text file (header is line 1) or the 1-based row of any other source. Original
        columns named like one of the first five carry the prefix ``original_``.
        """
        return self._engine.arrow(f"select * from {quoted(f'quarantine_{name}')} order by file, row, message")

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What is missing and what that costs, refusals, orphans, repeated order lines."""
        from features.notes import notes_on

        return notes_on(self)

    @cached_property
    def first_known(self) -> date:
        """First day of an accepted order."""
        return _day(self.query("select min(occurred_on) as day from orders"))

    @cached_property
    def last_known(self) -> date:
        """Last day on which an accepted order became known."""
        return _day(self.query("select max(known_at) as day from orders"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over accepted rows and mapped columns; the order of rows and the kind of source do not matter."""
        return digest_of({name: (self.columns(name), self.sums(name)) for name in self.names})

    def sums(self, name: str) -> tuple[int, int, int]:
        """Return the number of rows of a table and the sums of both halves of their MD5; they add up over rows."""
        columns = (*sorted(self._columns[name]), "known_at")
        parts = ", chr(31), ".join(f"coalesce(cast({quoted(each)} as varchar), chr(30))" for each in columns)
        sums = self.query(
            "select cast(count(*) as varchar) as n, cast(coalesce(sum(md5_number_lower(line)), 0) as varchar) as low,"
            " cast(coalesce(sum(md5_number_upper(line)), 0) as varchar) as high"
            f" from (select concat({parts}) as line from {quoted(name)})"
        )
        count, low, high = (int(sums[each][0].as_py()) for each in ("n", "low", "high"))
        return count, low, high

    def close(self) -> None:
        """Release the rows and the temporary files."""
        self._release()

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _release(engine: Engine, folder: Path) -> None:
    engine.close()
    rmtree(folder, ignore_errors=True)


def _day(table: pa.Table) -> date:
    value: date = table["day"][0].as_py()
    return value


def take_in(
    sources: Mapping[str, Source],
    *,
    cutoff: date | None,
    timezone: str,
    root: Path,
    currency: str | None = None,
    compulsory: Collection[str] = ("orders",),
    memory_gb: float = MEMORY_GB,
) -> Tables:
    """Read, check and keep every row known before ``cutoff``.

    Parameters
    ----------
    sources : mapping of table name to Source
        Tables of the contract; ``orders`` is compulsory.
    cutoff : date or None
        Rows with ``known_at`` on or after it are left out as if they did not exist; None keeps all.
    timezone : str
        IANA name of the zone in which days begin and naive times are meant.
    root : Path
        Where relative paths start.
    currency : str, optional
        The run's currency, compared with the sources' ``currency`` expressions.
    compulsory : collection of table names
        Tables that must be there; empty to read single tables again.
    memory_gb : float
        Memory to keep within [GB]; what does not fit goes to temporary files.

    Raises
    ------
    ConfigError, SourceError, ContractError
        If the configuration is wrong, a source cannot be read, or nothing is left to work on.
    """
    check_sources(sources, compulsory=compulsory)
    _check_timezone(timezone)
    located = {name: locate(source, place=f"sources.{name}", root=root) for name, source in sources.items()}
    with ExitStack() as stack:
        intake = _Intake(
            stack, sources=sources, cutoff=cutoff, timezone=timezone, currency=currency, memory_gb=memory_gb
        )
        return intake.files_and_databases(located)


def take_in_frames(frames: Mapping[str, pd.DataFrame], *, cutoff: date | None, timezone: str) -> Tables:
    """Check pandas tables as `take_in` checks sources.

    Parameters
    ----------
    frames : mapping of table name to DataFrame
        Columns named as in the contract; others are ignored.
    cutoff, timezone
        As in `take_in`.
    """
    sources = {name: Source(uri=f"frame {name}") for name in frames}
    check_sources(sources)
    _check_timezone(timezone)
    with ExitStack() as stack:
        intake = _Intake(stack, sources=sources, cutoff=cutoff, timezone=timezone, currency=None)
        return intake.frames(frames)


def check_sources(sources: Mapping[str, Source], *, compulsory: Collection[str] = ("orders",)) -> None:
    """Check names of tables and columns against the contract; one ConfigError lists all that is wrong."""
    problems = [f"sources.{name}: unknown table; {suggestion(name, TABLES)}" for name in sources if name not in TABLES]
    problems += [
        f"sources.{name}: the {name} table is compulsory; add it" for name in compulsory if name not in sources
    ]
    for name, source in sources.items():
        known = [*(each.name for each in TABLES[name].columns), "known_at"] if name in TABLES else []
        problems += [
            f"sources.{name}.columns.{each}: {name} has no such column; {suggestion(each, known)}"
            for each in source.columns
            if known and each not in known
        ]
    if problems:
        raise ConfigError("; ".join(problems))


def _check_timezone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"timezone: expected an IANA name such as Europe/Berlin, got `{timezone}`") from error


class _Intake:
    """One run of the intake: settings that all its steps share."""

    def __init__(
        self,
        stack: ExitStack,
        *,
        sources: Mapping[str, Source],
        cutoff: date | None,
        timezone: str,
        currency: str | None,
        memory_gb: float = MEMORY_GB,
    ) -> None:
        self._memory_gb = memory_gb
        self._stack, self._path = stack, Path(tempfile.mkdtemp(prefix="treue_"))
        stack.callback(rmtree, self._path, ignore_errors=True)
        self._sources, self._cutoff, self._timezone, self._currency = sources, cutoff, timezone, currency

    def files_and_databases(self, located: Mapping[str, Located]) -> Tables:
        texts: dict[str, tuple[TextFile, ...]] = {}
        for name, found in located.items():
            if found.kind == "text":
                count = sum(len(each) for each in texts.values())
                texts[name] = prepare_texts(found, self._sources[name], folder=self._path, first=count)
            elif found.kind == "parquet":
                check_parquet(found.files)
        parquet = [path for found in located.values() if found.kind == "parquet" for path in found.files]
        engine = self._engine([*parquet, *(text.path for each in texts.values() for text in each)])
        opened = {}
        for name, found in located.items():
            if found.kind == "text":
                opened[name] = engine.open_texts(name, texts[name])
            elif found.kind == "parquet":
                opened[name] = engine.open_parquet(name, found.files)
            else:
                opened[name] = self._database(engine, name, found)
        return self._checked(engine, opened)

    def frames(self, frames: Mapping[str, pd.DataFrame]) -> Tables:
        engine = self._engine([])
        opened = {
            name: engine.open_rows(name, _arrow_of(name, frame), label=f"frame {name}")
            for name, frame in frames.items()
        }
        return self._checked(engine, opened)

    def _engine(self, allowed: Sequence[Path]) -> Engine:
        engine = Engine(self._path, timezone=self._timezone, allowed=allowed, memory_gb=self._memory_gb)
        self._stack.callback(engine.close)
        for name, source in self._sources.items():
            read = source.read
            for statement in reading_macros(
                name,
                decimal=read.decimal,
                thousands=read.thousands,
                date_format=read.date_format,
                timezone=self._timezone,
            ):
                engine.run(statement, place=f"sources.{name}.read")
        return engine

    def _database(self, engine: Engine, name: str, located: Located) -> Opened:
        from features.binding import needed_columns

        source = self._sources[name]
        with Database(located, str(source.table), place=f"sources.{name}") as database:
            columns = needed_columns(TABLES[name], source, database.names)
            order = f"order by {', '.join(quoted(each) for each in sorted(columns))}" if TABLES[name].key else ""
            return engine.open_rows(name, database.rows(columns), label=located.label, order=order)

    def _checked(self, engine: Engine, opened: Mapping[str, Opened]) -> Tables:
        staged = {
            name: stage(
                engine, TABLES[name], self._sources[name], opened[name],
                cutoff=self._cutoff, timezone=self._timezone, currency=self._currency,
            )
            for name in TABLES
            if name in opened
        }  # fmt: skip
        self._stack.pop_all()
        return Tables(
            engine,
            folder=self._path,
            columns={name: each.columns for name, each in staged.items()},
            dated=[name for name, each in staged.items() if each.is_dated],
            balances=[each.balance for each in staged.values()],
            id_type=(staged.get("orders") or next(iter(staged.values()))).id_type,
        )


def _arrow_of(name: str, frame: pd.DataFrame) -> pa.Table:
    table = TABLES[name]
    known = {each.name for each in (*table.columns, KNOWN_AT)}
    kept = [str(each) for each in frame.columns if each in known]
    return pa.table({each: _arrow_column(frame, each) for each in dict.fromkeys(kept)})


def _arrow_column(frame: pd.DataFrame, name: str) -> pa.Array | pa.ChunkedArray:
    values = frame[name]
    if getattr(values, "ndim", 1) != 1:
        raise SourceError(f"the frame has column `{name}` twice; keep one")
    if getattr(values.dtype, "tz", None) is not None:  # pyarrow would ask pandas for values without their zone
        return pa.array(values.dt.tz_convert(None).to_numpy(), type=pa.timestamp("us", tz="UTC"), from_pandas=True)
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if each is None or each != each else str(each) for each in values], type=pa.string())


__all__ = [
    "Balance",
    "Column",
    "ContractError",
    "Table",
    "Tables",
    "check_sources",
    "literal",
    "take_in",
    "take_in_frames",
]
