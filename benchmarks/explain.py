"""Whether the reasons on the demo company, and what would change them, are true and stay.

    SIZE=small   600 customers
    SIZE=full    2,000 customers

Texts are read back from the sentence to sign, feature and values; every change told is scored again from tables changed
by hand; and a customer of whom nothing new became known within a week should have the same first reason, as weekly runs
write it (each remembers the first reasons of the run before) and, for comparison, without that memory.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # the project, where no script hides a package of its name

from features.norms import norms_at  # noqa: E402
from models.churn_model import ChurnModel  # noqa: E402
from pipelines.demo.company import demo_company  # noqa: E402
from pipelines.library import Company  # noqa: E402
from retention.facts import with_derived_facts  # noqa: E402
from retention.own_texts import texts_for  # noqa: E402
from retention.reasons import first_kept, rank_reasons  # noqa: E402
from retention.sentences import sentences  # noqa: E402
from tests.oracle.naive_levers import acted  # noqa: E402
from tests.oracle.naive_texts import disagreements  # noqa: E402

CUSTOMERS = {"small": 600, "full": 2000}
DAY = date(2026, 5, 1)
WEEKS = 4
SAME_GOAL = 0.9


def main() -> None:
    """Measure, print, end with one JSON object."""
    size = os.environ.get("SIZE", "small")
    tables = demo_company(customers=CUSTOMERS[size]).tables
    company = Company(tables, training={"threads": 1})
    begun, figures = time.perf_counter(), dict[str, Any]()
    for purpose in ("churn", "return"):
        model = company.train(DAY, purpose=purpose)
        figures[purpose] = {
            "candidate": model.candidate.name,
            **texts_told(company, model),
            **changes_told(company, tables, model),
            **first_reasons_kept(company, tables, model),
        }
        print(purpose, figures[purpose], flush=True)
    figures["seconds"] = round(time.perf_counter() - begun, 1)
    met = all(_is_met(figures[purpose]) for purpose in ("churn", "return"))
    goals = {"texts_wrong": 0, "changes_wrong": 0, "first_reason_same": SAME_GOAL}
    print(json.dumps({"bench": "explain", "size": size, "machine": platform.platform(), "figures": figures,
                      "goals": goals, "met": met}))  # fmt: skip


def texts_told(company: Company, model: ChurnModel) -> dict[str, int]:
    """Return how many sentences were told, in both languages, and how many are not what the figures say."""
    matrix = company._ranked(DAY, model).set_index("customer_id")
    families, told, wrong = company.features.families, 0, 0
    reasons = rank_reasons(model.contributions(matrix), families)
    for language in ("de", "en"):
        texts = texts_for(company.features, language)
        text = sentences(reasons, matrix, texts, families=families, purpose=model.purpose, currency="EUR")
        told += int(text.notna().sum().sum())
        facts = with_derived_facts(matrix)
        wrong += len(disagreements(text, reasons, facts, texts, families=families, purpose=model.purpose))
    return {"texts": told, "texts_wrong": wrong}


def changes_told(company: Company, tables: Mapping[str, pd.DataFrame], model: ChurnModel) -> dict[str, Any]:
    """Return of how many customers a change was told, and how many of those are not true of tables changed by hand."""
    told = company.changes(DAY, model)
    told.index = told.index.astype(str)
    chosen = told["lever"].dropna()
    now = company._ranked(DAY, model).set_index("customer_id")
    changed = Company(acted(tables, chosen, company._as_of(DAY).goodwill_cents, cutoff=DAY))
    norms = norms_at(company.history(DAY), cutoff=DAY)
    then = _matrix_with(changed, norms).loc[chosen.index]
    before, after = (model.score(frame)["probability"].to_numpy() for frame in (now.loc[chosen.index], then))
    same = np.isclose(after, told.loc[chosen.index, "probability_if"].to_numpy(), atol=1e-9)
    better = after < before if model.purpose == "churn" else after > before
    levers = {name: int(count) for name, count in chosen.value_counts().items()}
    return {"customers": len(told), "changes": len(chosen), "changes_wrong": int((~(same & better)).sum()),
            "without_sentence": int(told["would_change"].isna().sum()), "levers": levers}  # fmt: skip


def _matrix_with(company: Company, norms: Any) -> pd.DataFrame:
    from features.matrix import build_matrix

    known = company._as_of(DAY)
    matrix = build_matrix(known.history, cutoff=DAY, churn=company.settings.churn, known_until=known.until, norms=norms)
    return matrix.set_index("customer_id")


def first_reasons_kept(company: Company, tables: Mapping[str, pd.DataFrame], model: ChurnModel) -> dict[str, Any]:
    """Return the share of customers without news in a week whose first reason stays, over ``WEEKS`` weeks."""
    families, days = company.features.families, [DAY + timedelta(days=7 * week) for week in range(WEEKS + 1)]
    ranked = [_reasons(company, model, day) for day in days]
    written = ranked[:1]
    for reasons in ranked[1:]:
        written.append(first_kept(reasons, written[-1], families))
    news = [_with_news(tables, before, after) for before, after in pairwise(days)]
    plain, kept = (_unchanged(each, news) for each in (ranked, written))
    return {
        "unchanged": len(kept),
        "first_reason_same": _same(kept, families),
        "first_reason_same_without_memory": _same(plain, families),
        "first_feature_same": _same(kept, {}),
    }


def _reasons(company: Company, model: ChurnModel, day: date) -> pd.DataFrame:
    matrix = company._ranked(day, model).set_index("customer_id")
    return rank_reasons(model.contributions(matrix), company.features.families)


def _unchanged(weeks: Sequence[pd.DataFrame], news: Sequence[set[str]]) -> pd.DataFrame:
    """Return the first reasons before and after of every customer and week without news."""
    pairs = []
    for (before, after), told in zip(pairwise(weeks), news, strict=True):
        both = before["reason_1"].to_frame("before").join(after["reason_1"].to_frame("after"), how="inner")
        pairs.append(both[~both.index.isin(told)])
    return pd.concat(pairs)


def _same(pairs: pd.DataFrame, families: Mapping[str, str]) -> float:
    """Return the share whose first reason is of the same family; without families, whose feature is the same."""
    before, after = (pairs[name].map(lambda feature: families.get(feature, feature)) for name in ("before", "after"))
    return round(float((before == after).mean()), 3)


def _with_news(tables: Mapping[str, pd.DataFrame], before: date, after: date) -> set[str]:
    """Return whose rows happened or became known between the two mornings."""
    found: set[str] = set()
    for table in tables.values():
        for name in ("occurred_on", "known_at", "closed_on", "starts_on", "ends_on", "cancelled_on"):
            if name in table.columns:
                day = pd.to_datetime(table[name])
                new = (day >= pd.Timestamp(before)) & (day < pd.Timestamp(after))
                found |= set(table.loc[new, "customer_id"].astype(str))
    return found


def _is_met(figures: Mapping[str, Any]) -> bool:
    wrong = figures["texts_wrong"] + figures["changes_wrong"] + figures["without_sentence"]
    return wrong == 0 and figures["first_reason_same"] >= SAME_GOAL


if __name__ == "__main__":
    main()
