from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from features.contract import TABLES
from features.intake import Tables, take_in
from pipelines.demo.company import demo_company, write_demo
from pipelines.demo.dirt import DIRTY_ROWS
from pipelines.settings import Settings, load_settings
from pipelines.yamlfile import read_yaml

ROOT = Path(__file__).resolve().parents[3]
PUBLIC = ("online_retail", "online_retail_90", "resellers", "webshop", "ibm_telco", "ravenstack")
SECTIONS = ("churn", "training", "value", "lists", "plan")


def shipped(name: str) -> Path:
    return ROOT / "configs" / f"{name}.yaml"


def take_in_public(name: str) -> Tables:
    settings = load_settings(shipped(name))
    files = [(ROOT / source.uri) for source in settings.sources.values()]
    if not all(file.exists() for file in files):
        pytest.skip(f"the public data of configs/{name}.yaml are not in {files[0].parent}")
    return take_in(settings.sources, cutoff=None, timezone=settings.timezone, root=ROOT, currency=settings.currency)


@pytest.mark.parametrize("name", ["demo", *PUBLIC])
def test_a_shipped_config_loads_and_names_every_key(name: str) -> None:
    settings, raw = load_settings(shipped(name)), read_yaml(shipped(name))
    assert settings.name == name
    assert settings.output == f"out/{name}"
    assert set(raw) == set(Settings.model_fields)
    for section in SECTIONS:
        missing = set(type(getattr(settings, section)).model_fields) - set(raw[section])
        assert missing <= _optional(name, section), (section, missing)


def _optional(name: str, section: str) -> set[str]:
    return set() if name == "demo" else {"churn": {"decline_share"}, "plan": {"measures"}}.get(section, set())


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_config_says_what_the_set_is_its_licence_how_to_run_it_and_what_to_expect(name: str) -> None:
    heading = shipped(name).read_text(encoding="utf-8").split("\nname:")[0]
    assert "Source: " in heading
    assert re.search(r"CC BY|MIT|[Ss]ample|free for learning", heading)
    assert re.search(rf"treue run --config configs/{name}\.yaml --cutoff \d{{4}}-\d\d-\d\d\n", heading)
    assert "What to expect: " in heading


def test_the_demo_config_has_a_comment_at_every_key_of_every_section() -> None:
    lines = shipped("demo").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("churn:"))
    keys = [line for line in lines[start:] if re.match(r"  \w+:", line)]
    assert len(keys) > 20
    assert all("# default" in line for line in keys)


def test_the_demo_config_takes_in_all_tables_of_the_demo_company(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    firm = demo_company(customers=60)
    write_demo(tmp_path / "out" / "demo", firm)
    settings = load_settings(shipped("demo"))
    with take_in(settings.sources, cutoff=None, timezone=settings.timezone, root=tmp_path) as tables:
        assert tables.names == tuple(TABLES)
        for balance in tables.balances:
            assert balance.accepted == len(firm.tables[balance.table])
            assert balance.quarantined == len(DIRTY_ROWS[balance.table])
        assert tables.last_known == date(2026, 6, 30)


ACCEPTED: Mapping[str, Mapping[str, int]] = {
    "online_retail": {"orders": 406829},
    "online_retail_90": {"orders": 406829},
    "resellers": {"orders": 60855, "customers": 701},
    "webshop": {"orders": 60398, "customers": 18484},
    "ibm_telco": {"orders": 7043, "contracts": 7043, "customers": 7043},
    "ravenstack": {
        "customers": 500, "orders": 5000, "complaints": 2000, "contacts": 2000, "contracts": 5000, "losses": 600,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_set_is_taken_in_without_a_refused_row(name: str) -> None:
    with take_in_public(name) as tables:
        accepted = {balance.table: balance.accepted for balance in tables.balances}
        assert sum(balance.quarantined + balance.later for balance in tables.balances) == 0
    assert {table: accepted[table] for table in ACCEPTED[name]} == ACCEPTED[name]


ACTIVE = """
    select count(distinct customer_id) as active, count(distinct customer_id) filter (customer_id not in (
        select customer_id from orders where amount > 0 and occurred_on >= $cutoff
        and occurred_on < $cutoff + interval ($horizon) day)) as silent
    from orders where amount > 0 and occurred_on < $cutoff and occurred_on >= $cutoff - interval ($active) day
"""


@pytest.mark.parametrize(
    ("name", "cutoff", "active", "horizon", "expected"),
    [
        ("online_retail_90", "2011-09-10", 180, 90, (2787, 0.382)),
        ("resellers", "2013-05-31", 365, 180, (555, 0.196)),
        ("webshop", "2013-06-30", 365, 180, (9309, 0.739)),
    ],
)
def test_a_purchase_and_the_cohort_are_those_of_the_published_figures(
    name: str, cutoff: str, active: int, horizon: int, expected: tuple[int, float]
) -> None:
    churn = load_settings(shipped(name)).churn
    assert (churn.active_within_days, churn.horizon_days, churn.lead_days) == (active, horizon, 0)
    values = {"cutoff": f"date '{cutoff}'", "horizon": str(horizon), "active": str(active)}
    sql = ACTIVE
    for key, value in values.items():
        sql = sql.replace(f"${key}", value)
    with take_in_public(name) as tables:
        found = tables.query(sql).to_pylist()[0]
    assert (found["active"], round(found["silent"] / found["active"], 3)) == expected


def test_customer_numbers_keep_the_type_of_their_source() -> None:
    for name in ("online_retail", "resellers", "webshop"):
        with take_in_public(name) as tables:
            assert str(tables.id_type) == "int32", name
