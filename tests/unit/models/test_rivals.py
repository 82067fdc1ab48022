"""The rivals: rules, BG/NBD and a regression, on the same matrix as the candidates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.metrics import roc_auc_score

from features.definition import Churn
from models.candidates import RECENCY, SILENT
from models.rivals import OVERDUE, RFM, RIVALS, rivals

CHURN = Churn(lead_days=0, horizon_days=80)
LAST_ORDER = [5.0, 15.0, 25.0, 45.0, 70.0, 100.0]


def matrix(recency: list[float]) -> pd.DataFrame:
    count = len(recency)
    columns = {RECENCY: recency, OVERDUE: np.array(recency) / 30, SILENT: np.linspace(0.1, 0.9, count)}
    rest = {name: np.linspace(1, 2, count) for name in RFM if name != RECENCY}
    return pd.DataFrame({**columns, **rest})


def test_all_four_are_there_and_one_whose_columns_are_left_out_is_not() -> None:
    columns = {RECENCY, OVERDUE, SILENT, *RFM}
    assert tuple(rivals(columns, CHURN, lost=True)) == RIVALS
    assert tuple(rivals(columns - {OVERDUE}, CHURN, lost=True)) == ("last_order", "bgnbd", "rfm_logistic")


def test_the_last_order_rule_takes_the_halving_of_the_horizon_that_tells_outcomes_apart_best() -> None:
    features, label = matrix(LAST_ORDER * 20), np.array([0, 0, 0, 1, 1, 1] * 20, dtype=np.int8)
    fitted = rivals(features.columns, CHURN, lost=True)["last_order"](features, label)
    chance = special.expit(fitted.log_odds(features.head(6)))
    assert chance == pytest.approx([0.5 / 61] * 3 + [60.5 / 61] * 3, abs=1e-4), "the line is 40 days, half of 80"


def test_customers_on_the_same_side_are_ranked_by_the_column() -> None:
    features, label = matrix(LAST_ORDER * 20), np.array([0, 1] * 60, dtype=np.int8)
    for name in ("last_order", "overdue"):
        lost = rivals(features.columns, CHURN, lost=True)[name](features, label).log_odds(features.head(3))
        back = rivals(features.columns, CHURN, lost=False)[name](features, label).log_odds(features.head(3))
        assert np.all(np.diff(lost) > 0)
        assert np.all(np.diff(back) < 0)


def test_a_missing_ratio_counts_as_the_usual_one() -> None:
    features, label = matrix(LAST_ORDER * 20), np.array([0, 0, 0, 1, 1, 1] * 20, dtype=np.int8)
    fitted = rivals(features.columns, CHURN, lost=True)["overdue"](features, label)
    unknown = features.head(2).assign(**{OVERDUE: [np.nan, float(features[OVERDUE].median())]})
    assert fitted.log_odds(unknown)[0] == fitted.log_odds(unknown)[1]


def test_bgnbd_speaks_as_it_comes() -> None:
    features, label = matrix(LAST_ORDER * 20), np.array([1, 0] * 60, dtype=np.int8)
    fitted = rivals(features.columns, CHURN, lost=True)["bgnbd"](features, label)
    assert special.expit(fitted.log_odds(features)) == pytest.approx(features[SILENT])


def test_the_regression_ranks_by_recency_frequency_and_turnover_alone() -> None:
    rng = np.random.default_rng(5)
    features = pd.DataFrame({name: rng.normal(size=600) for name in (*RFM, "noise__extra")})
    label = (features[RFM[2]] + rng.normal(size=600) / 2 > 0).to_numpy(np.int8)
    fitted = rivals(features.columns, CHURN, lost=True)["rfm_logistic"](features, label)
    said = fitted.log_odds(features)
    assert roc_auc_score(label, said) > 0.9
    assert np.array_equal(said, fitted.log_odds(features.assign(noise__extra=0.0)))
