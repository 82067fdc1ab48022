"""What the page says of worth: classes side by side, who differs, and what is at stake where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from retention.report.inputs import ReportInputs
from retention.report.words import ReportTexts
from retention.segments import COSTLY, PROMISING
from retention.worth import NEEDED, AtStake, at_stake, classes_table, crossed

MOST_GROUPS, MOST_ROWS = 15, 15


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Part 4b of the page; ``stakes`` by kind of group, rows of tables as mappings."""

    crossed: dict[str, dict[str, int]]
    differing: int
    more: list[dict[str, Any]]
    promising: list[dict[str, Any]]
    promising_all: int
    costly: list[dict[str, Any]]
    costly_all: int
    total: AtStake
    stakes: dict[str, tuple[AtStake, ...]]


def worth_in(inputs: ReportInputs, words: ReportTexts) -> Worth | None:
    """Return what the scores say of worth; None where they are empty or of an older Treue."""
    scores = inputs.scores
    if not len(scores) or not set(NEEDED) <= set(scores.columns):
        return None
    table = classes_table(
        scores, names=inputs.names, owners=inputs.owners, contacts_per_year=inputs.contacts_per_year
    ).sort_values(["value", "customer_id"], ascending=[False, True])
    named = {name: table[table["standing"] == name] for name in (PROMISING, COSTLY)}
    loss = named[COSTLY].assign(loss=named[COSTLY]["cost_to_serve"] - named[COSTLY]["expected_margin"])
    more = table[table["differs"] == "worth_more"]
    return Worth(
        crossed=crossed(scores),
        differing=int((table["differs"] != "").sum()),
        more=_rows(more),
        promising=_rows(named[PROMISING]),
        promising_all=len(named[PROMISING]),
        costly=_rows(loss.sort_values(["loss", "customer_id"], ascending=[False, True])),
        costly_all=len(loss),
        **_stakes(inputs, words),
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.head(MOST_ROWS).to_dict("records")]


def _stakes(inputs: ReportInputs, words: ReportTexts) -> dict[str, Any]:
    scores, nobody = inputs.scores, words.spread["nobody"]
    listed = set(inputs.early_warning["customer_id"]) if len(inputs.early_warning) else set()
    plan = inputs.plan[inputs.plan["arm"] == "treatment"] if len(inputs.plan) else inputs.plan
    reach: dict[str, Any] = {"listed": listed, "planned": set(plan["customer_id"]) if len(plan) else set()}
    groups = {"segment": scores["segment"]}
    for kind, known in (("owner", inputs.owners), ("region", inputs.regions)):
        mine = scores["customer_id"].map(known.replace("", pd.NA)) if len(known) else pd.Series(dtype="object")
        if mine.notna().any():
            groups[kind] = mine.astype("object").fillna(nobody)
    found = {kind: at_stake(scores, group, **reach)[:MOST_GROUPS] for kind, group in groups.items()}
    (whole,) = at_stake(scores, pd.Series("", index=scores.index), **reach)
    return {"total": whole, "stakes": found}
