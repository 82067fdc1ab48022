"""Figures of the contest: each case, their mean, what became of the goals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contest.cases import CONTROL, Contest, said_by_peers
from benchmarks.contest.contracts import said_of_contracts
from benchmarks.contest.peers import NAMES
from models.backtest import DELIVERED
from models.metrics import calibration_error
from models.resample import ranks_of, weighted_auc
from models.verdict import Verdict, against_rivals

AHEAD, CALIBRATED, BEHIND, NOTHING = 0.01, 0.03, 0.01, 0.05
"""The goals: mean lead over the best rival, calibration error, most behind on small bases, distance from 0.5."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One set on one morning: area under the curve of every ranking, ours as delivered first.

    ``first_year`` is whether less than a year of data lay before the morning; ``finds`` is what the model's own
    evidence says of it against the rivals built in.
    """

    set: str
    origin: date
    customers: int
    base_rate: float
    chosen: str
    finds: str
    auc: Mapping[str, float]
    calibration_error: float
    verdict: Verdict
    first_year: bool

    @property
    def name(self) -> str:
        """Set and morning."""
        return f"{self.set} {self.origin}"


def contested(contest: Contest) -> list[Case]:
    """Return every origin of a set, judged; origins whose outcomes are all alike are left out."""
    judged = contest.company.judged(contest.newest, origins=contest.origins)
    cases = []
    for origin, found in zip(contest.origins, judged, strict=True):
        if not 0 < found.folds["label"].mean() < 1:
            print(f"{contest.name} {origin} left out: all outcomes are alike")
            continue
        cases.append(_case(contest, origin, with_peers(contest, origin, found.folds), found.evidence))
    return cases


def with_peers(contest: Contest, origin: date, folds: pd.DataFrame) -> pd.DataFrame:
    """Return the folds of one origin with the usual ways as further rivals; their scores stand as log_odds."""
    own = folds.loc[folds["candidate"] == DELIVERED].reset_index(drop=True)
    who = own["customer_id"].astype("str").tolist()
    if contest.company.settings.churn.definition == "contract":
        told = said_of_contracts(contest, origin, who)
    else:
        told = said_by_peers(contest, origin, who, NAMES)
    more = [own.assign(kind="rival", candidate=name, log_odds=said) for name, said in told.items()]
    return pd.concat([folds, *more], ignore_index=True)


def _case(contest: Contest, origin: date, folds: pd.DataFrame, evidence: Mapping[str, Any]) -> Case:
    own = folds.loc[folds["candidate"] == DELIVERED]
    label = own["label"].to_numpy(np.int8)
    return Case(
        set=contest.name,
        origin=origin,
        customers=len(own),
        base_rate=float(label.mean()),
        chosen=str(evidence["chosen"]),
        finds=str(evidence.get("verdict", "unknown")),
        auc=aucs(folds),
        calibration_error=calibration_error(label, own["probability"].to_numpy()),
        verdict=against_rivals(own, folds.loc[folds["kind"] == "rival"]),
        first_year=origin - contest.first_day < timedelta(days=365),
    )


def aucs(folds: pd.DataFrame) -> dict[str, float]:
    """Area under the curve of every ranking of one origin, candidates apart from ours left out."""
    asked = folds.loc[folds["kind"] != "candidate"]
    return {
        str(name): weighted_auc(
            part["label"].to_numpy(np.int8), ranks_of(part["log_odds"].to_numpy(np.float64)), np.ones(len(part))
        )
        for name, part in asked.groupby("candidate", sort=False)
    }


def table_of(cases: Sequence[Case]) -> str:
    """Return the cases as text, one line each."""
    rows = [
        {
            "case": case.name,
            "n": case.customers,
            "base": round(case.base_rate, 3),
            "chosen": case.chosen,
            **{name: round(value, 4) for name, value in case.auc.items()},
            "to best": f"{case.verdict.difference:+.4f} [{case.verdict.low:+.4f}, {case.verdict.high:+.4f}]",
            "ce": round(case.calibration_error, 4),
        }
        for case in cases
    ]
    return str(pd.DataFrame(rows).to_string(index=False)) if rows else "no case"


def figures_of(cases: Sequence[Case], drawn: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return all figures: every case, means over cases (control apart), small bases."""
    counted = [case for case in cases if case.set != CONTROL]
    return {
        "cases": {case.name: _told(case) for case in cases},
        "mean_auc": {name: round(value, 4) for name, value in means(case.auc for case in counted).items()},
        "ahead_of_best_single_rival": _ahead(counted),
        "control_mean_auc": means(case.auc for case in cases if case.set == CONTROL),
        "small_bases": small_means(drawn),
        "small_bases_by_set": {
            f"{name} {base}": _behind([row for row in drawn if (row["set"], row["base"]) == (name, base)])
            for name, base in sorted({(row["set"], row["base"]) for row in drawn})
        },
    }


