from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention.lists import WIN_BACK_COLUMNS, select_win_back, win_back
from retention.loss_reasons import shipped_loss_reasons
from retention.measures import shipped_measures
from retention.plan import make_plan
from retention.tables import for_people
from retention.texts import reason_texts
from retention.win_back import (
    LEFT_OUT_COLUMNS,
    OBSTACLES,
    TOLD_COLUMNS,
    left_out,
    still_holding,
    told_in_words,
    weighed,
    with_moment,
)
from tests.unit.retention.test_lists import (
    CHANCES,
    CHANNELS,
    CUSTOMERS,
    CUTOFF,
    HISTORY,
    said,
    scored,
)

GOLDEN = Path(__file__).parents[2] / "golden"
REASONS = shipped_loss_reasons()
IDS = pd.Index(list(CHANCES), name="customer_id")
VALUE = pd.Series([30_000.0, 12_000.0, 50.0, 9_000.0, 40_000.0, 8_000.0], index=IDS)
LAST = pd.Series(pd.to_datetime(["2025-08-20", "2025-06-01", "2025-01-15", "2025-08-01", "2025-07-01", "2025-08-25"]),
                 index=IDS)  # fmt: skip
NOBODY = pd.DataFrame(columns=list(TOLD_COLUMNS), index=pd.Index([], name="customer_id", dtype="str"))


def told(**reasons: tuple[str, bool | None, str]) -> pd.DataFrame:
    """Return told losses: K_1=("price", True, "interview") and so on."""
    rows = {
        name.replace("_", "-"): {"loss_reason": reason, "winnable": winnable, "told_on": date(2026, 1, 9), "source": by}
        for name, (reason, winnable, by) in reasons.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(TOLD_COLUMNS)).rename_axis("customer_id")
    return frame.astype({"winnable": "boolean"})


def judged(losses: pd.DataFrame = NOBODY) -> pd.DataFrame:
    """Return six lapsed customers, weighed."""
    _, families = said(scored(), "de", "return")
    worth = pd.DataFrame({"margin_if_returned": VALUE / 20, "value_if_returned": VALUE})
    known = {"channels": CHANNELS, "measures": shipped_measures(), "families": families, "reasons": REASONS}
    whole = weighed(scored(), worth, losses, **known)
    return with_moment(whole, cutoff=CUTOFF, last_purchase_on=LAST, best_days=(180, 252))


TOLD = told(K_1=("contact_person", True, "interview"), K_5=("insolvency", None, "interview"),
            K_6=("service", False, "interview"))  # fmt: skip


def listed(language: str) -> pd.DataFrame:
    """Return the win-back list as published."""
    whole, texts = judged(TOLD), reason_texts(language)
    selected = select_win_back(whole, customers=CUSTOMERS, channels=CHANNELS, size=3)
    sentences, families = said(selected, language, "return")
    plan = make_plan(
        selected.assign(value=selected["value_if_returned"]),
        list_name="win_back",
        measures=shipped_measures(),
        families=families,
        channels=CHANNELS,
        budget=400,
        hours_per_owner=8,
        control_share=0.0,
        run="2026-Q1",
        seed=7,
    )
    words = told_in_words(selected, REASONS, texts)
    return win_back(
        words, sentences=sentences, channels=CHANNELS, plan=plan, history=HISTORY, cutoff=CUTOFF, texts=texts
    )


def obstacles(losses: pd.DataFrame = NOBODY) -> dict[str, str]:
    return judged(losses).set_index("customer_id")["obstacle"].dropna().to_dict()


def test_the_net_value_is_that_of_the_best_measure_that_fits_and_is_allowed():
    whole = judged().set_index("customer_id")
    call, letter = 0.62 * 0.1 * 30_000 - 2, 0.08 * 0.05 * 40_000 - 4
    assert whole.loc["K-1", "expected_net_value"] == pytest.approx(call)
    assert whole.loc["K-5", "expected_net_value"] == pytest.approx(letter)
    assert whole.loc["K-1", "expected_value"] == pytest.approx(0.62 * 30_000)


def test_a_told_reason_calls_for_the_measure_that_cures_it():
    whole = judged(told(K_1=("contact_person", True, "interview"))).set_index("customer_id")
    assert whole.loc["K-1", "expected_net_value"] == pytest.approx(0.62 * 0.15 * 30_000 - 40)
    plan = listed("de").set_index("customer_id")["measure"]
    assert plan["K-1"] == "win_back_introduction"


def test_nobody_is_dropped_silently():
    whole = judged(TOLD)
    names = left_out(whole, customers=CUSTOMERS, reasons=REASONS, texts=reason_texts("en"), currency="EUR")
    on_list = select_win_back(whole, customers=CUSTOMERS, channels=CHANNELS, size=99)
    assert sorted([*names["customer_id"], *on_list["customer_id"]]) == sorted(CHANCES)
    assert tuple(names.columns) == LEFT_OUT_COLUMNS


