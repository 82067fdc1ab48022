"""Whatever the rows hold: read = accepted + quarantined + later, and nothing is lost or made up."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import SourceError
from features.intake import Tables, take_in
from features.sources import Source

CUTOFF = date(2024, 6, 1)
NAMES = ("order_id", "customer_id", "occurred_on", "amount", "known_at")
_DAYS = st.integers(0, 400).map(lambda days: str(date(2024, 1, 1) + timedelta(days=days)))
_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n,\";'"), max_size=6)
_VALUES = {
    "order_id": _TEXT,
    "customer_id": st.one_of(st.sampled_from(["A", "B", " A ", "007", ""]), _TEXT),
    "occurred_on": st.one_of(_DAYS, st.sampled_from(["", "2024-02-30", "31.12.2024", "2024-05-31T23:30:00Z"]), _TEXT),
    "amount": st.one_of(
        st.floats(-1e6, 1e6).map(repr), st.sampled_from(["", "x", "inf", "nan", "1e13", "1,5", "-0.0"]), _TEXT
    ),
    "known_at": st.one_of(st.just(""), _DAYS, _TEXT),
}
_ROWS = st.lists(st.fixed_dictionaries(_VALUES), max_size=12)
_ANCHOR = {"order_id": "0", "customer_id": "A", "occurred_on": "2024-01-01", "amount": "1", "known_at": ""}


def written(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def taken(text: str, cutoff: date | None) -> Tables:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "o.csv").write_text(text, encoding="utf-8", newline="")
        source = {"orders": Source(uri="o.csv")}
        return take_in(source, cutoff=cutoff, timezone="Europe/Berlin", root=Path(folder))


@settings(deadline=None, max_examples=60)
@given(_ROWS)
def test_every_row_read_is_accepted_quarantined_or_later(rows: list[dict[str, str]]) -> None:
    with taken(written([_ANCHOR, *rows]), CUTOFF) as tables:
        balance = tables.balances[0]
        assert balance.read == 1 + len(rows)
        assert balance.read == balance.accepted + balance.quarantined + balance.later
        assert tables.query("from orders").num_rows == balance.accepted
        assert tables.quarantine("orders").num_rows == balance.quarantined


@settings(deadline=None, max_examples=60)
@given(_ROWS)
def test_accepted_rows_keep_the_contract_and_refused_ones_say_why(rows: list[dict[str, str]]) -> None:
    with taken(written([_ANCHOR, *rows]), CUTOFF) as tables:
        broken = tables.query(
            "from orders where order_id is null or trim(order_id) = '' or customer_id is null or occurred_on is null"
            " or amount is null or not isfinite(amount) or known_at is null or known_at < occurred_on"
            f" or known_at >= date '{CUTOFF}'"
        )
        assert broken.num_rows == 0
        for refused in tables.quarantine("orders").to_pylist():
            assert refused["rule"]
            assert refused["column"] in NAMES
            assert refused["message"]


@settings(deadline=None, max_examples=40)
@given(_ROWS)
def test_a_refused_row_stands_on_the_line_it_names(rows: list[dict[str, str]]) -> None:
    text = written([_ANCHOR, *rows])
    starts = {}
    reader = csv.reader(io.StringIO(text, newline=""))
    line = 1
    for record in reader:
        starts[line] = record
        line = reader.line_num + 1
    with taken(text, CUTOFF) as tables:
        for refused in tables.quarantine("orders").to_pylist():
            assert [refused[name] or "" for name in NAMES] == starts[refused["row"]]


@settings(deadline=None, max_examples=30)
@given(_ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_digest(rows: list[dict[str, str]], random: object) -> None:
    shuffled = [_ANCHOR, *rows]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    with taken(written([_ANCHOR, *rows]), CUTOFF) as one, taken(written(shuffled), CUTOFF) as other:
        assert one.digest == other.digest


@settings(deadline=None, max_examples=40)
@given(_ROWS, _ROWS)
def test_rows_known_at_or_after_the_cutoff_are_as_if_absent(
    rows: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    later = [{**row, "known_at": str(CUTOFF + timedelta(days=place))} for place, row in enumerate(late)]
    with taken(written([_ANCHOR, *rows, *later]), CUTOFF) as one, taken(written([_ANCHOR, *rows]), CUTOFF) as other:
        assert one.digest == other.digest
        assert one.query("from orders") == other.query("from orders")
        assert one.quarantine("orders").num_rows == other.quarantine("orders").num_rows


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(60, 1200), st.sampled_from(["\r\n", "\r", '"', '""', "\n\n", ","])),
        min_size=1,
        max_size=3,
    )
)
def test_a_damaged_file_never_swallows_lines_in_silence(damages: list[tuple[int, str]]) -> None:
    text = ",".join(NAMES) + "\n" + "".join(f'{n},"C{n % 7}",2024-01-{n % 28 + 1:02d},{n}.5,\n' for n in range(50))
    for place, what in damages:
        text = text[:place] + what + text[place:]
    try:
        tables = taken(text, None)
    except SourceError as error:
        assert "a quotation mark opened here is not closed" in str(error)  # noqa: PT017
        return
    with tables:
        assert tables.balances[0].read >= 50 - len(damages)
