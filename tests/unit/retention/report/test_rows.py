from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from retention.measures import shipped_measures
from retention.report.rows import first_rows, planned
from retention.texts import reason_texts


def test_a_row_has_words_for_codes_and_reasons_with_their_side(make: Any) -> None:
    early = make().early_warning.assign(why_2="Bindet: Kauft oft", why_3="Ohne Zeichen", why_4=None, why_5=None)
    row = first_rows(early, "early_warning", texts=reason_texts("de"), measures=shipped_measures())[0]
    assert (row.rank, row.measure_title, row.channel) == (1, "Anruf durch den Betreuer", "Telefon")
    assert row.allowed == "Telefon, Brief"
    assert [(why.side, why.sentence) for why in row.reasons] == [
        ("raises", "Grund 1"),
        ("lowers", "Kauft oft"),
        (None, "Ohne Zeichen"),
    ]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_what_is_missing_is_empty(make: Any, missing: object) -> None:
    gone = dict.fromkeys(("name", "owner", "measure", "channel", "allowed_channels", "note"), missing)
    early = make().early_warning.astype(dict.fromkeys(gone, "object")).assign(**gone)
    row = first_rows(early, "early_warning", texts=reason_texts("de"), measures=shipped_measures())[0]
    assert (row.name, row.owner, row.measure_title, row.channel, row.allowed, row.note) == ("",) * 6


def test_the_plan_is_summed_over_treated_customers_only(make: Any) -> None:
    call, other = planned(
        pd.DataFrame(
            {
                "measure": ["call", "call", "gone", "call"],
                "arm": ["treatment", "treatment", "treatment", "control"],
                "cost": [2.0, 2.0, 9.0, 2.0],
                "hours": [0.5, 0.5, 1.0, 0.5],
            }
        ),
        texts=reason_texts("de"),
        measures=shipped_measures(),
    )
    assert (call.title, call.customers, call.cost, call.hours) == ("Anruf durch den Betreuer", 2, 4.0, 1.0)
    assert (other.title, other.customers, other.assumed_effect) == ("gone", 1, None)


def test_an_empty_plan_has_no_measures(make: Any) -> None:
    assert planned(make().plan.head(0), texts=reason_texts("de"), measures=shipped_measures()) == ()


def test_the_signals_of_a_row_are_said_in_words_and_marked_where_unproven(make: Any) -> None:
    early = make().early_warning.assign(signals=None).astype({"signals": "object"})
    early.loc[0, "signals"] = "open_complaint, silence, unknown_rule"
    customer = early["customer_id"][0]
    firing = pd.DataFrame(
        {
            "customer_id": [customer, customer, "somebody"],
            "rule": ["open_complaint", "silence", "silence"],
            "verdict": ["lift", "unmeasured", "lift"],
            "text": ["Reklamation offen seit 20 Tagen", "Lange still", "Nicht dieser"],
        }
    )
    first, second = first_rows(
        early, "early_warning", texts=reason_texts("de"), measures=shipped_measures(), firing=firing
    )[:2]
    assert first.signals == ("Reklamation offen seit 20 Tagen", "Lange still (hier noch nicht messbar)", "unknown_rule")
    assert second.signals == ()
