"""Stage 3b: which readable rules fire on whom, and what each was worth on the company's own past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.catalogue import Catalogue
from features.matrix import of_cohort
from features.outputs import read_manifest, read_parquet, write_manifest, write_parquet
from models.churn_model import ChurnModel
from pipelines.build_features import read_matrix
from pipelines.own_features import catalogue_of_run
from pipelines.places import Places
from pipelines.same_run import manifest_of_same_run
from pipelines.settings import Settings
from pipelines.yamlfile import own_text
from retention.facts import with_derived_facts
from retention.own_texts import texts_for
from retention.signal_measures import COLUMNS, Measured, measured, table, worthwhile
from retention.signals import Rule, firings, joined, missing_columns, parse_rules, shipped_rules, told, told_firings
from retention.texts import ReasonTexts

SIGNALS, RULES = "signals.parquet", "rules.parquet"
RULE_COLUMNS = ("rule", "title", "when", *COLUMNS, "fires_now", "missing")
"""Columns of the table of rules: what each says, its figures, on how many it fires now, what it lacks."""
FIRING_COLUMNS = ("customer_id", "cutoff", "rule", "verdict", "lift", "text")
"""Columns of the firing signals: one row per customer and rule, the best lift first."""
_KEYS = ["customer_id", "cutoff", "label"]
_SIMPLE = ("rule", "rhythm")


@dataclass(frozen=True, kw_only=True)
class Signals:
    """The table of rules (``RULE_COLUMNS``) and what fires now (``FIRING_COLUMNS``)."""

    rules: pd.DataFrame
    firing: pd.DataFrame


def signals(settings: Settings, cutoff: date) -> Path:
    """Measure every rule on earlier cutoffs and write which fire at ``cutoff``; return the folder.

    Raises
    ------
    ConfigError
        If the company's own file of signals cannot be read or is none.
    OutputError
        If the matrices of ``cutoff`` are not finished.
    """
    places = Places(Path(settings.output))
    manifest = read_manifest(places.matrix(cutoff))
    features = catalogue_of_run(settings, manifest)
    days = [date.fromisoformat(day) for day in manifest["training_cutoffs"]]
    found = signals_of(
        settings,
        features,
        now=read_matrix(places.matrix(cutoff)),
        past=(read_matrix(places.matrix(day)) for day in days),
        known_until=min(cutoff, date.fromisoformat(manifest["last_known"]) + timedelta(days=1)),
    )
    folder = places.signals(cutoff)
    tables = {SIGNALS: found.firing, RULES: found.rules}
    for name, frame in tables.items():
        write_parquet(folder / name, pa.Table.from_pandas(frame, preserve_index=False))
    facts = {"cutoff": cutoff.isoformat(), "config": settings.digest, "data": manifest["data"]}
    write_manifest(folder, rows={name: len(frame) for name, frame in tables.items()}, facts=facts)
    return folder


def signals_of(
    settings: Settings, features: Catalogue, *, now: pd.DataFrame, past: Iterable[pd.DataFrame], known_until: date
) -> Signals:
    """Return what the rules are worth on labelled matrices of the ``past``, and which fire on the active of ``now``."""
    rules, texts = rules_of(settings, features), texts_for(features, settings.language)
    active = of_cohort(now, "active")
    parts = [_fired(of_cohort(matrix, "active"), rules) for matrix in past]
    keys = pd.concat([part[0] for part in parts], ignore_index=True) if parts else active[_KEYS].head(0)
    fires = pd.concat([part[1] for part in parts], ignore_index=True) if parts else firings(active.head(0), rules)
    figures = measured(keys, fires, known_until=known_until, churn=settings.churn)
    fires_now = firings(active, rules)
    table_of_rules = _rules_table(rules, figures, fires_now, with_derived_facts(active), texts)
    return Signals(rules=table_of_rules, firing=_firing(active, rules, fires_now, figures, texts, settings.currency))


def rules_of(settings: Settings, features: Catalogue) -> tuple[Rule, ...]:
    """Return the rules in use: ours and the company's own, less those left out; ConfigError when they are wrong."""
    own: tuple[Rule, ...] = ()
    path = settings.signals.file
    if path is not None:
        own = parse_rules(own_text(path, key="signals.file"), where=path, features=features)
    return joined(shipped_rules(features), own, leave_out=settings.signals.leave_out)


