"""Files as targets: CSV for people, CSV and Parquet for machines; a file appears whole or not at all."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from features.errors import ExportError
from features.outputs import write_bytes, write_parquet
from retention.export.frames import typed_rows

Language = Literal["de", "en"]

_FORMULA_START = re.compile(r"[\t\r\n]|[\s\x00-\x20\u00ad\u200b-\u200f\u2060-\u206f\ufeff]*[=+\-@＝＋－＠]")


@dataclass(frozen=True, kw_only=True)
class _Style:
    """How a spreadsheet program of one language expects its CSV."""

    delimiter: str
    decimal: str
    date_format: str
    yes: str
    no: str


_STYLES: Mapping[str, _Style] = {
    "de": _Style(delimiter=";", decimal=",", date_format="%d.%m.%Y", yes="ja", no="nein"),
    "en": _Style(delimiter=",", decimal=".", date_format="%Y-%m-%d", yes="yes", no="no"),
}


def write_people_csv(path: Path, frame: pd.DataFrame, headings: Mapping[str, str], *, language: Language) -> Path:
    """Write the columns that ``headings`` names, in that order, as CSV for people and spreadsheets.

    UTF-8 with byte-order mark, lines end in CR LF. German: semicolon, decimal comma, 31.12.2025; English: comma,
    decimal point, 2025-12-31. A text that a spreadsheet could take for a formula gets an apostrophe in front;
    numbers stay numbers and are written in full, so round them before.

    Parameters
    ----------
    path : Path
        File to write, atomically.
    frame : DataFrame
        The rows; columns that ``headings`` does not name are left out.
    headings : mapping of column to heading
        What to write, under which heading, in which order.
    language : {"de", "en"}
        Whose delimiter, decimal mark, dates and yes or no.

    Raises
    ------
    ExportError
        If ``headings`` names a column that ``frame`` has not, or a column mixes types.
    """
    missing = [name for name in headings if name not in frame.columns]
    if missing:
        raise ExportError(f"{path} should show column {missing[0]!r}, which the rows do not have")
    rows = typed_rows(frame[list(headings)])
    style = _STYLES[language]
    columns = [_cells(column, style) for column in rows.columns]
    text = StringIO()
    writer = csv.writer(text, delimiter=style.delimiter, lineterminator="\r\n")
    writer.writerow([formula_safe(heading) for heading in headings.values()])
    writer.writerows(zip(*columns, strict=True))
    return write_bytes(path, b"\xef\xbb\xbf" + text.getvalue().encode())


def write_machine_csv(path: Path, frame: pd.DataFrame) -> Path:
    """Write ``frame`` as CSV for programs: UTF-8, comma, decimal point, ISO dates, no cell changed.

    Texts are quoted, so that an empty text (``""``) and a missing value (nothing) stay apart.
    """
    buffer = BytesIO()
    pa.csv.write_csv(typed_rows(frame), buffer)
    return write_bytes(path, buffer.getvalue())


def write_machine_parquet(path: Path, frame: pd.DataFrame) -> Path:
    """Write ``frame`` as Parquet for programs; the same frame gives the same bytes."""
    return write_parquet(path, typed_rows(frame))


def formula_safe(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula: a suspicious start gets an apostrophe.

    Source: OWASP, CSV Injection. Leading blanks and invisible characters are looked through.

    Examples
    --------
    >>> formula_safe("=HYPERLINK(A1)"), formula_safe("Müller & Söhne")
    ("'=HYPERLINK(A1)", 'Müller & Söhne')
    """
    return f"'{text}" if _FORMULA_START.match(text) else text


def _cells(column: pa.ChunkedArray, style: _Style) -> list[str]:
    form = _form(column.type, style)
    return ["" if value is None else form(value) for value in column.to_pylist()]


def _form(kind: pa.DataType, style: _Style) -> Callable[[Any], str]:
    if pa.types.is_boolean(kind):
        return lambda value: style.yes if value else style.no
    if pa.types.is_floating(kind):
        return lambda value: _number(value, style.decimal)
    if pa.types.is_date(kind):
        return lambda value: _date(value, style.date_format)
    return str if pa.types.is_integer(kind) else lambda value: formula_safe(str(value))


def _number(value: float, decimal: str) -> str:
    return np.format_float_positional(value, trim="-").replace(".", decimal)


def _date(value: date, form: str) -> str:
    return value.strftime(form)
