"""One customer explained from the tables of a notebook, without a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from features.norms import norms_at
from features.timeline import day_number
from models.churn_model import COHORTS, ChurnModel
from pipelines.case import Case, case_of, fired_on, unknown_customer, view_of
from pipelines.past import past_of
from pipelines.settings import Settings
from pipelines.signals import Signals
from retention.changes import Known
from retention.customer.page import customer_page
from retention.customer.text import customer_text
from retention.customer.view import CustomerView
from retention.texts import ReasonTexts

if TYPE_CHECKING:
    from pipelines.library import Company


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Everything about one customer: ``print`` tells it as text, a notebook shows the page.

    Attributes
    ----------
    view : CustomerView
        All of it as plain values.
    texts : ReasonTexts
        The words of the language it is told in.
    """

    view: CustomerView
    texts: ReasonTexts

    @property
    def html(self) -> str:
        """The page: complete, without script, asking nothing of any network."""
        return customer_page(self.view, texts=self.texts)

    @property
    def steps(self) -> pd.DataFrame:
        """The way from the common start to the customer's probability, one row per reason, all else together last.

        Columns family (empty for all else), label, sentence, contribution [log-odds], before and after (probability on
        either side), side ("raises" where it endangers).
        """
        return pd.DataFrame([vars(step) for step in self.view.steps])

    def __str__(self) -> str:
        return customer_text(self.view, texts=self.texts)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" style="width: 100%; height: 60em; border: 0"></iframe>'


def explained(
    company: Company, settings: Settings, cutoff: date, model: ChurnModel, customer_id: str, signals: Signals | None
) -> Explained:
    """Return what ``Company.explain_customer`` promises, in the language of ``settings``."""
    case = _case(company, settings, cutoff, model, customer_id)
    then = company._as_of(cutoff)
    known = Known(
        history=then.history,
        norms=norms_at(then.history, cutoff=cutoff),
        churn=settings.churn,
        cutoff=day_number(cutoff),
    )
    said = [(cutoff, float(case.scored["probability"]), model.purpose)]
    past = past_of(then.tables, customer_id, cutoff=cutoff, scores=said)
    fired = None if signals is None else fired_on(signals.firing, case)
    return Explained(view=view_of(case, model, known, then.goodwill_cents, past=past, signals=fired), texts=case.texts)


def _case(company: Company, settings: Settings, cutoff: date, model: ChurnModel, customer_id: str) -> Case:
    scores = company._scored(cutoff, model)
    own = scores[scores["customer_id"] == customer_id]
    if own.empty:
        raise unknown_customer(
            customer_id, scores["customer_id"].tolist(), f"or not {COHORTS[model.purpose]} on {cutoff}"
        )
    return case_of(
        settings,
        cutoff,
        company._as_of(cutoff).tables,
        purpose=model.purpose,
        scored=own.iloc[0],
        matrix=company._ranked(cutoff, model).set_index("customer_id").loc[[customer_id]],
        features=company.features,
    )
