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


@pytest.mark.parametrize("cutoff", ["2024-06-01", "2025-06-01", "2025-12-31", "2026-03-15"])
def test_about_one_in_twelve_active_customers_falls_silent(cutoff: str) -> None:
    assert 0.06 <= silent_share(company(3000), pd.Timestamp(cutoff)) <= 0.12


def test_by_default_2000_customers_of_whom_one_in_eight_is_a_consumer_are_followed_for_four_years() -> None:
    firm = demo_company()
    assert len(firm.tables["customers"]) == 2000
    assert 0.1 < (firm.tables["customers"]["type"] == "b2c").mean() < 0.18
    days = (LAST_DAY - firm.tables["orders"]["occurred_on"].min()).days
    assert 4 * 365 - 7 <= days <= 4 * 365 + 1


def test_trade_has_a_season() -> None:
    bought = company(3000).tables["orders"].query("amount > 0")
    months = bought.groupby(bought["occurred_on"].dt.month)["order_id"].nunique()
    assert months[[4, 10]].min() > 1.25 * months[[1, 8, 12]].max()


def test_orders_fall_with_the_hidden_satisfaction_step_by_step() -> None:
    level = company(3000).satisfaction.merge(company(3000).truth, on="customer_id")
    level = level[level["lost_on"].isna() | (level["lost_on"] - level["occurred_on"] > pd.Timedelta(days=30))]
    bought = purchases(company(3000))[["customer_id", "occurred_on", "order_id"]].drop_duplicates()
    near = level.merge(bought, on="customer_id", suffixes=("", "_of_order"))
    near = near[(near["occurred_on_of_order"] - near["occurred_on"]).dt.days.abs() <= 15]
    level["orders"] = near.groupby(["customer_id", "occurred_on"]).size().reindex(
        pd.MultiIndex.from_frame(level[["customer_id", "occurred_on"]]), fill_value=0
    ).to_numpy()  # fmt: skip
    left = pd.cut(level["satisfaction"] / level["usual_satisfaction"], [0, 0.4, 0.6, 0.8, 1.01])
    rate = (level["orders"] / level["orders_per_year"]).groupby(left, observed=True).mean()
    assert rate.is_monotonic_increasing
    assert rate.iloc[0] < 0.5 * rate.iloc[-1]


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


def test_value_facts_are_planted_where_orders_show_them() -> None:
    firm = company(3000)
    orders = firm.tables["orders"].groupby("customer_id").agg(amount=("amount", "sum"), margin=("margin", "sum"))
    joined = firm.truth.join(orders, on="customer_id").dropna(subset=["amount"])
    share = (joined["margin"] / joined["amount"]).groupby(joined["costs_more_than_it_brings"]).median()
    assert share[True] < 0.6 * share[False]
    used = (joined["amount"] / joined["potential_amount"]).groupby(joined["high_potential_small"]).median()
    assert used[True] < 0.3 * used[False]


def test_consent_evidence_objections_and_gaps_are_mixed_in() -> None:
    customers = company().tables["customers"]
    said_yes = customers["consent_phone"].fillna(False) | customers["consent_email"].fillna(False)
    assert 0 < (said_yes & customers["consent_evidence"].isna()).sum() < said_yes.sum()
    assert not (customers["consent_evidence"].notna() & ~said_yes).any()
    for column in ("objection_on", "consent_phone", "email", "owner"):
        assert 0 < customers[column].isna().sum() < len(customers), column


def test_six_account_managers_own_the_customers() -> None:
    assert company().tables["customers"]["owner"].nunique() == 6


def test_nobody_real_can_be_reached() -> None:
    customers = company().tables["customers"]
    assert customers["email"].dropna().str.endswith(".example").all()
    blocks = r"(?:\+49 |0049-)(?:30 23125|69 90009|40 66969|221 4710|89 99998) \d{3}$"
    assert customers["phone"].dropna().str.match(blocks).all()


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


def _twins() -> pd.DataFrame:
    customers = company(3000).tables["customers"].merge(company(3000).truth, on="customer_id")
    twins = customers.dropna(subset=["second_account_of"])
    return twins.merge(customers, left_on="second_account_of", right_on="customer_id", suffixes=("", "_old"))


def test_some_customers_have_a_second_account_repeated_or_spelt_another_way() -> None:
    twins = _twins()
    assert 0.01 < len(twins) / 3000 < 0.05
    assert (twins["postcode"] == twins["postcode_old"])[twins["postcode"].notna() & twins["postcode_old"].notna()].all()
    is_same = twins["name"] == twins["name_old"]
    assert is_same.groupby(twins["second_account_kind"]).mean().to_dict() == {"near": 0.0, "repeated": 1.0}


def test_both_accounts_of_a_customer_live_one_life_and_both_order() -> None:
    twins = _twins()
    pd.testing.assert_series_equal(twins["lost_on"], twins["lost_on_old"], check_names=False)
    assert twins["customer_id"].isin(purchases(company(3000))["customer_id"]).mean() > 0.95
