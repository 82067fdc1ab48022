"""Lists and plan as people read them: translated headings, words for codes, numbers and dates of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from retention.formats import date_text, money_text, share_text, short_number_text
from retention.measures import Measure
from retention.texts import ReasonTexts

SHARES = ("probability", "probability_before", "probability_low", "probability_high")
MONEY = (
    *("value", "value_at_risk", "value_at_risk_before", "expected_value", "expected_net_value", "cost"),
    *("margin_if_returned", "value_if_returned"),
    *("value_low", "value_high", "turnover", "expected_margin", "cost_to_serve", "potential"),
)
DATES = ("by_when", "half_by", "since", "rest_until", "lost_on")
MACHINE = ("lever", "probability_if", "best_from", "best_until", "obstacle")
"""Columns for machines only: people read the sentences ``would_change``, ``moment`` and ``because``."""
_PLAN_COLUMNS = (
    "owner", "customer_id", "name", "list", "segment", "measure", "channel", "by_when", "cost", "hours",
    "expected_net_value", "note",
)  # fmt: skip


def for_people(
    frame: pd.DataFrame,
    *,
    texts: ReasonTexts,
    measures: Sequence[Measure],
    currency: str,
    loss_reasons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return a list with headings and cells as people write them; every cell is text, none is missing.

    Parameters
    ----------
    frame : DataFrame
        A list, the plan of :func:`plan_for_owners`, or ``not_contactable``.
    texts : ReasonTexts
        Words, headings and number format.
    measures : sequence of Measure
        For the titles of measures.
    currency : str
        ISO 4217 code of amounts.
    loss_reasons : mapping of reason to title, optional
        Without it reasons of losses stay codes.

    Returns
    -------
    DataFrame of str, same rows and order, headings of ``texts.lists.headings``; without the columns of ``MACHINE``
    """
    writers = {**_writers(texts, measures, currency), "loss_reason": _word(loss_reasons or {})}
    shown = [name for name in frame.columns if name not in MACHINE]
    cells = {column: [writers.get(column, _plain)(value) for value in frame[column]] for column in shown}
    if "owner" in cells:
        cells["owner"] = [owner or texts.lists.no_owner for owner in cells["owner"]]
    headings = texts.lists.headings
    return pd.DataFrame(cells, dtype="str").rename(columns=lambda column: headings.get(column, column))


def plan_for_owners(plan: pd.DataFrame, *, listed: pd.DataFrame, texts: ReasonTexts) -> pd.DataFrame:
    """Return the plan as work lists: by owner, then expected net value; codes stay codes.

    Parameters
    ----------
    plan : DataFrame
        See :func:`retention.plan.make_plan`; several lists may be joined.
    listed : DataFrame
        customer_id, list, name, by_when of the customers on the lists.
    texts : ReasonTexts
        For the note on control customers: they stay in the plan without measure, channel, cost and hours.

    Returns
    -------
    DataFrame
        owner, customer_id, name, list, segment, measure, channel, by_when, cost, hours, expected_net_value, note.
    """
    known = plan.merge(listed[["customer_id", "list", "name", "by_when"]], on=["customer_id", "list"], how="left")
    withheld = known["arm"] == "control"
    hidden = {column: known[column].mask(withheld) for column in ("measure", "channel", "cost", "hours")}
    note = pd.Series(None, index=known.index, dtype="str").mask(withheld, texts.lists.notes["control"])
    ordered = known.assign(**hidden, note=note).sort_values(
        ["owner", "expected_net_value", "customer_id"], ascending=[True, False, True], ignore_index=True
    )
    return ordered[list(_PLAN_COLUMNS)]


def _writers(texts: ReasonTexts, measures: Sequence[Measure], currency: str) -> Mapping[str, Callable[[Any], str]]:
    language, words = texts.language, texts.lists
    titles = {measure.name: measure.title(language) for measure in measures}
    return {
        **dict.fromkeys(SHARES, _known(partial(share_text, language=language))),
        **dict.fromkeys(MONEY, _known(partial(money_text, language=language, currency=currency, decimals=0))),
        **dict.fromkeys(DATES, _known(lambda value: date_text(_day(value), language=language))),
        "hours": _known(partial(short_number_text, language=language)),
        "measure": _word(titles),
        "channel": _word(words.channels),
        "allowed_channels": _joined(words.channels),
        "why_not": _joined(words.why_not),
        "risk_band": _word(words.risk_bands),
        "list": _word(words.lists),
        "gone": _word(words.gone),
    }


def _known(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "" if pd.isna(value) else write(value)


def _word(words: Mapping[str, str]) -> Callable[[Any], str]:
    return _known(lambda value: words.get(value, value))


def _joined(words: Mapping[str, str]) -> Callable[[Any], str]:
    return _known(lambda value: ", ".join(words.get(code, code) for code in value.split(", ")))


def _plain(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _day(value: Any) -> date:
    return pd.Timestamp(value).date()
