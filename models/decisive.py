"""Which tests choose the candidate: those on later time, else those by half the horizon, else customers left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import Churn
from features.matrix import EARLY_LABEL
from models.candidates import HELD, Fit
from models.choice import choose, says_something
from models.early import finished
from models.folds import days_with_a_level, folds_of, left_out, level_cutoff, newest_telling, split, teaches
from models.tested import tested_by

_BY_HALF = "by half the horizon"
_LEFT_OUT = "among customers left out of the newest cutoff"


@dataclass(frozen=True, kw_only=True, eq=False)
class Decisive:
    """Tests of every candidate, and by what they were made in place of later time; empty where that decides."""

    tests: pd.DataFrame
    instead: str = ""

    def remark(self, choice: str, *, tested: pd.DataFrame) -> str:
        """Return why a candidate speaks, with what is wrong with the tests on later time where these do not decide."""
        if not self.instead:
            return choice
        wrong = "no test ordered in time has enough of both outcomes" if tested.empty else _SAY_NOTHING
        return f"{wrong}; {self.instead} {choice}"

    def choose(self, label: NDArray[np.int8], steps: Iterable[str]) -> tuple[str, str]:
        """Return the candidate that speaks, and why: as ``models.choice.choose``, but held to known directions.

        Free trees follow whatever the newest days show; where no later time has tested that, the same trees held to
        known directions speak for them.
        """
        chosen, why = choose(self.tests, label, steps)
        if self.instead and chosen in HELD:
            return HELD[chosen], f"{HELD[chosen]} is {chosen} held to known directions; {why}"
        return chosen, why

    def level_of(self, rows: pd.DataFrame, cutoff: date) -> pd.DataFrame:
        """Return the slice whose level of outcomes the model takes: the same season's, or the newest for want of tests.

        None where nothing was tested: the candidate, fitted to all snapshots, already stands at their level.
        """
        if rows.empty or (self.tests.empty and teaches(rows["label"].to_numpy(np.int8))):
            return rows.head(0)
        day = newest_telling(rows) if self.instead else level_cutoff(days_with_a_level(rows), cutoff)
        return rows.loc[rows["cutoff"] == day]


_SAY_NOTHING = "later time tells no candidate from chance"


def decisive_tests(learn: pd.DataFrame, steps: Mapping[str, Fit], *, tested: pd.DataFrame, churn: Churn) -> Decisive:
    """Return the tests that choose.

    Parameters
    ----------
    learn : DataFrame
        All snapshots to learn from, in order of cutoff and customer.
    steps : mapping of str to function
        The candidates on trial.
    tested : DataFrame
        Their tests on later time, as ``models.tested`` gives them.
    churn : Churn

    Notes
    -----
    Where these tell no candidate from chance, or there are none, half the horizon is asked: its outcomes are known
    sooner, so the same tests reach nearer to today and there are more of them. Where customers have changed their
    character so lately that these, too, tell nothing, what is left is what the newest cutoff shows: each candidate
    learns from two thirds of the customers and is tested on the others' snapshots of that cutoff.
    """
    if says_something(tested) or not teaches(finished(learn)["label"].to_numpy(np.int8)):
        return Decisive(tests=tested)
    sooner = _by_half(learn, steps, churn)
    if says_something(sooner):
        return Decisive(tests=sooner, instead=_BY_HALF)
    found = tested_by(steps, left_out(learn))
    return Decisive(tests=tested) if found.empty else Decisive(tests=found, instead=_LEFT_OUT)


def _by_half(learn: pd.DataFrame, steps: Mapping[str, Fit], churn: Churn) -> pd.DataFrame:
    """Return the same tests with half the horizon in place of the whole: to learn from and to judge by."""
    if EARLY_LABEL not in learn.columns:
        return tested_by(steps, ())
    rows = learn.loc[learn[EARLY_LABEL].notna()]
    rows = rows.assign(label=rows[EARLY_LABEL]).drop(columns=EARLY_LABEL)
    return tested_by(steps, (split(rows, fold) for fold in folds_of(sorted(set(rows["cutoff"])), churn.early)))
