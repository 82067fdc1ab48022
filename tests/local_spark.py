"""Spark in local mode for tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import servers


@contextmanager
def local_spark(folder: Path) -> Iterator[Any]:
    """Run Spark with two cores on loopback; its files lie in ``folder``."""
    require_spark()
    from pyspark.sql import SparkSession

    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]").appName("treue tests")
    for key, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "local"),
    }.items():
        builder = builder.config(key, value)
    found = builder.getOrCreate()
    found.sparkContext.setLogLevel("OFF")
    yield found
    found.stop()


def require_spark() -> None:
    """Skip where Spark or Java is missing; on CI that is a failure."""
    if importlib.util.find_spec("pyspark") is None:
        servers.missing("Spark (make spark)")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        servers.missing("Java 17, which Spark needs,")
