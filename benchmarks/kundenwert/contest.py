"""Past mornings on which margins are foreseen as training does it, and what customers then brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from benchmarks.kundenwert import rivals
from features.matrix import of_cohort
from features.norms import norms_at
from features.outcomes import OUTCOME_DAYS, turnover_ahead
from features.rhythm import RhythmParameters
from models.margin import MarginModel, fit_margin
from models.margin.learning import margin_of
from pipelines.demo.company import demo_company
from pipelines.library import Company

ROOT = Path(__file__).resolve().parents[2]
SETS = ("online_retail", "resellers", "webshop", "demo")
HORIZONS = (180, 365)
BEST = 0.2
"""Share of the truly best customers that is looked for."""
_APART_DAYS = 91

Column = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One set, horizon and morning: figures by way, and how many margins lay in our intervals."""

    name: str
    days: int
    morning: date
    customers: int
    chosen: str
    figures: Mapping[str, Mapping[str, float]]
    covered: float


def open_company(name: str, *, customers: int) -> Company:
    """Return the company of a set."""
    if name == "demo":
        return Company(demo_company(customers=customers).tables)
    return Company.from_config(ROOT / "configs" / f"{name}.yaml", root=ROOT)


def mornings(company: Company, days: int, *, most: int) -> tuple[date, ...]:
    """Return up to ``most`` mornings, oldest first, 91 days apart, whose window is over today and with something seen.

    Less than 60 days of history before a morning make no test.
    """
    newest = company.newest_cutoff()
    first = min(company.cutoffs(newest))
    last = newest - timedelta(days=days)
    found = [last - timedelta(days=_APART_DAYS * back) for back in range(most)]
    return tuple(day for day in reversed(found) if day >= first)


def contested(name: str, *, most: int, customers: int, horizons: Sequence[int] = HORIZONS) -> Iterator[Result]:
    """Yield the results of one set."""
    company = open_company(name, customers=customers)
    newest = company.newest_cutoff()
    for days in horizons:
        for morning in mornings(company, days, most=most):
            snapshots = company.snapshots(morning)
            history = company.history(morning)
            parameters = norms_at(history, cutoff=morning).rhythm
            model = _fitted(company, snapshots, morning, days)
            truth = of_cohort(company.matrix(morning, known_at=newest), "active")
            truth = truth.loc[truth[turnover_ahead(days)].notna()].reset_index(drop=True)
            if len(truth):
                yield _judged(name, days, morning, truth, model, parameters)


def _fitted(company: Company, snapshots: pd.DataFrame, morning: date, days: int) -> MarginModel:
    churn, training, value = company.settings.churn, company.settings.training, company.settings.value
    horizons = [each for each in OUTCOME_DAYS if each <= days]
    return fit_margin(snapshots, cutoff=morning, churn=churn, training=training, value=value, horizons=horizons)


def _judged(
    name: str, days: int, morning: date, active: pd.DataFrame, model: MarginModel, parameters: RhythmParameters
) -> Result:
    usual = model.turnover.usual.margin_share
    share = usual if len(active) == 0 else _share_of(active, usual)
    brought = margin_of(active, days, margin_share=share)
    ours = model.expected(active, days=days)
    said = {
        "treue": ours["margin"].to_numpy(np.float64),
        "average month": rivals.average_month(active, days=days, share=share),
        "last year's turnover": rivals.last_year(active, days=days, share=share),
        "rhythm (Treue before)": rivals.rhythm(active, parameters, days=days, share=share),
        "BG/NBD + Gamma-Gamma": rivals.bgnbd_gamma_gamma(active, days=days, share=share),
    }
    inside = (brought >= ours["margin_low"] - 0.005) & (brought <= ours["margin_high"] + 0.005)
    figures = {way: figures_of(brought, each) for way, each in said.items() if each is not None}
    return Result(
        name=name,
        days=days,
        morning=morning,
        customers=len(active),
        chosen=model.turnover.step,
        figures=figures,
        covered=float(inside.mean()),
    )


def _share_of(active: pd.DataFrame, otherwise: float) -> float:
    """Return the company's margin over turnover in the 728 days before the morning; the same for all ways."""
    if "sales__margin_728d" not in active:
        return otherwise
    sold = float(active["sales__turnover_728d"].sum())
    return float(active["sales__margin_728d"].sum()) / sold if sold > 0 else otherwise


def figures_of(brought: Column, said: Column) -> dict[str, float]:
    """Return mean absolute error [currency], rank correlation (Spearman) and the share of the truly best found."""
    places = max(1, int(np.ceil(BEST * len(brought))))
    best, first = (set(np.argsort(-each, kind="stable")[:places].tolist()) for each in (brought, said))
    is_constant = np.ptp(said) == 0 or np.ptp(brought) == 0
    return {
        "mae": float(np.abs(brought - said).mean()),
        "rank": 0.0 if is_constant else float(stats.spearmanr(brought, said).statistic),
        "best_found": len(best & first) / places,
    }
