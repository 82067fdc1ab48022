"""The classifier for flat matrices keeps scikit-learn's conventions, and rows in any order give the same model."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from models.estimator import ChurnClassifier
from models.flat import row_hashes
from models.folds import PurgedTimeSplit

IRANIAN = Path(__file__).parents[3] / "../shared/data/iranian_churn/iranian_churn.parquet"

DOES_NOT_APPLY = {
    "check_sample_weight_equivalence_on_dense_data": "leaves count rows (least_rows) and each tree draws rows by"
    " place: a row of weight 2 is not two rows. LightGBM's own classifier says the same",
}


@parametrize_with_checks(
    [ChurnClassifier(rounds=30, threads=1), ChurnClassifier(rounds=10, members=2, leaves=15, threads=2)],
    expected_failed_checks=lambda _: DOES_NOT_APPLY,
)
def test_scikit_learn_finds_a_classifier(estimator: Any, check: Any) -> None:
    check(estimator)


def flat(n_rows: int = 400, seed: int = 0) -> tuple[pd.DataFrame, pd.Series[int]]:
    x, y = make_classification(n_rows, 6, n_informative=4, random_state=seed)
    frame = pd.DataFrame(x, columns=[f"a[{at}]" for at in range(6)])
    frame["region"] = np.where(x[:, 0] > 0, "Süd", "Nord")
    frame.loc[::7, "region"] = None
    frame.loc[::5, "a[1]"] = np.nan
    return frame, pd.Series(y)


def quick(**parameters: Any) -> ChurnClassifier:
    return ChurnClassifier(**{"rounds": 40, "threads": 1, **parameters})


def test_shuffled_rows_and_another_number_of_threads_give_the_same_model_bit_for_bit() -> None:
    x, y = flat()
    order = np.random.default_rng(1).permutation(len(x))
    first = ChurnClassifier(leaves=7, threads=1).fit(x, y)
    second = ChurnClassifier(leaves=7, threads=2).fit(x.iloc[order], y.iloc[order])
    assert first.settings_ == second.settings_
    assert first._boosted.trees == second._boosted.trees
    assert np.array_equal(first.decision_function(x), second.decision_function(x))


def test_another_seed_gives_another_model() -> None:
    x, y = flat()
    assert quick(seed=1).fit(x, y)._boosted.trees != quick(seed=2).fit(x, y)._boosted.trees


def test_contributions_and_base_add_up_to_the_decision() -> None:
    x, y = flat()
    model = quick(members=2).fit(x, y)
    parts = model.contributions(x)
    assert list(parts.columns) == [*x.columns, "base"]
    np.testing.assert_allclose(parts.sum(axis=1), model.decision_function(x), atol=1e-9)


def test_a_value_not_met_in_training_counts_as_missing_and_the_model_holds_no_value() -> None:
    x, y = flat()
    model = quick().fit(x, y)
    missing, unknown = x.assign(region=None), x.assign(region="Ost")
    assert np.array_equal(model.decision_function(missing), model.decision_function(unknown))
    assert not np.array_equal(model.decision_function(x), model.decision_function(missing))
    assert "Nord" not in "".join(model._boosted.trees)


def test_trees_grow_as_able_as_the_rows_bear() -> None:
    noise = np.random.default_rng(0)
    x = noise.normal(size=(600, 5))
    plain = ChurnClassifier(threads=1).fit(x, (x[:, 0] + noise.normal(size=600) > 0).astype(int))
    nested = x[:, 0] * x[:, 1] * x[:, 2] > 0
    rich = ChurnClassifier(threads=1).fit(np.tile(x, (3, 1)), np.tile(nested, 3))
    assert plain.settings_.leaves == 7
    assert rich.settings_.leaves == 31


def test_rows_of_one_group_stay_together_in_the_inner_folds() -> None:
    from models.flat import rows_of

    x, groups = np.random.default_rng(0).normal(size=(60, 2)), np.repeat(np.arange(20), 3)
    label = (np.arange(60) % 2).astype(np.int8)
    rows = rows_of(x, label, np.ones(60), groups=groups.tolist(), categories=())
    by_content = dict(zip(row_hashes(x), groups, strict=True))
    fold_of: dict[int, set[int]] = {}
    for content, fold in zip(row_hashes(rows.features.to_numpy()), rows.fold, strict=True):
        fold_of.setdefault(by_content[content], set()).add(int(fold))
    assert {len(folds) for folds in fold_of.values()} == {1}
    assert set.union(*fold_of.values()) == {0, 1, 2}


def test_a_zero_is_a_zero_and_a_missing_value_missing_in_the_order_of_rows() -> None:
    rows = row_hashes(np.array([[0.0, np.nan], [-0.0, -np.nan], [1.0, 2.0], [2.0, 1.0]]))
    assert rows[0] == rows[1]
    assert len(set(rows)) == 3


def test_it_works_in_a_pipeline_and_a_grid() -> None:
    x, y = flat()
    numbers = x.drop(columns="region")
    grid = GridSearchCV(make_pipeline(StandardScaler(), quick()), {"churnclassifier__leaves": [3, 7]}, cv=2)
    found = grid.fit(numbers, y)
    assert found.best_score_ > 0.7
    assert clone(found.best_estimator_).get_params()["churnclassifier__rounds"] == 40


def test_cross_validation_runs_on_folds_ordered_in_time_with_the_purge() -> None:
    x, y = flat(600)
    cutoffs = np.repeat(pd.date_range("2025-01-01", periods=6, freq="30D").date, 100)
    splitter = PurgedTimeSplit(n_splits=3, lead_days=10, horizon_days=50)
    scores = cross_val_score(quick(), x, y, groups=cutoffs, cv=splitter, scoring="roc_auc")
    assert len(scores) == 3
    assert scores.min() > 0.7
    for train, test in splitter.split(x, y, cutoffs):
        assert (cutoffs[test].min() - cutoffs[train].max()).days >= 60
        assert len(set(cutoffs[test])) == 1


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="got only one class"):
        quick().fit([[1.0], [2.0], [3.0]], [1, 1, 1])


@pytest.mark.slow
def test_on_the_iranian_set_it_ranks_as_well_as_boosting_made_for_flat_matrices() -> None:
    if not IRANIAN.is_file():
        pytest.skip("iranian_churn is not there")
    rows = pd.read_parquet(IRANIAN)
    label, folds = rows.pop("Churn"), StratifiedKFold(5, shuffle=True, random_state=0)
    ours = cross_val_score(ChurnClassifier(), rows, label, cv=folds, scoring="roc_auc").mean()
    theirs = cross_val_score(HistGradientBoostingClassifier(random_state=0), rows, label, cv=folds, scoring="roc_auc")
    assert ours >= 0.985
    assert ours >= theirs.mean() - 0.003


def test_a_splitter_without_a_usable_cutoff_says_what_is_missing() -> None:
    from features.errors import LeakageError

    days = [date(2025, 1, 1), date(2025, 2, 1)]
    with pytest.raises(LeakageError, match="pass groups=<cutoffs>"):
        list(PurgedTimeSplit().split(days))
    with pytest.raises(LeakageError, match=r"expected one cutoff per row \(2\), got 1"):
        list(PurgedTimeSplit().split(days, groups=days[:1]))
    with pytest.raises(LeakageError, match=r"none lies lead and horizon \(104 days\) after another"):
        list(PurgedTimeSplit().split(days, groups=days))
    assert PurgedTimeSplit(lead_days=0, horizon_days=30).get_n_splits(groups=days) == 1
