"""A session of Spark and the company of a configuration in it; what Spark says when it fails becomes one line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

from features.errors import ConfigError, SourceError
from features.sources import Source
from pipelines.settings import Settings
from pipelines.spark.company import SparkCompany
from pipelines.spark.rows import canonical, check_tables, count

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE_SCHEME = "pyspark://"
"""Address of a source that is a table of Spark's catalogue, named by ``table``; any other address is Parquet."""

_END_OF_TIME = date.max
_RAISED = re.compile(r"(?:\w+\.)*\w+(?:Error|Exception|Exit): .*")


@contextmanager
def started(name: str, master: str | None) -> Iterator[SparkSession]:
    """Yield a session, that of ``spark-submit`` where there is one; errors of Spark inside become a SourceError."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigError("Spark is not installed; install it with: pip install 'treue[spark]'") from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(f"treue {name}")
    try:
        session = (builder.master(master) if master else builder).getOrCreate()
        try:
            yield session
        finally:
            session.stop()
    except PySparkException as error:
        raise SourceError(f"Spark: {reason(error)}") from error


@contextmanager
def company_of(
    session: SparkSession, settings: Settings, cutoff: date | None, partitions: int | None
) -> Iterator[SparkCompany]:
    """Yield the company of a configuration at a cutoff (None: the day after the last known order)."""
    tables = sources(session, settings)
    day = cutoff or newest_cutoff(tables)
    with SparkCompany(tables, settings, cutoff=day, partitions=partitions) as company:
        yield company


def sources(session: SparkSession, settings: Settings) -> dict[str, DataFrame]:
    """Return the tables of a configuration: Parquet by its address, or tables of Spark's catalogue.

    Raises
    ------
    ConfigError
        If a source maps or chooses rows: that is the embedded intake's work.
    """
    return {name: _opened(session, name, source) for name, source in settings.sources.items()}


def _opened(session: SparkSession, name: str, source: Source) -> DataFrame:
    asked = [key for key in ("columns", "where", "currency") if getattr(source, key)]
    if asked:
        raise ConfigError(
            f"sources.{name}.{asked[0]}: Spark takes accepted rows in the columns of the contract and maps nothing;"
            " write such a table first and let uri name it"
        )
    is_table = source.uri.startswith(TABLE_SCHEME)
    if is_table and source.table:
        return session.read.table(source.table)
    if is_table or source.table:
        raise ConfigError(f"sources.{name}: expected uri of Parquet alone, or uri: {TABLE_SCHEME} and table")
    return session.read.parquet(source.uri)


def newest_cutoff(tables: dict[str, DataFrame]) -> date:
    """Return the day after the last known order."""
    check_tables(tables)
    orders = {"orders": canonical("orders", tables["orders"])}
    return count(orders, cutoff=_END_OF_TIME)["orders"].last_known + timedelta(days=1)


def reason(error: Exception) -> str:
    """Return the line of an error of Spark that says what happened: on an executor, the last that Python raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.fullmatch(line) and not line.startswith(("org.", "java."))]
    return (raised or lines or [type(error).__name__])[-1 if raised else 0]
