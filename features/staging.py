"""One table from opened source to accepted rows, quarantine and balance."""

# ruff: noqa: S608 - names are quoted, texts escaped, configured expressions parsed and restricted

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from features.binding import bind, condition
from features.coercion import quoted
from features.contract import Table
from features.errors import ContractError
from features.expressions import literal
from features.quality import Mapped, breaches_sql, has_breach, shown_sql, staging_sql
from features.sources import FILE, ROW, Engine, Opened, Source, line_numbers

_FIXED = ("file", "row", "rule", "column", "message")


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What became of the rows of one table: ``read = accepted + quarantined + later`` [rows]."""

    table: str
    read: int
    accepted: int
    quarantined: int
    later: int


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A table taken in: its balance, the columns it has, whether known_at is one, and the type its customer ids had."""

    balance: Balance
    columns: tuple[str, ...]
    is_dated: bool
    id_type: pa.DataType


def stage(
    engine: Engine,
    table: Table,
    source: Source,
    opened: Opened,
    *,
    cutoff: date | None,
    timezone: str,
    currency: str | None,
) -> Staged:
    """Create the accepted table ``<name>`` and ``quarantine_<name>`` from an opened source; return the balance."""
    mapped = bind(engine, table, source, opened)
    step = _Step(engine, table, source, opened, mapped, cutoff)
    step.read(timezone)
    step.check_currency(currency)
    step.mark_repeats()
    step.accept()
    step.quarantine()
    balance = step.balance()
    id_type = step.id_type()
    step.drop()
    if table.name == "orders" and balance.accepted == 0:
        raise ContractError(_nothing_left(engine, balance, opened, cutoff))
    names = tuple(each.column.name for each in mapped if each.column.name != "known_at")
    return Staged(balance=balance, columns=names, is_dated=len(names) < len(mapped), id_type=id_type)


