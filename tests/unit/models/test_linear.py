from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

import models
from models.linear import fit_logistic, linear

FOLDER = Path(models.__file__).parent
MAY_MULTIPLY = {"redundancy.py"}
"""Multiplies whole numbers, whose sums are exact in any order."""
EXACT = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.py") if path.name not in MAY_MULTIPLY)

FIT = """
import numpy as np
from models.calibrate import fit_calibration
from models.linear import fit_logistic
from models.margin.steps import fit_regression
from models.matured import _slope
rng = np.random.default_rng(0)
rows = rng.normal(size=(30_000, 12))
label = (rng.random(30_000) < 1 / (1 + np.exp(-rows[:, 0]))).astype(np.int8)
print(fit_logistic(rows, label, penalty=20.0), fit_calibration(rows[:, 0].copy(), label, n_customers=900))
bought = np.maximum(rng.gamma(1, 1, 30_000) * np.exp(rows[:, 0] / 2) - 1, 0)
print(fit_regression(rows, bought / bought.mean()))
print(_slope(rows[:, 0].copy(), label, np.arange(30_000)))
"""


def planted(seed: int, *, rows: int = 600) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    return x, (rng.random(rows) < special.expit(-0.7 + x @ [1.0, -0.5, 0.0, 0.2])).astype(np.int8)


def products_of_matrices(source: str) -> list[int]:
    """Lines that multiply matrices: their last digits depend on how many threads the BLAS uses."""
    nodes = list(ast.walk(ast.parse(source)))
    written = [node.lineno for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)]
    called = [node.lineno for node in nodes if isinstance(node, ast.Attribute) and node.attr in ("dot", "matmul")]
    return sorted(written + called)


@pytest.mark.parametrize("penalty", [0.5, 4.0, 200.0])
def test_the_fit_is_that_of_scikit_learn_with_one_more_row_half_of_either_outcome(penalty: float) -> None:
    x, label = planted(1)
    intercept, weights = fit_logistic(x, label, penalty=penalty)
    rows, outcome = np.vstack([x, np.zeros((2, 4))]), np.r_[label, 0, 1]
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000)
    theirs.fit(rows, outcome, sample_weight=np.r_[np.ones(len(x)), 0.5, 0.5])
    assert intercept == pytest.approx(theirs.intercept_[0], abs=2e-3)
    assert weights == pytest.approx(theirs.coef_[0], abs=2e-3)


def test_weights_are_drawn_towards_their_centre_and_never_below_the_least() -> None:
    x, label = planted(2)
    assert fit_logistic(x, label, penalty=1e7, centre=1.0)[1] == pytest.approx(np.ones(4), abs=1e-3)
    against = fit_logistic(-x[:, :1], label, penalty=1.0, centre=1.0, bounds=[(0.1, None)])[1]
    assert against == pytest.approx([0.1])


@pytest.mark.parametrize("outcome", [0, 1])
def test_outcomes_that_are_all_alike_leave_the_intercept_finite_at_half_a_case(outcome: int) -> None:
    label = np.full(50, outcome, dtype=np.int8)
    intercept, weights = fit_logistic(np.empty((50, 0)), label, penalty=1.0)
    assert special.expit(intercept) == pytest.approx(abs(outcome - 0.5 / 51), abs=1e-4)
    assert len(weights) == 0


def test_rare_outcomes_keep_their_level() -> None:
    label = np.r_[np.ones(5), np.zeros(195)].astype(np.int8)
    intercept, _ = fit_logistic(np.random.default_rng(3).normal(size=(200, 1)), label, penalty=1e6)
    assert special.expit(intercept) == pytest.approx(5.5 / 201, abs=1e-4)


def test_linear_is_the_product_of_rows_and_weights() -> None:
    x, _ = planted(4)
    assert linear(x, np.arange(4.0)) == pytest.approx(x @ np.arange(4.0), abs=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_what_a_model_is_fitted_with_multiplies_no_matrices(name: str) -> None:
    assert products_of_matrices((FOLDER / name).read_text()) == []


@pytest.mark.parametrize("fault", ["z = rows @ weights", "z = rows.dot(weights)", "z = np.matmul(rows, weights)"])
def test_a_planted_product_of_matrices_is_found(fault: str) -> None:
    assert products_of_matrices(f"def f():\n    {fault}\n") == [2]


def test_the_number_of_threads_of_the_blas_changes_no_digit() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", FIT],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert said[0] == said[1] != ""
