"""The generated pages of the docs are fresh, and the dictionary tells of every feature."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.catalogue import catalogue
from features.dictionary import features_markdown
from pipelines.reference import PAGES, main, stale_pages, write_pages

DOCS = Path(__file__).parents[2] / "docs"


def test_every_generated_page_is_up_to_date() -> None:
    assert stale_pages(DOCS) == (), "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_a_changed_or_missing_page_is_found(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert main(["--check"]) == 0
    with (tmp_path / "docs" / page).open("a") as file:
        file.write("by hand\n")
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == f"stale in docs/: {page}; run `make docs`\n"
    (tmp_path / "docs" / page).unlink()
    assert stale_pages(tmp_path / "docs") == (page,)


def test_pages_are_written_anew(tmp_path: Path) -> None:
    write_pages(tmp_path)
    assert stale_pages(tmp_path) == ()


def test_the_dictionary_has_one_row_per_feature_and_no_empty_cell_but_expected() -> None:
    rows = [line.strip("| ").split(" | ") for line in features_markdown().splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows] == [feature.name for feature in catalogue()]
    assert all(cell.strip() for row in rows for place, cell in enumerate(row) if place != 7)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sales__orders_91d", ["orders", "orders", "91 days", "`order_frequency`", "−", "never", "nie"]),
        (
            "complaints__open_count",
            ["complaints", "complaints (closed_on)", "all", "`complaint_open`", "+", "never", "nie"],
        ),
        (
            "sales__margin_share_364d",
            ["share", "orders (margin)", "364 days", "`margin`", "", "without turnover", "ohne Umsatz"],
        ),
    ],
)
def test_a_row_says_unit_tables_window_family_direction_and_when_missing(name: str, told: list[str]) -> None:
    row = next(line for line in features_markdown().splitlines() if line.startswith(f"| `{name}`"))
    assert [cell.strip() for cell in row.split("|")][4:-1] == told


def test_a_row_says_the_meaning_in_english_and_german() -> None:
    row = next(line for line in features_markdown().splitlines() if line.startswith("| `sales__basket_last`"))
    assert [cell.strip() for cell in row.split("|")][2:4] == [
        "Sales on the last day of purchase",
        "Verkaufswert am letzten Kauftag",
    ]
