from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from retention.report.inputs import FOLD_COLUMNS, ReportInputs
from retention.report.page import report_page

ATTACK = "<script>alert(1)</script>"
VOID = {"meta", "input", "br", "link", "img"}


class Reader(HTMLParser):
    """Collects elements and text, and sees to it that every element is closed where it should be."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def named(frame: pd.DataFrame, **first: str) -> pd.DataFrame:
    """Return the frame with these texts in its first row."""
    changed = frame.copy()
    for column, value in first.items():
        changed.loc[0, column] = value
    return changed


@pytest.fixture
def attacked(make: Any) -> ReportInputs:
    inputs: ReportInputs = make()
    words = dict.fromkeys(("customer_id", "name", "owner", "why_1", "why_2", "note", "measure", "channel"), ATTACK)
    return replace(
        inputs,
        name=ATTACK,
        early_warning=named(inputs.early_warning, **words, new_because=ATTACK, allowed_channels=ATTACK),
        win_back=named(inputs.win_back, **words),
        plan=named(inputs.plan, measure=ATTACK),
        owners=pd.Series(ATTACK, index=inputs.owners.index, dtype="str"),
        evidence={"churn": {**inputs.evidence["churn"], "remark": ATTACK}},
        data={**inputs.data, "notes": [ATTACK]},
    )


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_is_whole_in_both_languages_and_asks_nothing_of_any_network(make: Any, language: str) -> None:
    page = report_page(make(language=language))
    read = Reader(page)
    assert read.open == []
    assert ("html", {"lang": language}) in read.elements
    assert not re.search(r"https?:|//\w|url\(|@import|data:", page.replace("data-", ""))
    links = [value for _, attributes in read.elements for key, value in attributes.items() if key in ("href", "src")]
    assert links
    assert all(link and link.startswith("#") for link in links)


def test_every_link_leads_somewhere_on_the_page_and_every_id_is_there_once(make: Any) -> None:
    elements = Reader(report_page(make())).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    targets = {attributes["href"] for tag, attributes in elements if tag == "a"}
    assert len(ids) == len(set(ids))
    assert targets <= {f"#{each}" for each in ids}


def test_the_policy_of_the_page_allows_its_own_style_and_script_and_nothing_else(make: Any) -> None:
    page = report_page(make())
    found = re.search(r'Security-Policy" content="([^"]*)"', page)
    assert found
    policy = found[1].replace("&#39;", "'")
    for tag in ("style", "script"):
        inline = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert inline
        digest = base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_whatever_comes_from_the_data_is_shown_as_text(attacked: ReportInputs) -> None:
    page = report_page(attacked)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert Reader(page).text.count(ATTACK) > 10


def test_what_stands_in_an_attribute_cannot_leave_it(make: Any) -> None:
    inputs = make()
    quoted = '"><img src=x onerror=alert(1)>'
    names = dict.fromkeys(("name", "owner", "measure", "customer_id"), quoted)
    page = report_page(replace(inputs, early_warning=named(inputs.early_warning, **names)))
    assert "<img" not in page


def test_the_headline_says_how_many_how_much_and_by_when(make: Any) -> None:
    inputs = make()
    at_risk = int((inputs.scores["risk_band"] != "low").sum())
    text = Reader(report_page(inputs)).text
    assert f"beispiel: {at_risk} von 60 aktiven Kunden sind gefährdet" in text
    assert "kein Kauf vom 15.07.2026 bis 12.10.2026" in text
    assert "Die Frühwarnliste nennt 30 Kunden, die Rückgewinnungsliste 10 frühere Kunden." in text


def test_figures_follow_the_language(make: Any) -> None:
    scores = make().scores
    scores = scores.assign(value_at_risk=scores["value_at_risk"] * 0 + 25_000)
    assert "1,50 Mio. €" in report_page(make(scores=scores))
    assert "€1.50m" in report_page(make(scores=scores, language="en"))


def test_rows_without_measure_show_their_note_instead(make: Any) -> None:
    early = make().early_warning.assign(measure=None, channel=None, note="Kontrollgruppe: bitte nicht ansprechen")
    text = Reader(report_page(make(early_warning=early, win_back=early.head(0)))).text
    assert text.count("Kontrollgruppe: bitte nicht ansprechen") == 30


def test_of_many_signals_two_are_shown_and_the_others_fold(make: Any) -> None:
    early = make().early_warning.assign(signals=None).astype({"signals": "object"})
    early.loc[:1, "signals"] = ["first_rule, second_rule, third_rule, fourth_rule", "only_rule"]

    page = report_page(make(early_warning=early))

    folded = re.findall(r"<details><summary>(\d+ weitere Signale?)</summary><ul class=\"signals\">(.*?)</ul>", page)
    assert folded == [("2 weitere Signale", "<li>third_rule</li><li>fourth_rule</li>")]
    assert "<li>only_rule</li></ul>" in page


def test_a_list_shows_200_rows_and_says_where_all_are(make: Any) -> None:
    inputs = make()
    many = pd.concat([inputs.early_warning] * 10, ignore_index=True).assign(rank=range(1, 301))
    page = report_page(replace(inputs, early_warning=many))
    assert len(re.findall(r'id="early-\d+"', page)) == 200
    assert "die ersten 200 von 300; alle stehen in lists/cutoff=2026-07-01/early_warning.csv" in Reader(page).text
    assert len(page.encode()) < 1_000_000


def test_without_customers_table_the_lists_name_numbers(make: Any) -> None:
    inputs = make(owners=pd.Series(dtype="str"))
    nameless = {"name": None, "owner": None}
    page = report_page(
        replace(
            inputs, early_warning=inputs.early_warning.assign(**nameless), win_back=inputs.win_back.assign(**nameless)
        )
    )
    text = Reader(page).text
    assert "Ohne Tabelle der Kunden sind weder Namen noch Betreuer bekannt" in text
    assert "Betreuer sind nicht bekannt." in text
    assert inputs.early_warning["customer_id"][0] in text
    assert '<th scope="col" class="owner"' not in page


def test_with_nobody_scored_listed_planned_or_tested_the_page_still_stands(make: Any) -> None:
    whole = make()
    empty = {
        name: getattr(whole, name).head(0)
        for name in ("scores", "returns", "early_warning", "win_back", "plan", "not_contactable", "owners")
    }
    folds = pd.DataFrame({name: pd.Series(dtype="object") for name in FOLD_COLUMNS})
    for language in ("de", "en"):
        read = Reader(report_page(replace(whole, **empty, folds=folds, evidence={}, language=language)))
        assert read.open == []
    assert "no customer is active at present" in read.text
    assert "There is no record of tests for this model." in read.text


def test_a_base_of_20_customers_says_how_unsure_it_is(make: Any) -> None:
    whole = make()
    evidence = {
        "chosen": "blend", "remark": "no test has enough of both outcomes: x", "metrics": {},
        "tests": [], "training_cutoffs": ["2026-01-01"], "snapshots": 20, "customers": 20, "base_rate": 0.3,
    }  # fmt: skip
    folds = whole.folds.head(0)
    small = replace(whole, scores=whole.scores.head(20), evidence={"churn": evidence}, folds=folds)
    text = Reader(report_page(small)).text
    assert "Mit Vorsicht zu lesen" in text
    assert "Gelernt wurde von nur 20 Kunden." in text
    assert "kam in der Vergangenheit nur 6-mal vor" in text
    assert "deshalb spricht das Mittel aus dreien, ungeprüft" in text


def test_the_same_run_gives_the_same_bytes_in_any_order_of_folds(make: Any) -> None:
    inputs = make()
    shuffled = inputs.folds.sample(frac=1, random_state=1).reset_index(drop=True)
    assert report_page(inputs) == report_page(inputs) == report_page(replace(inputs, folds=shuffled))


def test_every_table_has_headings_and_every_picture_a_description(make: Any) -> None:
    page = report_page(make())
    assert page.count("<table") == page.count("<thead>") > 5
    svgs = [attributes for tag, attributes in Reader(page).elements if tag == "svg"]
    assert all(svg.get("aria-label") or svg.get("aria-hidden") for svg in svgs)
    heads = [attributes for tag, attributes in Reader(page).elements if tag == "th"]
    assert all(head.get("scope") in ("col", "row") for head in heads)


def test_a_million_scores_are_aggregated_in_seconds(make: Any, many_scores: pd.DataFrame) -> None:
    started = time.perf_counter()
    page = report_page(make(scores=many_scores, owners=pd.Series(dtype="str")))
    assert time.perf_counter() - started < 30
    assert "von 1.000.000 aktiven Kunden" in page
    assert len(page.encode()) < 1_000_000


@pytest.fixture
def many_scores(make: Any) -> pd.DataFrame:
    """A million scores: the made-up ones over and over."""
    few = make().scores
    return few.loc[few.index.repeat(1_000_000 // len(few) + 1)].head(1_000_000).reset_index(drop=True)


@pytest.mark.parametrize(
    ("says", "words"),
    [("better", "beats every rival"), ("level", "does not beat the best rival"), ("worse", "A rival ranks better")],
)
def test_the_page_says_whether_the_model_beats_the_rivals(make: Any, says: str, words: str) -> None:
    inputs = make(language="en")
    stated = {"verdict": says, "best_rival": "rfm_logistic", "difference": 0.012, "low": -0.01, "high": 0.034}
    rivals = {"rivals": {"rfm_logistic": {"auc": 0.71, "n": 100.0}}}
    html = report_page(replace(inputs, evidence={"churn": {**inputs.evidence["churn"], **stated, **rivals}}))
    assert words in html
    assert html.count("Regression on recency, frequency, turnover") == 2, "in the table and in the verdict"
    assert "-0.010 to 0.034" in html or "−0.010 to 0.034" in html
