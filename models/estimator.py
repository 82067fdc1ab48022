"""The boosted candidate as a scikit-learn classifier, for any flat matrix: pipelines, grids, cross-validation.

>>> from sklearn.datasets import make_classification
>>> X, y = make_classification(200, 5, random_state=0)
>>> model = ChurnClassifier(rounds=20, members=1).fit(X, y)
>>> model.predict_proba(X).shape
(200, 2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from models.boosting import BoostingSettings
from models.flat import fit_flat, named, rows_of, shape_for

BASE = "base"
"""Column of the contributions that is common to all rows."""


class ChurnClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Gradient boosting that starts from the base rate and grows trees as able as the rows bear.

    Parameters
    ----------
    rounds, leaves, least_rows, ridge : number, optional
        Trees per member, leaves per tree, rows a leaf needs at least, penalty on leaf values. What is None is decided
        on three inner folds of the rows: the most careful shape within one standard error of the best.
    learning_rate, column_share, row_share : float
        Step of each tree; share of columns and of rows each tree sees.
    members : int
        Models that differ by seed; their mean is the score.
    seed : int
        The same seed and the same rows in any order give the same model, on any number of threads.
    threads : int

    Attributes
    ----------
    classes_ : array, shape (2,)
        Labels in order; probabilities of the second one are what ``decision_function`` speaks of.
    settings_ : BoostingSettings
        What was given and what was decided.
    feature_importances_ : array of float, shape (n_features,)
        Share of each feature in what all splits gained, adding up to 1.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    NaN is a missing value. Columns of text or categories in a DataFrame are encoded here: the model holds codes,
    never values, and a value it has not met counts as missing. Two classes only.
    """

    def __init__(
        self,
        *,
        rounds: int | None = None,
        leaves: int | None = None,
        least_rows: int | None = None,
        ridge: float | None = None,
        learning_rate: float = BoostingSettings.learning_rate,
        column_share: float = BoostingSettings.column_share,
        row_share: float = BoostingSettings.row_share,
        members: int = 1,
        seed: int = 7,
        threads: int = 2,
    ) -> None:
        self.rounds = rounds
        self.leaves = leaves
        self.least_rows = least_rows
        self.ridge = ridge
        self.learning_rate = learning_rate
        self.column_share = column_share
        self.row_share = row_share
        self.members = members
        self.seed = seed
        self.threads = threads

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> ChurnClassifier:  # noqa: N803
        """Learn from ``X`` (n_rows, n_features) and ``y`` (two classes).

        ``groups`` names what a row belongs to (a customer with several snapshots): its rows stay together in the
        inner folds.

        Raises
        ------
        ValueError
            In scikit-learn's words, if rows, labels or weights are not what they must be.
        """
        self._categories = _categories_of(X)
        x, y = validate_data(self, _encoded(X, self._categories), y, **_CHECKS)
        label = self._label(y)
        weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        categories = [at for at, name in enumerate(getattr(self, "feature_names_in_", ())) if name in self._categories]
        rows = rows_of(x, label, weight, groups=groups, categories=categories)
        if len(set(rows.label)) < 2:
            raise ValueError("ChurnClassifier needs two classes with weight to learn from, got only one class")
        given = {name: getattr(self, name) for name in asdict(BoostingSettings())}
        self.settings_ = shape_for(rows, given, seed=self.seed, threads=self.threads)
        self._boosted = fit_flat(rows, self.settings_, seed=self.seed, threads=self.threads, members=self.members)
        self.feature_importances_ = self._importances()
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the log-odds of the second class, shape (n_rows,)."""
        rows = self._named(X)
        return self._boosted.log_odds(rows)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of both classes, shape (n_rows, 2)."""
        second = special.expit(self.decision_function(X))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the likelier class of each row, shape (n_rows,)."""
        likelier = (self.decision_function(X) > 0).astype(np.int64)
        said: NDArray[Any] = self.classes_[likelier]
        return said

    def contributions(self, X: Any) -> pd.DataFrame:  # noqa: N803
        """Return what each feature adds to the log-odds, and the ``base``; the row's sum is ``decision_function``."""
        rows = self._named(X)
        base, parts = self._boosted.contributions(rows)
        index = X.index if isinstance(X, pd.DataFrame) else rows.index
        return parts.set_axis(list(self.get_feature_names_out()), axis=1).set_axis(index, axis=0).assign(**{BASE: base})

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features: those of the DataFrame learned from, else ``x0``, ``x1``, …."""
        check_is_fitted(self, "n_features_in_")
        names: NDArray[np.object_] = _check_feature_names_in(self, input_features)
        return names

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _named(self, rows: Any) -> pd.DataFrame:
        check_is_fitted(self, "settings_")
        return named(validate_data(self, _encoded(rows, self._categories), reset=False, **_CHECKS))

    def _label(self, y: NDArray[Any]) -> NDArray[np.int8]:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, label = np.unique(y, return_inverse=True)
        return label.astype(np.int8)

    def _importances(self) -> NDArray[np.float64]:
        gains = [booster.feature_importance("gain") for booster in self._boosted.boosters]
        mean = np.mean(gains, axis=0, dtype=np.float64)
        return np.asarray(mean / mean.sum() if mean.sum() > 0 else mean, dtype=np.float64)


_CHECKS: Mapping[str, Any] = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}


def _categories_of(rows: Any) -> dict[str, tuple[str, ...]]:
    """Return the values of every column that is no number, as text in order, by column."""
    if not isinstance(rows, pd.DataFrame):
        return {}
    kinds = {name: rows[name] for name in rows.columns if not pd.api.types.is_numeric_dtype(rows[name])}
    return {name: tuple(sorted(set(column.dropna().astype(str)))) for name, column in kinds.items()}


def _encoded(rows: Any, categories: Mapping[str, Sequence[str]]) -> Any:
    """Return the frame with codes in place of values; what was not met in training is missing."""
    if not (categories and isinstance(rows, pd.DataFrame)):
        return rows
    codes = {name: _codes(rows[name], known) for name, known in categories.items() if name in rows.columns}
    return rows.assign(**codes)


def _codes(column: pd.Series[Any], known: Sequence[str]) -> pd.Series[float]:
    text = column.astype(object).where(column.isna(), column.astype(str))
    return text.map({value: float(code) for code, value in enumerate(known)}).astype(float)
