"""Our own ledger of what was sent: which rows of which run reached which target, whatever the target says later.

``runs`` has one row per run; ``sent`` has one row per payload that changed hands, in order. What the target holds
by our account is the last row of ``sent`` per target, customer and cutoff.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import duckdb
import pandas as pd
import pyarrow as pa

from features.errors import ExportError
from retention.export.frames import check_key, typed_rows

Status = Literal["intended", "delivered", "rejected", "removed"]

_KEY = ("customer_id", "cutoff")
_SCHEMA = """
create table if not exists runs (run_id varchar primary key, cutoff date not null, model_version varchar);
create sequence if not exists sent_sequence;
create table if not exists sent (
    sequence bigint primary key default nextval('sent_sequence'), run_id varchar not null, target varchar not null,
    customer_id varchar not null, cutoff date not null, payload_digest varchar not null, status varchar not null
);
create or replace view held as
select
    target, customer_id, cutoff,
    arg_max(payload_digest, sequence) as payload_digest, arg_max(status, sequence) as status
from sent group by target, customer_id, cutoff;
"""
_RECORD = """
insert into sent (run_id, target, customer_id, cutoff, payload_digest, status)
select $run_id, $target, e.customer_id, e.cutoff, e.payload_digest, $status
from entries e left join held h on h.target = $target and h.customer_id = e.customer_id and h.cutoff = e.cutoff
where h.payload_digest is distinct from e.payload_digest or h.status is distinct from $status
order by e.position
"""
_COMPARE = """
select coalesce(h.payload_digest = e.payload_digest and h.status = 'delivered', false)
from entries e left join held h on h.target = $target and h.customer_id = e.customer_id and h.cutoff = e.cutoff
order by e.position
"""


class DeliveryLedger:
    """The ledger of one output folder; open it with ``open_ledger`` and use it in a ``with`` block."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path
        connection.execute(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def record_run(self, run_id: str, *, cutoff: date, model_version: str | None) -> None:
        """Note that ``run_id`` delivers the scores of ``cutoff``; noting it again changes nothing."""
        with self._transaction():
            self._connection.execute(
                "insert into runs values ($run_id, $cutoff, $model_version) on conflict do nothing",
                {"run_id": run_id, "cutoff": cutoff, "model_version": model_version},
            )

    def record_sent(self, frame: pd.DataFrame, *, run_id: str, target: str, status: Status = "delivered") -> int:
        """Note that the rows of ``frame`` went to ``target``; return how many rows that was news for [rows].

        Parameters
        ----------
        frame : DataFrame
            Rows with ``customer_id`` and ``cutoff``, one per pair; all columns make up the payload.
        run_id, target : str
            Which run sent them, and where to (without credentials).
        status : {"intended", "delivered", "rejected", "removed"}
            What became of them.

        Raises
        ------
        ExportError
            If a key is empty or there twice, or the ledger cannot be written.
        """
        entries = _entries(frame)
        with self._transaction():
            self._connection.register("entries", entries)
            facts = {"run_id": run_id, "target": target, "status": status}
            fresh = self._connection.execute(_RECORD, facts).fetchone()
        return int(fresh[0]) if fresh else 0

    def already_sent(self, frame: pd.DataFrame, *, target: str) -> pd.Series:
        """Return for each row of ``frame`` whether ``target`` holds exactly it by our account; indexed as it."""
        entries = _entries(frame)
        with self._transaction():
            self._connection.register("entries", entries)
            held = self._connection.execute(_COMPARE, {"target": target}).fetchall()
        return pd.Series([row[0] for row in held], index=frame.index, name="already_sent", dtype=bool)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.begin()
            yield
            self._connection.commit()
        except duckdb.Error as error:
            with suppress(duckdb.TransactionException):
                self._connection.rollback()
            raise ExportError(f"ledger {self._path} was not written: {error}") from error


def open_ledger(path: Path) -> DeliveryLedger:
    """Open the ledger at ``path``, creating it when missing; only one process at a time can.

    Raises
    ------
    ExportError
        If another process has it open, or the file is no DuckDB database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return DeliveryLedger(duckdb.connect(str(path), config={"threads": 2}), path)
    except duckdb.Error as error:
        raise ExportError(f"ledger {path} cannot be opened; is another run at work on this output? {error}") from error


def payload_digests(frame: pd.DataFrame) -> pd.Series:
    """Return the SHA-256 of each row (all columns, names included) as hexadecimal text, indexed as ``frame``."""
    return pd.Series(_digests(typed_rows(frame)).to_pylist(), index=frame.index, name="payload_digest", dtype="str")


def _entries(frame: pd.DataFrame) -> pa.Table:
    rows = typed_rows(frame)
    check_key(rows, _KEY)
    return pa.table(
        {
            "position": pa.array(range(rows.num_rows), pa.int64()),
            "customer_id": rows["customer_id"].cast(pa.string()),
            "cutoff": rows["cutoff"],
            "payload_digest": _digests(rows),
        }
    )


def _digests(rows: pa.Table) -> pa.ChunkedArray:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("payload", rows)
        return connection.sql("select sha256(cast(to_json(p) as varchar)) as digest from payload p").to_arrow_table()[0]
