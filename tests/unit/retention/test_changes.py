"""What would change it: every lever told of is re-scored and true."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.definition import Churn
from features.history import load_history
from features.intake import take_in_frames
from features.matrix import build_matrix, feature_names, of_cohort
from features.norms import norms_at
from features.timeline import day_number
from features.what_if import usual_goodwill_cents
from models.calibrate import uncalibrated
from models.candidates import fit_logistic_regression
from models.churn_model import COHORTS, ChurnModel
from pipelines.demo.company import demo_company
from retention.changes import CHANGE_COLUMNS, Known, best_changes, tried
from retention.formats import share_text
from retention.levers import NAMES, levers
from retention.texts import reason_texts
from tests.oracle.naive_levers import acted

CUTOFF = date(2026, 1, 15)
CHURN = Churn()


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return dict(demo_company(customers=250, seed=3).tables)


def history_of(tables: dict[str, pd.DataFrame], until: date):
    taken = take_in_frames(tables, cutoff=until, timezone="Europe/Berlin")
    return load_history(taken), usual_goodwill_cents(taken, until)


@pytest.fixture(scope="module")
def known(tables) -> tuple[Known, int]:
    history, cents = history_of(tables, CUTOFF)
    norms = norms_at(history, cutoff=CUTOFF)
    return Known(history=history, norms=norms, churn=CHURN, cutoff=day_number(CUTOFF)), cents


def matrix_of(known: Known, purpose: str) -> pd.DataFrame:
    whole = build_matrix(known.history, cutoff=CUTOFF, churn=CHURN, known_until=CUTOFF, norms=known.norms)
    return of_cohort(whole, COHORTS[purpose]).set_index("customer_id")


@pytest.fixture(scope="module", params=["churn", "return"])
def model(request, tables) -> ChurnModel:
    """A logistic regression on everything: it answers to every lever."""
    history, _ = history_of(tables, date(2025, 12, 1))
    early = of_cohort(
        build_matrix(history, cutoff=date(2025, 6, 1), churn=CHURN, known_until=date(2025, 12, 1)),
        COHORTS[request.param],
    )
    features = feature_names(early)
    candidate = fit_logistic_regression(early[list(features)], early["label"].to_numpy(np.int8))
    return ChurnModel(
        purpose=request.param, candidate=candidate, calibration=uncalibrated(), features=features, cutoff=CUTOFF
    )


def test_r34_every_change_told_is_true_of_the_tables_changed_by_hand(tables, known, model):
    knowledge, cents = known
    matrix = matrix_of(knowledge, model.purpose)
    outcome = tried(matrix, knowledge, model, levers=levers(goodwill_cents=cents))
    told = best_changes(matrix.index, outcome, purpose=model.purpose, texts=reason_texts("de"))
    chosen = told["lever"].dropna()
    assert len(chosen) > 20
    history, _ = history_of(acted(tables, chosen, cents, cutoff=CUTOFF), CUTOFF)
    changed = build_matrix(history, cutoff=CUTOFF, churn=CHURN, known_until=CUTOFF, norms=knowledge.norms)
    now, then = (model.score(frame.set_index("customer_id").loc[chosen.index])["probability"] for frame in (
        matrix.reset_index(), changed))  # fmt: skip
    assert then.to_numpy() == pytest.approx(told.loc[chosen.index, "probability_if"].to_numpy(), abs=1e-12)
    assert ((then < now) if model.purpose == "churn" else (then > now)).all()


def test_every_customer_gets_a_sentence_with_both_probabilities_or_is_told_that_nothing_helps(known, model):
    knowledge, cents = known
    matrix = matrix_of(knowledge, model.purpose)
    outcome = tried(matrix, knowledge, model, levers=levers(goodwill_cents=cents))
    chance = model.score(matrix)["probability"]
    for language in ("de", "en"):
        texts = reason_texts(language)
        told = best_changes(matrix.index, outcome, purpose=model.purpose, texts=texts)
        assert tuple(told.columns) == CHANGE_COLUMNS
        none = {texts.changes.none_helps[model.purpose], texts.changes.none_applies}
        for customer, row in told.iterrows():
            if pd.isna(row["lever"]):
                assert row["would_change"] in none
            else:
                assert texts.changes.levers[row["lever"]].state in row["would_change"]
                for value in (chance[customer], row["probability_if"]):
                    assert share_text(value, language=language) in row["would_change"]


def test_of_the_levers_the_one_that_helps_most_is_told(known, model):
    knowledge, cents = known
    outcome = tried(matrix_of(knowledge, model.purpose), knowledge, model, levers=levers(goodwill_cents=cents))
    sign = 1 if model.purpose == "churn" else -1
    first = outcome.found.groupby("customer_id")["probability_if"].first() * sign
    best = (outcome.found["probability_if"] * sign).groupby(outcome.found["customer_id"]).min()
    assert first.equals(best)


def test_where_the_rows_have_changed_since_nothing_is_claimed(known, model):
    knowledge, cents = known
    matrix = matrix_of(knowledge, model.purpose)
    planted = matrix.index[0]
    matrix.loc[planted, "sales__recency_days"] += 1
    outcome = tried(matrix, knowledge, model, levers=levers(goodwill_cents=cents))
    assert planted not in outcome.checked
    told = best_changes(matrix.index, outcome, purpose=model.purpose, texts=reason_texts("en"))
    assert told.loc[planted].isna().all()
    assert told["would_change"].iloc[1:].notna().all()


def test_a_lever_that_advertises_needs_its_channel(known, model):
    knowledge, cents = known
    matrix = matrix_of(knowledge, model.purpose)
    allowed = pd.DataFrame({"customer_id": [matrix.index[0]], "channel": ["phone"], "is_allowed": [True]})
    found = tried(matrix, knowledge, model, levers=levers(goodwill_cents=cents), channels=allowed).found
    advertising = {lever.name for lever in levers(goodwill_cents=cents) if lever.channel}
    assert set(found[found["lever"].isin(advertising)]["customer_id"]) <= {matrix.index[0]}


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_lever_has_its_texts(language):
    assert set(reason_texts(language).changes.levers) == set(NAMES)
