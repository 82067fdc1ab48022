"""What ``treue demo`` says at its end: what came out, in plain words, and which file to open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from textwrap import fill

import pandas as pd

from features.catalogue import catalogue
from features.outputs import read_manifest, read_parquet
from pipelines.build_features import read_matrix
from pipelines.places import Places
from pipelines.score import SCORES
from pipelines.settings import Settings
from retention.formats import date_text, rough_money_text, share_text
from retention.reasons import MOST
from retention.sentences import sentences
from retention.texts import reason_texts

SHOWN = 3
"""Customers named."""

_WIDTH = 110
_REASONS_TOLD = 2


def story(settings: Settings, cutoff: date) -> str:
    """Return a few paragraphs in English on the run of ``cutoff``, read from its outputs.

    Parameters
    ----------
    settings : Settings
        The configuration of the run; its language is that of the lists, the story is told in English.
    cutoff : date
        A cutoff whose scores and lists are finished.

    Raises
    ------
    OutputError
        If scores, lists or features of ``cutoff`` are missing or changed.
    """
    places = Places(Path(settings.output))
    scores = read_parquet(places.scores(cutoff), SCORES).to_pandas()
    listed = read_parquet(places.lists(cutoff), "early_warning.parquet").to_pandas()
    paragraphs = [
        _outcome(scores, settings),
        *_top(listed.head(SHOWN), scores, settings, cutoff),
        _work(listed, settings, cutoff),
        "Open",
        *_files(settings, cutoff),
    ]
    return "\n".join(paragraphs)


def _outcome(scores: pd.DataFrame, settings: Settings) -> str:
    if scores.empty:
        return "No customer is active: there is nobody to warn of."
    high = scores[scores["risk_band"] == "high"]
    begin = f"Of {_counted(len(scores), 'active customer')}, {len(high):,} {'is' if len(high) == 1 else 'are'}"
    stake = rough_money_text(float(high["value_at_risk"].sum()), language="en", currency=settings.currency)
    end = date_text(scores["horizon_end"].iloc[0], language="en")
    return _wrapped(
        f"{begin} at high risk of not buying until {end}; with them {stake} of customer value (probability × value)"
        f" {'is' if high.empty else 'are'} at stake."
    )


def _top(top: pd.DataFrame, scores: pd.DataFrame, settings: Settings, cutoff: date) -> Iterator[str]:
    """Yield the first of the early-warning list with what is at stake and why."""
    if top.empty:
        yield "The early-warning list is empty."
        return
    why = _whys(scores[scores["customer_id"].isin(top["customer_id"])], settings, cutoff)
    yield f"The {('one', 'two', 'three')[len(top) - 1]} at the top of the early-warning list, by what is at stake:"
    for row in top.to_dict("records"):
        name = row["name"] if isinstance(row["name"], str) and row["name"] else f"customer {row['customer_id']}"
        stake = rough_money_text(row["value_at_risk"], language="en", currency=settings.currency)
        chance = share_text(row["probability"], language="en")
        because = why[row["customer_id"]]
        text = f"{row['rank']}. {name}: {chance} likely to be lost, {stake} at stake."
        yield _wrapped(f"{text} Why: {because}." if because else text, indent="   ")


def _whys(scored: pd.DataFrame, settings: Settings, cutoff: date) -> dict[str, str]:
    """Return what endangers each customer, in English; empty where nothing does."""
    columns = [f"{kind}_{place}" for kind in ("reason", "contribution") for place in range(1, MOST + 1)]
    reasons = scored.set_index("customer_id")[columns]
    matrix = read_matrix(Places(Path(settings.output)).matrix(cutoff)).set_index("customer_id").loc[reasons.index]
    texts = reason_texts("en")
    told = sentences(reasons, matrix, texts, families=catalogue().families, purpose="churn", currency=settings.currency)
    sign = f"{texts.signs['churn'].raises}: "
    return {
        str(customer): "; ".join(
            [text.removeprefix(sign) for text in row if isinstance(text, str) and text.startswith(sign)][:_REASONS_TOLD]
        )
        for customer, row in zip(told.index, told.to_numpy(), strict=True)
    }


def _work(listed: pd.DataFrame, settings: Settings, cutoff: date) -> str:
    """Return what the plan asks for, what it withholds, and what was refused on the way in."""
    places = Places(Path(settings.output))
    plan = read_parquet(places.lists(cutoff), "plan.parquet").to_pandas()
    arms = plan["arm"].value_counts()
    contacts, withheld = _counted(int(arms.get("treatment", 0)), "contact"), int(arms.get("control", 0))
    cost = rough_money_text(float(plan["cost"].sum()), language="en", currency=settings.currency)
    refused = sum(entry["rows"] for entry in read_manifest(places.quarantine)["files"].values())
    return _wrapped(
        f"The list names {_counted(len(listed), 'customer')} who may be contacted. The plan, win-back included, asks"
        f" for {contacts} for {cost} and withholds {withheld:,} at random, so that the effect can be measured."
        f" {refused:,} broken rows, planted on purpose, are in quarantine."
    )


def _files(settings: Settings, cutoff: date) -> Iterator[str]:
    places = Places(Path(settings.output))
    yield f"  {places.report(cutoff) / 'report.html'} in a browser"
    yield f"  {places.lists(cutoff) / 'early_warning.csv'} in a spreadsheet; win_back.csv and plan.csv lie beside it"
    yield f"  {places.root / 'truth' / 'README.md'} to see what was planted; Treue never reads that folder"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _wrapped(text: str, *, indent: str = "") -> str:
    return fill(text, _WIDTH, initial_indent="", subsequent_indent=indent, break_long_words=False)
