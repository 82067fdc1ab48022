"""LightGBM that starts from half the rhythm: trees learn what the buying rhythm does not say, or says too loud.

A flat matrix without a rhythm starts from the base rate instead. Trees may be held to the directions in which features
are known to speak (``monotone``).

Several members differ by seed; their mean is the score. Trees are kept as LightGBM's own text.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.candidates import SILENT, Column, OneColumn, fit_rhythm
from models.early import Early
from models.redundancy import distinct_columns
from models.treeshap.explainer import Explainer, explainer_of
from models.treeshap.reading import OutsideGroundError

MEMBERS = 5

START_SHARE = 0.5
"""Share of the rhythm's weight that trees start from: what it overstates they must take back; decision 0018."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BoostingSettings:
    """What shapes the trees. Small trees, many rows a leaf: a base of 600 customers must not be learned by heart."""

    rounds: int = 75
    learning_rate: float = 0.05
    leaves: int = 7
    least_rows: int = 40
    column_share: float = 0.5
    row_share: float = 0.8
    ridge: float = 5.0

    def parameters(self, *, seed: int, threads: int) -> dict[str, Any]:
        """LightGBM's own names; reproducible for any number of threads.

        Counting column by column takes three fifths of the time of row by row here: trees look at half the columns.
        """
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.least_rows,
            "feature_fraction": self.column_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambda_l2": self.ridge,
            "boost_from_average": False,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": threads,
            "seed": seed,
            "verbose": -1,
        }


