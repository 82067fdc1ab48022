"""Files for people are safe to open; files for machines come back unchanged."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ExportError
from retention.export.files import (
    Language,
    formula_safe,
    write_machine_csv,
    write_machine_parquet,
    write_people_csv,
)

ROWS = pd.DataFrame(
    {
        "customer_id": ["K1", "K2"],
        "name": ['=HYPERLINK("http://example.org")', 'Müller; "Söhne", Köln'],
        "probability": [0.125, float("nan")],
        "change": [-1234.5, 3e-7],
        "horizon_end": [date(2025, 12, 31), None],
        "new": [True, False],
        "rank": [1, 2],
    }
)
HEADINGS = {name: name.title() for name in ROWS.columns}


def read_people(path: Path, delimiter: str) -> list[list[str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_german_people_get_semicolons_decimal_commas_and_their_dates(tmp_path: Path) -> None:
    path = write_people_csv(tmp_path / "list.csv", ROWS, HEADINGS, language="de")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfCustomer_Id;Name;")
    assert read_people(path, ";")[1:] == [
        ["K1", '\'=HYPERLINK("http://example.org")', "0,125", "-1234,5", "31.12.2025", "ja", "1"],
        ["K2", 'Müller; "Söhne", Köln', "", "0,0000003", "", "nein", "2"],
    ]


def test_english_people_get_commas_and_decimal_points(tmp_path: Path) -> None:
    path = write_people_csv(tmp_path / "list.csv", ROWS, HEADINGS, language="en")
    assert read_people(path, ",")[1][2:] == ["0.125", "-1234.5", "2025-12-31", "yes", "1"]


def test_only_the_named_columns_are_shown_in_the_named_order(tmp_path: Path) -> None:
    path = write_people_csv(tmp_path / "list.csv", ROWS, {"rank": "Rang", "customer_id": "=Nr"}, language="de")
    assert read_people(path, ";") == [["Rang", "'=Nr"], ["1", "K1"], ["2", "K2"]]


def test_a_heading_for_a_missing_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="column 'phone', which the rows do not have"):
        write_people_csv(tmp_path / "list.csv", ROWS, {"phone": "Telefon"}, language="de")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u200b=", "＝", "\ufeff-"])
def test_a_text_that_starts_like_a_formula_never_does_so_in_the_file(
    tmp_path: Path, start: str, language: Language
) -> None:
    frame = pd.DataFrame({"note": [f"{start}1+1|cmd"]})
    path = write_people_csv(tmp_path / "list.csv", frame, {"note": "Note"}, language=language)
    delimiter = ";" if language == "de" else ","
    assert read_people(path, delimiter)[1] == [f"'{start}1+1|cmd"]


@given(st.text())
def test_the_safe_text_is_the_text_with_at_most_an_apostrophe_in_front(text: str) -> None:
    safe = formula_safe(text)
    assert safe in (text, f"'{text}")
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))


def test_the_machine_csv_changes_no_cell(tmp_path: Path) -> None:
    path = write_machine_csv(tmp_path / "list.csv", ROWS)
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf")
    back = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(quoted_strings_can_be_null=False))
    assert back.to_pydict() == {**ROWS.to_dict("list"), "probability": [0.125, None]}


def test_the_machine_csv_keeps_empty_text_and_missing_apart(tmp_path: Path) -> None:
    path = write_machine_csv(tmp_path / "list.csv", pd.DataFrame({"a": ["", None], "b": ["=1", "-"]}))
    assert path.read_text() == '"a","b"\n"","=1"\n,"-"\n'


def test_the_same_frame_gives_the_same_parquet_bytes_whatever_its_index_and_backing(tmp_path: Path) -> None:
    first = write_machine_parquet(tmp_path / "a.parquet", ROWS)
    again = ROWS.set_axis([7, 8]).astype({"customer_id": "object", "name": "string[pyarrow]"})
    second = write_machine_parquet(tmp_path / "b.parquet", again)
    assert first.read_bytes() == second.read_bytes()
    assert pq.read_table(first)["name"].to_pylist() == list(ROWS["name"])
