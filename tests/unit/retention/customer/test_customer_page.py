"""The page and the text about one customer, against files that a person can read."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from scipy import special

from retention.customer.drawing import timeline, waterfall
from retention.customer.page import customer_page
from retention.customer.text import WIDTH, customer_text
from retention.customer.view import Past
from retention.customer.words import customer_texts
from retention.texts import reason_texts
from retention.watch import State

GOLDEN = Path(__file__).parent / "golden"
REWRITE = "TREUE_REWRITE_GOLDEN"
"""With this variable set, the golden files are written anew: look at what changed before you commit."""


def golden(name: str, made: str) -> str:
    """Return what the golden file says."""
    path = GOLDEN / name
    if os.environ.get(REWRITE):
        path.write_text(made, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def bare(page: str) -> str:
    """Return a page without its style, whose digest stands in the policy."""
    without = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    return re.sub(r"'sha256-[^']+'", "'sha256-…'", without)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("purpose", ["churn", "return"])
def test_text_and_page_are_the_golden_ones(view, language, purpose):
    texts = reason_texts(language)
    shown = view(language, purpose=purpose)
    name = f"{purpose}.{language}"
    text, page = customer_text(shown, texts=texts), bare(customer_page(shown, texts=texts))
    assert text == golden(f"{name}.txt", text)
    assert page == golden(f"{name}.html", page)
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize(("silence", "words"), [(90, "completes 90 days without"), (0, "without a running contract")])
def test_what_makes_a_loss_is_said_with_by_when(view, silence, words):
    texts, shown = reason_texts("en"), view("en")
    timed = replace(shown, timing=replace(shown.timing, silence_days=silence))
    for told in (customer_text(timed, texts=texts), customer_page(timed, texts=texts)):
        assert words in " ".join(told.split())
    for told in (
        customer_text(replace(shown, timing=None), texts=texts),
        customer_page(view("en", purpose="return"), texts=texts),
    ):
        assert "By when" not in told


class Reader(HTMLParser):
    """Collects what a page would fetch or run, and its open elements."""

    def __init__(self) -> None:
        super().__init__()
        self.suspects: list[str] = []

    def handle_starttag(self, tag, attrs):
        asked = [
            value for name, value in attrs if name in ("src", "href", "action") and not (value or "").startswith("#")
        ]
        handlers = [name for name, _ in attrs if name.startswith("on")]
        self.suspects += [*asked, *handlers, *([tag] if tag in ("script", "iframe", "link", "img", "gmbh") else [])]


def suspects(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.suspects


def test_the_page_fetches_nothing_runs_nothing_and_names_are_no_markup(view):
    hostile = view(name='<script>alert(1)</script>"onload="x', customer_id="../x", owner="<img src=http://x>")
    page = customer_page(hostile, texts=reason_texts("de"))
    assert suspects(page) == []
    assert "default-src 'none'" in page
    assert suspects(page.replace("</main>", "<script>1</script></main>")) == ["script"], "the check finds a planted one"


def test_the_steps_lead_from_the_common_start_to_the_customer(view):
    shown = view()
    assert [step.side for step in shown.steps[:3]] == ["raises", "raises", "lowers"]
    assert shown.start == pytest.approx(special.expit(-1.5))
    before = [shown.start, *(step.after for step in shown.steps[:-1])]
    assert [step.before for step in shown.steps] == pytest.approx(before)
    assert shown.steps[-1].after == pytest.approx(shown.probability, abs=1e-12)
    assert shown.steps[-1].family == ""


def test_the_bars_of_the_waterfall_join_and_are_as_long_as_their_contributions(view):
    drawn = waterfall(view())
    ends = [bar.left + bar.width if bar.step.contribution > 0 else bar.left for bar in drawn.bars]
    assert [bar.start for bar in drawn.bars][1:] == pytest.approx(ends[:-1], abs=0.02)
    assert ends[-1] == pytest.approx(drawn.end, abs=0.02)
    sizes = np.array([bar.width / abs(bar.step.contribution) for bar in drawn.bars[:-1]])
    assert sizes == pytest.approx(sizes[0], rel=0.02)


def test_the_timeline_ends_at_the_cutoff_and_shows_what_is_open(view):
    drawn = timeline(view().past, view().cutoff, purpose="churn")
    assert [each.is_open for each in drawn.spans] == [False, True]
    assert [each.is_return for each in drawn.sticks] == [False, True]
    assert drawn.scores[-1][0] == drawn.cutoff == pytest.approx(750)
    assert drawn.spans[-1].x + drawn.spans[-1].width == pytest.approx(drawn.cutoff, abs=0.2)
    assert [theirs for _, theirs in drawn.dots] == [False, True]


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_customer_without_anything_still_has_a_page(view, language):
    texts = reason_texts(language)
    empty = view(language, past=Past(), listed=None, signals=None, levers=(), would_change="", channels=(), name="")
    words = customer_texts(language).words
    for made in (customer_page(empty, texts=texts), customer_text(empty, texts=texts)):
        for key in ("not_listed", "signals_missing", "history_none", "all_forbidden"):
            assert words[key] in made.replace("\n", " ")


def test_a_customer_of_the_control_group_is_not_to_be_contacted(view):
    shown = view()
    withheld = replace(shown, listed=replace(shown.listed, measure="", note="Kontrollgruppe", is_control=True))
    for made in (customer_page(withheld, texts=reason_texts("de")), customer_text(withheld, texts=reason_texts("de"))):
        assert "Kontrollgruppe: Dieser Kunde wird in dieser Runde nicht angesprochen" in made.replace("\n", " ")


def test_both_languages_have_the_same_words():
    german, english = (customer_texts(language).words for language in ("de", "en"))
    assert german.keys() == english.keys()
    for key, text in german.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), key


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_state_of_the_watch_is_told_in_words(language):
    words = customer_texts(language).words
    assert {key.removeprefix("state_") for key in words if key.startswith("state_")} == set(get_args(State))
