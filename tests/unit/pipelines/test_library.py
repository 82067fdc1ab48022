"""Treue as a library: the numbers of the command line, ids as they came, nothing from after the cutoff."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import logit

from features.errors import ConfigError, ContractError, LeakageError
from features.loss_day import LOSS_DAY
from features.matrix import EARLY_LABEL
from features.outcomes import OUTCOMES
from models.churn_model import ChurnModel
from pipelines import stages
from pipelines.demo.company import DemoCompany, demo_company, write_demo
from pipelines.library import Company
from pipelines.places import Places
from pipelines.settings import load_settings

CUTOFF = date(2026, 1, 15)
TRAINING = {"most": 8, "threads": 1}


@pytest.fixture(scope="module")
def demo() -> DemoCompany:
    return demo_company(customers=150, seed=3)


@pytest.fixture(scope="module")
def company(demo: DemoCompany) -> Company:
    return Company(demo.tables, language="en", training=TRAINING)


@pytest.fixture(scope="module")
def model(company: Company) -> ChurnModel:
    return company.train(CUTOFF)


@pytest.fixture(scope="module")
def back(company: Company) -> ChurnModel:
    return company.train(CUTOFF, purpose="return")


@pytest.fixture(scope="module")
def config(demo: DemoCompany, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration over the CSV files of the same company, with paths relative to its own folder."""
    folder = tmp_path_factory.mktemp("files")
    files = write_demo(folder, demo)
    content = {
        "name": "files",
        "language": "en",
        "output": str(folder / "out"),
        "sources": {name: {"uri": str(path.relative_to(folder))} for name, path in files.items()},
        "training": TRAINING,
    }
    path = folder / "treue.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def stored(config: Path) -> Path:
    """Scores written by the stages of the command line from the CSV files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(config.parent)
        settings = load_settings(config)
        stages.build_features(settings, CUTOFF)
        stages.train(settings, CUTOFF)
        stages.score(settings, CUTOFF)
    return Places(Path(settings.output)).scores(CUTOFF)


@pytest.mark.slow
@pytest.mark.parametrize(("purpose", "file"), [("churn", "scores.parquet"), ("return", "returns.parquet")])
def test_frames_give_the_scores_that_the_stages_write_from_files(
    purpose: Any, file: str, company: Company, stored: Path
) -> None:
    written = pd.read_parquet(stored / file)
    scores = company.score(CUTOFF, company.train(CUTOFF, purpose=purpose))
    assert scores["customer_id"].astype(str).tolist() == written["customer_id"].tolist()
    assert np.abs(scores["probability"] - written["probability"]).max() <= 1e-12
    same = [name for name in written.columns if name not in ("customer_id", "run_id")]
    pd.testing.assert_frame_equal(scores[same], written[same], check_dtype=False, rtol=0, atol=1e-9)


def test_a_configuration_gives_the_matrix_of_the_frames(company: Company, config: Path) -> None:
    own = Company.from_config(config, root=config.parent)
    matrix = own.matrix(CUTOFF)
    assert matrix["customer_id"].tolist() == company.matrix(CUTOFF)["customer_id"].astype(str).tolist()
    features = matrix.columns[4:]
    pd.testing.assert_frame_equal(matrix[features], company.matrix(CUTOFF)[features], check_exact=True)
    assert own.newest_cutoff() == company.newest_cutoff() == date(2026, 7, 1)
    assert own.check().balances["quarantined"].sum() == 14


def test_whole_number_ids_come_back_as_whole_numbers(company: Company, model: ChurnModel) -> None:
    for ids in (
        company.matrix(CUTOFF)["customer_id"],
        company.snapshots(CUTOFF)["customer_id"],
        company.backtest(CUTOFF)["customer_id"],
        company.score(CUTOFF, model)["customer_id"],
        company.explain(CUTOFF, model).index,
    ):
        assert ids.dtype == np.int64


def test_text_ids_come_back_as_text(demo: DemoCompany) -> None:
    orders = demo.tables["orders"].assign(customer_id="C" + demo.tables["orders"]["customer_id"].astype(str))
    ids = Company({"orders": orders}).matrix(CUTOFF)["customer_id"]
    assert pd.api.types.is_string_dtype(ids)
    assert ids.str.startswith("C").all()


@pytest.mark.parametrize("day", ["2026-01-15", datetime(2026, 1, 15, 9, tzinfo=UTC), pd.Timestamp("2026-01-15")])
def test_a_cutoff_may_be_text_or_a_timestamp(company: Company, day: Any) -> None:
    pd.testing.assert_frame_equal(company.matrix(day), company.matrix(CUTOFF))


def test_a_cutoff_that_is_no_day_is_one_clear_line(company: Company) -> None:
    for day in ("yesterday", "2026-02-30", 20260115, None):
        with pytest.raises(ConfigError, match="cutoff: expected a date or text such as 2026-01-01"):
            company.matrix(day)  # type: ignore[arg-type]


def test_scores_and_sentences_and_contributions_stand_in_one_order(company: Company, model: ChurnModel) -> None:
    scores, told = company.score(CUTOFF, model), company.explain(CUTOFF, model)
    explanation = company.explanation(CUTOFF, model)
    assert told.index.tolist() == scores["customer_id"].tolist()
    assert scores["probability"].is_monotonic_decreasing
    total = explanation.base_values + explanation.values.sum(axis=1)
    assert np.abs(total - logit(scores["probability"])).max() <= 1e-9


def test_the_return_of_lapsed_customers_is_scored_and_explained(company: Company, back: ChurnModel) -> None:
    matrix = company.matrix(CUTOFF)
    scores, told = company.score(CUTOFF, back), company.explain(CUTOFF, back)
    assert set(scores["customer_id"]) == set(matrix.loc[matrix["cohort"] == "lapsed", "customer_id"])
    assert told["text_1"].dropna().str.contains("return").all()
    explanation = company.explanation(CUTOFF, back)
    total = explanation.base_values + explanation.values.sum(axis=1)
    assert np.abs(total - logit(scores["probability"])).max() <= 1e-9


def test_sentences_come_in_the_language_asked_for(company: Company, model: ChurnModel) -> None:
    starts = {
        language: company.explain(CUTOFF, model, language=language)["text_1"].dropna().str.split(":").str[0].unique()
        for language in ("de", "en")
    }
    assert set(starts["de"]) <= {"Gefährdet", "Bindet"}
    assert set(starts["en"]) <= {"At risk", "Binds"}


def test_later_rows_make_no_difference(demo: DemoCompany, company: Company, model: ChurnModel) -> None:
    earlier = {name: table[table["known_at"] < pd.Timestamp(CUTOFF)] for name, table in demo.tables.items()}
    there = Company(earlier, language="en", training=TRAINING)
    pd.testing.assert_frame_equal(there.matrix(CUTOFF), company.matrix(CUTOFF), check_exact=True)
    same = there.train(CUTOFF)
    assert same.digest == model.digest
    pd.testing.assert_frame_equal(there.score(CUTOFF, same), company.score(CUTOFF, model), check_exact=True)


def test_labels_known_later_do_not_change_the_features(company: Company) -> None:
    matrix, later = company.matrix(CUTOFF), company.matrix(CUTOFF, known_at="2026-07-01")
    assert matrix["label"].isna().all()
    assert later["label"].notna().all()
    later_known = ["label", EARLY_LABEL, *OUTCOMES, *LOSS_DAY]
    pd.testing.assert_frame_equal(matrix.drop(columns=later_known), later.drop(columns=later_known), check_exact=True)


def test_labels_cannot_be_known_before_the_cutoff(company: Company) -> None:
    with pytest.raises(ConfigError, match="known_at: expected 2026-01-15 or later, the cutoff being 2026-01-15"):
        company.matrix(CUTOFF, known_at="2026-01-14")


def test_a_model_may_not_score_a_day_before_its_own(company: Company, model: ChurnModel) -> None:
    for verb in (company.score, company.explain, company.explanation):
        with pytest.raises(LeakageError, match="trained for 2026-01-15 and has seen what came after 2025-12-01"):
            verb("2025-12-01", model)


def test_the_backtest_is_that_of_the_model(company: Company, model: ChurnModel) -> None:
    tested = company.backtest(CUTOFF)
    assert company.train(CUTOFF) is model, "training happens once"
    assert set(tested["candidate"]) == set(model.evidence["metrics"])
    assert {str(day) for day in tested["test"]} == set(model.evidence["tests"])
    assert [str(day) for day in company.cutoffs(CUTOFF)] == model.evidence["training_cutoffs"]


def test_training_learns_from_half_horizons_of_younger_cutoffs(company: Company, model: ChurnModel) -> None:
    early, whole = company.early_cutoffs(CUTOFF), company.cutoffs(CUTOFF)
    assert [str(day) for day in early] == model.evidence["early_cutoffs"] != []
    assert whole[-1] < early[0]
    assert early[-1] == CUTOFF - timedelta(days=14 + 45)
    assert model.evidence["early_snapshots"] > 0
    assert set(company.snapshots(CUTOFF)["cutoff"]) == set(whole), "labelled ones only"


def test_configured_training_cutoffs_are_taken_and_unfinished_ones_refused(demo: DemoCompany) -> None:
    orders = {"orders": demo.tables["orders"]}
    chosen = Company(orders, training={"cutoffs": ["2025-03-01", "2025-06-01"]})
    assert chosen.cutoffs(CUTOFF) == (date(2025, 3, 1), date(2025, 6, 1))
    assert set(chosen.snapshots(CUTOFF)["cutoff"]) == set(chosen.cutoffs(CUTOFF))
    with pytest.raises(LeakageError, match="cutoff 2025-06-01 has no finished label"):
        chosen.snapshots("2025-08-01")


def test_frames_changed_later_do_not_change_the_company(demo: DemoCompany) -> None:
    orders = demo.tables["orders"].copy()
    company = Company({"orders": orders})
    orders["amount"] = 0.0
    assert company.check().table("orders")["amount"].ne(0).any()


def test_check_says_what_became_of_every_row(demo: DemoCompany) -> None:
    orders = demo.tables["orders"].head(500).astype({"amount": object})
    orders.loc[3, "amount"] = "zwölf"
    checked = Company({"orders": orders}).check()
    assert checked.balances.loc["orders"].to_dict() == {"read": 500, "accepted": 499, "quarantined": 1, "later": 0}
    assert checked.quarantine("orders")[["row", "rule", "column"]].to_numpy().tolist() == [
        [4, "not a number", "amount"]
    ]
    assert any("complaints" in note for note in checked.notes)


@pytest.mark.parametrize("column", ["order_id", "customer_id", "occurred_on", "amount"])
def test_a_missing_compulsory_column_is_one_clear_line(demo: DemoCompany, column: str) -> None:
    company = Company({"orders": demo.tables["orders"].drop(columns=column)})
    with pytest.raises(ConfigError, match=f"frame orders has no column `{column}`, and it is compulsory") as found:
        company.matrix(CUTOFF)
    assert "\n" not in str(found.value)


def test_a_cutoff_before_the_first_order_is_one_clear_line(company: Company) -> None:
    with pytest.raises(ContractError, match="became known on or after the cutoff 2020-01-01; choose a later cutoff"):
        company.matrix("2020-01-01")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"horizon": 30}, "Company: key `churn.horizon` is unknown; nearest is `horizon_days`"),
        ({"horizon_days": 0}, "Company: key `churn.horizon_days`: expected at least 1, got 0"),
        ({"language": "fr"}, "Company: key `language`: expected 'de' or 'en', got 'fr'"),
        ({"definition": "contract"}, "`contract` needs the table contracts"),
        ({"training": {"most": "x"}}, "Company: key `training.most`: expected a whole number, got 'x'"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(demo: DemoCompany, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Company({"orders": demo.tables["orders"]}, **wrong)


def test_a_wrong_table_or_purpose_is_one_clear_line(demo: DemoCompany, company: Company) -> None:
    with pytest.raises(ConfigError, match=r"sources\.order: unknown table; nearest is `orders`"):
        Company({"order": demo.tables["orders"]})
    with pytest.raises(ConfigError, match="purpose: expected one of churn, return, got 'loss'"):
        company.train(CUTOFF, purpose="loss")  # type: ignore[arg-type]
