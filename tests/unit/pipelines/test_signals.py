"""Signals on the demo company: planted causes have lift, a planted nonsense rule has none; the stage writes it all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.errors import ConfigError, OutputError
from features.outputs import read_manifest, write_manifest, write_parquet
from pipelines.demo.company import DemoCompany, demo_company
from pipelines.library import Company
from pipelines.places import Places
from pipelines.signals import RULES, SIGNALS, Signals, list_note, on_list, read_signals, signals, with_signals
from retention.texts import reason_texts

CUTOFF = date(2026, 7, 1)
NONSENSE = """
rules:
  - name: anniversary_near
    title: {de: Jahrestag nah, en: Anniversary near}
    text: {de: "Jahrestag am {anniversary_on:date}", en: "Anniversary on {anniversary_on:date}"}
    when: relationship__anniversary_days < 90
"""


@pytest.fixture(scope="module")
def demo() -> DemoCompany:
    return demo_company(customers=400)


@pytest.fixture(scope="module")
def company(demo: DemoCompany, tmp_path_factory: pytest.TempPathFactory) -> Company:
    own = tmp_path_factory.mktemp("own") / "own.yaml"
    own.write_text(NONSENSE)
    made = Company(demo.tables, language="en", training={"most": 16, "threads": 1})
    made.settings = made.settings.model_copy(
        update={"signals": made.settings.signals.model_copy(update={"file": str(own)})}
    )
    return made


@pytest.fixture(scope="module")
def found(company: Company) -> Signals:
    return company.signals(CUTOFF)


def test_planted_causes_have_lift_and_planted_nonsense_is_told_as_worthless(found: Signals) -> None:
    rules = found.rules.set_index("rule")
    planted = ["mood_bad", "silence_unusual", "order_overdue", "turnover_below_last_year"]
    assert rules.loc[planted, "verdict"].tolist() == ["lift"] * len(planted)
    assert (rules.loc[planted, "lift_low"] > 1).all()
    assert rules.loc["anniversary_near", "verdict"] == "none"
    assert rules.loc["anniversary_near", "lift"] == pytest.approx(1, abs=0.5)


def test_every_firing_rule_speaks_of_active_customers_only_in_whole_sentences(company: Company, found: Signals) -> None:
    matrix = company.matrix(CUTOFF)
    active = set(matrix.loc[matrix["cohort"] == "active", "customer_id"].astype(str))
    assert set(found.firing["customer_id"].astype(str)) <= active
    assert not found.firing["text"].str.contains(r"__|\{|nan", regex=True).any()
    now = found.firing["rule"].value_counts()
    assert found.rules.set_index("rule")["fires_now"].loc[now.index].tolist() == now.tolist()


def test_the_list_shows_rules_with_lift_and_the_unproven_only_where_the_base_is_small() -> None:
    firing = pd.DataFrame(
        {"customer_id": ["a", "a", "a"], "rule": ["x", "y", "z"], "verdict": ["lift", "few", "none"], "lift": [2.0] * 3}
    ).assign(text=["X", "Y", "Z"])
    rules = pd.DataFrame({"rule": ["x", "y", "z"], "verdict": ["lift", "few", "none"], "lift": [2.0, 3.0, 1.0]})
    listed = pd.DataFrame({"customer_id": ["a", "b"], "why_5": "", "measure": ""})
    both, texts = Signals(rules=rules, firing=firing), reason_texts("de")
    assert on_list(listed, both, texts, small=False)["machine"].tolist()[0] == "x"
    forms = on_list(listed, both, texts, small=True)
    assert forms["people"].tolist()[0] == "X; Y (hier noch nicht messbar)"
    assert forms["machine"].isna().tolist() == [False, True]
    assert list(with_signals(listed, forms["people"]).columns) == ["customer_id", "why_5", "signals", "measure"]


def test_the_stage_writes_the_same_bytes_twice_and_refuses_what_was_made_from_other_rows(
    company: Company, tmp_path: Path
) -> None:
    settings = company.settings.model_copy(update={"output": str(tmp_path)})
    places, days = Places(tmp_path), company.cutoffs(CUTOFF)[-3:]
    assert read_signals(settings, CUTOFF, data="d") is None
    for day in (*days, CUTOFF):
        leave(places.matrix(day), company.matrix(day, known_at=CUTOFF), days)
    folder = signals(settings, CUTOFF)
    first = {name: (folder / name).read_bytes() for name in (SIGNALS, RULES, "manifest.json")}
    assert {name: (signals(settings, CUTOFF) / name).read_bytes() for name in first} == first
    assert set(read_manifest(folder)["files"]) == {SIGNALS, RULES}
    assert read_signals(settings, CUTOFF, data="d") is not None
    with pytest.raises(OutputError, match="made from other rows or another configuration; run `treue signals` again"):
        read_signals(settings, CUTOFF, data="e")


def leave(folder: Path, matrix: pd.DataFrame, days: tuple[date, ...]) -> None:
    import pyarrow as pa

    write_parquet(folder / "matrix.parquet", pa.Table.from_pandas(matrix.astype({"customer_id": "str"})))
    facts = {"training_cutoffs": [day.isoformat() for day in days], "last_known": "2026-06-30", "data": "d"}
    write_manifest(folder, rows={"matrix.parquet": len(matrix)}, facts={**facts, "own_features": ""})


def test_a_missing_file_of_own_signals_is_one_line(company: Company) -> None:
    section = company.settings.signals.model_copy(update={"file": "no/where.yaml"})
    lost = Company.__new__(Company)
    lost.__dict__.update(company.__dict__)
    lost.settings = company.settings.model_copy(update={"signals": section})
    with pytest.raises(ConfigError, match=r"signals.file: no/where.yaml cannot be read .*; give a YAML file in UTF-8"):
        lost.signals(CUTOFF)


def test_a_note_holds_for_the_list_only_where_the_base_is_small_and_signals_were_read() -> None:
    texts, none = reason_texts("de"), Signals(rules=pd.DataFrame(), firing=pd.DataFrame())
    assert str(list_note(none, texts, small=True)).startswith("Die Datenbasis ist klein")
    assert list_note(none, texts, small=False) is None
    assert list_note(None, texts, small=True) is None