@dataclass(frozen=True, kw_only=True)
class Level:
    """The same log-odds for every row: the start where there is no rhythm."""

    intercept: float

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds, shape (n_rows,)."""
        return np.full(len(features), self.intercept)

    def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """Return the level as base; no column speaks."""
        return self.intercept, pd.DataFrame(index=features.index)

    def facts(self) -> dict[str, Any]:
        """Numbers for the manifest."""
        return {"intercept": self.intercept}


def base_rate(label: NDArray[np.int8], weight: Column | None = None) -> Level:
    """Return the log-odds of the (weighted) share of label 1; both outcomes must occur."""
    share = float(np.average(label, weights=weight))
    return Level(intercept=float(np.log(share / (1 - share))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Boosted:
    """A starting score (the rhythm, or one level for all) plus the mean of the members' trees."""

    name: str
    start: OneColumn | Level
    columns: tuple[str, ...]
    trees: tuple[str, ...]
    threads: int = 2

    @cached_property
    def boosters(self) -> tuple[lgb.Booster, ...]:
        """The members, read from their verified texts."""
        return tuple(lgb.Booster(model_str=text) for text in self.trees)

    @cached_property
    def explainer(self) -> Explainer | None:
        """What explains all members in one pass; None where only LightGBM itself can."""
        try:
            return explainer_of(self.trees)
        except OutsideGroundError as error:
            _log.warning("%s; reasons come from LightGBM's own pred_contrib, which is slow", error)
            return None

    @property
    def explained_by(self) -> str:
        """``treeshap`` or, for models outside its ground, LightGBM's ``pred_contrib``."""
        return "treeshap" if self.explainer else "pred_contrib"

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds, shape (n_rows,)."""
        return np.asarray(self.start.log_odds(features) + self._members(features).mean(axis=0), dtype=np.float64)

    def log_odds_after(self, features: pd.DataFrame, rounds: int) -> Column:
        """Raw log-odds of the first ``rounds`` rounds alone, shape (n_rows,)."""
        trees = self._predicted(features, raw_score=True, num_iteration=rounds).mean(axis=0)
        return np.asarray(self.start.log_odds(features) + trees, dtype=np.float64)

    def spread(self, features: pd.DataFrame) -> Column:
        """Standard deviation between the members."""
        return np.asarray(self._members(features).std(axis=0), dtype=np.float64)

    def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """TreeSHAP of all members, averaged; the start's share goes to the one column it is a function of."""
        base, start = self.start.contributions(features)
        trees_base, shap = self._shap(features)
        parts = pd.DataFrame(shap, columns=list(self.columns), index=features.index)
        for name in start.columns:
            parts[name] = parts[name] + start[name]
        return base + trees_base, parts

    def _shap(self, features: pd.DataFrame) -> tuple[float, NDArray[np.float64]]:
        """Base and Shapley values of the members' mean, shape (n_rows, n_columns)."""
        if self.explainer is None:
            shap = self._predicted(features, pred_contrib=True).mean(axis=0)
            return (float(shap[0, -1]) if len(shap) else 0.0), shap[:, :-1]
        x = features[list(self.columns)].to_numpy(np.float64)
        return self.explainer.base, self.explainer.contributions(x, threads=self.threads)

    def to_files(self) -> dict[str, bytes]:
        """One text per member."""
        return {f"booster_{k}.txt": text.encode() for k, text in enumerate(self.trees)}

    def facts(self) -> dict[str, Any]:
        """Numbers for the manifest."""
        return {"start": self.start.facts(), "columns": list(self.columns), "members": len(self.trees)}

    def _members(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Raw scores of the trees, shape (n_members, n_rows)."""
        return self._predicted(features, raw_score=True)

    def _predicted(self, features: pd.DataFrame, **what: Any) -> NDArray[np.float64]:
        """What each member says, one entry per member; LightGBM itself refuses to predict nothing."""
        x = features[list(self.columns)].to_numpy(np.float64)
        if not len(x):
            wide = (len(self.columns) + 1,) if what.get("pred_contrib") else ()
            return np.empty((len(self.trees), 0, *wide))
        said = [booster.predict(x, num_threads=self.threads, **what) for booster in self.boosters]
        return np.asarray(said, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Binned:
    """Rows to learn from, cut into bins once, with the score to start from; fit for any settings tried."""

    start: OneColumn | Level
    data: lgb.Dataset
    columns: tuple[str, ...]
    threads: int
    directions: tuple[int, ...] = ()

    def grow(self, settings: BoostingSettings, *, seed: int, members: int = MEMBERS) -> Boosted:
        """Return ``members`` boosters, each from another seed."""
        trees = tuple(self._grown(settings, seed=seed + k) for k in range(members))
        name = "monotone" if self.directions else "lightgbm"
        return Boosted(name=name, start=self.start, columns=self.columns, trees=trees, threads=self.threads)

    def _grown(self, settings: BoostingSettings, *, seed: int) -> str:
        """One member as text. ``intermediate`` holds the directions as strictly as ``basic`` and costs less gain."""
        parameters = settings.parameters(seed=seed, threads=self.threads)
        if any(self.directions):
            parameters |= {"monotone_constraints": self.directions, "monotone_constraints_method": "intermediate"}
        return _text_of(lgb.train(parameters, self.data, settings.rounds))


def binned(
    features: pd.DataFrame,
    label: NDArray[np.int8],
    *,
    start: OneColumn | Level,
    threads: int,
    least_rows: int,
    early: tuple[Early, OneColumn] | None = None,
    weight: Column | None = None,
    categories: Sequence[str] = (),
    directions: Mapping[str, int] | None = None,
) -> Binned:
    """Cut rows, in one total order, into bins for settings whose leaves hold at least ``least_rows``.

    ``early`` rows follow, with the score that trees start from for them; ``start`` is that of whole horizons.
    """
    held = tuple(directions.get(name, 0) for name in features.columns) if directions is not None else ()
    x, first = features.to_numpy(np.float64), start.log_odds(features)
    if early is not None:
        more, level = early
        x = np.r_[x, more.features[list(features.columns)].to_numpy(np.float64)]
        label, first = np.r_[label, more.label], np.r_[first, level.log_odds(more.features)]
    data = lgb.Dataset(
        x,
        label,
        weight=weight,
        init_score=first,
        feature_name=list(features.columns),
        categorical_feature=list(categories),
        params={"verbose": -1, "num_threads": threads, "min_data_in_leaf": least_rows},
        free_raw_data=False,
    )
    return Binned(start=start, data=data, columns=tuple(features.columns), threads=threads, directions=held)


def telling(features: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that say something of their own, and the rhythm that trees start from."""
    return features[list(distinct_columns(features, keep=(SILENT,)))]


def half_rhythm(
    features: pd.DataFrame, label: NDArray[np.int8], *, lost: bool, weight: Column | None = None
) -> OneColumn:
    """Return the rhythm with `START_SHARE` of its weight around the base rate: where the trees start."""
    rhythm = fit_rhythm(features, label, lost=lost)
    return replace(rhythm, weight=START_SHARE * rhythm.weight, intercept=base_rate(label, weight).intercept)


def with_start(early: Early | None, *, lost: bool) -> tuple[Early, OneColumn] | None:
    """Return early outcomes with half the rhythm at their own level, as ``binned`` takes them; None without any."""
    return None if early is None else (early, half_rhythm(early.features, early.label, lost=lost))


def fit_boosted(
    features: pd.DataFrame,
    label: NDArray[np.int8],
    early: Early | None = None,
    *,
    lost: bool,
    seed: int,
    threads: int = 2,
    settings: BoostingSettings | None = None,
    members: int = MEMBERS,
    start: Level | None = None,
    weight: Column | None = None,
    categories: Sequence[str] = (),
    directions: Mapping[str, int] | None = None,
) -> Boosted:
    """Fit ``members`` boosters, each from another seed, from half the rhythm's log-odds or another ``start``.

    From the rhythm, they learn from the columns that say something of their own (``models.redundancy``). With
    ``directions`` (+1, -1, 0 by column) more of a column can move the score in its direction only. ``early`` outcomes
    start from half the rhythm at their own level, so trees learn from them who differs, not how many are lost.

    Rows must come in one total order (cutoff, customer): the order of rows changes a LightGBM model. ``weight`` says
    how much each row counts; ``categories`` names columns of codes (0, 1, …) whose order means nothing.
    """
    settings = settings or BoostingSettings()
    if start is None:
        features = telling(features)
    rows = binned(
        features,
        label,
        start=start or half_rhythm(features, label, lost=lost, weight=weight),
        threads=threads,
        least_rows=settings.least_rows,
        early=with_start(early, lost=lost),
        weight=weight,
        categories=categories,
        directions=directions,
    )
    return rows.grow(settings, seed=seed, members=members)


def _text_of(booster: lgb.Booster) -> str:
    """LightGBM's text without the number of threads: the same trees must give the same bytes on any machine."""
    return re.sub(r"\[num_threads: \d+\]", "[num_threads: 0]", booster.model_to_string())


def boosted_from(name: str, facts: Mapping[str, Any], files: Mapping[str, bytes]) -> Boosted:
    """Return the ensemble stored by ``to_files`` and ``facts``; the caller has verified the files' digests."""
    trees = tuple(files[f"booster_{k}.txt"].decode() for k in range(facts["members"]))
    said = facts["start"]
    start = OneColumn(name="rhythm", **said) if "column" in said else Level(**said)
    return Boosted(name=name, start=start, columns=tuple(facts["columns"]), trees=trees)
