"""Sentences for reasons: the customer's own numbers, with a comparison where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import ConfigError
from retention.facts import DERIVED_FACTS, with_derived_facts
from retention.formats import date_text, number_text, rough_money_text, share_text, short_number_text
from retention.texts import Clause, FamilyTexts, Purpose, ReasonTexts, Side, Template, clauses

Mask = NDArray[np.bool_]
_COMPARE = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal}


def sentences(
    reasons: pd.DataFrame,
    matrix: pd.DataFrame,
    texts: ReasonTexts,
    *,
    families: Mapping[str, str],
    purpose: Purpose,
    currency: str,
) -> pd.DataFrame:
    """Return one sentence per reason, in the language of ``texts``.

    Parameters
    ----------
    reasons : DataFrame, index customer_id
        As :func:`retention.reasons.rank_reasons` returns it.
    matrix : DataFrame, same index
        The features of the same customers, and ``cutoff``.
    texts : ReasonTexts
    families : mapping of feature to family
    purpose : "churn" or "return"
        Whether a positive contribution speaks for loss or for return; the facts stay, the sign changes.
    currency : str
        ISO 4217 code of every amount.

    Returns
    -------
    DataFrame of str, index as given, columns text_1 …
        Sign and fact, e.g. "Gefährdet: Nur noch 2 Bestellungen …"; missing where there is no reason. Of the
        family's templates those that name the leading feature come first, then the order of the file; the first
        that is true and whose numbers are all known is taken, else the family's sentence without numbers.

    Raises
    ------
    ConfigError
        If a family has no texts in this language.
    ValueError
        If ``matrix`` has other customers than ``reasons``.
    """
    if not matrix.index.equals(reasons.index):
        raise ValueError("expected the same customers in reasons and matrix, in one order; reindex the matrix")
    facts = with_derived_facts(matrix)
    places = [name.removeprefix("reason_") for name in reasons.columns if name.startswith("reason_")]
    written = {}
    for place in places:
        feature, weight = reasons[f"reason_{place}"], reasons[f"contribution_{place}"]
        written[f"text_{place}"] = _column(feature, weight, facts, texts, families, purpose, currency)
    return pd.DataFrame(written, index=reasons.index, dtype="str")


def _column(
    feature: pd.Series,
    weight: pd.Series,
    facts: pd.DataFrame,
    texts: ReasonTexts,
    families: Mapping[str, str],
    purpose: Purpose,
    currency: str,
) -> NDArray[np.object_]:
    """Return the sentences of one place, group by group of leading feature and direction."""
    column = np.full(len(facts), None, dtype=object)
    signs = texts.signs[purpose]
    for name in sorted(feature.dropna().unique()):
        family = _family_texts(texts, families[name])
        for rises in (True, False):
            rows = np.flatnonzero(feature.eq(name).to_numpy(dtype=bool) & (weight.gt(0).to_numpy() == rises))
            side: Side = "raises" if rises == (purpose == "churn") else "lowers"
            told = _tell(facts.iloc[rows], _in_order(family, side, purpose, name), texts, currency)
            fallback = getattr(texts.fallbacks, side).format(subject=family.subject)
            sign = signs.raises if rises else signs.lowers
            column[rows] = [f"{sign}: {capital(fact or fallback)}" for fact in told]
    return column


def _family_texts(texts: ReasonTexts, family: str) -> FamilyTexts:
    if family not in texts.families:
        raise ConfigError(f"reasons.{texts.language}.yaml: no texts for the family {family}; add it under families")
    return texts.families[family]


def _in_order(family: FamilyTexts, side: Side, purpose: Purpose, feature: str) -> list[Template]:
    """Return the templates of ``side``, those that name the feature or another form of it first."""
    forms = {feature, *(name for name, fact in DERIVED_FACTS.items() if fact.form_of == feature)}
    return sorted(family.templates(side, purpose), key=lambda template: forms.isdisjoint(template.columns))


def _tell(facts: pd.DataFrame, templates: list[Template], texts: ReasonTexts, currency: str) -> list[str | None]:
    """Return per row the first template that fits, filled in; None where none does."""
    told: list[str | None] = [None] * len(facts)
    open_rows = np.ones(len(facts), dtype=bool)
    for template in templates:
        rows = np.flatnonzero(open_rows & fits_where(facts, template, texts))
        if rows.size == 0:
            continue
        for row, text in zip(rows, filled(facts.iloc[rows], template, texts, currency), strict=True):
            told[row] = text
        open_rows[rows] = False
    return told


def fits_where(facts: pd.DataFrame, template: Template, texts: ReasonTexts) -> Mask:
    """Return where every number of the template is known and writable in its unit, and its condition holds."""
    fits = np.ones(len(facts), dtype=bool)
    if not template.columns <= set(facts.columns):
        return ~fits
    for clause in clauses(template.when):
        fits &= holds(facts, clause)
    for name, unit in template.placeholders:
        fits &= _writable(facts[name], unit, texts)
    return fits


def holds(facts: pd.DataFrame, clause: Clause) -> Mask:
    """Return where a comparison is true; with a missing value it is not, unless it asks for one."""
    left = facts[clause.left]
    if clause.test in ("missing", "known"):
        return np.asarray(left.isna() if clause.test == "missing" else left.notna(), dtype=bool)
    number = left.to_numpy(dtype=np.float64)
    right = (
        facts[clause.right].to_numpy(dtype=np.float64) if isinstance(clause.right, str) else np.float64(clause.right)
    )
    holds: Mask = _COMPARE[clause.test](number, right)
    return holds


def _writable(values: pd.Series, unit: str, texts: ReasonTexts) -> Mask:
    if unit == "date":
        return np.asarray(values.notna(), dtype=bool)
    number = values.to_numpy(dtype=np.float64)
    finite: Mask = np.isfinite(number)
    if unit in ("money", "number"):
        return finite
    has_no_zero = unit in texts.nouns and texts.nouns[unit].none is None
    high_enough: Mask = finite & (number >= (0.5 if has_no_zero else 0.0))
    return high_enough


def filled(facts: pd.DataFrame, template: Template, texts: ReasonTexts, currency: str) -> Iterator[str]:
    """Yield the sentence of every row, which must fit (see ``fits_where``)."""
    columns = {f"{{{name}:{unit}}}": (facts[name].tolist(), unit) for name, unit in template.placeholders}
    for row in range(len(facts)):
        text = template.text
        for mark, (values, unit) in columns.items():
            text = text.replace(mark, _written(values[row], unit, texts, currency))
        yield text


def _written(value: float | pd.Timestamp, unit: str, texts: ReasonTexts, currency: str) -> str:
    language = texts.language
    if isinstance(value, pd.Timestamp):
        return date_text(value.date(), language=language)
    if unit == "money":
        return rough_money_text(value, language=language, currency=currency)
    if unit == "share":
        return share_text(value, language=language)
    if unit == "number":
        return short_number_text(value, language=language)
    shown = number_text(value, language=language)
    if unit == "count":
        return texts.no_count if shown == "0" else shown
    return _counted(shown, unit, texts)


def _counted(shown: str, unit: str, texts: ReasonTexts) -> str:
    noun = texts.nouns[unit]
    if shown == "0" and noun.none is not None:
        return noun.none
    return noun.one if shown == "1" else noun.many.format(n=shown)


def capital(text: str) -> str:
    """Return the text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
