"""The bytes that COPY reads, against the format's description spelt out by hand."""

from __future__ import annotations

import struct
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from features.errors import ExportError
from retention.export.frames import typed_rows
from retention.export.staging import BATCH_ROWS, binary_chunks, fits_binary, sql_type, text_chunks

ROWS = typed_rows(
    pd.DataFrame(
        {
            "customer_id": ["ä", None],
            "cutoff": [date(2000, 1, 2), None],
            "score": [0.5, float("nan")],
            "is_new": [True, False],
            "rank": [7, 8],
        }
    )
)


def test_binary_rows_are_what_postgresql_describes() -> None:
    null = struct.pack(">i", -1)
    first = struct.pack(">h i2s ii id i? iq".replace(" ", ""), 5, 2, "ä".encode(), 4, 1, 8, 0.5, 1, True, 8, 7)
    second = struct.pack(">h", 5) + null * 3 + struct.pack(">i?iq", 1, False, 8, 8)
    start, end = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
    assert b"".join(binary_chunks(ROWS)) == start + first + second + end


def test_chunks_join_to_the_same_bytes_however_the_rows_are_cut() -> None:
    many = pa.concat_tables([ROWS] * BATCH_ROWS)
    once = b"".join(list(binary_chunks(ROWS))[1:-1])
    assert b"".join(list(binary_chunks(many))[1:-1]) == once * BATCH_ROWS
    assert b"".join(binary_chunks(many.slice(1, 3))) == b"".join(
        binary_chunks(pa.concat_tables([ROWS] * 2).slice(1, 3))
    )


def test_text_rows_keep_null_and_empty_apart() -> None:
    rows = typed_rows(pd.DataFrame({"a": ["", None, 'x"y']}))
    assert b"".join(text_chunks(rows)) == b'""\n\n"x""y"\n'


def test_binary_needs_our_types_in_every_column() -> None:
    oids = {field.name: sql_type(field).oid for field in ROWS.schema}
    assert fits_binary(ROWS.schema, {**oids, "note": 1043})
    assert not fits_binary(ROWS.schema, {**oids, "rank": 23})


def test_a_column_that_no_sql_type_holds_is_named() -> None:
    with pytest.raises(ExportError, match=r"column 'products' .* is list<"):
        sql_type(pa.field("products", pa.list_(pa.string())))
