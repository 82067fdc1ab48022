from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.contract import TABLES
from features.errors import ConfigError
from features.intake import take_in_frames
from pipelines.demo.company import DemoCompany, csv_bytes, demo_company, write_demo
from pipelines.demo.dirt import DIRTY_ROWS
from pipelines.demo.words import KINDS

LAST_DAY = pd.Timestamp("2026-06-30")


@cache
def company(customers: int = 600) -> DemoCompany:
    return demo_company(customers=customers)


def purchases(firm: DemoCompany) -> pd.DataFrame:
    orders = firm.tables["orders"]
    return orders[orders["amount"] > 0].merge(firm.truth, on="customer_id")


def silent_share(firm: DemoCompany, cutoff: pd.Timestamp) -> float:
    bought = firm.tables["orders"].query("amount > 0")
    age = (cutoff - bought["occurred_on"]).dt.days
    active = set(bought.loc[(age >= 1) & (age <= 180), "customer_id"])
    return 1 - len(active & set(bought.loc[(age <= -14) & (age > -104), "customer_id"])) / len(active)


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    runs = {name: write_demo(tmp_path / name, demo_company(customers=60, seed=seed))
            for name, seed in (("a", 7), ("b", 7), ("c", 8))}  # fmt: skip
    for table in TABLES:
        assert runs["a"][table].read_bytes() == runs["b"][table].read_bytes()
    assert runs["a"]["orders"].read_bytes() != runs["c"]["orders"].read_bytes()


def test_every_table_of_the_contract_is_there_with_all_its_columns_none_of_them_empty() -> None:
    assert tuple(company().tables) == tuple(TABLES)
    for name, table in company().tables.items():
        assert set(table.columns) == {*(column.name for column in TABLES[name].columns), "known_at"}
        assert table.notna().any().all(), name


def test_the_tables_as_drawn_keep_the_contract() -> None:
    with take_in_frames(company(150).tables, cutoff=None, timezone="Europe/Berlin") as tables:
        for balance in tables.balances:
            assert (balance.quarantined, balance.later) == (0, 0), balance
            assert balance.accepted == len(company(150).tables[balance.table])


def test_nothing_happens_or_becomes_known_after_the_last_day() -> None:
    for name, table in company().tables.items():
        for column in table.columns.intersection(["occurred_on", "known_at", "closed_on", "paid_on", "cancelled_on"]):
            assert not (table[column] > LAST_DAY).any(), (name, column)
    assert company().tables["orders"]["known_at"].max() == LAST_DAY


def test_the_story_can_end_on_another_day() -> None:
    orders = demo_company(customers=60, last_day=date(2024, 3, 31)).tables["orders"]
    assert date(2024, 3, 15) < orders["occurred_on"].max().date() <= date(2024, 3, 31)


def test_nobody_buys_between_loss_and_return_and_who_returned_buys_again() -> None:
    bought = purchases(company(3000))
    gone = (bought["occurred_on"] >= bought["lost_on"]) & ~(bought["occurred_on"] >= bought["reactivated_on"])
    assert not gone.any()
    returned = bought[bought["occurred_on"] >= bought["reactivated_on"]]["customer_id"].nunique()
    assert returned > 0.8 * company(3000).truth["reactivated_on"].notna().sum() > 20


def test_every_cause_takes_its_share_of_the_lost() -> None:
    truth = company(3000).truth
    assert set(truth["cause"].dropna()) == {*KINDS, "none"}
    assert (truth["cause"].notna() == truth["lost_on"].notna()).all()
    assert truth["cause"].value_counts(normalize=True).between(0.02, 0.4).all()


@pytest.mark.parametrize("cutoff", ["2025-06-01", "2025-12-31", "2026-03-15"])
def test_about_one_in_ten_active_customers_falls_silent(cutoff: str) -> None:
    assert 0.06 <= silent_share(company(3000), pd.Timestamp(cutoff)) <= 0.14


def test_orders_fade_before_a_planted_loss() -> None:
    bought = purchases(company(3000)).query("cause in @KINDS")
    last_month = (bought["lost_on"] - bought["occurred_on"]).dt.days.between(1, 45).sum() / 45
    before = (bought["fading_from"] - bought["occurred_on"]).dt.days.between(1, 180).sum() / 180
    assert last_month < 0.5 * before


