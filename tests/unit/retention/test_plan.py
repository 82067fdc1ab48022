from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from retention.consent import allowed_channels
from retention.measures import Measure, shipped_measures
from retention.plan import COLUMNS, candidates, make_plan

PEOPLE = 60
IDS = [f"c{number:03d}" for number in range(PEOPLE)]


def people() -> pd.DataFrame:
    """Return listed customers of three owners; every fourth has none."""
    rng = np.random.default_rng(2)
    owners = [None if number % 4 == 3 else f"o{number % 4}" for number in range(PEOPLE)]
    return pd.DataFrame(
        {
            "customer_id": IDS,
            "owner": owners,
            "segment": rng.choice(["A", "B", "C"], PEOPLE),
            "probability": rng.uniform(0.2, 0.9, PEOPLE),
            "value": rng.lognormal(8, 1, PEOPLE),
        }
    )


def channels(**customer: object) -> pd.DataFrame:
    return allowed_channels(pd.DataFrame({"customer_id": IDS, **customer}), cutoff=date(2026, 3, 1))


REASONS = pd.DataFrame({"complaint_open": [number % 5 == 0 for number in range(PEOPLE)]}, index=IDS)


def plan(listed: pd.DataFrame | None = None, **changes: object) -> pd.DataFrame:
    arguments = {
        "list_name": "early_warning",
        "measures": shipped_measures(),
        "families": REASONS,
        "channels": channels(type="b2b", consent_phone=True),
        "budget": 500.0,
        "hours_per_owner": 8.0,
        "control_share": 0.2,
        "run": "early_warning 2026-03-01",
        "seed": 7,
    }
    return make_plan(people() if listed is None else listed, **{**arguments, **changes})


def test_a_plan_holds_budget_and_hours_and_one_measure_per_customer():
    made = plan()
    assert tuple(made.columns) == COLUMNS
    assert made["cost"].sum() <= 500
    assert (made["hours"].groupby(made["owner"].fillna("nobody")).sum() <= 8 + 1e-9).all()
    assert made["customer_id"].is_unique
    assert (made["expected_net_value"] > 0).all()


def test_expected_net_value_is_chance_times_effect_times_value_less_cost():
    made = plan()
    expected = made["probability"] * made["assumed_effect"] * made["value"] - made["cost"]
    np.testing.assert_allclose(made["expected_net_value"], expected)


def test_the_share_of_control_is_withheld_from_those_chosen():
    made = plan()
    assert 0.05 < (made["arm"] == "control").mean() < 0.4
    assert (plan(control_share=0.0)["arm"] == "treatment").all()
    pd.testing.assert_frame_equal(made.drop(columns="arm"), plan(control_share=0.0).drop(columns="arm"))


def test_the_order_of_rows_does_not_matter():
    shuffled = people().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(plan(shuffled), plan())


def test_only_allowed_channels_are_planned():
    letters = plan(channels=channels(type="b2c"))
    assert set(letters["channel"]) == set()
    overdue = pd.DataFrame({"overdue": True}, index=IDS)
    assert set(plan(channels=channels(type="b2c"), families=overdue)["channel"]) == {"letter"}


def test_measures_for_a_complaint_go_only_to_those_with_one():
    options = candidates(
        people(),
        list_name="early_warning",
        measures=shipped_measures(),
        families=REASONS,
        channels=channels(type="b2b", consent_phone=True),
    )
    apology = options.loc[options["measure"] == "complaint_goodwill", "customer_id"]
    assert set(apology) <= set(REASONS.index[REASONS["complaint_open"]])
    assert set(options.loc[options["measure"] == "complaint_goodwill", "segment"]) <= {"A", "B"}


def test_win_back_takes_only_win_back_measures():
    made = plan(list_name="win_back")
    assert set(made["measure"]) <= {"win_back_call", "win_back_letter", "email_offer"}
    assert set(made["list"]) == {"win_back"}


def test_customers_without_owner_share_one_more_owner():
    made = plan(hours_per_owner=1.0, budget=1e6)
    assert made.loc[made["owner"].isna(), "hours"].sum() <= 1.0 + 1e-9
    assert made["owner"].isna().any()


@pytest.mark.parametrize("changes", [{"families": REASONS.iloc[:0]}, {"budget": 0.0}, {"listed": people().head(0)}])
def test_nothing_to_plan_is_an_empty_or_smaller_plan(changes):
    made = plan(**changes)
    assert tuple(made.columns) == COLUMNS
    assert "complaint_goodwill" not in set(made["measure"])


def test_a_catalogue_without_measures_for_the_list_plans_nothing():
    only_win_back = [measure for measure in shipped_measures() if measure.for_lists == ("win_back",)]
    made = plan(measures=only_win_back)
    assert isinstance(only_win_back[0], Measure)
    assert made.empty
