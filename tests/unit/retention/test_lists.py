from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import catalogue
from retention.changes import Tried, best_changes
from retention.consent import allowed_channels
from retention.lists import (
    EARLY_WARNING_COLUMNS,
    HISTORY_COLUMNS,
    early_warning,
    not_contactable,
    select_early_warning,
)
from retention.measures import shipped_measures
from retention.plan import make_plan
from retention.reasons import endangering_families, rank_reasons
from retention.segments import abc, risk_bands
from retention.sentences import sentences
from retention.tables import for_people, plan_for_owners
from retention.texts import reason_texts

CUTOFF = date(2026, 3, 1)
HORIZON_END = date(2026, 6, 12)
FAMILIES = {feature.name: feature.family for feature in catalogue()}
GOLDEN = Path(__file__).parents[2] / "golden"

CUSTOMERS = pd.DataFrame(
    [
        ("K-1", "Bäckerei Adler GmbH", "b2b", "Meyer", True, True, date(2024, 5, 1), None),
        ("K-2", "Hotel Linde", "b2b", "Meyer", True, None, None, None),
        ("K-3", "Erika Muster", "b2c", None, None, None, None, None),
        ("K-4", "Autohaus Kern", "b2b", "Schulz", True, True, date(2025, 1, 7), date(2025, 11, 3)),
        ("K-5", "Praxis Dr. Sommer", "b2b", "Schulz", None, None, None, None),
        ("K-6", "Gärtnerei Grün", "b2b", "Schulz", True, None, None, None),
    ],
    columns=["customer_id", "name", "type", "owner", "consent_phone", "consent_email", "consent_on", "objection_on"],
)
CHANCES = {"K-1": 0.62, "K-2": 0.31, "K-3": 0.44, "K-4": 0.7, "K-5": 0.08, "K-6": 0.27}
VALUES = {"K-1": 48_000.0, "K-2": 21_000.0, "K-3": 900.0, "K-4": 30_000.0, "K-5": 90_000.0, "K-6": 6_400.0}

MATRIX = pd.DataFrame(
    {
        "sales__turnover_91d": [3400.0, 5200.0, 49.9, 0.0, 9000.0, 800.0],
        "sales__turnover_season_91d": [-0.84, 0.1, None, -3.0, 0.0, -0.2],
        "sales__turnover_season_base_91d": [7900.0, 4700.0, None, 5000.0, 9000.0, 1000.0],
        "sales__orders_91d": [2.0, 6.0, 1.0, 0.0, 9.0, 2.0],
        "sales__orders_182d": [7.0, 11.0, 1.0, 3.0, 18.0, 5.0],
        "sales__recency_days": [41.0, 9.0, 88.0, 120.0, 3.0, 30.0],
        "sales__gap_mean_days": [18.4, 15.0, None, 31.0, 10.0, 33.0],
        "sales__overdue_ratio": [2.2, 0.6, None, 3.9, 0.3, 0.9],
        "sales__tenure_days": [2190.0, 800.0, 88.0, 1500.0, 3000.0, 420.0],
        "complaints__open_count": [1.0, 0.0, 0.0, 0.0, 0.0, 2.0],
        "complaints__oldest_open_days": [19.0, None, None, None, None, 33.0],
        "contacts__agent_changes_364d": [2.0, 0.0, 0.0, 0.0, 0.0, 1.0],
    },
    index=pd.Index(list(CHANCES), name="customer_id"),
).assign(cutoff=CUTOFF)
CONTRIBUTIONS = pd.DataFrame(
    {
        "sales__turnover_season_91d": [0.9, -0.1, 0.0, 0.5, -0.3, 0.2],
        "sales__orders_91d": [0.3, -0.2, 0.1, 0.6, -0.5, 0.1],
        "sales__overdue_ratio": [0.5, 0.2, 0.4, 0.7, -0.2, 0.0],
        "sales__tenure_days": [-0.4, 0.1, 0.3, -0.2, -0.2, 0.05],
        "complaints__open_count": [0.7, -0.05, 0.0, 0.0, 0.0, 0.4],
        "contacts__agent_changes_364d": [0.2, 0.0, 0.0, 0.0, 0.0, 0.1],
        "base": -1.0,
    },
    index=MATRIX.index,
)
HISTORY = pd.DataFrame(
    [
        (date(2026, 2, 1), "early_warning", "K-6", 1),
        (date(2026, 2, 8), "early_warning", "K-1", 2),
        (date(2026, 2, 15), "early_warning", "K-1", 3),
        (date(2026, 2, 15), "win_back", "K-2", 1),
        (date(2026, 3, 1), "early_warning", "K-3", 1),
    ],
    columns=list(HISTORY_COLUMNS),
)
LAST = date(2026, 2, 22)
BEFORE = pd.DataFrame(
    {
        "cutoff": pd.Timestamp(LAST),
        "state": ["listed", "watched", "resting"],
        "rank": [3, None, None],
        "probability": [0.58, 0.12, 0.2],
        "listed_since": [pd.Timestamp(2026, 2, 8), pd.NaT, pd.NaT],
        "last_listed_on": [pd.Timestamp(LAST), pd.NaT, pd.Timestamp(2026, 2, 1)],
        "rest_until": [pd.NaT, pd.NaT, pd.Timestamp(2026, 3, 1)],
        **{f"reason_{place}": pd.Series([None] * 3, dtype=object) for place in range(3, 6)},
        **{f"contribution_{place}": np.nan for place in range(3, 6)},
        "reason_1": ["sales__overdue_ratio", "sales__tenure_days", "sales__turnover_season_91d"],
        "contribution_1": [0.4, 0.1, 0.2],
        "reason_2": [None, "sales__overdue_ratio", None],
        "contribution_2": [np.nan, 0.05, np.nan],
    },
    index=pd.Index(["K-1", "K-2", "K-6"], name="customer_id"),
)
"""The history of the run before, three of six customers."""
STATES = pd.DataFrame({"listed_since": [BEFORE.loc["K-1", "listed_since"], *[pd.Timestamp(CUTOFF)] * 5]}, index=CHANCES)
CHANNELS = allowed_channels(CUSTOMERS, cutoff=CUTOFF)


