"""What the report is made from: results of the other stages, as they left them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from features.catalogue import Catalogue
from features.definition import Churn
from models.matured import Recheck
from retention.formats import Language
from retention.measures import Measure
from retention.movement import GONE_COLUMNS
from retention.report.lost import LossesFound
from retention.texts import Purpose
from retention.worth import NEEDED

SCORE_COLUMNS = (
    "customer_id", "probability", "probability_low", "probability_high", "risk_band", "segment", "value",
    "value_at_risk", *(f"{kind}_{place}" for kind in ("reason", "contribution") for place in range(1, 6)),
)  # fmt: skip
"""Columns of the scores that the report reads."""
WORTH_COLUMNS = ("value_low", "value_high", *NEEDED)
"""Those that it reads where they are: scores of an older Treue lack them."""
FOLD_COLUMNS = ("purpose", "candidate", "label", "probability")
"""Columns of the backtest's folds that the report reads."""


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """All that one page is made from.

    Attributes
    ----------
    name, language, currency
        Company, language of the page, ISO 4217 code of amounts.
    cutoff, horizon_first, horizon_last, churn
        The morning of the run, the days its labels look at, and what counts as lost.
    scores, returns : DataFrame with ``SCORE_COLUMNS``
        Chance of loss of active customers; chance of return of lapsed ones. May be empty.
    early_warning, win_back, plan, not_contactable : DataFrame
        See :mod:`retention.lists` and :mod:`retention.plan`. May be empty.
    owners : Series of str, index customer_id
        Account manager of customers; empty without master data.
    measures : tuple of Measure
    evidence : mapping of purpose to what the choice of its model rests on
        As ``models.ladder.train`` states it; a purpose may be missing.
    folds : DataFrame with ``FOLD_COLUMNS``
        One row per tested snapshot and candidate; may be empty.
    data : mapping
        Facts of the matrix: balances, notes, missing_features, features, last_known, data (digest).
    run : mapping
        Facts of the scores: run_id, config, model_version, return_model_version.
    features : Catalogue
        The features in use, with their families and the texts of the company's own.
    signals : DataFrame, optional
        What each readable rule was worth, as the stage ``signals`` writes it; None where it was not run.
    firing : DataFrame, optional
        On whom which rule fires today, and in what words: customer_id, rule, verdict, text.
    gone : DataFrame with ``retention.movement.GONE_COLUMNS``
        Who left the early-warning list since ``since_run``.
    since_run : date, optional
        Cutoff of the run before; None at the first.
    list_note : str
        What holds for the whole early-warning list, in the language of the page; empty when nothing does.
    challengers : mapping of purpose, optional
        What the backtest of a newer model that is not in use states, with its ``cutoff``.
    names, regions : Series of str, index customer_id
        Names of customers, and where they are; empty without master data.
    contacts_per_year : mapping of class to count
        How often a customer of each class shall hear from the company.
    matured : mapping of purpose to Recheck, optional
        What has become of the promises of earlier cutoffs; empty where the stage ``matured`` was not run.
    matures_on : date, optional
        First cutoff of a run on which one more of these promises has matured.
    losses : LossesFound, optional
        Why customers were lost; None where the stage ``losses`` was not run.
    cards : mapping of purpose, optional
        The model card of the model in use, as text in the language of the page.
    """

    name: str
    language: Language
    currency: str
    cutoff: date
    horizon_first: date
    horizon_last: date
    churn: Churn
    scores: pd.DataFrame
    returns: pd.DataFrame
    early_warning: pd.DataFrame
    win_back: pd.DataFrame
    plan: pd.DataFrame
    not_contactable: pd.DataFrame
    owners: pd.Series
    measures: tuple[Measure, ...]
    evidence: Mapping[Purpose, Mapping[str, Any]]
    folds: pd.DataFrame
    data: Mapping[str, Any]
    run: Mapping[str, Any]
    features: Catalogue
    signals: pd.DataFrame | None = None
    firing: pd.DataFrame | None = None
    gone: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(GONE_COLUMNS)))
    since_run: date | None = None
    list_note: str = ""
    challengers: Mapping[Purpose, Mapping[str, Any]] = field(default_factory=dict)
    names: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    regions: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    contacts_per_year: Mapping[str, int] = field(default_factory=dict)
    matured: Mapping[Purpose, Recheck] = field(default_factory=dict)
    matures_on: date | None = None
    losses: LossesFound | None = None
    cards: Mapping[Purpose, str] = field(default_factory=dict)

    @property
    def last_known(self) -> date:
        """The last day of which anything is known."""
        return date.fromisoformat(self.data["last_known"])
