"""Tests ordered in time: what is learned from was known, labels included, on the morning of the test cutoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.matrix import of_cohort
from features.timeline import learnable_before
from models.origins import spread
from pipelines.library import Company

LEAST_OUTCOMES = 20
"""Fewer of either outcome make a figure of mere chance."""

Column = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TimedTest:
    """One test cutoff: active customers to learn from, all known on its morning, and those to rank.

    ``stake`` is what each ranked customer brings [currency]: turnover of the 364 days before the cutoff, or under
    contract twelve of the monthly amounts that run.
    """

    cutoff: date
    learn: pd.DataFrame
    ranked: pd.DataFrame
    stake: Column


def honest_tests(company: Company, *, least: int, most: int) -> tuple[TimedTest, ...]:
    """Return up to ``most`` tests, oldest first, a whole lead and horizon apart where that gives ``least``.

    What is learned from was known on the morning of the test cutoff, labels included; later rows tell only what
    became of the customers ranked. Cutoffs with fewer than ``LEAST_OUTCOMES`` of either outcome, to learn from or to
    rank, cannot be tested.
    """
    newest, churn = company.newest_cutoff(), company.settings.churn
    matrices = {day: _active(company.matrix(day, known_at=newest)) for day in company.cutoffs(newest)}
    usable = [day for day in matrices if _may_test(day, matrices, churn)]
    built: dict[date, TimedTest] = {}
    while chosen := spread(usable, churn, least=least, most=most):
        built |= {day: _test(company, day, matrices[day]) for day in chosen if day not in built}
        refused = [day for day in chosen if not _tells(label_of(built[day].learn))]
        if not refused:
            break
        usable = [day for day in usable if day not in refused]
    return tuple(built[day] for day in chosen)


def _may_test(day: date, matrices: Mapping[date, pd.DataFrame], churn: Churn) -> bool:
    """Return whether both outcomes are there by what is known today; less may have been known on that morning."""
    learn = [label_of(matrices[each]) for each in learnable_before(list(matrices), day, churn)]
    return bool(learn) and _tells(np.concatenate(learn)) and _tells(label_of(matrices[day]))


def _tells(label: NDArray[np.int8]) -> bool:
    return bool(min(label.sum(), (1 - label).sum()) >= LEAST_OUTCOMES)


def _test(company: Company, day: date, ranked: pd.DataFrame) -> TimedTest:
    churn = company.settings.churn
    purged = learnable_before(company.cutoffs(day), day, churn)
    known = _active(company.snapshots(day))
    learn = known.loc[known["cutoff"].isin(purged)].reset_index(drop=True)
    return TimedTest(cutoff=day, learn=learn, ranked=ranked, stake=_stake(ranked, churn))


def _stake(ranked: pd.DataFrame, churn: Churn) -> Column:
    if churn.definition == "contract":
        brings = 12 * ranked["relationship__recurring_amount"]
    else:
        brings = ranked["sales__turnover_364d"]
    return np.asarray(brings.fillna(0).clip(lower=0), dtype=np.float64)


def _active(matrix: pd.DataFrame) -> pd.DataFrame:
    return of_cohort(matrix, "active")


def label_of(rows: pd.DataFrame) -> NDArray[np.int8]:
    return rows["label"].to_numpy(np.int8)
