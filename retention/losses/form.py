"""The form on which sales note why a customer left: written for spreadsheets, read back row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from pathlib import Path

import pandas as pd

from features.errors import ContractError
from features.nearest import suggestion
from retention.export.files import formula_safe, write_people_csv
from retention.formats import Language
from retention.losses.words import LossTexts, loss_texts

COLUMNS = (
    "customer_id", "name", "lost_on", "supposed", "told_on", "reason", "competitor", "winnable", "source",
)  # fmt: skip
"""Columns of the form: the first four are filled in by us, the others by whoever asked."""
FILLED_IN = ("told_on", "reason", "competitor", "winnable")
NEEDED = ("customer_id", "lost_on", "told_on", "reason")
TABLE_COLUMNS = ("customer_id", "occurred_on", "reason", "competitor", "winnable", "source", "known_at")
"""Columns of the table losses that a form is read to."""
_DATES = ("%d.%m.%Y", "%Y-%m-%d", "%d %b %Y")
_MOST_BYTES = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Form:
    """What was read: good rows with ``TABLE_COLUMNS``, and one line for each fault."""

    rows: pd.DataFrame
    faults: tuple[str, ...]


def write_form(path: Path, lost: pd.DataFrame, *, language: Language) -> Path:
    """Write the form with one row per lost customer nobody has asked yet; ``lost`` has the first four of ``COLUMNS``.

    As :func:`retention.export.files.write_people_csv` writes: no cell can be taken for a formula.
    """
    words = loss_texts(language)
    rows = (
        lost[list(COLUMNS[:4])].reindex(columns=list(COLUMNS)).astype(dict.fromkeys(("supposed", *COLUMNS[4:]), "str"))
    )
    rows = rows.assign(customer_id=rows["customer_id"].astype("str"), name=rows["name"].astype("str"))
    return write_people_csv(path, rows, {name: words.form[name] for name in COLUMNS}, language=language)


def read_form(path: Path, *, known_customers: frozenset[str]) -> Form:
    """Read a form back, in German or English, as a spreadsheet program saves it; rows nobody filled in are passed over.

    Raises
    ------
    ContractError
        If the file cannot be read, or is no such form; faults of single rows are in ``Form.faults`` instead.
    """
    lines = _lines(path)
    header = next(lines, None)
    if header is None:
        raise ContractError(f"{path}: expected the headings of the form in the first row, got an empty file")
    words, places = _headings(path, header[1])
    rows: list[dict[str, object]] = []
    faults: list[str] = []
    seen: set[str] = set()
    for number, cells in lines:
        said = {name: _unguarded(cells[place]) if place < len(cells) else "" for name, place in places.items()}
        if not any(said.get(name) for name in FILLED_IN):
            continue
        wrong = list(_wrong(said, words, known_customers, seen))
        faults += [f"{path.name}, row {number}, column {words.form[name]}: {what}" for name, what in wrong]
        if not wrong:
            rows.append(_row(said, words))
            seen.add(said["customer_id"])
    return Form(rows=pd.DataFrame(rows, columns=list(TABLE_COLUMNS)), faults=tuple(faults))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row in the file and its cells; blank rows are passed over."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ContractError(f"{path}: expected a form of at most {_MOST_BYTES // 1_000_000} MB; split it")
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise ContractError(
            f"{path} cannot be read ({error.strerror}); give the CSV file that was filled in"
        ) from error
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from ((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells))
    except csv.Error as error:
        raise ContractError(f"{path}, row {reader.line_num}: {error}; save it as CSV once more") from error


def _decoded(data: bytes) -> str:
    """Return the text: UTF-8, else what Excel on Windows writes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _headings(path: Path, header: list[str]) -> tuple[LossTexts, Mapping[str, int]]:
    """Return the words of the form's language and the place of each of its columns."""
    plain = [cell.strip().casefold() for cell in header]
    found: list[tuple[LossTexts, Mapping[str, int]]] = []
    for language in ("de", "en"):
        words = loss_texts(language)
        names = {words.form[name].casefold(): name for name in COLUMNS} | {name: name for name in COLUMNS}
        found.append((words, {names[cell]: place for place, cell in enumerate(plain) if cell in names}))
    words, places = max(found, key=lambda each: len(each[1]))
    for name in NEEDED:
        if name not in places:
            hint = suggestion(words.form[name], [cell for cell in header if cell.strip()])
            raise ContractError(f"{path}: expected a column {words.form[name]!r} among the headings; {hint}")
    return words, places


def _unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from reading a formula."""
    plain = cell.strip()
    bare = plain[1:] if plain.startswith("'") else plain
    return bare if plain != bare and formula_safe(bare) == plain else plain


def _wrong(
    said: Mapping[str, str], words: LossTexts, known: frozenset[str], seen: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield column and fault of everything in a row that cannot be used."""
    customer = said["customer_id"]
    if customer not in known:
        yield "customer_id", f"expected a customer who has bought, got {_short(customer)}; correct the number"
    elif customer in seen:
        yield "customer_id", f"customer {_short(customer)} stands in an earlier row already; keep one row"
    if not said["reason"]:
        yield "reason", "expected why the customer left, got nothing; fill it in or clear the row"
    for name in ("lost_on", "told_on"):
        if _date(said[name]) is None:
            yield name, f"expected a date such as 31.12.2025 or 2025-12-31, got {_short(said[name])}; correct it"
    if said.get("winnable") and said["winnable"].casefold() not in _flags(words):
        yield "winnable", f"expected {words.answers['yes']} or {words.answers['no']}, got {_short(said['winnable'])}"
    if said.get("source") and said["source"].casefold() not in _sources(words):
        options = f"{words.answers['interview']} or {words.answers['inferred']}"
        yield "source", f"expected {options}, got {_short(said['source'])}"
    lost, told = _date(said["lost_on"]), _date(said["told_on"])
    if lost and told and told < lost:
        yield "told_on", f"expected a day on or after the loss on {lost}, got {told}; correct one of the two"


def _row(said: Mapping[str, str], words: LossTexts) -> dict[str, object]:
    return {
        "customer_id": said["customer_id"],
        "occurred_on": _date(said["lost_on"]),
        "reason": said["reason"],
        "competitor": said.get("competitor") or None,
        "winnable": _flags(words).get(said.get("winnable", "").casefold()),
        "source": _sources(words).get(said.get("source", "").casefold(), "interview"),
        "known_at": _date(said["told_on"]),
    }


def _flags(words: LossTexts) -> dict[str, bool]:
    own = {words.answers["yes"].casefold(): True, words.answers["no"].casefold(): False}
    return {
        "ja": True,
        "yes": True,
        "true": True,
        "1": True,
        "nein": False,
        "no": False,
        "false": False,
        "0": False,
        **own,
    }


def _sources(words: LossTexts) -> dict[str, str]:
    return {each.casefold(): name for name in ("interview", "inferred") for each in (name, words.answers[name])}


def _date(text: str) -> date | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _short(text: str) -> str:
    return "nothing" if not text else repr(text if len(text) <= 40 else f"{text[:37]}...")
