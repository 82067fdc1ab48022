"""The watch of one cutoff: the state of every customer, from the history before and what is known this morning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.intake import take_in
from features.outputs import read_manifest
from pipelines.history import DATES, SCHEMA, append, read_before
from pipelines.places import Places
from pipelines.settings import Settings
from retention.consent import contactable
from retention.measures import ListName
from retention.movement import gone, news_codes
from retention.segments import chance_at, odds_ratio
from retention.texts import ReasonTexts
from retention.watch import Rules, move

RECENCY = "sales__recency_days"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What the early-warning list of one cutoff is made from.

    ``before`` is the history a run builds on, ``states`` and ``facts`` are those of this morning, each with one row per
    customer, index customer_id.
    """

    cutoff: date
    rules: Rules
    base_rate: float
    before: pd.DataFrame
    facts: pd.DataFrame
    states: pd.DataFrame

    @property
    def last_cutoff(self) -> str | None:
        """The cutoff of the run before, None at the first."""
        return None if self.before.empty else f"{self.before['cutoff'].iloc[0]:%Y-%m-%d}"

    def listed(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return the scores of those on the list."""
        on_list = self.states.index[(self.states["state"] == "listed").to_numpy(bool)]
        return scores[scores["customer_id"].isin(on_list)]

    def at_risk(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return the scores of those who have reached the entry to the list, whether they may be contacted or not."""
        ratio = odds_ratio(scores["probability"].to_numpy(np.float64), base_rate=self.base_rate)
        return scores[ratio >= self.rules.enter_odds]

    def gone(self, customers: pd.DataFrame, texts: ReasonTexts) -> pd.DataFrame:
        """Return who left the list since the run before, and why."""
        now = self.states.join(self.facts[["probability", "worked_on", "bought_on"]])
        threshold = chance_at(self.rules.leave_odds, base_rate=self.base_rate)
        return gone(
            self.before, now, customers=customers, threshold=threshold, cutoff=self.cutoff, texts=texts
        )  # fmt: skip


def rules_of(settings: Settings) -> Rules:
    """Return the rules of the early-warning list."""
    section = settings.lists.early_warning
    return Rules(**{name: getattr(section, name) for name in Rules.__dataclass_fields__})


def watch(
    settings: Settings,
    cutoff: date,
    *,
    scores: Mapping[ListName, pd.DataFrame],
    matrix: pd.DataFrame,
    channels: pd.DataFrame,
) -> Watch:
    """Return the watch of ``cutoff``.

    Parameters
    ----------
    settings : Settings
    cutoff : date
    scores : mapping of list name to DataFrame
        Scores of the active and of the lapsed at ``cutoff``.
    matrix : DataFrame, index customer_id
        Features of both.
    channels : DataFrame
        See :func:`retention.consent.allowed_channels`.
    """
    places, rules = Places(Path(settings.output)), rules_of(settings)
    base_rate = float(read_manifest(places.scores(cutoff))["base_rate"])
    before = read_before(places, cutoff)
    facts = _facts(settings, cutoff, scores["early_warning"], scores["win_back"], matrix, channels)
    states = move(before, facts, cutoff=cutoff, base_rate=base_rate, rules=rules)
    return Watch(cutoff=cutoff, rules=rules, base_rate=base_rate, before=before, facts=facts, states=states)


def _facts(
    settings: Settings,
    cutoff: date,
    scores: pd.DataFrame,
    lapsed: pd.DataFrame,
    matrix: pd.DataFrame,
    channels: pd.DataFrame,
) -> pd.DataFrame:
    known = scores.set_index("customer_id")[["probability", "value"]]
    ids = known.index.append(pd.Index(lapsed["customer_id"])).sort_values().rename("customer_id")
    frame = known.reindex(ids)
    bought_on = _bought_on(matrix.reindex(ids), cutoff)
    after = timedelta(days=settings.churn.active_within_days + 1)
    ends = settings.churn.definition == "contract"
    return pd.DataFrame(
        {
            "is_active": frame.index.isin(known.index),
            "probability": frame["probability"],
            "stake": frame["probability"] * frame["value"],
            "may_contact": contactable(channels).reindex(ids).fillna(False).astype(bool),
            "worked_on": worked_on(settings, cutoff).reindex(ids),
            "bought_on": bought_on,
            "lost_on": pd.Series(pd.NaT, index=ids, dtype="M8[s]") if ends else bought_on + after,
        }
    )


def _bought_on(matrix: pd.DataFrame, cutoff: date) -> pd.Series:
    """Return the day of the last purchase; missing where the feature is left out."""
    if RECENCY not in matrix.columns:
        return pd.Series(pd.NaT, index=matrix.index, dtype="M8[s]")
    return (pd.Timestamp(cutoff) - pd.to_timedelta(matrix[RECENCY], unit="D")).astype("M8[s]")


def worked_on(settings: Settings, cutoff: date) -> pd.Series:
    """Return the last day before ``cutoff`` on which a measure reached each customer, as known on that morning."""
    never = pd.Series(dtype="M8[s]", index=pd.Index([], dtype="str", name="customer_id"))
    if "treatments" not in settings.sources:
        return never
    sources = {"treatments": settings.sources["treatments"]}
    with take_in(sources, cutoff=cutoff, timezone=settings.timezone, root=Path.cwd(), compulsory=()) as tables:
        names = set(tables.columns("treatments"))
        if not {"contacted_on", "arm"} <= names:
            return never
        rows = tables.arrow("treatments", ["customer_id", "arm", "contacted_on"], order_by=["customer_id"]).to_pandas()
    day = pd.to_datetime(rows["contacted_on"]).astype("M8[s]")
    done = rows.assign(day=day)[(rows["arm"] == "treatment") & (day < pd.Timestamp(cutoff))]
    return done.groupby("customer_id")["day"].max() if len(done) else never


def remember(
    settings: Settings, watched: Watch, *, scores: pd.DataFrame, listed: pd.DataFrame, left: pd.DataFrame,
    run: Mapping[str, Any],
) -> None:  # fmt: skip
    """Append the state of every customer to the history; a run that says the same adds nothing."""
    own = scores.set_index("customer_id").drop(columns=["cutoff", "rank", "run_id", "model_version"])
    news = pd.concat([news_codes(watched.before, listed), left.set_index("customer_id")["gone"]])
    rows = watched.states.join(own).assign(
        cutoff=watched.cutoff,
        bought_on=watched.facts["bought_on"],
        rank=listed.set_index("customer_id")["rank"].astype("Int64"),
        base_rate=watched.base_rate,
        news=news[news.index.isin(watched.states.index)],
        model_version=run["model_version"],
        run_id=run["run_id"],
    )
    dated = rows.assign(**{name: pd.to_datetime(rows[name]).dt.date for name in DATES})
    append(Places(Path(settings.output)), watched.cutoff, dated.reset_index()[SCHEMA.names])