def test_every_obstacle_is_found_and_the_first_that_holds_is_named():
    assert obstacles() == {"K-3": "not_worth_it", "K-4": "objection"}
    assert obstacles(TOLD) == {
        "K-3": "not_worth_it", "K-4": "objection", "K-5": "not_curable", "K-6": "not_winnable",
    }  # fmt: skip
    assert obstacles(told(K_4=("insolvency", False, "interview")))["K-4"] == "objection"
    unreachable = CHANNELS.assign(
        is_allowed=CHANNELS["is_allowed"] & CHANNELS["customer_id"].ne("K-2"), why_not=CHANNELS["why_not"]
    )
    worth = pd.DataFrame({"margin_if_returned": VALUE, "value_if_returned": VALUE})
    whole = weighed(scored(), worth, NOBODY, channels=unreachable, measures=shipped_measures(),
                    families=said(scored(), "de", "return")[1], reasons=REASONS)  # fmt: skip
    assert whole.set_index("customer_id").loc["K-2", "obstacle"] == "no_channel"


def test_a_reason_that_was_only_inferred_keeps_nobody_out():
    assert "K-5" not in obstacles(told(K_5=("insolvency", None, "inferred")))
    assert obstacles(told(K_5=("insolvency", False, "inferred")))["K-5"] == "not_winnable"


def test_a_curable_reason_and_an_unknown_one_keep_nobody_out():
    assert "K-1" not in obstacles(told(K_1=("price", None, "interview")))
    assert "K-1" not in obstacles(told(K_1=("unknown", None, "interview")))


def test_a_told_loss_that_a_later_purchase_has_overtaken_says_nothing():
    rows = pd.DataFrame(
        [
            ("K-1", date(2025, 9, 1), "price", True, date(2025, 10, 1), "interview"),
            ("K-1", date(2025, 8, 25), "service", True, date(2025, 9, 1), "inferred"),
            ("K-2", date(2025, 4, 1), "moved", False, date(2025, 5, 1), "interview"),
            ("K-6", date(2025, 8, 1), "quality", True, date(2025, 9, 1), "interview"),
            ("K-9", date(2025, 8, 1), "quality", True, date(2025, 9, 1), "interview"),
        ],
        columns=["customer_id", "occurred_on", *TOLD_COLUMNS],
    )
    holding = still_holding(rows, LAST)
    assert holding["loss_reason"].to_dict() == {"K-1": "price", "K-6": "quality"}


def test_the_moment_is_told_by_the_day_of_the_last_purchase():
    whole = judged().set_index("customer_id")
    assert whole["moment"].to_dict() == {
        "K-1": "now", "K-2": "late", "K-3": "late", "K-4": "now", "K-5": "now", "K-6": "now",
    }  # fmt: skip
    assert (whole.loc["K-1", "best_from"], whole.loc["K-1", "best_until"]) == (date(2026, 2, 16), date(2026, 4, 28))
    early = with_moment(judged(), cutoff=date(2026, 2, 1), last_purchase_on=LAST, best_days=(180, 252))
    assert early.set_index("customer_id").loc["K-6", "moment"] == "early"


def test_where_too_few_returned_nothing_is_said_of_the_moment():
    whole = with_moment(judged(), cutoff=CUTOFF, last_purchase_on=LAST, best_days=None)
    assert whole[["moment", "best_from", "best_until"]].isna().all(axis=None)
    assert told_in_words(whole, REASONS, reason_texts("de"))["moment"].isna().all()


def test_the_list_is_ordered_by_expected_net_value_and_speaks_of_return():
    found = listed("de")
    assert tuple(found.columns) == WIN_BACK_COLUMNS
    assert found["customer_id"].tolist() == ["K-1", "K-2"]
    assert found["expected_net_value"].is_monotonic_decreasing
    assert found["why_1"].str.startswith("Spricht ").all()


def test_without_lapsed_customers_everything_is_empty():
    empty = scored().head(0)
    worth = pd.DataFrame({"margin_if_returned": VALUE, "value_if_returned": VALUE}).head(0)
    whole = weighed(empty, worth, NOBODY, channels=CHANNELS, measures=shipped_measures(),
                    families=pd.DataFrame(index=IDS[:0]), reasons=REASONS)  # fmt: skip
    whole = with_moment(whole, cutoff=CUTOFF, last_purchase_on=LAST, best_days=(1, 2))
    assert whole.empty
    names = left_out(whole, customers=CUSTOMERS, reasons=REASONS, texts=reason_texts("en"), currency="EUR")
    assert names.empty


@pytest.mark.parametrize("language", ["de", "en"])
def test_both_tables_for_people_are_the_golden_ones(language):
    texts, separator = reason_texts(language), ";" if language == "de" else ","
    out = left_out(judged(TOLD), customers=CUSTOMERS, reasons=REASONS, texts=texts, currency="EUR")
    for name, frame in {"win_back": listed(language), "win_back_left_out": out}.items():
        shown = for_people(
            frame, texts=texts, measures=shipped_measures(), currency="EUR", loss_reasons=REASONS.titles(language)
        )
        expected = (GOLDEN / f"{name}.{language}.csv").read_text(encoding="utf-8")
        assert shown.to_csv(index=False, sep=separator, lineterminator="\n") == expected


def test_every_obstacle_and_moment_has_words_in_both_languages():
    for language in ("de", "en"):
        words = reason_texts(language).lists
        assert set(words.obstacles) == set(OBSTACLES)
        assert set(words.moments) == {"early", "now", "late"}
        assert {*LEFT_OUT_COLUMNS, *WIN_BACK_COLUMNS} <= set(words.headings)


def test_chances_alone_do_not_make_the_order():
    """A rare but rich return stands before a likely but poor one."""
    whole = judged()
    assert not np.array_equal(
        whole.sort_values("probability", ascending=False)["customer_id"],
        whole.sort_values("expected_net_value", ascending=False)["customer_id"],
    )
