"""Typed rows: dates are dates, nothing is missing its key."""

from __future__ import annotations

import re
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from features.errors import ExportError
from retention.export.frames import check_key, typed_rows


def test_time_columns_become_dates_unless_they_are_instants() -> None:
    noon = pd.to_datetime(["2025-01-01 12:00"])
    frame = pd.DataFrame({"cutoff": noon.normalize(), "sent_at": noon})
    rows = typed_rows(frame)
    assert rows.schema.field("cutoff").type == pa.date32()
    assert pa.types.is_timestamp(rows.schema.field("sent_at").type)


def test_a_date_with_a_time_of_day_is_refused() -> None:
    frame = pd.DataFrame({"cutoff": pd.to_datetime(["2025-01-01 12:00"])})
    with pytest.raises(ExportError, match=r"column 'cutoff' .* should hold dates and has times of day"):
        typed_rows(frame)


def test_empty_columns_are_text_or_dates_by_their_name() -> None:
    rows = typed_rows(pd.DataFrame({"reason_5": [None, None], "objection_on": [None, None], "cutoff": [None, None]}))
    assert rows.schema.types == [pa.string(), pa.date32(), pa.date32()]


def test_missing_values_become_null_and_categories_become_texts() -> None:
    frame = pd.DataFrame({"value": [1.5, float("nan")], "segment": pd.Categorical(["A", None])})
    rows = typed_rows(frame)
    assert rows.to_pydict() == {"value": [1.5, None], "segment": ["A", None]}
    assert rows.schema.field("segment").type == pa.string()


@pytest.mark.parametrize("dtype", ["str", "object", "string[pyarrow]", "string[python]"])
def test_every_kind_of_pandas_text_is_text(dtype: str) -> None:
    rows = typed_rows(pd.DataFrame({"customer_id": pd.Series(["Ä", None, ""], dtype=dtype)}))
    assert rows.schema.field("customer_id").type == pa.string()
    assert rows["customer_id"].to_pylist() == ["Ä", None, ""]


def test_a_column_of_texts_and_numbers_is_refused_by_name() -> None:
    with pytest.raises(ExportError, match="column 'customer_id'"):
        typed_rows(pd.DataFrame({"customer_id": ["K1", 2]}))


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ExportError, match="'score' twice"):
        typed_rows(pd.DataFrame([[1, 2]], columns=["score", "score"]))


@pytest.mark.parametrize(
    ("customers", "message"),
    [
        (["K1", None], "empty key 'customer_id' in 1 of 2 rows"),
        (["K1", "K1"], "2 rows for customer_id K1, cutoff 2025-01-01"),
    ],
)
def test_rows_that_their_key_does_not_identify_are_refused(customers: list[str], message: str) -> None:
    rows = typed_rows(pd.DataFrame({"customer_id": customers, "cutoff": date(2025, 1, 1)}))
    with pytest.raises(ExportError, match=re.escape(message)):
        check_key(rows, ("customer_id", "cutoff"))


def test_a_missing_key_column_is_named() -> None:
    with pytest.raises(ExportError, match="no key column 'cutoff'"):
        check_key(typed_rows(pd.DataFrame({"customer_id": ["K1"]})), ("customer_id", "cutoff"))


def test_different_forms_of_one_letter_are_different_keys() -> None:
    frame = pd.DataFrame({"customer_id": ["\u00e9", "e\u0301"], "cutoff": date(2025, 1, 1)})
    check_key(typed_rows(frame), ("customer_id", "cutoff"))
