"""Tables whose rows were accepted before: Parquet files or Arrow tables in the columns and types of the contract."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from features.contract import TABLES
from features.intake import Tables
from features.sources import MEMORY_GB, THREADS, Engine


def accepted(
    tables: Mapping[str, Sequence[Path] | pa.Table],
    *,
    timezone: str = "UTC",
    memory_gb: float = MEMORY_GB,
    threads: int = THREADS,
    dated: Collection[str] | None = None,
) -> Tables:
    """Open accepted rows without checking them again.

    Parameters
    ----------
    tables : mapping of table name to Parquet files or an Arrow table
        Columns as in the contract, dates as ``date32``, ``customer_id`` text, and ``known_at``.
    timezone : str
        Zone of the days; they are dates already.
    memory_gb : float
        Memory to keep within [GB].
    threads : int
        Threads that read and join [count].
    dated : names of tables, optional
        Those whose source said itself when a row became known; without it all.
    """
    folder = Path(tempfile.mkdtemp(prefix="treue_"))
    files = [path for data in tables.values() if not isinstance(data, pa.Table) for path in data]
    engine = Engine(folder, timezone=timezone, allowed=files, memory_gb=memory_gb, threads=threads)
    columns = {name: engine.open_accepted(name, tables[name]) for name in TABLES if name in tables}
    there = {name: tuple(each for each in own if each != "known_at") for name, own in columns.items()}
    said = [name for name, own in columns.items() if "known_at" in own and (dated is None or name in dated)]
    return Tables(engine, folder=folder, columns=there, dated=said, balances=[], id_type=pa.string())