class _Step:
    """The steps of one table, over relations named after it."""

    def __init__(
        self,
        engine: Engine,
        table: Table,
        source: Source,
        opened: Opened,
        mapped: tuple[Mapped, ...],
        cutoff: date | None,
    ) -> None:
        self._engine, self._table, self._source, self._opened = engine, table, source, opened
        self._mapped, self._cutoff = mapped, cutoff
        self._name = table.name
        self._staged, self._repeats = quoted(f"staged_{table.name}"), quoted(f"repeats_{table.name}")
        self._raw, self._lines = quoted(opened.relation), quoted(f"lines_{table.name}")
        self._later = f"coalesce(_known >= date '{cutoff}', false)" if cutoff else "false"
        self._own = f"({has_breach(mapped)} and not {self._later})"

    def read(self, timezone: str) -> None:
        """Read the source into canonical types and breach codes."""
        opened, source = self._opened, self._source
        where = condition(
            self._engine,
            source.where,
            opened.types,
            relation=opened.relation,
            table=self._name,
            key="where",
            absent="true",
        )
        currency = condition(
            self._engine, source.currency, opened.types,
            relation=opened.relation, table=self._name, key="currency", absent="null",
        )  # fmt: skip
        sql = staging_sql(
            self._table, self._mapped,
            relation=opened.relation, where=where, currency=currency, timezone=timezone, cutoff=self._cutoff,
        )  # fmt: skip
        self._engine.run(f"create table {self._staged} as {sql}", place=f"sources.{self._name} ({source.uri})")

    def check_currency(self, currency: str | None) -> None:
        """Refuse a run over more than one currency."""
        if self._source.currency is None:
            return
        wanted = currency or self._engine.one(f'select min("?currency") from {self._staged}')[0]
        odd = self._engine.one(
            f'select {FILE}, {ROW}, "?currency" from {self._staged}'
            f' where "?currency" is distinct from {literal(str(wanted))} and not {self._later} order by 1, 2 limit 1'
        )
        if odd:
            line = self._line(odd[0], odd[1])
            raise ContractError(
                f"{self._opened.labels[odd[0]]} row {line}: currency is '{odd[2]}', expected {wanted} in every row of"
                f" {self._name}; convert the amounts or leave such rows out with sources.{self._name}.where"
            )

    def mark_repeats(self) -> None:
        """Note rows whose key a row known earlier (else: first in the file) already has: repeated or conflicting."""
        self._engine.run(
            f"create table {self._repeats}"
            " (file integer, row bigint, first_file integer, first_row bigint, same boolean)"
        )
        if not self._table.key:
            return
        keys = ", ".join(quoted(each) for each in self._table.key)
        content = ", ".join(quoted(each.column.name) for each in self._mapped)
        window = f"over (partition by {keys} order by _known, {FILE}, {ROW})"
        self._engine.run(
            f"insert into {self._repeats} select {FILE}, {ROW}, first_file, first_row, content = first_content"
            f" from (select {FILE}, {ROW}, row_number() {window} as place, first_value({FILE}) {window} as first_file,"
            f" first_value({ROW}) {window} as first_row, cast(row({content}) as varchar) as content,"
            f" first_value(cast(row({content}) as varchar)) {window} as first_content"
            f" from {self._staged} where not {self._own} and not {self._later}) where place > 1",
            place=f"sources.{self._name}",
        )

    def accept(self) -> None:
        """Keep the rows without breach that were known before the cutoff."""
        columns = ", ".join(quoted(each.column.name) for each in self._mapped if each.column.name != "known_at")
        self._engine.run(
            f"create table {quoted(self._name)} as select {columns}, _known as known_at from {self._staged} s"
            f" where not {self._own} and not {self._later}"
            f" and not exists (from {self._repeats} r where r.file = s.{FILE} and r.row = s.{ROW})",
            place=f"sources.{self._name}",
        )

    def quarantine(self) -> None:
        """Keep every refused row with rule, column and message beside its original columns as text."""
        self._number_lines()
        originals = ", ".join(
            f"cast(raw.{quoted(each)} as varchar) as {quoted(_original(each))}" for each in self._opened.types
        )
        breaches = (
            f"select {FILE}, {ROW}, {breaches_sql(self._mapped)} as breaches from (select s.*, {_prefixed_shown()} from"
            f" {self._staged} s join (select {FILE} as _f, {ROW} as _r, {shown_sql(self._mapped)} from {self._raw}) w"
            f" on s.{FILE} = w._f and s.{ROW} = w._r where {self._own})"
            if self._count(self._own)
            else f"select null::integer as {FILE}, null::bigint as {ROW},"
            ' null::struct(rule varchar, "column" varchar, message varchar)[] as breaches where false'
        )
        refused = (
            f'select {FILE}, {ROW}, breaches[1].rule as rule, breaches[1].column as "column",'
            " array_to_string(list_transform(breaches, lambda b: b.message), '; ') as message"
            f" from ({breaches}) union all {self._repeats_sql()}"
        )
        self._engine.run(
            f"create table {quoted(f'quarantine_{self._name}')} as"
            f" select {self._label_sql('b.' + FILE)} as file, coalesce(l.line, b.{ROW}) as row, b.rule, b.column,"
            " b.message,"
            f" {originals} from ({refused}) b join {self._raw} raw using ({FILE}, {ROW})"
            f" left join {self._lines} l on l.file = b.{FILE} and l.row = b.{ROW}",
            place=f"sources.{self._name}",
        )
        self._add_malformed()

    def _repeats_sql(self) -> str:
        key = " and ".join(self._table.key)
        where = f"'row ' || coalesce(l.line, r.first_row) || ' of ' || {self._label_sql('r.first_file')}"
        return (
            f"select r.file, r.row, if(r.same, 'repeated row', 'conflicting rows'), {literal(self._table.key[0])}"
            if self._table.key
            else "select r.file, r.row, '', ''"
        ) + (
            f", if(r.same, 'the same as ' || {where} || ', which is kept', {literal(key)} || ' as in ' || {where} ||"
            f" ', which is kept, but other content: nobody can know which is right') from {self._repeats} r"
            f" left join {self._lines} l on l.file = r.first_file and l.row = r.first_row"
        )

    def _label_sql(self, number: str) -> str:
        labels = ", ".join(literal(label) for label in self._opened.labels)
        return f"([{labels}])[{number} + 1]"

    def _number_lines(self) -> None:
        """Create ``lines_<name>``: the line of each text row that a message or the quarantine names."""
        self._engine.run(f"create table {self._lines} (file integer, row bigint, line bigint)")
        if not self._opened.texts:
            return
        named = self._engine.arrow(
            f"select {FILE} as file, {ROW} as row from {self._staged} where {self._own}"
            f" union select file, row from {self._repeats} union select first_file, first_row from {self._repeats}"
        )
        files, rows = named["file"].to_numpy(), named["row"].to_numpy()
        for number in range(len(self._opened.texts)):
            chosen = rows[files == number]
            self._store_lines(number, chosen, *self._lines_of(number, chosen))

    def _lines_of(self, number: int, rows: np.ndarray) -> tuple[np.ndarray, dict[int, int]]:
        malformed = self._engine.arrow(
            f"select record from {quoted(f'malformed_{self._name}')} where {FILE} = {number}"
        )["record"].to_pylist()
        if not len(rows) and not malformed:
            return rows, {}
        return line_numbers(self._opened.texts[number], wanted=rows.astype(np.int64), malformed=malformed)

    def _store_lines(self, number: int, rows: np.ndarray, lines: np.ndarray, malformed: dict[int, int]) -> None:
        self._engine.load(
            "numbered", pa.table({"row": pa.array(rows, pa.int64()), "line": pa.array(lines, pa.int64())})
        )
        self._engine.run(f"insert into {self._lines} select {number}, row, line from numbered")
        records = pa.table(
            {"record": pa.array(malformed.keys(), pa.int64()), "line": pa.array(malformed.values(), pa.int64())}
        )
        self._engine.load("numbered", records)
        self._engine.run(
            f"update {quoted(f'malformed_{self._name}')} m set record = n.line from numbered n"
            f" where m.record = n.record and m.{FILE} = {number}"
        )

    def _line(self, number: int, row: int) -> int:
        if not self._opened.texts:
            return row
        lines, _ = self._lines_of(number, np.array([row]))
        return int(lines[0])

    def _add_malformed(self) -> None:
        if not self._opened.texts:
            return
        self._engine.run(
            f"insert into {quoted(f'quarantine_{self._name}')} by name select {self._label_sql(FILE)} as file,"
            " record as row, 'malformed line' as rule, '' as \"column\","
            " problem || ': `' || left(trim(replace(line, chr(10), ' ')), 200) || '`' as message"
            f" from {quoted(f'malformed_{self._name}')}"
        )

    def _count(self, condition: str) -> int:
        return int(self._engine.one(f"select count(*) from {self._staged} where {condition}")[0])

    def balance(self) -> Balance:
        """Count what became of the rows."""
        malformed = (
            self._engine.one(f"select count(*) from {quoted(f'malformed_{self._name}')}")[0]
            if self._opened.texts
            else 0
        )
        return Balance(
            table=self._name,
            read=self._count("true") + int(malformed),
            accepted=int(self._engine.one(f"select count(*) from {quoted(self._name)}")[0]),
            quarantined=int(self._engine.one(f"select count(*) from {quoted(f'quarantine_{self._name}')}")[0]),
            later=self._count(self._later),
        )

    def id_type(self) -> pa.DataType:
        """Return the Arrow type of the source's customer ids (whole-number ids for floating ones)."""
        each = next(each for each in self._mapped if each.column.name == "customer_id")
        kind = self._engine.arrow(f"select {each.compiled.sql} as v from {self._raw} limit 0").schema.field("v").type
        return pa.int64() if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else kind

    def drop(self) -> None:
        """Drop what is not needed any more."""
        for relation in (self._staged, self._repeats, self._lines):
            self._engine.run(f"drop table {relation}")
        kind = "view" if not self._opened.texts and self._is_view() else "table"
        self._engine.run(f"drop {kind} {self._raw}")

    def _is_view(self) -> bool:
        found = f"select count(*) from duckdb_views() where view_name = {literal(self._opened.relation)}"
        return bool(self._engine.one(found)[0])


def _original(name: str) -> str:
    return f"original_{name}" if name.lower() in _FIXED else name


def _prefixed_shown() -> str:
    return "w.* exclude (_f, _r)"


def _nothing_left(engine: Engine, balance: Balance, opened: Opened, cutoff: date | None) -> str:
    where = opened.labels[0]
    if balance.read == 0:
        return f"{where}: no orders were read; check the file and sources.orders.where"
    if balance.quarantined == 0:
        return (
            f"{where}: all {balance.later} orders became known on or after the cutoff {cutoff}; choose a later cutoff"
        )
    file, row, message = engine.one("select file, row, message from quarantine_orders order by file, row limit 1")
    later = f" and the other {balance.later} became known on or after the cutoff" if balance.later else ""
    return (
        f"{file} row {row}: {message}; so all {balance.quarantined} orders read were refused{later};"
        " correct the columns of sources.orders"
    )
