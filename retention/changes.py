"""What would change it: the levers tried on each customer, and the most helpful told in one sentence.

A counterfactual of the model: the customer's rows are changed as a lever would change them, the features built anew and
scored by the same model. It says how the model rates customers who are alike but for that; no cause, no promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from features.definition import Churn
from features.history import History
from features.norms import Norms
from features.what_if import Codes, features_if
from models.churn_model import ChurnModel
from retention.formats import share_text
from retention.levers import Lever
from retention.texts import Purpose, ReasonTexts

LEAST = 0.05
"""Smaller gains in log-odds are not told: nobody would notice."""
CHANGE_COLUMNS = ("would_change", "lever", "probability_if")
"""Columns of :func:`best_changes`: a sentence for people, lever and probability for machines."""
_FOUND = ("customer_id", "lever", "probability", "probability_if", "helps")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the features of some customers are built from: their rows, what is usual in the company, the morning.

    ``history`` holds at least the rows of the customers asked for that were known before ``cutoff`` (day number).
    """

    history: History
    norms: Norms
    churn: Churn
    cutoff: int

    def codes(self, customer_ids: pd.Index) -> Codes:
        """Return the codes of those of the customers that are known, ascending."""
        return np.flatnonzero(np.isin(self.history.customer_ids.astype(str), customer_ids.to_numpy(dtype=str)))

    def ids(self, codes: Codes) -> pd.Index:
        """Return the ids of codes."""
        ids: pd.Index = pd.Index(self.history.customer_ids[codes].astype(str), name="customer_id", dtype="str")
        return ids

    def features(self, codes: Codes, lever: Lever | None = None) -> pd.DataFrame:
        """Return the features after the lever, or as they are; index customer_id."""
        act = None if lever is None else lever.act
        made = features_if(self.history, codes, act, cutoff=self.cutoff, churn=self.churn, norms=self.norms)
        return made.set_axis(self.ids(codes))


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What the levers would do.

    Attributes
    ----------
    found : DataFrame, one row per customer and lever that applies, the most helpful lever of a customer first
        customer_id, lever, probability (as scored), probability_if (after the lever), helps (noticeably better: lower
        for the chance of loss, higher for that of return).
    checked : Index
        Customers of whom something true can be said: their rows still give the features they were scored by.
    """

    found: pd.DataFrame
    checked: pd.Index


def tried(
    matrix: pd.DataFrame,
    known: Known,
    model: ChurnModel,
    *,
    levers: Sequence[Lever],
    channels: pd.DataFrame | None = None,
) -> Tried:
    """Try every lever that applies on every customer.

    Parameters
    ----------
    matrix : DataFrame, index customer_id
        The features by which these customers were scored.
    known : Known
    model : ChurnModel
        The model that scored them.
    levers : sequence of Lever
    channels : DataFrame, optional
        See :func:`retention.consent.allowed_channels`: a lever that advertises by a channel which is not allowed does
        not apply. Without it every channel counts as allowed.
    """
    codes = known.codes(matrix.index)
    as_they_are = known.features(codes)
    features = list(model.features)
    stored = matrix.reindex(as_they_are.index)
    same = (stored[features].to_numpy(np.float64) == as_they_are.reindex(columns=features).to_numpy(np.float64)) | (
        stored[features].isna().to_numpy() & as_they_are.reindex(columns=features).isna().to_numpy()
    )
    codes = codes[same.all(axis=1)]
    checked = known.ids(codes)
    now = model.score(matrix.loc[checked])["probability"]
    parts = [_after(lever, now, codes, known, model, channels) for lever in levers]
    empty = pd.DataFrame({name: pd.Series(dtype="object") for name in _FOUND})
    return Tried(found=_ordered(parts, model) if any(len(part) for part in parts) else empty, checked=checked)


def best_changes(customer_ids: pd.Index, outcome: Tried, *, purpose: Purpose, texts: ReasonTexts) -> pd.DataFrame:
    """Return for each customer the lever that helps most, and a sentence that says so, or that none does.

    Parameters
    ----------
    customer_ids : Index
        Whom to answer for.
    outcome : Tried
    purpose : "churn" or "return"
    texts : ReasonTexts

    Returns
    -------
    DataFrame with ``CHANGE_COLUMNS``, index as given
        lever and probability_if are missing where no lever helps; all three where nothing true can be said.
    """
    helpful = outcome.found[outcome.found["helps"].astype(bool)].drop_duplicates("customer_id").set_index("customer_id")
    told = {customer: change_text(change, purpose=purpose, texts=texts) for customer, change in helpful.iterrows()}
    words, applied = texts.changes, set(outcome.found["customer_id"])
    none = {
        customer: words.none_helps[purpose] if customer in applied else words.none_applies
        for customer in outcome.checked
    }
    said = {**none, **told}
    chosen = helpful[["lever", "probability_if"]].reindex(customer_ids)
    return chosen.assign(
        would_change=pd.Series([said.get(customer) for customer in customer_ids], index=customer_ids, dtype="str"),
        lever=chosen["lever"].astype("str"),
        probability_if=chosen["probability_if"].astype("float64"),
    )[list(CHANGE_COLUMNS)]


def change_text(change: pd.Series, *, purpose: Purpose, texts: ReasonTexts) -> str:
    """Return the sentence of one row of ``Tried.found``."""
    before, after = (share_text(change[name], language=texts.language) for name in ("probability", "probability_if"))
    state = texts.changes.levers[change["lever"]].state
    return texts.changes.sentence[purpose].format(state=state, before=before, after=after)


def _after(
    lever: Lever, now: pd.Series, codes: Codes, known: Known, model: ChurnModel, channels: pd.DataFrame | None
) -> pd.DataFrame:
    """Return probability before and after the lever of the customers it applies to."""
    applies = lever.applies(known.history, codes, known.cutoff)
    if channels is not None and lever.channel is not None:
        allowed = channels[channels["is_allowed"] & channels["channel"].eq(lever.channel)]["customer_id"]
        applies &= known.ids(codes).isin(allowed)
    whom = codes[applies]
    if not len(whom):
        return pd.DataFrame()
    after = model.score(known.features(whom, lever))["probability"]
    frame = pd.DataFrame({"probability": now.loc[after.index], "probability_if": after, "lever": lever.name})
    return frame.rename_axis("customer_id").reset_index()


def _ordered(parts: Sequence[pd.DataFrame], model: ChurnModel) -> pd.DataFrame:
    sign = -1.0 if model.purpose == "churn" else 1.0
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    gain = sign * (special.logit(found["probability_if"]) - special.logit(found["probability"]))
    ordered = found.assign(gain=gain, helps=gain >= LEAST).sort_values(
        ["customer_id", "gain", "lever"], ascending=[True, False, True], ignore_index=True
    )
    return ordered[list(_FOUND)]
