"""The cards of newly trained models, in every language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any, get_args

import numpy as np
import pandas as pd

from models.card import CardFacts, model_card
from models.churn_model import ChurnModel
from models.promotion import Judgement
from pipelines.settings import Settings
from retention.formats import Language
from retention.report.words import report_texts, said
from retention.segments import abc

_TURNOVER = "sales__turnover_364d"


def cards(
    settings: Settings,
    manifest: Mapping[str, Any],
    model: ChurnModel,
    *,
    tested: pd.DataFrame,
    described: pd.DataFrame,
    judgement: Judgement,
    order: tuple[str, str] | None,
) -> dict[str, bytes]:
    """Return ``model_card.<language>.md`` in every language.

    Parameters
    ----------
    manifest : mapping
        That of the matrix: balances, missing features, digests.
    tested, described : DataFrame
        The model's folds, and what groups their snapshots (``described_for``).
    judgement : Judgement
    order : tuple of str, optional
        Who put the model into use whatever the rule said, and why.
    """
    facts = CardFacts(
        company=settings.name,
        model=model,
        tested=tested,
        churn=settings.churn,
        described=described,
        tables={each["table"]: each["accepted"] for each in manifest["balances"]},
        missing_features=len(manifest["missing_features"]),
        last_known=date.fromisoformat(manifest["last_known"]),
        judgement=judgement,
        order=order,
        digests={name: manifest[name] for name in ("recipe", "data")},
    )
    return {f"model_card.{language}.md": _card(facts, language) for language in get_args(Language)}


def _card(facts: CardFacts, language: Language) -> bytes:
    return model_card(facts, language, partial(said, words=report_texts(language))).encode()


def described_for(snapshots: pd.DataFrame, tests: Iterable[date], master: pd.DataFrame) -> pd.DataFrame:
    """Return what groups the snapshots of tested cutoffs: cutoff, customer_id, segment and what the master data say.

    ``segment`` is A, B or C by the turnover of the year before the cutoff; ``type`` and ``country`` are as known on the
    day of training, where all are of one country the first digit of the ``postcode`` stands for it. A column that does
    not tell customers apart is left out.
    """
    rows = snapshots.loc[snapshots["cutoff"].isin(set(tests)).to_numpy(dtype=bool)]
    parts = [_segmented(part) for _, part in rows.groupby("cutoff", sort=True)]
    found = pd.concat(parts, ignore_index=True) if parts else rows[["cutoff", "customer_id"]]
    return found.merge(_regions(master), on="customer_id", how="left", validate="many_to_one")


def _segmented(part: pd.DataFrame) -> pd.DataFrame:
    keys = part[["cutoff", "customer_id"]]
    if _TURNOVER not in part.columns:
        return keys
    turnover = pd.Series(part[_TURNOVER].to_numpy(np.float64), index=part["customer_id"].to_numpy())
    return keys.assign(segment=abc(turnover).to_numpy())


def _regions(master: pd.DataFrame) -> pd.DataFrame:
    known = master.drop_duplicates("customer_id")
    columns = {name: known[name].astype("str").where(known[name].notna()) for name in known.columns if name in _STATED}
    if "postcode" in columns:
        columns["postcode"] = columns["postcode"].str.strip().str[:1]
    telling = {name: values for name, values in columns.items() if values.nunique() > 1}
    if "country" in telling:
        telling.pop("postcode", None)
    return pd.DataFrame({"customer_id": known["customer_id"], **telling})


_STATED = ("type", "country", "postcode")
