"""Shares of comparable customers who told a reason: how texts are understood, how groups depart from the company."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from features.norms import Norms, norms_at
from features.told import CAUSES, departures_of, told_shares
from features.told_words import WORDS, cause_sql
from pipelines.demo.words import REASONS as TEXTS_OF_THE_DEMO
from retention.loss_reasons import shipped_loss_reasons
from tests.unit.features.small import day, features_on, history, loss, master, order

MASTER = shipped_loss_reasons()


def test_the_words_are_those_of_the_taxonomy():
    assert {reason.name: reason.words for reason in MASTER.reasons} == dict(WORDS)


def test_texts_are_understood_as_elsewhere():
    words = [f"Ganz einfach: {word.upper()}" for own in WORDS.values() for word in own]
    titles = [title for reason in MASTER.reasons for title in (reason.name, reason.titles.de, reason.titles.en)]
    texts = [*words, *titles, *map(str, TEXTS_OF_THE_DEMO), "hm", "überteuert", "  Kein\n Bedarf mehr ", "", "Aufpreis"]
    sql = f"select {cause_sql('text', CAUSES)} from (select unnest($texts) as text)"  # noqa: S608 - only constants
    found = duckdb.sql(sql, params={"texts": texts}).fetchall()
    meant = [MASTER.understood(text) for text in texts]
    assert [row[0] for row in found] == [CAUSES.index(name) + 1 if name in CAUSES else 0 for name in meant]
    assert set(CAUSES) <= set(meant)


def test_where_groups_differ_by_chance_alone_nobody_departs():
    assert departures_of(np.array([5, 5, 5]), np.array([50, 50, 50])).tolist() == [0, 0, 0]


def test_a_large_group_keeps_its_own_share_and_a_small_one_less_of_it():
    small, large, other = departures_of(np.array([4, 400, 0]), np.array([10, 1000, 1000]))
    assert 0 < small < large
    assert large == pytest.approx(0.4 - 404 / 2010, abs=0.01)
    assert other < -0.19


def test_nobody_departs_where_nobody_or_everybody_told():
    assert departures_of(np.array([0, 0]), np.array([3, 4])).tolist() == [0, 0]
    assert departures_of(np.array([3, 4]), np.array([3, 4])).tolist() == [0, 0]
    assert departures_of(np.array([1]), np.array([4])).tolist() == [0]
    assert told_shares(np.zeros(0, dtype=np.int64), [np.zeros(0, dtype=np.int64)] * 3).company == (0.0,) * len(CAUSES)


def test_a_reason_told_in_one_industry_raises_the_share_there_from_the_day_it_is_known():
    people = [(f"{industry}{number}", industry) for industry in ("Bau", "Handel") for number in range(20)]
    rows = {
        "orders": [order(who, "2024-01-10") for who, _ in people],
        "customers": [master(who, industry=industry) for who, industry in people],
        "losses": [
            loss(f"Bau{number}", "2024-09-01", reason="Lieferverzug", known_at=day("2024-10-01")) for number in range(8)
        ],
    }
    before, after = (
        [features_on(cutoff, who, **rows)["losses__others_delivery"] for who in ("Bau19", "Handel19")]
        for cutoff in ("2024-10-01", "2024-10-02")
    )
    assert before == [0, 0]
    assert after[0] > 0.3 > 0.1 > after[1] >= 0
    assert features_on("2024-10-02", "Bau19", **rows)["losses__others_price"] == 0


def test_what_is_usual_survives_the_manifest():
    made = history(orders=[order("a", "2024-01-10")], losses=[loss("a", "2024-02-10", reason="Preis")],
                   customers=[master("a", industry="Bau")])  # fmt: skip
    norms = norms_at(made, cutoff=day("2024-03-01"))
    assert norms.told.company[0] == 1.0
    assert Norms.from_facts(norms.to_facts(), norms.rhythm).told == norms.told
    older = {name: value for name, value in norms.to_facts().items() if name != "told"}
    assert Norms.from_facts(older, norms.rhythm).told.company == ()