def goals_of(cases: Sequence[Case], drawn: Sequence[Mapping[str, Any]]) -> dict[str, bool | None]:
    """Return which goals are met; None where nothing was measured for one."""
    counted = [case for case in cases if case.set != CONTROL]
    control = [case for case in cases if case.set == CONTROL]
    later = [case.calibration_error for case in counted if not case.first_year]
    small, ahead = small_means(drawn), _ahead(counted)
    return {
        "best or within the interval of the best on every case": _all(case.verdict.says != "worse" for case in counted),
        f"mean AUC {AHEAD} above the best single rival": None if ahead is None else ahead >= AHEAD,
        f"calibration error at most {CALIBRATED} after the first year": _all(each <= CALIBRATED for each in later),
        f"small bases at most {BEHIND} behind the best rival": _all(row["ahead"] >= -BEHIND for row in small.values()),
        f"control at 0.50 give or take {NOTHING}": _finds_nothing(control),
        "control: the model says that it finds nothing": _all(case.finds != "better" for case in control),
    }


def _finds_nothing(control: Sequence[Case]) -> bool | None:
    """Return whether the mean over the control's mornings is near 0.5; one morning alone has too few losses to say."""
    return abs(float(np.mean([case.auc[DELIVERED] for case in control])) - 0.5) <= NOTHING if control else None


def means(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Mean of every ranking that is there in all rows."""
    frame = pd.DataFrame(list(rows)).dropna(axis="columns")
    return {str(name): float(value) for name, value in frame.mean().items()}


def _ahead(cases: Sequence[Case]) -> float | None:
    """Mean lead over the one rival that is best over all cases, measured on the cases it can speak to."""
    if not cases:
        return None
    frame = pd.DataFrame([case.auc for case in cases])
    rivals = frame.drop(columns=DELIVERED)
    leads = rivals.rsub(frame[DELIVERED], axis=0).mean()
    everywhere = leads[rivals.notna().mean() >= 0.5]
    return round(float(everywhere.min()), 4)


def small_means(drawn: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return per size of base our mean, that of the best single rival over all draws, and the lead."""
    return {
        str(base): _behind([row for row in drawn if row["base"] == base]) for base in {row["base"] for row in drawn}
    }


def _behind(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = means(row["auc"] for row in rows)
    rival = max((name for name in found if name != DELIVERED), key=found.__getitem__)
    ahead = np.array([row["auc"][DELIVERED] - row["auc"][rival] for row in rows])
    error = float(ahead.std(ddof=1) / np.sqrt(len(ahead))) if len(ahead) > 1 else float("nan")
    return {
        "draws": len(rows),
        "treue": round(found[DELIVERED], 4),
        "best_rival": rival,
        "ahead": round(float(ahead.mean()), 4),
        "standard_error": round(error, 4),
    }


def _told(case: Case) -> dict[str, Any]:
    return {
        "customers": case.customers,
        "base_rate": round(case.base_rate, 4),
        "chosen": case.chosen,
        "finds": case.finds,
        "auc": {name: round(value, 4) for name, value in case.auc.items()},
        "best_rival": case.verdict.rival,
        "to_best_rival": [round(each, 4) for each in (case.verdict.difference, case.verdict.low, case.verdict.high)],
        "calibration_error": round(case.calibration_error, 4),
        "first_year": case.first_year,
    }


def _all(found: Iterable[bool]) -> bool | None:
    """Return whether all hold; None where there is none."""
    listed = list(found)
    return all(listed) if listed else None
