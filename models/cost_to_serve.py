"""What serving each customer costs in a year: contacts, complaints, returns in hours, and goodwill paid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.margin.basis import column
from models.settings import CostToServe
from models.staying import Column

HOURS: Mapping[str, str] = {
    "contacts__visits_364d": "visit_hours",
    "contacts__calls_364d": "call_hours",
    "contacts__written_364d": "written_hours",
    "complaints__count_364d": "complaint_hours",
    "sales__returns_364d": "return_hours",
}
"""Events of the last 364 days and the setting that says how many hours one takes."""
GOODWILL = "complaints__goodwill_364d"


def cost_to_serve(matrix: pd.DataFrame, settings: CostToServe) -> Column:
    """Return the cost of the last 364 days [currency a year], 0 or more; events without a table cost nothing."""
    hours = sum(np.maximum(column(matrix, name), 0) * getattr(settings, each) for name, each in HOURS.items())
    return np.asarray(hours * settings.hour_cost + np.maximum(column(matrix, GOODWILL), 0), dtype=np.float64)
