from __future__ import annotations

import pandas as pd
import pytest

from features.catalogue import catalogue
from features.errors import ConfigError
from pipelines.demo.words import REASONS
from retention.documents import shipped
from retention.loss_reasons import parse_loss_reasons, shipped_loss_reasons

FAMILIES = {feature.family for feature in catalogue()}
TEXT = shipped("loss_reasons.yaml")


def test_the_shipped_reasons_are_those_of_the_design_and_name_only_families_that_exist():
    reasons = parse_loss_reasons(TEXT, where="configs/loss_reasons.yaml", families=FAMILIES)
    assert reasons == shipped_loss_reasons()
    assert reasons.names == (
        *("price", "service", "quality", "delivery", "contact_person", "competitor"),
        *("need_gone", "insolvency", "moved", "unknown"),
    )
    assert set(reasons.names) - reasons.curable == {"need_gone", "insolvency", "moved"}
    assert reasons.titles("de")["contact_person"] == "Ansprechpartner"
    assert reasons.reasons[0].cure_in("de") != reasons.reasons[0].cure_in("en")


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("Preis", "price"),
        ("PRICE TOO HIGH", "price"),
        ("zu  teuer\ngeworden", "price"),
        ("Lieferung und Service", "delivery"),
        ("Service dissatisfaction", "service"),
        ("Attitude of support person", "contact_person"),
        ("Competitor offered higher download speeds", "competitor"),
        ("Network reliability", "quality"),
        ("Kein Bedarf mehr", "need_gone"),
        ("Deceased", "need_gone"),
        ("Moved", "moved"),
        ("Insolvenzverfahren eröffnet", "insolvency"),
        ("Umpreisung", "unknown"),
        ("contact_person", "contact_person"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_told_text_is_understood_by_its_longest_known_word(told, meant):
    assert shipped_loss_reasons().understood(told) == meant


def test_every_reason_of_the_demo_company_is_understood_and_no_two_fall_together_but_those_of_one_kind():
    understood = [shipped_loss_reasons().understood(text) for text in REASONS]
    assert understood == [
        *("quality", "service", "price", "contact_person", "delivery"),
        *("need_gone", "insolvency", "unknown"),
    ]


def test_titles_in_both_languages_and_names_mean_themselves():
    reasons = shipped_loss_reasons()
    for reason in reasons.reasons:
        assert {reasons.understood(text) for text in (reason.name, reason.titles.de, reason.titles.en)} == {reason.name}


def test_a_column_is_understood_as_its_texts_are():
    told = pd.Series(["Preis", None, "weiß nicht", "Preis"], index=[3, 1, 2, 0])
    assert shipped_loss_reasons().understood_all(told).to_dict() == {3: "price", 1: "unknown", 2: "unknown", 0: "price"}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("curable: true", "curabel: true", r"unknown key reasons\.0\.curabel, did you mean curable\?"),
        ("name: service", "name: price", r"names must belong to one reason, price comes more than once"),
        ("words: [preis,", "words: [umzug, preis,", r"words must belong to one reason, umzug comes more than once"),
        ("families: [returns]", "families: [returnes]", r"reason delivery: .*returnes; did you mean returns\?"),
        ("families: [returns]", "families: [weather]", r"no family of reasons is called weather; known: basket, "),
        ("name: unknown", "name: other", r"a reason `unknown` is needed"),
    ],
)
def test_wrong_reasons_are_refused_in_one_line(before, after, message):
    assert before in TEXT
    with pytest.raises(ConfigError, match=rf"^own\.yaml: .*{message}") as caught:
        parse_loss_reasons(TEXT.replace(before, after, 1), where="own.yaml", families=FAMILIES)
    assert "\n" not in str(caught.value)
