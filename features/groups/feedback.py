"""Feedback: what customers answer when asked (NPS, CSAT, mood after visits), how it moves, and who does not answer.

de: Rückmeldungen: was Kunden antworten, wenn man sie fragt (NPS, CSAT, Stimmung nach Besuchen), wie sich das ändert,
und wer nicht antwortet.
"""

from __future__ import annotations

import numpy as np

from features.catalogue import Group
from features.ledger import Column, Past, divide

GROUP = Group("feedback", needs={"feedback": ("score",)})
YEAR = 364
THOUSANDTHS = 1000.0
DETRACTOR = 6
"""Highest NPS of a customer who would advise against us."""
KIND = {"feedback": ("kind", "score")}


def _score(past: Past, *, back: int = 0) -> Column:
    """Mean score of the last day with an answer, or of the one ``back`` days of answer before it."""
    return divide(past.last("score", back=back), past.last("answers", back=back)) / THOUSANDTHS


@GROUP.feature(unit="0 to 10", family="feedback", expected="-", needs=KIND)
def nps(nps: Past) -> Column:
    """Last answer to how likely the customer recommends us [0 to 10]; missing without one.

    de: Letzte Antwort auf die Frage, ob der Kunde uns empfiehlt (NPS); fehlt ohne Antwort.
    """
    return _score(nps)


@GROUP.feature(unit="-10 to 10", family="feedback", expected="-", needs=KIND)
def nps_change(nps: Past) -> Column:
    """Last NPS less the one before [-10 to 10]; missing below two.

    de: Letzter NPS abzüglich des vorigen; fehlt bei weniger als zwei.
    """
    return _score(nps) - _score(nps, back=1)


@GROUP.feature(unit="0 or 1", family="feedback", expected="+", needs=KIND)
def detractor(nps: Past) -> Column:
    """Whether the last NPS is 6 or less: the customer would advise against us [0 or 1]; missing without one.

    de: Ob der letzte NPS höchstens 6 ist, der Kunde also abrät; fehlt ohne Antwort.
    """
    return _where_known(nps, _score(nps) <= DETRACTOR)


@GROUP.feature(unit="0 or 1", family="feedback", expected="+", needs=KIND)
def lost_promoter(nps: Past) -> Column:
    """Whether the last NPS is 6 or less after an earlier one of 9 or 10 [0 or 1]; missing without one.

    de: Ob der letzte NPS höchstens 6 ist, nachdem ein früherer 9 oder 10 war; fehlt ohne Antwort.
    """
    return _where_known(nps, (_score(nps) <= DETRACTOR) & (nps.last("has_promoted") > 0))


@GROUP.feature(unit="1 to 5", family="feedback", expected="-", needs=KIND)
def csat(csat: Past) -> Column:
    """Last satisfaction the customer told us, CSAT [1 to 5]; missing without one.

    de: Letzte Zufriedenheit, die der Kunde angab (CSAT); fehlt ohne Antwort.
    """
    return _score(csat)


@GROUP.feature(unit="-4 to 4", family="feedback", expected="-", needs=KIND)
def csat_change(csat: Past) -> Column:
    """Last CSAT less the one before [-4 to 4]; missing below two.

    de: Letzter CSAT abzüglich des vorigen; fehlt bei weniger als zwei.
    """
    return _score(csat) - _score(csat, back=1)


@GROUP.feature(unit="1 to 5", family="feedback", expected="-", needs=KIND)
def visit_mood(visit_moods: Past) -> Column:
    """Mood noted after the last visit that has one [1 to 5]; missing without one.

    de: Stimmung, die nach dem letzten Besuch mit Eintrag notiert wurde; fehlt ohne Eintrag.
    """
    return _score(visit_moods)


@GROUP.feature(unit="-4 to 4", family="feedback", expected="-", needs=KIND)
def visit_mood_change(visit_moods: Past) -> Column:
    """Mood after the last visit less that after the one before [-4 to 4]; missing below two.

    de: Stimmung nach dem letzten Besuch abzüglich der nach dem vorigen; fehlt bei weniger als zwei.
    """
    return _score(visit_moods) - _score(visit_moods, back=1)


@GROUP.feature(unit="days", family="feedback_silence", expected="+")
def recency_days(replies: Past) -> Column:
    """Days since the last answer of any kind [days]; missing without one.

    de: Tage seit der letzten Antwort gleich welcher Art; fehlt ohne Antwort.
    """
    return replies.recency_days


@GROUP.feature(unit="questions", family="feedback_silence", expected="+", windows=(YEAR,))
def unanswered(feedback: Past, days: int) -> Column:
    """Questions put to the customer inside the window without an answer [count].

    de: Fragen an den Kunden im Zeitraum, die ohne Antwort blieben.
    """
    return feedback.total("is_unanswered", days)


@GROUP.feature(unit="share", family="feedback_silence", expected="+", windows=(YEAR,))
def unanswered_share(feedback: Past, days: int) -> Column:
    """Share of the questions inside the window without an answer [share]; missing when none was put.

    de: Anteil der Fragen im Zeitraum, die ohne Antwort blieben; fehlt, wenn keine gestellt wurde.
    """
    return divide(feedback.total("is_unanswered", days), feedback.count(days))


def _where_known(past: Past, condition: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Column:
    return np.where(np.isnan(past.last("score")), np.nan, condition.astype(np.float64))
