"""Why somebody is gone from the early-warning list, and why somebody is new: one small case per code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from retention.movement import GONE, gone, news, news_codes
from retention.texts import reason_texts

LAST, CUTOFF = date(2026, 1, 5), date(2026, 1, 12)
TEXTS = reason_texts("de")
FAMILIES = {"sales__recency_days": "recency", "complaints__open_count": "complaint_open"}
DAYS = ("cutoff", "listed_since", "last_listed_on", "rest_until", "lost_on", "worked_on", "bought_on")


def dated(rows: dict[str, dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("customer_id")
    return frame.assign(**{day: pd.to_datetime(frame[day]) for day in DAYS if day in frame.columns})


def remembered(**changed: Any) -> pd.DataFrame:
    """Return what the run before knew of customer a: on the list, 50 %, one reason."""
    row = {
        "state": "listed", "rank": 3, "probability": 0.5, "value_at_risk": 1000.0, "cutoff": LAST,
        "listed_since": LAST, "last_listed_on": LAST, "rest_until": None, "bought_on": "2025-12-01",
        **{f"{name}_{place}": None for name in ("reason", "contribution") for place in range(1, 6)},
        "reason_1": "sales__recency_days", "contribution_1": 0.5, **changed,
    }  # fmt: skip
    return dated({"a": row})


def today(**changed: Any) -> pd.DataFrame:
    """Return what this morning knows of customer a: 10 %, resting, nothing bought, nobody called."""
    row = {
        "state": "resting", "rest_until": "2026-02-09", "lost_on": None, "probability": 0.1, "worked_on": None,
        "bought_on": "2025-12-01", **changed,
    }  # fmt: skip
    return dated({"a": row})


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "lost": (
        {"state": "lost", "lost_on": "2026-01-10", "probability": float("nan"), "rest_until": None},
        "Nicht mehr aktiv, verloren seit 10.01.2026; zuletzt 50 %",
    ),
    "objected": ({"state": "barred"}, "Darf über keinen Weg mehr angesprochen werden"),
    "worked_on": (
        {"worked_on": "2026-01-08", "rest_until": "2026-02-05"},
        "Am 08.01.2026 bearbeitet; Ruhezeit bis 05.02.2026",
    ),
    "bought": ({"bought_on": "2026-01-09"}, "Hat am 09.01.2026 gekauft, Wahrscheinlichkeit von 50 % auf 10 %"),
    "fell": ({}, "Wahrscheinlichkeit von 50 % auf 10 % gefallen, Schwelle 20 %"),
    "displaced": (
        {"state": "waiting", "probability": 0.6},
        "Platz 3 verloren: bei anderen steht mehr auf dem Spiel; Wahrscheinlichkeit 60 %",
    ),
    "absent": ({}, "Kommt in den Daten nicht mehr vor"),
}


def why_gone(before: pd.DataFrame, now: pd.DataFrame, *, threshold: float = 0.2) -> list[tuple[str, str]]:
    master = pd.DataFrame({"customer_id": ["a"], "name": ["Firma A"]})
    found = gone(before, now, customers=master, threshold=threshold, cutoff=CUTOFF, texts=TEXTS)
    return [(code, plain(why)) for code, why in zip(found["gone"], found["because"], strict=True)]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("code", GONE)
def test_why_somebody_left_is_said_by_code_and_sentence(code: str) -> None:
    changed, sentence = CASES[code]
    now = today(**changed)
    assert why_gone(remembered(), now.head(0) if code == "absent" else now) == [(code, sentence)]


def test_who_is_still_listed_or_never_was_is_not_gone() -> None:
    assert why_gone(remembered(), today(state="listed")) == []
    assert why_gone(remembered(state="watched"), today(state="watched")) == []


def test_work_before_the_listing_does_not_explain_the_leaving() -> None:
    assert why_gone(remembered(), today(worked_on="2025-12-20"))[0][0] == "fell"


def test_a_threshold_that_rose_over_somebody_is_not_called_a_fall() -> None:
    told = why_gone(remembered(), today(probability=0.55), threshold=0.6)
    assert told == [("fell", "Wahrscheinlichkeit 55 % (zuvor 50 %) unter der neuen Schwelle von 60 %")]


def listed(**changed: Any) -> pd.DataFrame:
    """Return customer a on rank 3 of the list with 60 % and an open complaint."""
    row = {
        "customer_id": "a", "rank": 3, "probability": 0.6,
        **{f"{name}_{place}": None for name in ("reason", "contribution", "why") for place in range(1, 6)},
        "reason_1": "complaints__open_count", "contribution_1": 0.9, "why_1": "Gefährdet: 1 offene Reklamation",
        **changed,
    }  # fmt: skip
    return pd.DataFrame([row])


def told_news(now: pd.DataFrame, before: pd.DataFrame) -> tuple[str, str]:
    codes = news_codes(before, now)
    (sentence,) = news(now, before, codes, families=FAMILIES, texts=TEXTS)
    return codes.iloc[0], plain(sentence)


MORE = ". Neuer Grund: 1 offene Reklamation"


@pytest.mark.parametrize(
    ("before", "rank", "expected"),
    [
        ({"rank": 5}, 3, ("up", "Schon gelistet, von Platz 5 auf Platz 3 gestiegen")),
        ({"rank": 1}, 3, ("down", "Schon gelistet, von Platz 1 auf Platz 3 gefallen")),
        ({"rank": 3}, 3, ("same", "Schon gelistet, Platz unverändert")),
        (
            {"state": "waiting", "rank": None, "last_listed_on": None},
            3,
            ("place", f"Neu: Platz frei geworden, gefährdet schon am 05.01.2026, Wahrscheinlichkeit 60 %{MORE}"),
        ),
        (
            {"state": "resting", "rank": None, "rest_until": "2026-01-10"},
            3,
            ("rested", f"Wieder auf der Liste: Ruhezeit bis 10.01.2026 vorbei, Wahrscheinlichkeit 60 %{MORE}"),
        ),
        (
            {"state": "watched", "rank": None, "last_listed_on": "2025-11-03"},
            3,
            ("back", f"Wieder auf der Liste, zuletzt am 03.11.2025{MORE}"),
        ),
        (
            {"state": "watched", "rank": None, "last_listed_on": None},
            3,
            ("rise", f"Neu: Wahrscheinlichkeit von 50 % auf 60 % gestiegen{MORE}"),
        ),
        (
            {"state": "watched", "rank": None, "last_listed_on": None, "probability": 0.7},
            3,
            ("new", f"Neu auf der Liste{MORE}"),
        ),
    ],
)
def test_what_is_new_is_said_with_the_reason_that_came(
    before: dict[str, Any], rank: int, expected: tuple[str, str]
) -> None:
    assert told_news(listed(rank=rank), remembered(**before)) == expected


def test_at_the_first_run_everybody_is_simply_new() -> None:
    assert told_news(listed(), remembered().head(0)) == ("new", "Neu auf der Liste")


def test_a_reason_known_before_is_said_to_weigh_more() -> None:
    same = {"reason_1": "complaints__open_count", "contribution_1": 0.2}
    code, sentence = told_news(listed(), remembered(state="watched", rank=None, last_listed_on=None, **same))
    assert code == "rise"
    assert sentence.endswith(
        "Wiegt schwerer als am 05.01.2026: 1 offene Reklamation (Chance eines Verlusts mal 2,5, zuvor mal 1,2)"
    )


def test_a_reason_that_does_not_gain_is_not_said() -> None:
    same = {"reason_1": "complaints__open_count", "contribution_1": 1.4}
    before = remembered(state="watched", rank=None, last_listed_on=None, **same)
    assert told_news(listed(), before) == ("rise", "Neu: Wahrscheinlichkeit von 50 % auf 60 % gestiegen")
