"""Where tables come from: files and databases, opened read-only and brought into one embedded DuckDB.

The only package that opens files and databases for reading. Once opened the engine is locked: expressions of
the configuration cannot reach anything but the rows loaded for them.
"""

from features.sources.database import Database
from features.sources.engine import FILE, MEMORY_GB, ROW, THREADS, Engine, Opened
from features.sources.locating import Located, check_parquet, locate, prepare_texts
from features.sources.options import ReadOptions, Source
from features.sources.texts import TextFile, line_numbers

__all__ = [
    "FILE",
    "MEMORY_GB",
    "ROW",
    "THREADS",
    "Database",
    "Engine",
    "Located",
    "Opened",
    "ReadOptions",
    "Source",
    "TextFile",
    "check_parquet",
    "line_numbers",
    "locate",
    "prepare_texts",
]
