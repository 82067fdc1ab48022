"""The blend: the mean log-odds of the rhythm, the logistic regression and the trees held to known directions.

Three ways to look at a customer seldom err together; where they differ, their mean is the safer word. The trees count
as much as the two formulas together. Source: Bates, Granger (1969), "The Combination of Forecasts", Operational
Research Quarterly 20(4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.boosting import Boosted
from models.candidates import Candidate, Column, Fit, candidate_from
from models.early import Early

BLENDED: Mapping[str, float] = {"rhythm": 0.25, "logistic": 0.25, "monotone": 0.5}
"""Steps of the ladder that are blended, and what each counts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Blend:
    """The mean of several fitted candidates' log-odds, weighted by ``weights`` (sum 1); so are its contributions."""

    parts: tuple[Candidate, ...]
    weights: tuple[float, ...] = tuple(BLENDED.values())
    name: str = "blend"

    @property
    def explained_by(self) -> str:
        """That of its trees, if it has some."""
        ways = [part.explained_by for part in self.parts]
        return next((way for way in ways if way != "linear"), "linear")

    def log_odds(self, features: pd.DataFrame) -> Column:
        """Raw log-odds, shape (n_rows,)."""
        return mean_of([part.log_odds(features) for part in self.parts], self.weights)

    def spread(self, features: pd.DataFrame) -> Column:
        """Standard deviation that the members of the parts leave in the mean."""
        squares = sum((weight * part.spread(features)) ** 2 for part, weight in self._weighted)
        return np.asarray(np.sqrt(squares), dtype=np.float64)

    def contributions(self, features: pd.DataFrame) -> tuple[float, pd.DataFrame]:
        """Base and one column per feature that speaks in any part; base plus the row's sum is the raw log-odds."""
        said = [(weight, *part.contributions(features)) for part, weight in self._weighted]
        columns = list(dict.fromkeys(name for _, _, parts in said for name in parts.columns))
        total = pd.DataFrame(0.0, index=features.index, columns=columns)
        for weight, _, parts in said:
            total[list(parts.columns)] += weight * parts
        return sum(weight * base for weight, base, _ in said), total

    def to_files(self) -> dict[str, bytes]:
        """The texts of the trees; no two parts have trees."""
        return {name: text for part in self.parts for name, text in part.to_files().items()}

    def facts(self) -> dict[str, Any]:
        """Numbers of each part and what it counts, for the manifest."""
        weights = {part.name: weight for part, weight in self._weighted}
        return {"parts": {part.name: part.facts() for part in self.parts}, "weights": weights}

    @property
    def _weighted(self) -> list[tuple[Candidate, float]]:
        return list(zip(self.parts, self.weights, strict=True))


@dataclass(frozen=True, kw_only=True)
class FitBlend:
    """Fits each part by its own function; whoever has them fitted already takes ``mean_of`` what they say instead."""

    fits: Mapping[str, Fit]
    weights: tuple[float, ...] = tuple(BLENDED.values())

    def __call__(self, features: pd.DataFrame, label: NDArray[np.int8], early: Early | None = None) -> Blend:
        """Fit every part on the same rows."""
        return Blend(parts=tuple(fit(features, label, early) for fit in self.fits.values()), weights=self.weights)


def blend_from(facts: Mapping[str, Any], files: Mapping[str, bytes]) -> Blend:
    """Return the blend stored by ``to_files`` and ``facts``; the caller has verified the files' digests.

    Blends from before there were weights counted every part alike.
    """
    weights = facts.get("weights") or dict.fromkeys(BLENDED, 1 / len(BLENDED))
    parts = tuple(candidate_from(name, facts["parts"][name], files) for name in BLENDED)
    return Blend(parts=parts, weights=tuple(weights[name] for name in BLENDED))


def mean_of(log_odds: Sequence[Column], weights: Sequence[float]) -> Column:
    """Return the weighted mean of several log-odds of the same rows, added one after another, shape (n_rows,)."""
    total = np.zeros_like(log_odds[0])
    for each, weight in zip(log_odds, weights, strict=True):
        total = total + weight * each
    return np.asarray(total, dtype=np.float64)


def on_threads(candidate: Candidate, threads: int) -> Candidate:
    """Return the same candidate whose trees use so many threads."""
    if isinstance(candidate, Blend):
        return replace(candidate, parts=tuple(on_threads(part, threads) for part in candidate.parts))
    return replace(candidate, threads=threads) if isinstance(candidate, Boosted) else candidate
