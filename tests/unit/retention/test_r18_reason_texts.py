"""R18, the half of the texts: 10,000 exported reasons agree with the contributions in feature, sign and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import catalogue
from retention.export.files import write_people_csv
from retention.facts import with_derived_facts
from retention.reasons import rank_reasons
from retention.sentences import sentences
from retention.texts import reason_texts
from tests.oracle.naive_texts import disagreements

FAMILIES = catalogue().families
CUSTOMERS = 500
"""Customers of each of the four combinations of language and purpose; five reasons each make 10,000."""


def plausible_matrix(seed: int) -> pd.DataFrame:
    """Return features of made-up customers: skewed amounts, whole counts, shares, a fifth of it missing."""
    rng = np.random.default_rng(seed)
    columns = {}
    for feature in catalogue():
        if feature.unit in ("share", "probability"):
            values = rng.beta(0.4, 0.4, CUSTOMERS)
        elif feature.unit in ("0 or 1", "days") or feature.unit in ("orders", "complaints", "contacts", "contracts"):
            values = rng.poisson(rng.choice([0.3, 3, 60], CUSTOMERS)).astype(float)
        elif "log" in feature.unit or "-" in feature.unit:
            values = rng.normal(0, 1, CUSTOMERS).round(2)
        else:
            values = rng.lognormal(1, 2, CUSTOMERS).round(2) * (rng.random(CUSTOMERS) > 0.2)
        columns[feature.name] = np.where(rng.random(CUSTOMERS) < 0.2, np.nan, values)
    ids = pd.Index([f"K-{seed}-{number}" for number in range(CUSTOMERS)], name="customer_id")
    return pd.DataFrame(columns, index=ids).assign(cutoff=pd.Timestamp(2026, 3, 1))


def exported(language: str, purpose: str, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return texts as read back from the exported file, reasons, and facts."""
    seed = 10 * (language == "de") + (purpose == "churn")
    matrix, rng = plausible_matrix(seed), np.random.default_rng(seed)
    names = sorted(FAMILIES)
    parts = pd.DataFrame(rng.normal(size=(CUSTOMERS, len(names))), columns=names, index=matrix.index)
    reasons = rank_reasons(parts, FAMILIES)
    told = sentences(
        reasons, matrix, reason_texts(language), families=FAMILIES, purpose=purpose, currency="EUR"
    ).reset_index()
    path = folder / "reasons.csv"
    write_people_csv(path, told, {name: name for name in told.columns}, language=language)
    read = pd.read_csv(path, sep=";" if language == "de" else ",", dtype="str", encoding="utf-8-sig")
    return read.set_index("customer_id"), reasons, with_derived_facts(matrix)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("purpose", ["churn", "return"])
def test_r18_exported_texts_agree_with_the_contributions_in_feature_sign_and_value(language, purpose, tmp_path):
    told, reasons, facts = exported(language, purpose, tmp_path)
    texts = reason_texts(language)
    assert told.notna().sum().sum() == 5 * CUSTOMERS
    assert disagreements(told, reasons, facts, texts, families=FAMILIES, purpose=purpose) == []


@pytest.mark.slow
def test_r18_a_wrong_sign_value_feature_or_customer_is_found(tmp_path):
    told, reasons, facts = exported("de", "churn", tmp_path)
    signs = {"Gefährdet": "Bindet", "Bindet": "Gefährdet"}

    def found(planted: pd.DataFrame) -> set[str]:
        every = disagreements(planted, reasons, facts, reason_texts("de"), families=FAMILIES, purpose="churn")
        return {customer for customer, _, _ in every}

    first = told.index[:40]
    wrong = told.copy()
    wrong.loc[first, "text_1"] = [signs[t.split(":")[0]] + ":" + t.split(":", 1)[1] for t in told.loc[first, "text_1"]]
    assert found(wrong) == set(first)
    digits = told["text_1"].str.contains(r"\d\s(?:€|Tagen?)")
    whom = told.index[digits]
    wrong = told.copy()
    wrong.loc[whom, "text_1"] = told.loc[whom, "text_1"].str.replace(r"(\d+\s(?:€|Tagen?))", r"9\1", regex=True)
    assert len(whom) > 5
    assert found(wrong) == set(whom)
    moved = reasons["reason_1"].map(FAMILIES) != reasons["reason_2"].map(FAMILIES)
    wrong = told.assign(text_1=told["text_2"], text_2=told["text_1"])
    assert found(wrong) == set(told.index[moved])
