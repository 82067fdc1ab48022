"""What each customer of a cohort is worth, brings, costs and could bring; by contract, by forecast or by rhythm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.definition import Churn
from features.rhythm import RhythmParameters
from models.cost_to_serve import cost_to_serve
from models.kundenwert import FirstYear, value_of
from models.margin import MarginModel
from models.margin.basis import YEAR_DAYS, column
from models.margin.model import MARGIN_COLUMNS
from models.potential import potential_of
from models.settings import Value
from models.staying import Column
from models.value import assumed, first_year_of_contracts, value_of_buyers

WORTH_COLUMNS = (
    *("value", "value_low", "value_high", "value_at_risk", "value_at_risk_low", "value_at_risk_high"),
    *("turnover", "expected_margin", "cost_to_serve", "potential", "missing_categories"),
)
"""What is said of the worth of each customer [currency]; ``turnover`` is of the last 364 days, the four behind it are
a year's, the last is a count. What needs a forecast of margins is missing where there is none."""
_MONTHLY = "relationship__recurring_amount"


def margins_of(matrix: pd.DataFrame, margin: MarginModel | None) -> pd.DataFrame:
    """Return the expected margin of the next year with its interval, row by row; no columns without a forecast."""
    return pd.DataFrame(index=matrix.index) if margin is None else margin.expected(matrix, days=YEAR_DAYS)


def worth_of(
    judged: pd.DataFrame,
    *,
    rhythm: RhythmParameters,
    churn: Churn,
    settings: Value,
    margin: MarginModel | None = None,
    about: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return ``WORTH_COLUMNS`` of each customer of a cohort, with the index of ``judged``.

    Parameters
    ----------
    judged : DataFrame
        customer_id, probability with its bounds, ``models.value.READ_COLUMNS`` as far as known, and the columns of
        ``margins_of`` where there is a forecast.
    margin : MarginModel, optional
        The forecast, which also knows how long customers stay. Without it the rhythm speaks.
    about : DataFrame, optional
        Master data by which customers are compared.
    """
    probability = judged["probability"].to_numpy(np.float64)
    staying = margin.staying if margin else assumed(settings)
    cost, turnover = (
        cost_to_serve(judged, settings.cost_to_serve),
        np.maximum(column(judged, "sales__turnover_364d"), 0),
    )
    nothing = np.full(len(judged), np.nan)
    beside = {"turnover": turnover, "expected_margin": nothing, "cost_to_serve": cost, "potential": nothing}
    if churn.definition == "contract" and _MONTHLY in judged.columns:
        first = first_year_of_contracts(judged, probability, churn=churn, settings=settings, staying=staying)
        found = value_of(first, staying=staying, churn=churn, settings=settings, index=judged.index)
        beside |= {"turnover": 12 * column(judged, _MONTHLY), "expected_margin": first.margin}
    elif margin is not None:
        first, missing = _first_year(judged, probability, cost, about, settings)
        found = value_of(first, staying=staying, churn=churn, settings=settings, index=judged.index)
        beside |= {"expected_margin": first.margin, "potential": first.potential, "missing_categories": missing}
    else:
        found = value_of_buyers(judged, rhythm=rhythm, settings=settings)
    worth = found.assign(**{"missing_categories": nothing, **beside}, **_at_risk(judged, found))
    return worth[list(WORTH_COLUMNS)]


def _first_year(
    judged: pd.DataFrame,
    probability: Column,
    cost: Column,
    about: pd.DataFrame | None,
    settings: Value,
) -> tuple[FirstYear, Column]:
    margin, low, high = (judged[name].to_numpy(np.float64) for name in MARGIN_COLUMNS)
    gap = potential_of(judged, margin, about, least=settings.least_peers, level=settings.good_peers)
    potential = gap["margin_gap"].to_numpy(np.float64)
    first = FirstYear(margin=margin, low=low, high=high, cost=cost, potential=potential, probability=probability)
    return first, gap["missing_categories"].to_numpy(np.float64)


def _at_risk(judged: pd.DataFrame, found: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return probability x value, with bounds that join those of both as independent of each other (logarithms)."""
    chance, value = judged["probability"], found["value"]
    at_risk = {"value_at_risk": chance * value}
    for side in ("low", "high"):
        bound = judged[f"probability_{side}"] if f"probability_{side}" in judged.columns else chance
        parts = [
            np.log(np.clip((one / other.where(other > 0)).fillna(1.0), 1e-12, 1e12))
            for one, other in ((bound, chance), (found[f"value_{side}"], value))
        ]
        apart = np.hypot(*parts)
        at_risk[f"value_at_risk_{side}"] = at_risk["value_at_risk"] * np.exp(-apart if side == "low" else apart)
    return at_risk
