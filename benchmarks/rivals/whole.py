"""The whole catalogue in a process of its own: ``python -m benchmarks.rivals.whole FOLDER CUTOFFS MEMORY_GB``.

As the product does it: tables, parts, norms, every feature of every cutoff in one pass, a Parquet file per cutoff.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks.rivals.columns import REACH
from benchmarks.rivals.run import peak_mb
from benchmarks.rivals.simulated import cutoffs
from features.accepted import accepted
from features.definition import Churn
from features.one_pass import build_blocks, norms_of
from features.outputs import ParquetStream
from features.partitions import Partitions
from features.resources import Resources


def main(folder: str, count: str, memory_gb: str) -> None:
    """Build the matrices and print what it took as one JSON object."""
    days, resources = cutoffs(int(count)), Resources(memory_gb=float(memory_gb))
    began, worked = time.perf_counter(), time.process_time()
    files = {path.stem: [path] for path in sorted(Path(folder).glob("*.parquet"))}
    with accepted(files, memory_gb=resources.memory_gb / 2) as tables:
        parts = Partitions(tables, rows_per_part=resources.rows_per_part)
    with parts, tempfile.TemporaryDirectory() as out:
        rows, columns = build(parts, days, Path(out))
        count_of_parts = len(parts)
    figures = {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - worked, 2),
        "peak_mb": peak_mb(),
        "parts": count_of_parts,
        "snapshots": rows,
        "features": columns,
    }
    print(json.dumps(figures))


def build(parts: Partitions, days: list[date], out: Path) -> tuple[int, int]:
    """Write the matrix of every cutoff; return snapshots and features."""
    norms, churn = norms_of(parts, days), Churn(active_within_days=REACH, lapsed_within_days=REACH + 1)
    width = set[int]()
    with ExitStack() as files:
        streams = {day: files.enter_context(ParquetStream(out / f"{day}.parquet")) for day in days}

        def take(day: date, block: pd.DataFrame) -> None:
            width.add(block.shape[1] - 4)
            streams[day].write(pa.Table.from_pandas(block, preserve_index=False))

        build_blocks(parts, norms, churn=churn, known_until=days[-1], take=take)
        return sum(stream.rows for stream in streams.values()), max(width)


if __name__ == "__main__":
    main(*sys.argv[1:])
