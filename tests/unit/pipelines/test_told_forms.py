"""What forms told joins the table losses: in the features and the digest of the data, from the day it was known on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipelines.check import open_tables
from pipelines.demo.company import csv_bytes, demo_company
from pipelines.places import Places
from pipelines.settings import Settings, settings_from
from pipelines.told_losses import read_form_back

HEAD = "customer_id,occurred_on,reason,competitor,winnable,source,known_at\n"
BEFORE, AFTER = date(2025, 6, 2), date(2025, 6, 3)


def settings_of(folder: Path, *names: str) -> Settings:
    tables = demo_company(customers=40, seed=3).tables
    for name in names:
        (folder / f"{name}.csv").write_bytes(csv_bytes(tables[name]))
    sources = {name: {"uri": str(folder / f"{name}.csv")} for name in names}
    return settings_from({"name": "x", "output": str(folder / "out"), "sources": sources}, place="test")


def told(settings: Settings, *rows: str) -> None:
    place = Places(Path(settings.output)).told_losses
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def losses_at(settings: Settings, cutoff: date | None) -> tuple[str, pd.DataFrame]:
    """Return the digest of the data, and the table losses (empty where there is none)."""
    with open_tables(settings, cutoff) as tables:
        if "losses" not in tables.names:
            return tables.digest, pd.DataFrame()
        assert tables.quarantine("losses").num_rows == 0
        return tables.digest, tables.arrow("losses", [*tables.columns("losses"), "known_at"]).to_pandas()


@pytest.mark.parametrize("names", [("orders", "losses"), ("orders",)])
def test_forms_count_beside_the_table_and_without_one_and_change_the_digest_from_their_day_on(tmp_path, names):
    settings = settings_of(tmp_path, *names)
    plain = {cutoff: losses_at(settings, cutoff) for cutoff in (BEFORE, AFTER, None)}
    told(settings, "K00001,2025-03-01,zu teuer,,true,interview,2025-06-02")
    assert losses_at(settings, BEFORE)[0] == plain[BEFORE][0] or "losses" not in names
    for cutoff in (AFTER, None):
        digest, rows = losses_at(settings, cutoff)
        assert digest != plain[cutoff][0]
        assert len(rows) == len(plain[cutoff][1]) + 1
        assert (rows["reason"] == "zu teuer").sum() == (
            plain[cutoff][1].get("reason", pd.Series()) == "zu teuer"
        ).sum() + 1
    assert len(losses_at(settings, BEFORE)[1]) == len(plain[BEFORE][1])


def test_a_row_that_the_table_already_has_counts_once(tmp_path):
    settings = settings_of(tmp_path, "orders", "losses")
    with (tmp_path / "losses.csv").open(encoding="utf-8") as file:
        assert file.readline().strip() == HEAD.strip()
        row = file.readline().strip()
    plain = losses_at(settings, None)[1]
    told(settings, row)
    assert len(losses_at(settings, None)[1]) == len(plain.drop_duplicates())


def test_what_was_told_first_stays_what_was_known_until_it_was_told_otherwise(tmp_path):
    settings = settings_of(tmp_path, "orders")
    customer = pd.read_csv(tmp_path / "orders.csv", dtype="str")["customer_id"].iloc[0]
    for told_on, reason in (("01.05.2025", "Preis"), ("02.06.2025", "Lieferung"), ("02.06.2025", "Qualität")):
        form = tmp_path / "form.csv"
        form.write_text(
            f"Kundennummer;Verloren am;Gefragt am;Grund in seinen Worten\n{customer};01.03.2025;{told_on};{reason}\n"
        )
        found = read_form_back(settings, form)
        assert found.faults == ()
    assert losses_at(settings, BEFORE)[1]["reason"].tolist() == ["Preis"]
    assert sorted(losses_at(settings, AFTER)[1]["reason"]) == ["Preis", "Qualität"]
