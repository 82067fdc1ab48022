"""Earlier scores meet what has become of their customers, and nothing that was not known yet."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.definition import Churn
from features.errors import LeakageError, OutputError
from features.outputs import read_manifest, read_parquet, sha256_of, write_manifest, write_parquet
from features.timeline import horizon_of
from models.churn_model import COHORTS
from pipelines import matured as stage
from pipelines.demo.company import demo_company
from pipelines.library import Company
from pipelines.matured import MATURED, PROMISES, matured, read_matured
from pipelines.places import Places
from pipelines.settings import Settings, settings_from

CHURN = {"lead_days": 7, "horizon_days": 60, "active_within_days": 45}
EARLY, LATE, NOW = date(2025, 6, 1), date(2025, 7, 1), date(2025, 11, 1)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A company of orders, and what was said of its customers on two mornings."""

    settings: Settings
    orders: pd.DataFrame
    said: Mapping[date, Mapping[str, pd.DataFrame]]

    @property
    def places(self) -> Places:
        return Places(Path(self.settings.output))

    def checked(self, cutoff: date = NOW) -> pd.DataFrame:
        return read_parquet(matured(self.settings, cutoff), MATURED).to_pandas()

    def with_orders(self, *rows: dict[str, Any]) -> Made:
        orders = pd.concat([self.orders, pd.DataFrame(rows)], ignore_index=True)
        orders.to_csv(self.settings.sources["orders"].uri, index=False)
        return replace(self, orders=orders)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Sixty customers, each with a rhythm of their own; scores that are a guess at it."""
    rng = np.random.default_rng(3)
    rows = [
        {"order_id": f"{customer}-{day}", "customer_id": f"c{customer:02d}", "amount": 10.0,
         "occurred_on": date(2025, 1, 1) + day * DAY, "known_at": date(2025, 1, 1) + day * DAY}
        for customer in range(60) for day in range(customer, int(rng.integers(100, 300)), int(rng.integers(10, 90)))
    ]  # fmt: skip
    orders = pd.DataFrame(rows)
    orders.to_csv(tmp_path / "orders.csv", index=False)
    sources = {"orders": {"uri": str(tmp_path / "orders.csv")}}
    content = {"name": "x", "output": str(tmp_path / "out"), "sources": sources, "churn": CHURN}
    settings = settings_from(content, place="test")
    write_manifest(Places(Path(settings.output)).matrix(NOW), rows={}, facts={"data": "d", "last_known": "2025-10-31"})
    said = {day: leave_scores(settings, orders, day, rng) for day in (EARLY, LATE)}
    return Made(settings=settings, orders=orders, said=said)


def leave_scores(settings: Settings, orders: pd.DataFrame, cutoff: date, rng: np.random.Generator) -> Any:
    last = orders[orders["occurred_on"] < cutoff].groupby("customer_id")["occurred_on"].max()
    is_active = last >= cutoff - 45 * DAY
    frames = {name: promises(last.index[at], cutoff, settings.churn, rng)
              for name, at in (("scores.parquet", is_active), ("returns.parquet", ~is_active))}  # fmt: skip
    leave(settings, cutoff, frames, {"churn": settings.churn.model_dump(mode="json")})
    return frames


def promises(ids: Any, cutoff: date, churn: Churn, rng: np.random.Generator) -> pd.DataFrame:
    said = rng.uniform(0.2, 0.8, len(ids))
    columns = {"customer_id": pd.Series(ids, dtype="str"), "cutoff": pd.Series([cutoff] * len(ids), dtype=object),
               "horizon_end": pd.Series([horizon_of(cutoff, churn).last] * len(ids), dtype=object),
               "probability": said, "probability_low": said - 0.1, "probability_high": said + 0.1}  # fmt: skip
    return pd.DataFrame(columns)


def leave(settings: Settings, cutoff: date, frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> Path:
    folder = Places(Path(settings.output)).scores(cutoff)
    for name, frame in frames.items():
        write_parquet(folder / name, pa.Table.from_pandas(frame, preserve_index=False))
    write_manifest(folder, rows={name: len(frame) for name, frame in frames.items()}, facts=facts)
    return folder


def naive_share(orders: pd.DataFrame, ids: pd.Series[str], cutoff: date, *, lost: bool, until: date = NOW) -> float:
    """Walk over customers and their orders known before ``until``, one by one."""
    first, end = cutoff + 7 * DAY, cutoff + 67 * DAY
    came = []
    for customer in ids:
        own = orders[orders["customer_id"] == customer]
        bought = any(first <= row.occurred_on < end and row.known_at < until for row in own.itertuples())
        came.append(not bought if lost else bought)
    return float(np.mean(came))


def test_what_came_true_is_what_a_walk_over_the_orders_tells(made: Made) -> None:
    rows = made.checked().set_index(["purpose", "cutoff"])
    for day, frames in made.said.items():
        lost, back = rows.loc[("churn", day)], rows.loc[("return", day)]
        active, lapsed = (frames[name]["customer_id"] for name in ("scores.parquet", "returns.parquet"))
        assert (lost["customers"], back["customers"]) == (len(active), len(lapsed))
        assert lost["share"] == pytest.approx(naive_share(made.orders, active, day, lost=True))
        assert back["share"] == pytest.approx(naive_share(made.orders, lapsed, day, lost=False))
        assert lost["promised"] == pytest.approx(frames["scores.parquet"]["probability"].mean())
    assert 0 < rows.loc[("churn", EARLY), "share"] < 1
    assert rows["share"].nunique() > 2


def test_a_row_known_on_the_cutoff_or_later_changes_nothing_and_one_known_before_does(made: Made) -> None:
    before, buyer = made.checked(), lost_customer(made)
    late = {"order_id": "late", "customer_id": buyer, "occurred_on": EARLY + 20 * DAY, "amount": 5.0}
    assert_same(made.with_orders({**late, "known_at": NOW}).checked(), before)
    assert_same(made.with_orders({**late, "order_id": "next year", "known_at": NOW + 300 * DAY}).checked(), before)
    known = made.with_orders({**late, "known_at": NOW - DAY}).checked()
    assert outcomes(known) == outcomes(before) - 1


def test_a_planted_leak_of_later_rows_is_caught_by_that_rule(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    before, opened = made.checked(), stage.open_tables
    made.with_orders({"order_id": "late", "customer_id": lost_customer(made), "occurred_on": EARLY + 20 * DAY,
                      "amount": 5.0, "known_at": NOW})  # fmt: skip
    monkeypatch.setattr(stage, "open_tables", lambda settings, cutoff: opened(settings, cutoff + 7 * DAY))
    assert outcomes(made.checked()) == outcomes(before) - 1


def lost_customer(made: Made) -> str:
    ids = made.said[EARLY]["scores.parquet"]["customer_id"]
    return next(each for each in ids if naive_share(made.orders, pd.Series([each]), EARLY, lost=True) == 1)


def outcomes(rows: pd.DataFrame) -> int:
    (found,) = rows.loc[(rows["purpose"] == "churn") & (rows["cutoff"] == EARLY), "outcomes"]
    return int(found)


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other)


def test_a_horizon_matures_on_the_morning_after_its_last_day_and_not_before(made: Made) -> None:
    end = horizon_of(EARLY, made.settings.churn).end
    for day, count in ((end - DAY, 0), (end, 1)):
        facts = {"data": "d", "last_known": (day - DAY).isoformat()}
        write_manifest(made.places.matrix(day), rows={}, facts=facts)
        rows = made.checked(day)
        assert rows["cutoff"].nunique() == count
    found = read_matured(made.settings, end - DAY, data="d")
    assert found is not None
    assert found.matures_on == end
    assert all(each.pooled is None for each in found.found.values())


def test_data_that_end_early_let_nothing_mature_that_they_cannot_speak_for(made: Made) -> None:
    last = horizon_of(EARLY, made.settings.churn).last - DAY
    write_manifest(made.places.matrix(NOW), rows={}, facts={"data": "d", "last_known": last.isoformat()})
    assert made.checked().empty


def test_labels_of_an_unfinished_horizon_are_refused_whoever_asks(made: Made) -> None:
    company, frame = Company({"orders": made.orders}, **CHURN), made.said[LATE]["scores.parquet"]
    with pytest.raises(LeakageError, match="cutoff 2025-07-01 has no finished label: its horizon ends 2025-09-05"):
        company.matured(date(2025, 9, 5), [frame])


def test_a_notebook_finds_the_same(made: Made) -> None:
    company = Company({"orders": made.orders}, **CHURN)
    matured(made.settings, NOW)
    stored = read_matured(made.settings, NOW, data="d")
    assert stored is not None
    for purpose, name in (("churn", "scores.parquet"), ("return", "returns.parquet")):
        found = company.matured(NOW, [frames[name] for frames in made.said.values()], purpose=purpose)
        assert_same(found.to_frame(), stored.found[purpose].to_frame())
    assert company.matured(NOW, []).pooled is None


@pytest.mark.parametrize("definition", ["inactivity", "decline", "contract"])
def test_under_every_definition_the_labels_are_those_of_the_matrix(definition: str) -> None:
    day, now = date(2025, 9, 1), date(2026, 1, 15)
    tables = demo_company(customers=60, seed=5).tables
    ids = tables["customers"]["customer_id"]
    contracts = pd.DataFrame(
        {"customer_id": ids, "starts_on": date(2025, 1, 1), "ends_on": [date(2025, 10, 31), None] * 30}
    )
    company = Company({**tables, "contracts": contracts}, definition=definition, horizon_days=90, lead_days=14)
    truth, rng = company.matrix(day, known_at=now), np.random.default_rng(1)
    for purpose, cohort in COHORTS.items():
        own = truth[truth["cohort"] == cohort].reset_index(drop=True)
        said = promises(own["customer_id"].to_numpy(), day, company.settings.churn, rng)
        said["probability"] = 0.2 + 0.6 * own["label"].astype("float64")
        pooled = company.matured(now, [said.sample(frac=1, random_state=2)], purpose=purpose).pooled
        if purpose == "churn" or pooled is not None:
            assert pooled is not None
            assert (pooled.customers, pooled.outcomes) == (len(own), int(own["label"].sum()))
            assert pooled.auc == 1 or own["label"].nunique() == 1
    assert truth.loc[truth["cohort"] == "active", "label"].nunique() == 2


def test_only_folders_that_a_manifest_makes_whole_are_read(made: Made) -> None:
    (made.places.scores(EARLY) / "manifest.json").unlink()
    assert set(made.checked()["cutoff"].dropna()) == {LATE}
    (made.places.scores(LATE) / "scores.parquet").write_bytes(b"changed")
    with pytest.raises(OutputError, match=r"cutoff=2025-07-01/scores.parquet is not the file its manifest names"):
        matured(made.settings, NOW)


def test_scores_that_promised_something_else_are_left_out_and_named(made: Made) -> None:
    other = {**made.settings.churn.model_dump(mode="json"), "active_within_days": 46}
    leave(made.settings, EARLY, made.said[EARLY], {"churn": other})
    assert set(made.checked()["cutoff"].dropna()) == {LATE}
    found = read_matured(made.settings, NOW, data="d")
    assert found is not None
    assert found.left_out == (EARLY,)


def test_scores_of_an_older_treue_count_where_their_horizon_is_that_of_today(made: Made) -> None:
    frames = {name: each.assign(horizon_end=each["horizon_end"] + DAY) for name, each in made.said[LATE].items()}
    leave(made.settings, EARLY, made.said[EARLY], {})
    leave(made.settings, LATE, frames, {})
    assert set(made.checked()["cutoff"].dropna()) == {EARLY}


def test_parts_of_customers_and_customers_that_are_gone_change_nothing_else(made: Made) -> None:
    whole = made.checked()
    parts = made.settings.resources.model_copy(update={"rows_per_part": 1000})
    in_parts = replace(made, settings=made.settings.model_copy(update={"resources": parts}))
    assert_same(in_parts.checked(), whole)
    stranger = made.said[EARLY]["scores.parquet"].head(1).assign(customer_id="erased")
    both = {**made.said[EARLY], "scores.parquet": pd.concat([made.said[EARLY]["scores.parquet"], stranger])}
    leave(made.settings, EARLY, both, {"churn": made.settings.churn.model_dump(mode="json")})
    assert_same(made.checked(), whole)


def test_the_same_run_writes_the_same_bytes_and_other_rows_are_refused(made: Made) -> None:
    folder = matured(made.settings, NOW)
    first = {path.name: sha256_of(path) for path in folder.iterdir()}
    assert {path.name: sha256_of(path) for path in matured(made.settings, NOW).iterdir()} == first
    assert read_manifest(folder)["cutoff"] == "2025-11-01"
    with pytest.raises(OutputError, match="made from other rows or another configuration; run `treue run` again"):
        read_matured(made.settings, NOW, data="others")
    assert read_matured(made.settings, LATE, data="d") is None


def test_drift_beyond_chance_is_logged_and_none_is_not(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for chance, count in ((0.02, 1), (0.5, 0)):
        caplog.clear()
        for day, frames in made.said.items():
            sure = {name: each.assign(**dict.fromkeys(PROMISES[1:], chance)) for name, each in frames.items()}
            sure["scores.parquet"] = sure["scores.parquet"].assign(**fitting(made, day, chance))
            leave(made.settings, day, sure, {"churn": made.settings.churn.model_dump(mode="json")})
        matured(made.settings, NOW)
        told = [each.getMessage() for each in caplog.records if "calibration of churn has drifted" in each.getMessage()]
        assert len(told) == count


def fitting(made: Made, day: date, chance: float) -> dict[str, float]:
    """A chance far from the truth, or the truth itself."""
    share = naive_share(made.orders, made.said[day]["scores.parquet"]["customer_id"], day, lost=True)
    return dict.fromkeys(PROMISES[1:], chance if chance < 0.1 else share)
