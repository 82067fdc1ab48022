"""Reading a reason back: from the sentence to family, sign and values, without the code that wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache

import pandas as pd

from retention.facts import DERIVED_FACTS
from retention.texts import ReasonTexts, Template, clauses

_FORMATS = {"de": "%d.%m.%Y", "en": "%d %b %Y"}
_ZERO_WORDS = {"de": ("unter", "über"), "en": ("under", "over")}


def disagreements(
    told: pd.DataFrame,
    reasons: pd.DataFrame,
    facts: pd.DataFrame,
    texts: ReasonTexts,
    *,
    families: Mapping[str, str],
    purpose: str,
) -> list[tuple[str, str, str]]:
    """Return customer, place and text of every sentence that is not what its contribution and the features say.

    ``told`` and ``reasons`` have text_k, reason_k and contribution_k; ``facts`` the features with derived facts.
    """
    rows = facts.to_dict("index")
    found = []
    for place in (name.removeprefix("text_") for name in told.columns):
        every = zip(told.index, told[f"text_{place}"], reasons[f"reason_{place}"],
                    reasons[f"contribution_{place}"], strict=True)  # fmt: skip
        for customer, text, feature, weight in every:
            if pd.isna(feature):
                agrees = pd.isna(text)
            else:
                agrees = isinstance(text, str) and _agrees(
                    text, feature, weight, rows[customer], texts, families[feature], purpose
                )
            if not agrees:
                found.append((customer, place, text))
    return found


def _agrees(
    text: str, feature: str, weight: float, row: Mapping[str, object], texts: ReasonTexts, family: str, purpose: str
) -> bool:
    sign, _, fact = text.partition(": ")
    signs = texts.signs[purpose]
    if sign != (signs.raises if weight > 0 else signs.lowers):
        return False
    endangers = (weight > 0) == (purpose == "churn")
    words = texts.families[family]
    extra = words.speaks_against_return if endangers else words.speaks_for_return
    possible = [*(extra if purpose == "return" else ()), *(words.raises if endangers else words.lowers), *words.facts]
    naming = [each for each in possible if _names(each, feature)]
    fitting = [each for each in naming if _is_true(each, row, texts)]
    if fitting:
        return any(_says(each, fact, row, texts) for each in fitting)
    others = [each for each in possible if _is_true(each, row, texts)]
    fallback = (texts.fallbacks.raises if endangers else texts.fallbacks.lowers).format(subject=words.subject)
    return any(_says(each, fact, row, texts) for each in others) if others else fact == fallback


def _names(template: Template, feature: str) -> bool:
    forms = {feature, *(name for name, fact in DERIVED_FACTS.items() if fact.form_of == feature)}
    return bool(forms & template.columns)


def _is_true(template: Template, row: Mapping[str, object], texts: ReasonTexts) -> bool:
    for clause in clauses(template.when):
        left = row.get(clause.left)
        if clause.test in ("missing", "known"):
            if clause.left not in row or pd.isna(left) != (clause.test == "missing"):
                return False
            continue
        right = row.get(clause.right) if isinstance(clause.right, str) else clause.right
        if left is None or right is None or pd.isna(left) or pd.isna(right):
            return False
        if not {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "=": left == right}[
            clause.test
        ]:
            return False
    return all(name in row and _can_be_told(row[name], unit, texts) for name, unit in template.placeholders)


def _can_be_told(value: object, unit: str, texts: ReasonTexts) -> bool:
    if pd.isna(value) or value in (float("inf"), float("-inf")):
        return False
    if unit in ("money", "number", "date"):
        return True
    return value >= (0.5 if unit in texts.nouns and texts.nouns[unit].none is None else 0)


def _says(template: Template, fact: str, row: Mapping[str, object], texts: ReasonTexts) -> bool:
    """Whether the sentence is this template with this customer's values."""
    match = _pattern(template.text).fullmatch(fact)
    if match is None:
        return False
    return all(
        _is_value(said, row[name], unit, texts)
        for said, (name, unit) in zip(match.groups(), template.placeholders, strict=True)
    )


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", text)
    first = parts[0][:1]
    begin = f"[{re.escape(first)}{re.escape(first.upper())}]{re.escape(parts[0][1:])}" if first else ""
    return re.compile("(.+?)".join([begin, *map(re.escape, parts[1:])]))


def _is_value(said: str, value: object, unit: str, texts: ReasonTexts) -> bool:
    said, language = said[:1].lower() + said[1:], texts.language
    if unit == "date":
        return datetime.strptime(said, _FORMATS[language]).date() == pd.Timestamp(value).date()  # noqa: DTZ007
    if unit in texts.nouns or unit == "count":
        return any(_close(number, value, 0.5) for number in _counts(said, unit, texts))
    if unit == "share":
        under, over = _ZERO_WORDS[language]
        if said.startswith((under, over)):
            return 0 < value < 0.0005 if said.startswith(under) else 0.9995 <= value < 1
        return _close(_number(said, language) / 100, value, 0.0005 if re.search(r"[.,]\d", said) else 0.005)
    number = _number(said, language)
    whole = abs(value) >= 100
    return _close(number, value, 0.5 if whole else 0.005 if unit == "money" or abs(value) < 1 else 0.05)


def _counts(said: str, unit: str, texts: ReasonTexts) -> Iterator[float]:
    if unit == "count":
        yield 0.0 if said == texts.no_count else _number(said, texts.language)
        return
    noun = texts.nouns[unit]
    if noun.none is not None and said == noun.none:
        yield 0.0
    if said == noun.one[:1].lower() + noun.one[1:]:
        yield 1.0
    before, _, after = noun.many.partition("{n}")
    if said.startswith(before) and said.endswith(after):
        number = said[len(before) : len(said) - len(after)]
        if re.fullmatch(r"[\d.,]+", number):
            yield _number(number, texts.language)


def _number(said: str, language: str) -> float:
    digits = "".join(re.findall(r"[\d.,-]", said)).strip(",.")
    plain = digits.replace(".", "").replace(",", ".") if language == "de" else digits.replace(",", "")
    try:
        return float(plain)
    except ValueError:
        return float("nan")


def _close(said: float, value: object, within: float) -> bool:
    return abs(said - float(value)) <= within + 1e-9 * max(1.0, abs(float(value)))
