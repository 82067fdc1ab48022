"""The verbs of the command line on pandas tables: three lines train, score and explain.

>>> from datetime import date
>>> from pipelines.demo.company import demo_company
>>> from pipelines.library import Company
>>> tables = demo_company(customers=200).tables

>>> company = Company(tables, language="en")
>>> model = company.train(date(2026, 1, 1))
>>> scores, reasons = company.score(date(2026, 1, 1), model), company.explain(date(2026, 1, 1), model)

>>> list(scores.columns[:4])
['customer_id', 'cutoff', 'horizon_end', 'probability']
>>> bool(scores["probability"].between(0, 1).all())
True
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from features.catalogue import families
from features.definition import Churn
from features.history import History, load_history
from features.intake import Tables, take_in_frames
from features.matrix import build_matrix, of_cohort, rhythm_at, stack
from features.timeline import training_cutoffs
from models.churn_model import COHORTS, ChurnModel, Purpose
from models.ladder import train as train_ladder
from models.settings import Training, Value
from pipelines.score import scored
from pipelines.settings import Settings
from retention.reasons import rank_reasons
from retention.sentences import sentences
from retention.texts import reason_texts

if TYPE_CHECKING:
    import shap


class Company:
    """A company as pandas tables, in the names of the contract (``docs/configuration.md``).

    Parameters
    ----------
    tables : mapping of table name to DataFrame
        ``orders`` is compulsory (order_id, customer_id, occurred_on, amount); missing tables remove their features.
    language : {"de", "en"}
        Language of the sentences.
    currency, timezone : str
        As in the configuration.
    training, value : sections of the configuration, optional
    **churn
        Fields of ``churn``: ``horizon_days=90``, ``lead_days=14``, ``active_within_days=180`` and so on.

    Notes
    -----
    Every verb takes a cutoff and behaves as on that morning: rows known on or after it do not exist.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        language: Literal["de", "en"] = "de",
        currency: str = "EUR",
        timezone: str = "Europe/Berlin",
        training: Training | None = None,
        value: Value | None = None,
        **churn: Any,
    ):
        self._tables = dict(tables)
        self.settings = Settings(
            name="notebook",
            language=language,
            currency=currency,
            timezone=timezone,
            sources={},
            churn=Churn(**churn),
            training=training or Training(),
            value=value or Value(),
        )
        self._known: dict[date, _Known] = {}

    def check(self, cutoff: date | None = None) -> Tables:
        """Return the checked tables: ``balances``, ``quarantine(name)`` and ``notes`` say what was refused and why."""
        return take_in_frames(self._tables, cutoff=cutoff, timezone=self.settings.timezone)

    def matrix(self, cutoff: date, *, known_at: date | None = None) -> pd.DataFrame:
        """Return the snapshots of ``cutoff`` with all features; with labels as far as known on ``known_at``."""
        known = self._as_of(known_at or cutoff)
        return build_matrix(known.history, cutoff=cutoff, churn=self.settings.churn, known_until=known.until)

    def snapshots(self, cutoff: date) -> pd.DataFrame:
        """Return the labelled snapshots that may be learned from on the morning of ``cutoff``, oldest first."""
        known, training = self._as_of(cutoff), self.settings.training
        days = training_cutoffs(
            first_day=known.first,
            known_until=known.until,
            churn=self.settings.churn,
            step_days=training.step_days,
            most=training.most,
        )
        parts = [self.matrix(day, known_at=cutoff) for day in days]
        return stack(parts) if parts else self.matrix(cutoff).head(0)

    def train(self, cutoff: date, *, purpose: Purpose = "churn") -> ChurnModel:
        """Return the model for ``cutoff``; its ``evidence`` says what the choice rests on."""
        cohort = of_cohort(self.snapshots(cutoff), COHORTS[purpose])
        churn, training = self.settings.churn, self.settings.training
        return train_ladder(cohort, purpose=purpose, cutoff=cutoff, churn=churn, training=training)[0]

    def score(self, cutoff: date, model: ChurnModel) -> pd.DataFrame:
        """Return probability with interval, value, segment and reasons of each customer, likeliest first."""
        matrix, rhythm = self._cohort(cutoff, model), rhythm_at(self._as_of(cutoff).history, cutoff=cutoff)
        found = scored(matrix, model, rhythm, self.settings, cutoff=cutoff, run_id="notebook")
        return found.assign(customer_id=self._as_they_came(found["customer_id"]))

    def explain(self, cutoff: date, model: ChurnModel) -> pd.DataFrame:
        """Return up to five sentences per customer, the strongest reason first; index customer_id."""
        matrix = self._cohort(cutoff, model).set_index("customer_id")
        told = sentences(
            rank_reasons(model.contributions(matrix), families()),
            matrix,
            reason_texts(self.settings.language),
            families=families(),
            purpose=model.purpose,
            currency=self.settings.currency,
        )
        return told.set_index(pd.Index(self._as_they_came(told.index.to_series()), name="customer_id"))

    def explanation(self, cutoff: date, model: ChurnModel) -> shap.Explanation:
        """Return the contributions [log-odds] as ``shap.Explanation``, for all of ``shap.plots``."""
        import shap

        matrix = self._cohort(cutoff, model)
        parts = model.contributions(matrix)
        names = list(model.features)
        return shap.Explanation(
            values=parts[names].to_numpy(),
            base_values=parts["base"].to_numpy(),
            data=matrix[names].to_numpy(),
            feature_names=names,
        )

    def _cohort(self, cutoff: date, model: ChurnModel) -> pd.DataFrame:
        return of_cohort(self.matrix(cutoff), COHORTS[model.purpose])

    def _as_of(self, cutoff: date) -> _Known:
        if cutoff not in self._known:
            self._known = {cutoff: _Known(self.check(cutoff), cutoff)}
        return self._known[cutoff]

    def _as_they_came(self, ids: pd.Series[str]) -> pd.Series[Any]:
        kind = self._tables["orders"]["customer_id"].dtype
        return ids.astype(kind) if pd.api.types.is_integer_dtype(kind) else ids


class _Known:
    """What is known of the tables on one morning."""

    def __init__(self, tables: Tables, cutoff: date):
        self._tables = tables
        self.first = tables.first_known
        self.until = min(cutoff, tables.last_known + timedelta(days=1))

    @cached_property
    def history(self) -> History:
        return load_history(self._tables)
