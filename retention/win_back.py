"""Whom to win back: what acting is expected to bring, the right moment, and who stays out with the reason.

Expected net value of a lapsed customer = chance of return x assumed effect of the measure x value if returned - cost of
the measure, for the best measure that fits and is allowed: what acting brings, not what comes by itself. Nobody
disappears: who cannot, may not or need not be won back stands in a table of their own with the obstacle.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from features.groups.losses import GRACE_DAYS
from retention.consent import contactable
from retention.formats import date_text, money_text
from retention.loss_reasons import LossReasons
from retention.measures import Measure
from retention.plan import candidates
from retention.segments import abc
from retention.texts import ReasonTexts

OBSTACLES = ("objection", "no_channel", "not_curable", "not_winnable", "not_worth_it")
"""Why a lapsed customer is not to be won back; the first that holds is named."""
MOMENTS = ("early", "now", "late")
"""Where a customer stands to the best moment for a return."""
LEFT_OUT_COLUMNS = (
    "customer_id", "name", "owner", "segment", "probability", "value_if_returned", "expected_net_value",
    "loss_reason", "obstacle", "because",
)  # fmt: skip
"""Columns of the table of those who are not to be won back."""
TOLD_COLUMNS = ("loss_reason", "winnable", "told_on", "source")
"""What is known of why each customer left, index customer_id; missing where nobody told."""


def still_holding(told: pd.DataFrame, last_purchase_on: pd.Series) -> pd.DataFrame:
    """Return of all told losses the newest of each customer that no later purchase has overtaken.

    Parameters
    ----------
    told : DataFrame
        customer_id, occurred_on, and ``TOLD_COLUMNS``; several rows per customer are possible.
    last_purchase_on : Series of datetime64, index customer_id
        Customers without one are left out.

    Returns
    -------
    DataFrame with ``TOLD_COLUMNS``, index customer_id, sorted
    """
    last = last_purchase_on.reindex(told["customer_id"]).set_axis(told.index)
    holds = (last - pd.to_datetime(told["occurred_on"])).dt.days < GRACE_DAYS
    newest = told[holds.fillna(False)].sort_values(["customer_id", "occurred_on", "told_on", "loss_reason"])
    return newest.drop_duplicates("customer_id", keep="last").set_index("customer_id")[list(TOLD_COLUMNS)]


def weighed(
    scores: pd.DataFrame,
    worth: pd.DataFrame,
    told: pd.DataFrame,
    *,
    channels: pd.DataFrame,
    measures: Sequence[Measure],
    families: pd.DataFrame,
    reasons: LossReasons,
) -> pd.DataFrame:
    """Return the scores of lapsed customers with all that decides whether and why to win them back.

    Parameters
    ----------
    scores : DataFrame, one row per lapsed customer
        customer_id, probability.
    worth : DataFrame, index customer_id
        margin_if_returned, value_if_returned [currency].
    told : DataFrame with ``TOLD_COLUMNS``, index customer_id
        See :func:`still_holding`; empty in a company that asks nobody, or to be blind to reasons.
    channels, measures, families
        As for :func:`retention.plan.candidates`.
    reasons : LossReasons

    Returns
    -------
    DataFrame, rows as given
        With segment by value_if_returned (by value nearly all of them would be C: a silent customer's is close to 0),
        margin_if_returned, value_if_returned, ``TOLD_COLUMNS``, expected_value = probability x value_if_returned,
        expected_net_value (0 where nothing that fits and is allowed pays) and obstacle (missing: to be won back).
    """
    whole = scores.join(worth, on="customer_id").join(told[list(TOLD_COLUMNS)], on="customer_id")
    whole["segment"] = abc(whole.set_index("customer_id")["value_if_returned"]).to_numpy()
    whole["expected_value"] = whole["probability"] * whole["value_if_returned"]
    people = whole.assign(value=whole["value_if_returned"], owner=None)
    options = candidates(people, list_name="win_back", measures=measures, families=families, channels=channels)
    best = options.groupby("customer_id")["expected_net_value"].max()
    whole["expected_net_value"] = whole["customer_id"].map(best).fillna(0.0)
    return whole.assign(obstacle=_obstacle(whole, channels, reasons))


def _obstacle(whole: pd.DataFrame, channels: pd.DataFrame, reasons: LossReasons) -> pd.Series:
    ids, incurable = whole["customer_id"], sorted(set(reasons.names) - reasons.curable)
    objecting = channels.loc[channels["why_not"] == "objection", "customer_id"]
    reachable = contactable(channels)
    holds = {
        "objection": ids.isin(objecting),
        "no_channel": ~ids.isin(reachable.index[reachable]),
        "not_curable": whole["loss_reason"].isin(incurable) & whole["source"].ne("inferred").fillna(True),
        "not_winnable": whole["winnable"].eq(False).fillna(False),
        "not_worth_it": whole["expected_net_value"] <= 0,
    }
    found = np.select([holds[name].to_numpy(dtype=bool) for name in OBSTACLES], list(OBSTACLES), default="")
    return pd.Series(found, index=whole.index, dtype="str").replace("", None)


def with_moment(
    whole: pd.DataFrame, *, cutoff: date, last_purchase_on: pd.Series, best_days: tuple[int, int] | None
) -> pd.DataFrame:
    """Return the rows with best_from, best_until (dates; the last day inclusive) and moment (a code of ``MOMENTS``).

    ``best_days`` are days since the last purchase, from (inclusive) and until (exclusive); None: too few returns to
    tell, and the columns stay empty.
    """
    nothing = pd.Series([None] * len(whole), index=whole.index, dtype=object)
    if best_days is None:
        return whole.assign(best_from=nothing, best_until=nothing, moment=nothing.astype("str"))
    last = whole["customer_id"].map(last_purchase_on)
    begins = last + pd.Timedelta(days=best_days[0])
    ends = last + pd.Timedelta(days=best_days[1] - 1)
    today = pd.Timestamp(cutoff)
    moment = np.select([last.isna(), today < begins, today <= ends], ["", "early", "now"], default="late")
    return whole.assign(
        best_from=_days(begins),
        best_until=_days(ends),
        moment=pd.Series(moment, index=whole.index, dtype="str").replace("", None),
    )


def moment_texts(rows: pd.DataFrame, texts: ReasonTexts) -> pd.Series:
    """Return the moment of every row as a sentence; missing where nothing can be said."""
    said = [
        texts.lists.moments[code].format(
            **{name: date_text(day, language=texts.language) for name, day in (("first", first), ("last", last))}
        )
        if isinstance(code, str)
        else None
        for code, first, last in zip(rows["moment"], rows["best_from"], rows["best_until"], strict=True)
    ]
    return pd.Series(said, index=rows.index, dtype="str")


def told_in_words(listed: pd.DataFrame, reasons: LossReasons, texts: ReasonTexts) -> pd.DataFrame:
    """Return listed customers with ``moment`` as a sentence and ``cure``: what may help against the told reason."""
    cures = {reason.name: reason.cure_in(texts.language) for reason in reasons.reasons}
    return listed.assign(moment=moment_texts(listed, texts), cure=listed["loss_reason"].map(cures).astype("str"))


def left_out(
    whole: pd.DataFrame, *, customers: pd.DataFrame, reasons: LossReasons, texts: ReasonTexts, currency: str
) -> pd.DataFrame:
    """Return those who are not to be won back, with ``LEFT_OUT_COLUMNS``, by obstacle and customer.

    ``obstacle`` is a code of ``OBSTACLES``, ``because`` the sentence for it in the language of ``texts``.
    """
    out = whole[whole["obstacle"].notna()]
    place = out["obstacle"].map({code: number for number, code in enumerate(OBSTACLES)})
    ordered = out.assign(place=place).sort_values(["place", "customer_id"], ignore_index=True)
    master = customers.set_index("customer_id").reindex(columns=["name", "owner"]).astype("str")
    named = ordered.drop(columns=["name", "owner"], errors="ignore").join(master, on="customer_id")
    titles = reasons.titles(texts.language)
    because = [_because(row, titles, texts, currency) for row in named.to_dict("records")]
    return named.assign(because=pd.Series(because, index=named.index, dtype="str"))[list(LEFT_OUT_COLUMNS)]


def _because(row: dict, titles: dict[str, str], texts: ReasonTexts, currency: str) -> str:  # type: ignore[type-arg]
    language = texts.language
    told_on = "" if pd.isna(row["told_on"]) else date_text(pd.Timestamp(row["told_on"]).date(), language=language)
    value = money_text(row["value_if_returned"], language=language, currency=currency, decimals=0)
    reason = titles.get(row["loss_reason"], "") if isinstance(row["loss_reason"], str) else ""
    return texts.lists.obstacles[row["obstacle"]].format(reason=reason, told_on=told_on, value=value)


def _days(days: pd.Series) -> pd.Series:
    return pd.Series([None if pd.isna(day) else day.date() for day in days], index=days.index, dtype=object)
