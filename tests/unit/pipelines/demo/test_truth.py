from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.contract import TABLES
from pipelines.demo import demo_config
from pipelines.demo.company import DemoCompany, demo_company, write_demo
from pipelines.settings import load_settings


@cache
def company(customers: int = 2000) -> DemoCompany:
    return demo_company(customers=customers)


def assigned(firm: DemoCompany, measure: str) -> pd.DataFrame:
    rows = firm.tables["treatments"].query("measure == @measure").merge(firm.truth, on="customer_id")
    return rows.assign(is_lost=(rows["lost_on"] - rows["assigned_on"]).dt.days <= 365)


def test_no_table_and_no_source_holds_the_truth(tmp_path: Path) -> None:
    secret = set(company().truth.columns) | {"satisfaction", "effect"}
    for name, table in company().tables.items():
        known = {column.name for column in TABLES[name].columns}
        assert not (secret - known) & set(table.columns)
    assert not any("truth" in source.uri for source in load_settings(demo_config()).sources.values())
    paths = write_demo(tmp_path, company(60))
    assert all(path.parent == tmp_path / "data" for path in paths.values())


def test_the_truth_lies_beside_the_data_and_says_that_treue_never_reads_it(tmp_path: Path) -> None:
    write_demo(tmp_path, company(60))
    assert {path.name for path in (tmp_path / "truth").iterdir()} == {
        "README.md", "truth.csv", "satisfaction.csv", "effects.json",
    }  # fmt: skip
    assert "Treue never reads this folder" in (tmp_path / "truth" / "README.md").read_text(encoding="utf-8")
    with (tmp_path / "truth" / "truth.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 60
    assert json.loads((tmp_path / "truth" / "effects.json").read_text()) == company(60).effects


@pytest.mark.parametrize(
    ("measure", "verdict", "low", "high"),
    [
        ("visit", "keeps customers", -0.08, -0.02),
        ("email_offer", "drives customers away", 0.04, 0.11),
        ("reminder_letter", "does nothing", 0, 0),
    ],
)
def test_the_true_effect_of_every_treatment_is_told(measure: str, verdict: str, low: float, high: float) -> None:
    told = next(each for each in company().effects["campaigns"] if each["measure"] == measure)
    rows = assigned(company(), measure)
    assert told["verdict"] == verdict
    assert low <= told["effect"] <= high
    assert told["effect"] == pytest.approx(rows[f"effect_of_{measure}"].mean(), abs=1e-4)
    assert told["effect"] == pytest.approx(
        told["lost_share_if_all_treated"] - told["lost_share_if_none_treated"], abs=2e-4
    )
    assert (told["customers"], told["run_id"]) == (len(rows), rows["run_id"].iloc[0])
    assert rows["assigned_on"].eq(pd.Timestamp(told["assigned_on"])).all()


@pytest.mark.parametrize("measure", ["visit", "email_offer", "reminder_letter"])
def test_the_randomised_arms_estimate_the_true_effect(measure: str) -> None:
    rows = assigned(company(8000), measure)
    share = rows.groupby("arm")["is_lost"].agg(["mean", "var", "size"])
    error = np.sqrt((share["var"] / share["size"]).sum())
    estimate = share.loc["treatment", "mean"] - share.loc["control", "mean"]
    assert abs(estimate - rows[f"effect_of_{measure}"].mean()) < 3 * error
    assert rows.loc[rows["arm"] == "control", "contacted_on"].isna().all()
    assert rows.loc[rows["arm"] == "treatment", "contacted_on"].notna().all()


def test_who_was_not_in_a_campaign_has_no_effect_told() -> None:
    for measure in ("visit", "email_offer", "reminder_letter"):
        inside = company().truth["customer_id"].isin(assigned(company(), measure)["customer_id"])
        assert (company().truth[f"effect_of_{measure}"].notna() == inside).all()


def test_satisfaction_is_told_every_quarter_of_a_year_from_the_first_day_of_a_customer_on() -> None:
    told = company().satisfaction
    assert told["satisfaction"].between(0, 1).all()
    assert told.groupby("customer_id").size().max() == 16
    assert told["occurred_on"].max() == pd.Timestamp("2026-06-30")
    assert told.groupby("customer_id")["satisfaction"].std().gt(0.05).mean() > 0.2