def _rows_before_loss(firm: DemoCompany, table: str, cause: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = firm.tables[table].merge(firm.truth.query("cause == @cause"), on="customer_id")
    fading = rows["occurred_on"].between(rows["fading_from"], rows["lost_on"])
    habit = (rows["fading_from"] - rows["occurred_on"]).dt.days.between(1, 365)
    return rows[fading], rows[habit]


def test_an_unresolved_complaint_stands_open_or_was_settled_badly() -> None:
    fading, habit = _rows_before_loss(company(3000), "complaints", "complaint_unresolved")
    assert fading["satisfied"].fillna(False).mean() < 0.25 < 0.6 < habit["satisfied"].fillna(False).mean()


def test_a_contact_gap_interrupts_a_habit_of_contacts() -> None:
    fading, habit = (
        rows.query("direction == 'out'") for rows in _rows_before_loss(company(3000), "contacts", "contact_gap")
    )
    days = (fading["lost_on"] - fading["fading_from"]).dt.days.mean()
    assert len(fading) / days < 0.25 * len(habit) / 365


def test_a_price_talk_raises_the_discount_and_insolvency_the_delay_of_payment() -> None:
    fading, habit = _rows_before_loss(company(3000), "orders", "price")
    assert fading["discount_share"].mean() > habit["discount_share"].mean() + 0.05
    fading, habit = _rows_before_loss(company(3000), "orders", "insolvency")
    delay = [(rows["paid_on"] - rows["due_on"]).dt.days.mean() for rows in (fading, habit)]
    assert delay[0] > delay[1] + 15


def test_a_change_of_the_account_manager_shows_in_the_contacts() -> None:
    fading, habit = _rows_before_loss(company(3000), "contacts", "contact_person_change")
    last = habit.sort_values("occurred_on").groupby("customer_id")["agent"].last()
    first = fading.sort_values("occurred_on").groupby("customer_id")["agent"].first()
    assert (last.reindex(first.index).dropna() != first.reindex(last.index).dropna()).mean() > 0.95


def test_the_mood_falls_with_bad_service() -> None:
    fading, habit = _rows_before_loss(company(3000), "contacts", "service")
    assert fading["sentiment"].mean() < habit["sentiment"].mean() - 0.3


def test_traces_without_a_loss_exist_so_that_no_sign_is_a_proof() -> None:
    complaints = company(3000).tables["complaints"].merge(company(3000).truth, on="customer_id")
    bad = complaints[(complaints["satisfied"] == False) | complaints["closed_on"].isna()]  # noqa: E712
    assert 0.3 < bad["lost_on"].isna().mean() < 0.95


def test_some_rows_become_known_weeks_after_they_happened() -> None:
    for name, least in (("orders", 20), ("complaints", 20), ("losses", 50)):
        table = company().tables[name]
        assert ((table["known_at"] - table["occurred_on"]).dt.days >= 7).sum() >= least, name
        assert (table["known_at"] >= table["occurred_on"]).all()


def test_credit_notes_are_negative_and_carry_no_due_date() -> None:
    notes = company().tables["orders"].query("amount < 0")
    assert 0.01 < len(notes) / len(company().tables["orders"]) < 0.06
    assert notes["due_on"].isna().all()


def test_the_losses_table_knows_about_six_of_ten_losses_and_enters_them_weeks_later() -> None:
    losses, truth = company(3000).tables["losses"], company(3000).truth
    old = truth[truth["lost_on"] < LAST_DAY - timedelta(days=100)]
    assert losses["customer_id"].is_unique
    assert 0.54 < old["customer_id"].isin(losses["customer_id"]).mean() < 0.66
    assert (losses["known_at"] - losses["occurred_on"]).dt.days.min() >= 21


def test_arms_are_drawn_at_random_the_helpful_campaign_keeps_and_the_harmful_one_loses_customers() -> None:
    firm = company(20_000)
    rows = firm.tables["treatments"].merge(firm.truth, on="customer_id")
    rows["lost"] = (rows["lost_on"] - rows["assigned_on"]).dt.days < 240
    lost = rows.groupby(["measure", "arm"])["lost"].mean()
    assert lost["Bedarfsgespräch", "treatment"] < lost["Bedarfsgespräch", "control"]
    assert lost["Rabatt-Mailing", "treatment"] > lost["Rabatt-Mailing", "control"] + 0.03
    assert rows[rows["arm"] == "control"]["contacted_on"].isna().all()


def test_value_facts_are_planted_where_orders_show_them() -> None:
    firm = company(3000)
    orders = firm.tables["orders"].groupby("customer_id").agg(amount=("amount", "sum"), margin=("margin", "sum"))
    joined = firm.truth.join(orders, on="customer_id").dropna(subset=["amount"])
    share = (joined["margin"] / joined["amount"]).groupby(joined["costs_more_than_it_brings"]).median()
    assert share[True] < 0.6 * share[False]
    used = (joined["amount"] / joined["potential_amount"]).groupby(joined["high_potential_small"]).median()
    assert used[True] < 0.3 * used[False]


def test_consent_evidence_objections_gaps_and_second_accounts_are_mixed_in() -> None:
    customers = company().tables["customers"].merge(company().truth, on="customer_id")
    said_yes = customers["consent_phone"].fillna(False) | customers["consent_email"].fillna(False)
    assert 0 < (said_yes & customers["consent_evidence"].isna()).sum() < said_yes.sum()
    assert not (customers["consent_evidence"].notna() & ~said_yes).any()
    for column in ("objection_on", "second_account_of", "consent_phone", "email", "owner"):
        assert 0 < customers[column].isna().sum() < len(customers), column
    twins = customers.dropna(subset=["second_account_of"]).merge(
        customers[["customer_id", "postcode"]],
        left_on="second_account_of",
        right_on="customer_id",
        suffixes=("", "_old"),
    )
    same = twins.dropna(subset=["postcode", "postcode_old"])
    assert (same["postcode"] == same["postcode_old"]).all()


def test_six_account_managers_own_the_customers() -> None:
    assert company().tables["customers"]["owner"].nunique() == 6


def test_nobody_real_can_be_reached() -> None:
    customers = company().tables["customers"]
    assert customers["email"].dropna().str.endswith(".example").all()
    assert customers["phone"].dropna().str.match(r"\+49 (30 23125|69 90009|40 66969|221 4710|89 99998) \d{3}$").all()


def test_files_are_plain_csv_that_ends_with_the_dirty_rows(tmp_path: Path) -> None:
    paths = write_demo(tmp_path, company(60))
    assert tuple(paths) == tuple(TABLES)
    for name, path in paths.items():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        dirty = DIRTY_ROWS[name]
        assert len(rows) == len(company(60).tables[name]) + len(dirty)
        assert [{k: v for k, v in row.items() if v} for row in rows[-len(dirty) :]] == [
            {k: v for k, v in row.items() if v} for row in dirty
        ]
    assert (tmp_path / "truth" / "truth.csv").is_file()


def test_every_dirty_row_is_refused_and_every_other_row_accepted(tmp_path: Path) -> None:
    from features.intake import take_in
    from features.sources import Source

    paths = write_demo(tmp_path, company(60))
    sources = {name: Source(uri=str(path)) for name, path in paths.items()}
    with take_in(sources, cutoff=None, timezone="Europe/Berlin", root=tmp_path) as tables:
        refused = {balance.table: balance.quarantined for balance in tables.balances}
    assert refused == {name: len(rows) for name, rows in DIRTY_ROWS.items()}


def test_dates_are_written_as_iso_days_and_missing_values_as_nothing() -> None:
    frame = pd.DataFrame(
        {"day": np.array(["2026-01-02", "NaT"], dtype="datetime64[s]"), "n": [1, 2], "t": ["a,b", None]}
    )
    assert csv_bytes(frame).decode() == 'day,n,t\n2026-01-02,1,"a,b"\n,2,\n'


def test_too_few_customers_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least 20 demo customers, got 3; ask for more"):
        demo_company(customers=3)
