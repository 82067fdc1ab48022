"""The golden cards lie in tests/unit/models/cards and are meant to be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from features.definition import Churn
from models.calibrate import uncalibrated
from models.candidates import SILENT, OneColumn
from models.card import CardFacts, model_card
from models.churn_model import ChurnModel
from models.groups import groups_of
from models.ladder import _measured
from models.promotion import Criterion, Judgement

GOLDEN = Path(__file__).with_name("cards")
TESTS = (date(2025, 1, 1), date(2025, 2, 1))
FAILED = Criterion(name="beats the rivals", passed=False, reason="level in ranking compared with last_order")


def folds() -> pd.DataFrame:
    draw = np.random.default_rng(3)
    chance = draw.uniform(0.05, 0.95, 800)
    rows = {
        "test": np.repeat(np.array(TESTS, dtype=object), 400),
        "customer_id": [f"c{at % 400:03d}" for at in range(800)],
    }
    label = (draw.uniform(size=800) < chance).astype(np.int8)
    table = pd.DataFrame({**rows, "candidate": "rhythm", "label": label, "probability": chance})
    return table.assign(log_odds=special.logit(chance))


def described(tested: pd.DataFrame) -> pd.DataFrame:
    number = tested["customer_id"].str[1:].astype(int)
    kinds = np.where(number < 300, "b2b", np.where(number < 390, "b2c", "k|<b>"))
    countries = np.where(number < 200, "DE", np.where(number < 360, "AT", None))
    found = pd.DataFrame({"cutoff": tested["test"], "customer_id": tested["customer_id"], "type": kinds})
    return found.assign(country=countries)


def facts(**changed: Any) -> CardFacts:
    tested = folds()
    evidence = {
        "chosen": "rhythm", "remark": "rhythm is the best", "metrics": {"rhythm": _measured(tested)},
        "rivals": {"last_order": {"auc": 0.701, "average_precision": 0.61, "log_loss": 0.6, "lift_at_10": 1.5}},
        "verdict": "level", "best_rival": "last_order", "difference": 0.008, "low": -0.004, "high": 0.02,
        "tests": [str(day) for day in TESTS], "training_cutoffs": ["2024-12-01", "2025-01-01", "2025-02-01"],
        "snapshots": 1200, "customers": 400, "base_rate": 0.5, "level_of": "2025-02-01",
    }  # fmt: skip
    model = ChurnModel(
        purpose="churn",
        candidate=OneColumn(name="rhythm", column=SILENT, intercept=0.0, weight=1.0, mean=0.0),
        calibration=uncalibrated(),
        features=(SILENT,),
        cutoff=date(2025, 6, 1),
        evidence=evidence,
    )
    whole = CardFacts(
        company="Muster",
        model=model,
        tested=tested,
        churn=Churn(),
        described=described(tested),
        tables={"orders": 12345, "customers": 400},
        missing_features=17,
        last_known=date(2025, 5, 31),
        judgement=Judgement(promoted=True, reason="", criteria=(FAILED,)),
        order=None,
        digests={"recipe": "r" * 12, "data": "d" * 64},
    )
    return replace(whole, **changed)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_card_is_the_one_a_person_has_read(language: str) -> None:
    assert model_card(facts(), language) == (GOLDEN / f"model_card.{language}.md").read_text(encoding="utf-8")


def test_the_order_of_rows_does_not_change_the_card() -> None:
    mixed = facts(tested=folds().sample(frac=1, random_state=1), described=described(folds()).iloc[::-1])
    assert model_card(mixed, "en") == model_card(facts(), "en")


def test_a_group_of_few_is_named_without_figures_and_cannot_break_the_table() -> None:
    card = model_card(facts(), "en")
    assert "fewer than 30 snapshots, or than 5 of either outcome): k\\|&lt;b>." in card
    assert "| k" not in card


def test_figures_of_a_group_are_those_counted_by_hand() -> None:
    tested = folds()
    (large, *_) = groups_of(tested, described(tested)[["cutoff", "customer_id", "type"]])
    own = tested.loc[tested["customer_id"] < "c300"]
    edges = tested.groupby("test")["log_odds"].transform(lambda odds: odds.nlargest(40).min())
    top = (tested["log_odds"] >= edges).loc[own.index]
    assert (large.name, large.n) == ("b2b", 600)
    assert large.base_rate == pytest.approx(own["label"].mean())
    assert large.foretold == pytest.approx(own["probability"].mean())
    assert (large.top_share, large.found_share) == (
        pytest.approx(top.mean()),
        pytest.approx(top[own["label"] == 1].mean()),
    )


def test_a_group_the_model_is_wrong_about_stands_out() -> None:
    tested = folds()
    wrong = (tested["customer_id"] >= "c300") & (tested["customer_id"] < "c390")
    planted = tested.assign(label=tested["label"].where(~wrong, 1 - tested["label"]))
    by_name = {each.name: each for each in groups_of(planted, described(tested)[["cutoff", "customer_id", "type"]])}
    assert by_name["b2c"].auc < 0.4 < 0.7 < by_name["b2b"].auc


@pytest.mark.parametrize(
    ("promoted", "criteria", "order", "said"),
    [
        (True, (), None, "It meets the rule of promotion and is in use."),
        (True, (FAILED,), None, "because there was no other; it fails the rule of promotion:\n- level in ranking"),
        (False, (FAILED,), ("Ana", "fair"), "is in use by order (Ana: fair):\n- level in ranking"),
        (False, (FAILED,), None, "It was not put into use:\n- level in ranking"),
    ],
)
def test_the_card_says_why_the_model_is_in_use_or_not(
    promoted: bool, criteria: tuple[Criterion, ...], order: tuple[str, str] | None, said: str
) -> None:
    judgement = Judgement(promoted=promoted, reason="", criteria=criteria)
    assert said in model_card(facts(judgement=judgement, order=order), "en")


def test_without_tests_or_groups_the_card_claims_nothing() -> None:
    whole = facts()
    bare = {"chosen": "rhythm", "remark": "", "metrics": {}, "tests": [], "training_cutoffs": [], "snapshots": 0,
            "customers": 0, "base_rate": None, "level_of": None}  # fmt: skip
    for definition in ("inactivity", "decline", "contract"):
        for purpose in ("churn", "return"):
            card = model_card(
                facts(
                    model=replace(whole.model, evidence=bare, purpose=purpose),
                    tested=folds().head(0),
                    described=described(folds()).head(0),
                    churn=Churn(definition=definition),
                ),
                "en",
            )
            assert "How well the probabilities hold is not known." in card
            assert "No comparison with a rival was possible." in card
            assert "nan" not in card