def read_signals(settings: Settings, cutoff: date, *, data: str) -> Signals | None:
    """Return the signals of ``cutoff``; None where that stage was not run.

    Raises
    ------
    OutputError
        If they were made from other rows or another configuration than ``data`` and ``settings`` name.
    """
    folder = Places(Path(settings.output)).signals(cutoff)
    if manifest_of_same_run(folder, settings, data=data, command="treue signals") is None:
        return None
    rules, firing = (read_parquet(folder, name).to_pandas() for name in (RULES, SIGNALS))
    return Signals(rules=rules, firing=firing)


def speaks_beside(model: ChurnModel) -> bool:
    """Return whether signals must speak beside the score: the model is a plain rule, the rhythm, or learned nothing."""
    return model.candidate.name in _SIMPLE or not model.evidence.get("snapshots")


def on_list(listed: pd.DataFrame, found: Signals, texts: ReasonTexts, *, small: bool) -> dict[str, pd.Series]:
    """Return the column ``signals`` of a list: for machines the rules' names, for people what they say.

    Rules with lift speak; with a ``small`` base also those about which the past is too short to tell, marked so.
    """
    names = worthwhile(found.rules.set_index("rule"), with_unproven=("few", "unmeasured") if small else ())
    speaking = found.firing[found.firing["rule"].isin(names.index)]
    said = told_firings(speaking, texts)
    by = speaking.assign(said=pd.Series(said, index=speaking.index, dtype="str")).groupby("customer_id")
    ids = listed["customer_id"]
    return {
        "machine": ids.map(by["rule"].agg(", ".join)).astype("str"),
        "people": ids.map(by["said"].agg("; ".join)).astype("str"),
    }


def list_note(found: Signals | None, texts: ReasonTexts, *, small: bool) -> str | None:
    """Return what holds for the whole list where the base is ``small`` and signals speak; None where nothing does."""
    return texts.lists.notes["small_base"] if small and found is not None else None


def with_signals(listed: pd.DataFrame, column: pd.Series) -> pd.DataFrame:
    """Return the list with the column ``signals`` behind its reasons."""
    wide = listed.copy()
    wide.insert(list(wide.columns).index("why_5") + 1, "signals", column)
    return wide


def _fired(matrix: pd.DataFrame, rules: tuple[Rule, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return matrix[_KEYS], firings(matrix, rules)


def _rules_table(
    rules: tuple[Rule, ...],
    figures: pd.DataFrame,
    fires_now: pd.DataFrame,
    facts: pd.DataFrame,
    texts: ReasonTexts,
) -> pd.DataFrame:
    """Return one row per rule, in the order of the register."""
    absent = {rule.name: Measured(verdict="absent") for rule in rules if rule.name not in figures.index}
    whole = pd.concat([figures, table(absent)]) if absent else figures
    said: Mapping[str, Any] = {
        "rule": [rule.name for rule in rules],
        "title": [rule.title.told(texts.language) for rule in rules],
        "when": [rule.when for rule in rules],
        "fires_now": [int(fires_now[rule.name].sum()) if rule.name in fires_now else 0 for rule in rules],
        "missing": [", ".join(missing_columns(rule, facts)) for rule in rules],
    }
    joined_up = pd.DataFrame(said).join(whole, on="rule")
    return joined_up[list(RULE_COLUMNS)].astype(dict.fromkeys(("rule", "title", "when", "verdict", "missing"), "str"))


def _firing(
    active: pd.DataFrame,
    rules: tuple[Rule, ...],
    fires_now: pd.DataFrame,
    figures: pd.DataFrame,
    texts: ReasonTexts,
    currency: str,
) -> pd.DataFrame:
    verdicts, lifts = figures["verdict"].to_dict(), figures["lift"].to_dict()
    parts = []
    for rule in (each for each in rules if each.name in fires_now):
        rows = active[fires_now[rule.name].to_numpy(dtype=bool)]
        said = told(rows, rule, texts, currency=currency)
        verdict, lift = verdicts[rule.name], lifts[rule.name]
        parts.append(rows[["customer_id", "cutoff"]].assign(rule=rule.name, verdict=verdict, lift=lift, text=said))
    empty = active[["customer_id", "cutoff"]].head(0).assign(rule="", verdict="", lift=0.0, text="")
    found = pd.concat([*parts] or [empty], ignore_index=True)
    kinds = {"rule": "str", "verdict": "str", "text": "str", "lift": "float64"}
    ordered = found.sort_values(["customer_id", "lift"], ascending=[True, False], kind="stable", ignore_index=True)
    return ordered.astype(kinds)[list(FIRING_COLUMNS)]