def scored() -> pd.DataFrame:
    """Return the scores of six customers."""
    chance, value = pd.Series(CHANCES), pd.Series(VALUES)
    frame = pd.DataFrame({"probability": chance, "value": value, "segment": abc(value)})
    frame["probability_low"], frame["probability_high"] = chance - 0.06, chance + 0.07
    frame["risk_band"] = risk_bands(chance, base_rate=0.25)
    frame = frame.join(rank_reasons(CONTRIBUTIONS, FAMILIES))
    frame["half_after_days"] = [50.0, 83.0, 3.0, 1.0, 90.0, np.nan]
    return frame.rename_axis("customer_id").reset_index().assign(cutoff=CUTOFF, horizon_end=HORIZON_END)


def at_risk() -> pd.DataFrame:
    """Return the scores of those the watch would list."""
    return scored().loc[lambda scores: scores["risk_band"] != "low"]


def said(selected: pd.DataFrame, language: str, purpose: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sentences and the endangering families of the selected customers."""
    ids = pd.Index(selected["customer_id"], name="customer_id")
    reasons = rank_reasons(CONTRIBUTIONS.loc[ids], FAMILIES)
    told = sentences(
        reasons, MATRIX.loc[ids], reason_texts(language), families=FAMILIES, purpose=purpose, currency="EUR"
    )
    return told, endangering_families(reasons, FAMILIES, purpose=purpose)


def changed(language: str, ids: pd.Series) -> pd.DataFrame:
    """Return what would change it: a complaint settled for K-1, nothing for the others."""
    found = pd.DataFrame({"customer_id": ["K-1"], "lever": "settle_complaint", "probability": CHANCES["K-1"],
                          "probability_if": 0.31, "helps": True})  # fmt: skip
    outcome = Tried(found=found, checked=pd.Index(ids))
    return best_changes(pd.Index(ids, name="customer_id"), outcome, purpose="churn", texts=reason_texts(language))


def built(
    language: str = "de", *, before: pd.DataFrame = BEFORE, control_share: float = 0.34
) -> tuple[pd.DataFrame, ...]:
    """Return the early-warning list and its plan."""
    selected = select_early_warning(at_risk(), customers=CUSTOMERS, channels=CHANNELS, size=10)
    told, families = said(selected, language, "churn")
    plan = make_plan(
        selected,
        list_name="early_warning",
        measures=shipped_measures(),
        families=families,
        channels=CHANNELS,
        budget=400,
        hours_per_owner=8,
        control_share=control_share,
        run="2026-Q1",
        seed=14,
    )
    listed = early_warning(
        selected,
        sentences=told,
        channels=CHANNELS,
        plan=plan,
        states=STATES,
        before=before,
        families=FAMILIES,
        texts=reason_texts(language),
        changes=changed(language, selected["customer_id"]),
    )
    return listed, plan


def test_the_list_holds_those_above_the_base_rate_by_value_at_risk_without_objectors():
    listed, _ = built()
    assert tuple(listed.columns) == EARLY_WARNING_COLUMNS
    assert listed["customer_id"].tolist() == ["K-1", "K-2", "K-6", "K-3"]
    assert listed["rank"].tolist() == [1, 2, 3, 4]
    assert listed["value_at_risk"].tolist() == pytest.approx([29_760, 6_510, 1_728, 396])
    assert set(listed["risk_band"]) <= {"high", "medium"}


def test_the_size_caps_the_list_and_equal_stakes_are_ordered_by_customer():
    scores = scored().assign(probability=0.5, value=100.0)
    first = select_early_warning(scores.iloc[::-1], customers=CUSTOMERS, channels=CHANNELS, size=2)
    assert first["customer_id"].tolist() == ["K-1", "K-2"]


def test_objectors_are_told_apart_with_the_reason():
    refused = not_contactable({"early_warning": at_risk(), "win_back": scored()}, CHANNELS)
    assert refused.to_dict("list") == {
        "customer_id": ["K-4", "K-4"],
        "list": ["early_warning", "win_back"],
        "why_not": ["objection", "objection"],
    }
    assert not_contactable({}, CHANNELS).empty


def test_a_control_customer_is_shown_as_not_to_be_contacted():
    listed, plan = built()
    withheld = set(plan.loc[plan["arm"] == "control", "customer_id"])
    rows = listed[listed["customer_id"].isin(withheld)]
    assert len(rows) == 1
    assert rows[["measure", "channel", "allowed_channels"]].isna().all(axis=None)
    assert rows["note"].tolist() == ["Kontrollgruppe: bitte nicht ansprechen"]
    assert built("en")[0]["note"].dropna().tolist()[0] == "Control group: please do not contact"


def test_whoever_is_treated_sees_measure_and_an_allowed_channel():
    listed, plan = built()
    treated = listed[listed["customer_id"].isin(plan.loc[plan["arm"] == "treatment", "customer_id"])]
    assert treated["note"].isna().all()
    for row in treated.itertuples():
        assert row.channel in row.allowed_channels.split(", ")


def test_since_is_the_start_of_the_unbroken_row_of_lists():
    since = built()[0].set_index("customer_id")["since"]
    assert since["K-1"] == date(2026, 2, 8)
    assert since[["K-2", "K-3", "K-6"]].tolist() == [CUTOFF] * 3


def test_new_because_says_what_changed():
    why = built()[0].set_index("customer_id")["new_because"]
    assert why["K-1"] == "Schon gelistet, von Platz 3 auf Platz 1 gestiegen"
    assert why["K-2"] == (
        "Neu: Wahrscheinlichkeit von 12 % auf 31 % gestiegen. Wiegt schwerer als am 22.02.2026: Letzte"
        " Bestellung vor 9 Tagen, üblicher Abstand 15 Tage (Chance eines Verlusts mal 1,2, zuvor mal 1,1)"
    )
    assert why["K-6"] == (
        "Wieder auf der Liste: Ruhezeit bis 01.03.2026 vorbei, Wahrscheinlichkeit 27 %."
        " Neuer Grund: 2 offene Reklamationen, die älteste seit 33 Tagen"
    )
    assert why["K-3"] == "Neu auf der Liste"


def test_the_first_list_ever_is_all_new():
    listed, _ = built("en", before=BEFORE.head(0))
    assert listed["new_because"].str.startswith("New").all()


def test_the_order_of_input_does_not_matter():
    turned = select_early_warning(
        at_risk().iloc[::-1], customers=CUSTOMERS.iloc[::-1], channels=CHANNELS.iloc[::-1], size=10
    )
    expected = select_early_warning(at_risk(), customers=CUSTOMERS, channels=CHANNELS, size=10)
    pd.testing.assert_frame_equal(turned, expected)


def test_a_source_without_master_data_still_gives_a_list():
    nobody = pd.DataFrame({"customer_id": pd.Series([], dtype="str")})
    letters = allowed_channels(nobody, cutoff=CUTOFF, customer_ids=list(CHANCES))
    selected = select_early_warning(at_risk(), customers=nobody, channels=letters, size=10)
    assert len(selected) == 5
    assert selected[["name", "owner"]].isna().all(axis=None)


def test_half_by_is_counted_from_the_cutoff_on_and_missing_where_nobody_can_say() -> None:
    listed = built()[0].set_index("customer_id")
    assert listed.loc["K-1", "half_by"] == CUTOFF + timedelta(days=49)
    assert listed.loc["K-6", "half_by"] is None


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_list_for_people_is_the_golden_one(language):
    shown = for_people(built(language)[0], texts=reason_texts(language), measures=shipped_measures(), currency="EUR")
    separator = ";" if language == "de" else ","
    expected = (GOLDEN / f"early_warning.{language}.csv").read_text(encoding="utf-8")
    assert shown.to_csv(index=False, sep=separator, lineterminator="\n") == expected


def test_the_plan_for_owners_hides_what_control_customers_would_get():
    listed, plan = built()
    known = listed.assign(list="early_warning")
    work = plan_for_owners(plan, listed=known, texts=reason_texts("de"))
    control = work[work["customer_id"].isin(plan.loc[plan["arm"] == "control", "customer_id"])]
    assert control[["measure", "channel", "cost", "hours"]].isna().all(axis=None)
    shown = for_people(work, texts=reason_texts("de"), measures=shipped_measures(), currency="EUR")
    assert "Kontrollgruppe: bitte nicht ansprechen" in set(shown["Hinweis"])
    assert shown.notna().all(axis=None)
