from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.errors import ContractError
from retention.losses.form import COLUMNS, TABLE_COLUMNS, Form, read_form, write_form
from retention.losses.words import loss_texts

KNOWN = frozenset({"K-1", "K-2", "=1+1", "007"})
LOST = pd.DataFrame(
    {
        "customer_id": ["K-1", "K-2", "=1+1", "007"],
        "name": ["Bäckerei Adler GmbH", "=cmd|'/C calc'!A0", None, "Klein & Sohn; KG"],
        "lost_on": [date(2026, 1, 9)] * 4,
        "supposed": ["Preis", None, None, None],
    }
)


def filled(path: Path, *rows: dict[str, str], language: str = "de") -> Path:
    """Write a form with these rows in the place of ours, as a spreadsheet program would save it."""
    words = loss_texts(language).form
    delimiter = ";" if language == "de" else ","
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [words[name] for name in COLUMNS], delimiter=delimiter, lineterminator="\r\n")
        writer.writeheader()
        for row in rows:
            whole = {"customer_id": "K-1", "lost_on": "09.01.2026", "told_on": "20.01.2026", "reason": "Preis", **row}
            writer.writerow({words[name]: text for name, text in whole.items()})
    return path


def read(path: Path) -> Form:
    return read_form(path, known_customers=KNOWN)


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_form_as_written_reads_back_as_nothing_filled_in(tmp_path, language):
    path = write_form(tmp_path / "form.csv", LOST, language=language)
    assert read(path).faults == ()
    assert read(path).rows.empty
    assert loss_texts(language).form["reason"] in path.read_text(encoding="utf-8-sig")


def test_no_cell_of_the_form_can_be_taken_for_a_formula(tmp_path):
    path = write_form(tmp_path / "form.csv", LOST, language="de")
    rows = csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'=1+1" in cells


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_sales_fill_in_comes_back_typed(tmp_path, language):
    yes = {"de": "ja", "en": "yes"}[language]
    row = {"reason": "Zu teuer; sagt er", "competitor": "Toolnet", "winnable": yes, "told_on": "2026-01-20"}
    found = read(filled(tmp_path / "form.csv", row, language=language))
    assert found.faults == ()
    assert tuple(found.rows.columns) == TABLE_COLUMNS
    assert found.rows.iloc[0].to_dict() == {
        "customer_id": "K-1",
        "occurred_on": date(2026, 1, 9),
        "reason": "Zu teuer; sagt er",
        "competitor": "Toolnet",
        "winnable": True,
        "source": "interview",
        "known_at": date(2026, 1, 20),
    }


def test_guarded_ids_and_leading_zeros_come_back_as_they_were(tmp_path):
    found = read(filled(tmp_path / "form.csv", {"customer_id": "'=1+1"}, {"customer_id": "007"}))
    assert (found.rows["customer_id"].tolist(), found.faults) == (["=1+1", "007"], ())


def test_windows_excel_with_its_own_letters_is_read(tmp_path):
    path = filled(tmp_path / "form.csv", {"reason": "Verspätung"})
    path.write_bytes(path.read_text(encoding="utf-8-sig").encode("cp1252"))
    assert read(path).rows["reason"].tolist() == ["Verspätung"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"customer_id": "K-9"}, "column Kundennummer: expected a customer who has bought, got 'K-9'"),
        ({"reason": ""}, "column Grund in seinen Worten: expected why the customer left, got nothing"),
        ({"told_on": "32.1.2026"}, "column Gefragt am: expected a date such as 31.12.2025 or 2025-12-31, got '32.1.20"),
        ({"told_on": ""}, "column Gefragt am: expected a date such as 31.12.2025 or 2025-12-31, got nothing"),
        ({"lost_on": "gestern"}, "column Verloren am: expected a date such as"),
        ({"winnable": "vielleicht"}, "column Rückgewinnbar (ja/nein): expected ja or nein, got 'vielleicht'"),
        ({"source": "Gerücht"}, "column Quelle (Gespräch/notiert): expected Gespräch or notiert, got 'Gerücht'"),
        ({"told_on": "01.01.2026"}, "column Gefragt am: expected a day on or after the loss on 2026-01-09"),
    ],
)
def test_a_bad_row_is_told_in_one_line_with_file_row_and_column_and_the_others_are_read(tmp_path, row, fault):
    found = read(filled(tmp_path / "form.csv", row, {"customer_id": "K-2"}))
    assert found.rows["customer_id"].tolist() == ["K-2"]
    assert len(found.faults) == 1
    assert found.faults[0].startswith("form.csv, row 2, ")
    assert fault in found.faults[0]
    assert "\n" not in found.faults[0]


def test_one_customer_twice_is_a_fault_of_the_second_row(tmp_path):
    found = read(filled(tmp_path / "form.csv", {}, {"reason": "Service"}))
    assert found.rows["reason"].tolist() == ["Preis"]
    assert found.faults == (
        "form.csv, row 3, column Kundennummer: customer 'K-1' stands in an earlier row already; keep one row",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the headings of the form in the first row, got an empty file"),
        (b"a;b;c\n1;2;3\n", "expected a column 'Kundennummer' among the headings"),
        (b"\x00\x01\x02", "expected a column 'Kundennummer' among the headings"),
    ],
)
def test_what_is_no_form_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "form.csv"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ContractError, match=r"absent\.csv cannot be read"):
        read(tmp_path / "absent.csv")


def test_rows_cut_short_and_blank_ones_break_nothing(tmp_path):
    path = filled(tmp_path / "form.csv", {})
    with path.open("a", encoding="utf-8") as file:
        file.write("\r\n;;;\r\nK-2;Hotel\r\n")
    assert read(path).rows["customer_id"].tolist() == ["K-1"]
