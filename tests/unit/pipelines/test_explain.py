"""``treue explain``: one customer from what a run has left, and the ids that people and machines come up with."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from scipy import special

from features.errors import ContractError, OutputError
from features.outputs import read_parquet, write_manifest, write_parquet
from pipelines import cli
from pipelines.explain import explain, file_name, write_page
from pipelines.history import SCHEMA, append
from pipelines.places import Places
from pipelines.settings import Settings
from retention.customer.text import customer_text
from retention.texts import reason_texts
from tests.unit.pipelines.finished_run import CUTOFF, ODD


@pytest.fixture(scope="module")
def settings(finished: Settings) -> Settings:
    return finished


def test_active_and_lapsed_customers_get_their_own_view(settings, scored):
    for name, purpose in (("scores", "churn"), ("returns", "return")):
        row = scored[name].iloc[0]
        view = explain(settings, CUTOFF, row["customer_id"])
        assert (view.purpose, view.probability) == (purpose, row["probability"])
        assert view.steps[-1].after == pytest.approx(row["probability"], abs=1e-9)
        log_odds = special.logit(view.start) + sum(step.contribution for step in view.steps)
        assert log_odds == pytest.approx(special.logit(row["probability"]), abs=1e-6)
        assert [step.family != "" for step in view.steps] == [True] * (len(view.steps) - 1) + [False]


def test_events_are_those_of_the_tables_and_none_is_from_the_future(settings, scored):
    customer = scored["scores"]["customer_id"].iloc[0]
    past = explain(settings, CUTOFF, customer).past
    orders = pd.read_csv(settings.sources["orders"].uri, parse_dates=["occurred_on"], dtype={"customer_id": "str"})
    own = orders[(orders["customer_id"] == customer) & (orders["occurred_on"] < pd.Timestamp(CUTOFF))]
    recent = own[own["occurred_on"] >= pd.Timestamp(CUTOFF) - pd.Timedelta(days=728)]
    assert sum(order.amount for order in past.orders) == pytest.approx(recent["amount"].sum(), rel=0.02)
    assert all(each.day < CUTOFF for each in (*past.orders, *past.complaints, *past.contacts))
    assert all(each.closed is None or each.closed < CUTOFF for each in past.complaints)
    assert past.scores[-1][0] == CUTOFF


def test_odd_ids_stay_in_the_folder_of_the_pages(settings, scored):
    folder = Places(Path(settings.output)).explain(CUTOFF)
    known = {*scored["scores"]["customer_id"], *scored["returns"]["customer_id"]}
    odd = [each for each in ODD if each in known]
    assert len(odd) >= 2
    for customer in odd[:2]:
        page = write_page(settings, explain(settings, CUTOFF, customer))
        assert page.resolve().parent == folder.resolve()
        assert page.read_text(encoding="utf-8").lstrip().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("customer", ["..", "/etc/passwd", "a\x00b", "ü" * 300, "", "%2E", ".", "CON\n", "a" * 500])
def test_no_id_leads_out_of_a_folder(customer, tmp_path):
    name = file_name(customer)
    assert name
    assert (tmp_path / f"{name}.html").resolve().parent == tmp_path.resolve()
    assert len(f".{name}.html.123456.tmp".encode()) < 255
    (tmp_path / f"{name}.html").write_text("x")


def test_two_ids_never_share_a_page():
    ids = ["a.b", "a%2Eb", "a b", "a_b", "ä", "ae", "x" * 200, "x" * 201, "", "%"]
    assert len({file_name(each) for each in ids}) == len(ids)


def test_an_unknown_customer_is_answered_with_the_nearest_ids(settings, scored):
    known = scored["scores"]["customer_id"]
    near = known[known.str.startswith("K-")].iloc[0]
    with pytest.raises(ContractError, match=rf"customer '{near}9' is unknown, .* nearest ids are .*{near}"):
        explain(settings, CUTOFF, f"{near}9")
    for hostile in ("../x'; drop table orders --", "", "\n"):
        with pytest.raises(ContractError, match="is unknown, or neither active nor lapsed on 2026-01-15"):
            explain(settings, CUTOFF, hostile)


@pytest.mark.parametrize(("day", "command"), [(date(2026, 1, 14), "run")])
def test_what_is_missing_is_said_with_the_command_that_writes_it(settings, day, command):
    with pytest.raises(OutputError, match=rf"matrix/cutoff={day} is not written yet; run `treue {command}` with"):
        explain(settings, day, "K-1")


def test_without_lists_it_says_which_command_writes_them(settings, scored, monkeypatch):
    monkeypatch.setattr(Places, "lists", lambda places, cutoff: places.root / "nowhere")
    with pytest.raises(OutputError, match="nowhere is not written yet; run `treue lists` with --cutoff 2026-01-15"):
        explain(settings, CUTOFF, scored["scores"]["customer_id"].iloc[0])


def test_signals_are_read_where_they_were_written(settings, scored):
    customer, folder = scored["scores"]["customer_id"].iloc[0], Places(Path(settings.output)).signals(CUTOFF)
    assert explain(settings, CUTOFF, customer).signals is None
    signals = pd.DataFrame(
        {
            "customer_id": [customer, customer, "K-other"],
            "verdict": ["lift", "none", "lift"],
            "text": ["Offene Reklamation", "Viele Retouren", "Andere"],
        }
    )
    write_parquet(folder / "signals.parquet", pa.Table.from_pandas(signals, preserve_index=False))
    write_manifest(folder, rows={"signals.parquet": 3}, facts={})
    assert explain(settings, CUTOFF, customer).signals == (
        "Offene Reklamation",
        "Viele Retouren (kündigte hier bisher keine Verluste an)",
    )
    (folder / "manifest.json").unlink()


def test_every_listed_customer_has_a_page_that_says_what_the_list_says(settings):
    places = Places(Path(settings.output))
    for name in ("early_warning", "win_back"):
        listed = read_parquet(places.lists(CUTOFF), f"{name}.parquet").to_pandas().head(1)
        for _, row in listed.iterrows():
            view = explain(settings, CUTOFF, row["customer_id"])
            assert view.listed is not None
            assert view.listed.rank == row["rank"]
            assert view.would_change == row["would_change"]
            told = [step.sentence for step in view.steps if step.family]
            assert told == [row[f"why_{k}"].split(": ", 1)[1] for k in range(1, len(told) + 1)]


def test_the_past_is_what_the_history_said_then_with_the_states_of_the_list(settings, scored, tmp_path):
    customer = scored["scores"]["customer_id"].iloc[0]
    output = Path(shutil.copytree(settings.output, tmp_path / "out"))
    told = {date(2025, 12, 18): ("watched", 0.2), date(2026, 1, 1): ("listed", 0.4), date(2026, 1, 8): ("lost", None)}
    for day, (state, chance) in told.items():
        row = {**dict.fromkeys(SCHEMA.names), "customer_id": customer, "cutoff": day, "state": state}
        append(Places(output), day, pd.DataFrame([{**row, "probability": chance}, {**row, "customer_id": "other"}]))
    for day, chance in ((date(2025, 12, 11), 0.1), (date(2026, 1, 1), 0.9)):
        rows = pd.DataFrame({"customer_id": [customer], "probability": [chance]})
        for name, table in (("scores", rows), ("returns", rows.head(0))):
            write_parquet(Places(output).scores(day) / f"{name}.parquet", pa.Table.from_pandas(table))
        write_manifest(Places(output).scores(day), rows={"scores.parquet": 1, "returns.parquet": 0}, facts={})
    view = explain(settings.model_copy(update={"output": str(output)}), CUTOFF, customer)
    earlier = [(day, chance) for day, chance, purpose in view.past.scores if purpose == "churn"]
    assert earlier == [
        (date(2025, 12, 11), 0.1),  # only the scores know
        (date(2025, 12, 18), 0.2),  # only the history knows
        (date(2026, 1, 1), 0.4),  # both: the scores were rewritten later
        (CUTOFF, view.probability),
    ]
    assert view.past.states == ((date(2026, 1, 1), "listed"), (date(2026, 1, 8), "lost"))
    shown = customer_text(view, texts=reason_texts("de"))
    assert "01.01.2026  Frühwarnliste: darauf" in shown
    assert "08.01.2026  Frühwarnliste: gilt als verloren" in shown


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["treue", *arguments])
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_command_prints_the_customer_and_where_the_page_lies(settings, scored, monkeypatch, capsys):
    monkeypatch.setattr(cli, "_settings", lambda config: settings)
    customer = scored["scores"]["customer_id"].iloc[0]
    assert run(monkeypatch, "explain", customer, "--config", "x.yaml", "--cutoff", "2026-01-15") == 0
    shown = capsys.readouterr().out
    assert "Was nicht getan werden darf" in shown
    assert Path(shown.split("page ")[-1].strip()).is_file()
    assert run(monkeypatch, "explain", "nobody", "--config", "x.yaml", "--cutoff", "2026-01-15") == 1
    error = capsys.readouterr().err
    assert error.startswith("treue: customer 'nobody' is unknown")
    assert error.count("\n") == 1
