from __future__ import annotations

from typing import Any

import pytest

from models.promotion import Criterion, Judgement
from retention.report.page import report_page
from retention.report.use import uses_of

LEVEL = "level in ranking compared with last_order"


def stated(*, promoted: bool, passed: bool = False, **more: str) -> dict[str, Any]:
    """Return what a backtest states, worded by the rule itself."""
    criteria = (
        Criterion(name="stable", passed=True, reason="rank correlation with the champion 0.91, at least 0.50"),
        Criterion(name="beats the rivals", passed=passed, reason=LEVEL),
    )
    said = Judgement(promoted=promoted, reason="", criteria=criteria).facts()
    return {"promotion": {**said, **more}, "model_version": "new1", "cutoff": "2026-06-10"}


def test_a_model_that_meets_the_rule_needs_no_word() -> None:
    assert uses_of(stated(promoted=True, passed=True), {}) == ()
    assert uses_of({}, {}) == ()


def test_a_newer_model_that_was_kept_out_is_told_with_day_version_and_reason() -> None:
    (use,) = uses_of({}, stated(promoted=False))
    assert (use.says, use.cutoff, use.version, use.reasons) == ("not_promoted", "2026-06-10", "new1", (LEVEL,))


def test_a_newer_model_that_was_promoted_and_rolled_back_is_not_told_as_kept_out() -> None:
    assert uses_of({}, stated(promoted=True)) == ()


def test_the_only_model_there_is_and_one_put_into_use_by_order_say_what_they_fail() -> None:
    (only,) = uses_of(stated(promoted=True), {})
    (ordered,) = uses_of(stated(promoted=False, forced_by="Ana", forced_why="trade fair"), {})
    assert (only.says, only.reasons) == ("doubtful", (LEVEL,))
    assert (ordered.says, ordered.by, ordered.why, ordered.reasons) == ("forced", "Ana", "trade fair", (LEVEL,))


KEPT_OUT = {
    "de": "Ein neueres Modell (gelernt für den 10.06.2026, Stand new1) wurde nicht eingesetzt; es spricht weiter das",
    "en": "A newer model (trained for 10 Jun 2026, version new1) was not put into use; the one before still speaks (",
}
REASON = {
    "de": "Es schlägt den besten Rivalen nicht über den Zufall hinaus (Regel der letzten Bestellung).",
    "en": "It does not beat the best rival beyond chance (",
}


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_says_why_a_model_was_not_promoted(make: Any, language: str) -> None:
    page = report_page(make(language=language, challengers={"churn": stated(promoted=False)}))
    assert KEPT_OUT[language] in page
    assert REASON[language] in page
    assert KEPT_OUT[language] not in report_page(make(language=language))


def test_the_card_stands_folded_on_the_page_as_text(make: Any) -> None:
    page = report_page(make(cards={"churn": "# Karte\n\n<script>x</script> a | b"}))
    assert '<pre class="card"># Karte\n\n&lt;script&gt;x&lt;/script&gt; a | b</pre></details>' in page
