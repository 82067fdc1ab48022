"""Past mornings of a company in memory, as the backtest needs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import date
from typing import TYPE_CHECKING

from features.matrix import of_cohort
from features.timeline import require_finished
from models.backtest import Morning, with_outcome
from models.churn_model import COHORTS, Purpose
from models.origins import origins_of
from pipelines.backtest import as_of

if TYPE_CHECKING:
    from pipelines.library import Company


def mornings_of(
    company: Company, cutoff: date, purpose: Purpose, *, origins: Sequence[date] | None
) -> Iterator[Morning]:
    """Yield each origin as it was: what was learned from by what was known on it, what became of it by ``cutoff``.

    Raises
    ------
    LeakageError
        If the horizon of an origin is not finished on ``cutoff``.
    """
    known, churn = company._as_of(cutoff), company.settings.churn
    chosen = origins_of(company.cutoffs(cutoff), churn) if origins is None else origins
    for origin in chosen:
        require_finished(origin, churn, known_until=known.until)
    truth = {origin: of_cohort(company._matrix(origin, known), COHORTS[purpose]) for origin in chosen}
    for origin in chosen:
        past = copy(company)
        past.settings = as_of(company.settings, origin)
        learn = of_cohort(past._learned_from(origin), COHORTS[purpose])
        ranked = of_cohort(past._matrix(origin, past._as_of(origin)), COHORTS[purpose])
        yield Morning(origin=origin, learn=learn, ranked=with_outcome(ranked, truth[origin]))
