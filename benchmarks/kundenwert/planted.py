"""What was planted in the demo company: small customers of high potential, and those that cost more than they bring."""

from __future__ import annotations

import pandas as pd

from pipelines.demo.company import demo_company
from pipelines.library import Company
from retention.segments import COSTLY


def planted_found(*, customers: int, cutoff: str = "2026-07-01") -> dict[str, float]:
    """Return how many of the planted customers stand where they should, among the active ones of ``cutoff``."""
    demo = demo_company(customers=customers)
    company = Company(demo.tables)
    scores = company.score(cutoff, company.train(cutoff)).set_index("customer_id")
    known = scores.join(demo.truth.set_index("customer_id"))
    places = pd.DataFrame({name: known[name].rank(pct=True) for name in ("value", "turnover")})
    promising, costly = known["high_potential_small"].astype(bool), known["costs_more_than_it_brings"].astype(bool)
    small = promising & (places["turnover"] <= 0.5)
    named = known["standing"] == COSTLY
    return {
        "promising": int(promising.sum()),
        "promising in top half by value": round(float((places["value"] > 0.5)[promising].mean()), 3),
        "promising in top half by turnover": round(float((places["turnover"] > 0.5)[promising].mean()), 3),
        "promising and small by turnover": int(small.sum()),
        "of these in top half by value": int((places["value"] > 0.5)[small].sum()),
        "costly": int(costly.sum()),
        "costly named": int((named & costly).sum()),
        "others named costly": int((named & ~costly).sum()),
    }
