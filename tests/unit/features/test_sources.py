"""Finding and opening sources: addresses, files, text forms, line numbers."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from features.errors import ConfigError, SourceError
from features.sources import ReadOptions, Source, line_numbers, locate
from features.sources.texts import prepare


@pytest.mark.parametrize(
    "uri",
    [
        "postgres://u:geheim@h/db",
        "postgres://u:a${B}@h/db",
        "postgres://u@h/db?password=geheim",
        "mysql://h/db?a=1&token=abc",
    ],
)
def test_a_password_in_the_text_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError, match="expected no password in the text"):
        Source(uri=uri, table="t")


@pytest.mark.parametrize("uri", ["postgres://${U}:${P}@h/db", "postgres://u@h/db", "${DB}", "data/*.csv"])
def test_references_and_plain_addresses_are_taken(uri: str) -> None:
    assert Source(uri=uri).uri == uri


def test_references_are_filled_in_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TREUE_P", "p@ss/ß")
    found = locate(Source(uri="postgres://u:${TREUE_P}@h/db", table="t"), place="sources.orders", root=tmp_path)
    assert found.address == "postgres://u:p%40ss%2F%C3%9F@h/db"
    assert found.label == "postgres://u:…@h/db t"


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the environment variable TREUE_NONE is not set"):
        locate(Source(uri="${TREUE_NONE}", table="t"), place="sources.orders", root=tmp_path)


def test_relative_paths_start_at_the_root_and_folders_leave_hidden_files_out(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/b.csv", "in/deep/a.csv", "in/.hidden.csv", "in/_tmp.csv", "in/readme.md"):
        (tmp_path / name).write_text("a\n1\n")
    found = locate(Source(uri="in"), place="sources.orders", root=tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.files] == ["in/b.csv", "in/deep/a.csv"]
    found = locate(Source(uri="in/**/*.csv"), place="sources.orders", root=tmp_path)
    assert [path.name for path in found.files] == ["_tmp.csv", "b.csv", "a.csv"]


def test_text_and_parquet_in_one_folder_are_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.parquet"):
        (tmp_path / name).write_text("a\n1\n")
    with pytest.raises(SourceError, match="all of one kind"):
        locate(Source(uri="."), place="sources.orders", root=tmp_path)


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [("a,b;c", ","), ("a;b;c", ";"), ("a\tb", "\t"), ("a|b", "|"), ('"x,y";b', ";"), ("a", ",")],
)
def test_the_delimiter_is_the_most_frequent_of_the_header_outside_quotes(
    tmp_path: Path, header: str, delimiter: str
) -> None:
    path = tmp_path / "f.csv"
    path.write_text(header + "\n1,2,3,4,5,6\n")
    assert prepare(path, encoding="utf-8", delimiter=None, folder=tmp_path, number=0).delimiter == delimiter


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_encodings_byte_order_marks_and_gzip_give_the_same_header(tmp_path: Path, encoding: str, ending: str) -> None:
    data = "Größe,b\r\n1,2\r\n".encode(encoding)
    path = tmp_path / f"f.{ending}"
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    assert prepare(path, encoding=encoding, delimiter=None, folder=tmp_path, number=0).names == ("Größe", "b")


def test_a_column_without_a_name_gets_one(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(",a\n0,1\n")
    assert prepare(tmp_path / "f.csv", encoding="utf-8", delimiter=None, folder=tmp_path, number=0).names == (
        "column1",
        "a",
    )


def test_lines_are_found_by_arithmetic_and_by_walking_alike(tmp_path: Path) -> None:
    plain = "a,b\n" + "".join("bad\n" if n in {3, 4, 9} else f"{n},x\n" for n in range(2, 14))
    (tmp_path / "plain.csv").write_text(plain)
    (tmp_path / "quoted.csv").write_text(plain + '14,"two\nlines"\n')  # makes the slow way necessary
    rows = np.arange(1, 10)
    found = []
    for name in ("plain.csv", "quoted.csv"):
        text = prepare(tmp_path / name, encoding="utf-8", delimiter=",", folder=tmp_path, number=0)
        lines, malformed = line_numbers(text, wanted=rows, malformed=[3, 4, 9])
        found.append((lines.tolist(), malformed))
    assert found[0] == found[1] == ([2, 5, 6, 7, 8, 10, 11, 12, 13], {3: 3, 4: 4, 9: 9})


@pytest.mark.parametrize(
    "options",
    [{"encoding": "klingon"}, {"encoding": "hex"}, {"date_format": "DD.MM"}, {"delimiter": ";;"}, {"decimal": ""}],
)
def test_wrong_reading_options_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"expected|should"):
        ReadOptions.model_validate(options)
