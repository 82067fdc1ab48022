"""Servers of the integration tests: real ones, started once per session on loopback."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests import servers
from tests.local_spark import local_spark

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark in local mode."""
    with local_spark(tmp_path_factory.mktemp("spark")) as found:
        yield found


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[tuple[str, Path]]:
    """URI of a PostgreSQL cluster's own database, and the log of every statement it runs."""
    with servers.postgres() as cluster:
        yield cluster


@pytest.fixture
def postgres_uri(postgres_cluster: tuple[str, Path]) -> str:
    """URI of a fresh, empty database; its role needs no password."""
    uri, _ = postgres_cluster
    name = f"treue_{next(_NUMBERS)}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return uri.rpartition("/")[0] + f"/{name}"


@pytest.fixture(scope="session")
def mlflow_server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of an MLflow tracking server with registry and artefact proxy."""
    with servers.mlflow_server(tmp_path_factory.mktemp("mlflow")) as uri:
        yield uri


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Prefect server's API."""
    with servers.prefect_server(tmp_path_factory.mktemp("prefect")) as url:
        yield url
