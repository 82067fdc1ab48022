"""The same company from files and from PostgreSQL: the same matrices, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from psycopg import sql

from features.outputs import read_manifest
from pipelines.build_features import build_features
from pipelines.demo.company import demo_company
from pipelines.settings import settings_from

CUTOFF = date(2026, 1, 15)
TYPES = {"i": "bigint", "f": "double precision", "b": "boolean", "M": "timestamp"}


def filled(uri: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Copy every table into the database, columns in another order and rows backwards."""
    with psycopg.connect(uri) as connection:
        for name, frame in tables.items():
            columns = list(frame.columns)[::-1]
            kinds = [TYPES.get(frame[each].dtype.kind, "text") for each in columns]
            declared = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(each), sql.SQL(kind))
                for each, kind in zip(columns, kinds, strict=True)
            )
            connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(name), declared))
            rows = frame[columns].iloc[::-1].astype(object).where(frame[columns].iloc[::-1].notna(), None)
            with connection.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(name))) as copy:
                for row in rows.itertuples(index=False):
                    copy.write_row(row)


def matrices(folder: Path, sources: Mapping[str, object], **more: object) -> dict[str, str]:
    """Build all matrices of one configuration and return the digest of each."""
    content = {"name": "company", "output": str(folder), "sources": sources, "training": {"most": 6}, **more}
    newest = build_features(settings_from(content, place="test"), CUTOFF)
    return {
        each.name: read_manifest(each)["files"]["matrix.parquet"]["sha256"] for each in newest.parent.glob("cutoff=*")
    }


@pytest.mark.slow
def test_postgresql_and_files_give_the_same_matrices(
    postgres_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {name: frame for name, frame in demo_company(customers=150, seed=3).tables.items() if name != "treatments"}
    for name, frame in tables.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    filled(postgres_uri, tables)
    monkeypatch.setenv("TREUE_TEST_DB", postgres_uri)
    by_file = matrices(tmp_path / "file", {name: {"uri": str(tmp_path / f"{name}.parquet")} for name in tables})
    by_database = matrices(tmp_path / "database", {name: {"uri": "${TREUE_TEST_DB}", "table": name} for name in tables})
    assert len(by_file) == 10, "the cutoff, six to learn from, three of which half the horizon is known"
    assert by_file == by_database
