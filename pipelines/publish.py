"""Stage 4: from scores to the lists and the plan that people work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.catalogue import Catalogue
from features.outputs import read_manifest, read_parquet, write_manifest, write_parquet
from pipelines.build_features import read_matrix
from pipelines.changes import models_in_use, tried_on
from pipelines.master import master_data
from pipelines.own_features import catalogue_of_run
from pipelines.places import Places
from pipelines.score import RETURNS, SCORES
from pipelines.settings import Settings
from pipelines.signals import Signals, list_note, on_list, read_signals, speaks_beside, with_signals
from pipelines.watching import Watch, remember, watch
from pipelines.win_back import Lapsed, lapsed_of
from pipelines.yamlfile import own_text
from retention.changes import best_changes
from retention.consent import allowed_channels
from retention.control import quarter_of
from retention.export.files import write_people_csv
from retention.lists import (
    HISTORY_COLUMNS,
    early_warning,
    not_contactable,
    select_early_warning,
    select_win_back,
    win_back,
)
from retention.measures import ListName, Measure, parse_measures, shipped_measures
from retention.own_texts import texts_for
from retention.plan import make_plan
from retention.reasons import MOST, endangering_families
from retention.report.words import report_texts
from retention.sentences import sentences
from retention.tables import for_people, plan_for_owners
from retention.texts import Purpose, ReasonTexts
from retention.win_back import left_out, told_in_words
from retention.worth import CLASSES_FILE as CLASSES
from retention.worth import NEEDED, classes_table, texts_of

LISTS: tuple[ListName, ...] = ("early_warning", "win_back")
"""The lists, in the order in which they are planned."""
LEFT_OUT = "win_back_left_out"
"""The table of lapsed customers who are not to be won back, with the obstacle."""
GONE = "gone"
"""The table of those who left the early-warning list since the run before."""

_PURPOSES: Mapping[ListName, Purpose] = {"early_warning": "churn", "win_back": "return"}
_REMEMBERED: tuple[ListName, ...] = ("win_back",)
_SELECT = {"early_warning": select_early_warning, "win_back": select_win_back}
_SCORED: Mapping[ListName, str] = {"early_warning": SCORES, "win_back": RETURNS}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What lies on the desk when the lists of one cutoff are made."""

    settings: Settings
    cutoff: date
    scores: Mapping[ListName, pd.DataFrame]
    matrix: pd.DataFrame
    customers: pd.DataFrame
    channels: pd.DataFrame
    history: pd.DataFrame
    earlier: pd.Series[float] | None
    families: Mapping[str, str]
    texts: ReasonTexts
    measures: tuple[Measure, ...]
    features: Catalogue
    watched: Watch
    lapsed: Lapsed
    signals: Signals | None
    is_small: bool


def publish(settings: Settings, cutoff: date) -> Path:
    """Write both lists, the plan and who may not be contacted; return the folder."""
    places = Places(Path(settings.output))
    desk = _desk(settings, cutoff, places)
    selected = {name: _selected(desk, name) for name in _PURPOSES}
    plan = _plan(desk, selected)
    changes = _changes(desk, selected)
    lists = {name: _list(desk, name, selected[name], plan, changes[_PURPOSES[name]]) for name in _PURPOSES}
    folder = places.lists(cutoff)
    at_risk = desk.watched.at_risk(desk.scores["early_warning"])
    refused = not_contactable({**desk.scores, "early_warning": at_risk}, desk.channels)
    left = desk.watched.gone(desk.customers, desk.texts)
    rows = _write_lists(folder, desk, lists, plan) | _write_machine(folder, "not_contactable", refused)
    rows |= _write_machine(folder, GONE, left) | _write_people(folder, GONE, left, desk)
    out = _left_out(desk)
    rows |= _write_machine(folder, LEFT_OUT, out) | _write_people(folder, LEFT_OUT, out, desk)
    rows |= _write_classes(folder, desk)
    manifest = read_manifest(places.scores(cutoff))
    listed, scores = lists["early_warning"], desk.scores["early_warning"]
    remember(settings, desk.watched, scores=scores, listed=listed, left=left, run=manifest)
    facts = {key: manifest[key] for key in ("cutoff", "run_id", "config", "model_version", "return_model_version")}
    facts |= {"since_run": desk.watched.last_cutoff, "note": list_note(desk.signals, desk.texts, small=desk.is_small)}
    write_manifest(folder, rows=rows, facts=facts)
    return folder


def _desk(settings: Settings, cutoff: date, places: Places) -> Desk:
    folder, run = places.scores(cutoff), read_manifest(places.scores(cutoff))
    scores: dict[ListName, pd.DataFrame] = {
        name: read_parquet(folder, file).to_pandas() for name, file in _SCORED.items()
    }
    everyone = pd.concat([part["customer_id"] for part in scores.values()], ignore_index=True)
    customers = master_data(settings, cutoff)
    features = catalogue_of_run(settings, run)
    matrix = read_matrix(places.matrix(cutoff)).set_index("customer_id")
    channels = allowed_channels(customers, cutoff=cutoff, customer_ids=everyone)
    measures = measures_of(settings, features)
    weights: dict[str, Any] = {"channels": channels, "measures": measures, "features": features}
    return Desk(
        settings=settings,
        cutoff=cutoff,
        scores=scores,
        matrix=matrix,
        customers=customers,
        channels=channels,
        history=_history(places, cutoff),
        earlier=_earlier_probability(places, cutoff, RETURNS),
        families=features.families,
        texts=texts_for(features, settings.language),
        measures=measures,
        features=features,
        lapsed=lapsed_of(settings, cutoff, scores=scores["win_back"], **weights),
        watched=watch(settings, cutoff, scores=scores, matrix=matrix, channels=channels),
        signals=read_signals(settings, cutoff, data=run["data"]),
        is_small=speaks_beside(models_in_use(settings, cutoff)["churn"]),
    )


def measures_of(settings: Settings, features: Catalogue) -> tuple[Measure, ...]:
    """Return the company's own catalogue of measures, else the one that comes with Treue.

    Raises
    ------
    ConfigError
        If the company's own file cannot be read or is no catalogue.
    """
    own = settings.plan.measures
    if own is None:
        return shipped_measures()
    text = own_text(own, key="plan.measures")
    return parse_measures(text, where=own, families=set(features.families.values()))


def _selected(desk: Desk, name: ListName) -> pd.DataFrame:
    size = getattr(desk.settings.lists, name).size
    candidates = desk.watched.listed(desk.scores[name]) if name == "early_warning" else desk.lapsed.rows
    return _SELECT[name](candidates, customers=desk.customers, channels=desk.channels, size=size)


def _plan(desk: Desk, selected: Mapping[ListName, pd.DataFrame]) -> pd.DataFrame:
    """Plan early warning first; win-back gets the money that is left, and its own hours share each owner's."""
    left, parts = desk.settings.plan.budget, []
    for name, purpose in _PURPOSES.items():
        listed = selected[name] if name == "early_warning" else _at_return(selected[name])
        endangered = endangering_families(_reasons(listed), desk.families, purpose=purpose)
        part = make_plan(
            listed,
            list_name=name,
            measures=desk.measures,
            families=endangered,
            channels=desk.channels,
            budget=left,
            hours_per_owner=desk.settings.plan.hours_per_owner / len(_PURPOSES),
            control_share=desk.settings.plan.control_share,
            run=quarter_of(desk.cutoff),
            seed=desk.settings.training.seed,
        )
        left -= float(part["cost"].sum())
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _at_return(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the win-back list with what measures are weighed by: the value of one who has returned."""
    return listed.assign(value=listed["value_if_returned"])


def _left_out(desk: Desk) -> pd.DataFrame:
    words: dict[str, Any] = {"texts": desk.texts, "currency": desk.settings.currency}
    return left_out(desk.lapsed.rows, customers=desk.customers, reasons=desk.lapsed.reasons, **words)


def _reasons(scored: pd.DataFrame) -> pd.DataFrame:
    columns = [f"{kind}_{place}" for kind in ("reason", "contribution") for place in range(1, MOST + 1)]
    return scored.set_index("customer_id")[columns]


def _changes(desk: Desk, selected: Mapping[ListName, pd.DataFrame]) -> Mapping[Purpose, pd.DataFrame]:
    """Return what would change it, for the listed customers of both purposes."""
    listed = {_PURPOSES[name]: pd.Index(part["customer_id"], dtype="str") for name, part in selected.items()}
    found = tried_on(desk.settings, desk.cutoff, desk.matrix, listed, desk.features, channels=desk.channels)
    return {
        purpose: best_changes(ids, found[purpose], purpose=purpose, texts=desk.texts) for purpose, ids in listed.items()
    }


def _list(
    desk: Desk, name: ListName, selected: pd.DataFrame, plan: pd.DataFrame, changes: pd.DataFrame
) -> pd.DataFrame:
    reasons = _reasons(selected)
    texts = sentences(
        reasons,
        desk.matrix.loc[reasons.index],
        desk.texts,
        families=desk.families,
        purpose=_PURPOSES[name],
        currency=desk.settings.currency,
    )
    common: dict[str, Any] = {"sentences": texts, "channels": desk.channels, "plan": plan, "texts": desk.texts}
    if name == "early_warning":
        states, before = desk.watched.states, desk.watched.before
        return early_warning(selected, **common, states=states, before=before, families=desk.families, changes=changes)
    known: dict[str, Any] = {"history": desk.history, "cutoff": desk.cutoff, "earlier_probability": desk.earlier}
    return win_back(told_in_words(selected, desk.lapsed.reasons, desk.texts), **common, **known, changes=changes)


def _write_lists(
    folder: Path, desk: Desk, lists: Mapping[ListName, pd.DataFrame], plan: pd.DataFrame
) -> dict[str, int]:
    rows: dict[str, int] = {}
    for name, listed in lists.items():
        machine, people = _with_signals(desk, listed) if name == "early_warning" else (listed, listed)
        rows |= _write_machine(folder, name, machine) | _write_people(folder, name, people, desk)
    everyone = pd.concat([listed.assign(list=name) for name, listed in lists.items()], ignore_index=True)
    work = plan_for_owners(plan, listed=everyone, texts=desk.texts)
    work["contacts_per_year"] = work["segment"].map(_contacts(desk)).astype("Int64").astype("str")
    return rows | _write_machine(folder, "plan", plan) | _write_people(folder, "plan", work, desk)


def _contacts(desk: Desk) -> dict[str, int]:
    """Return how often a customer of each class shall hear from us in a year."""
    return {str(name): count for name, count in desk.settings.value.service.contacts_per_year.items()}


def _write_classes(folder: Path, desk: Desk) -> dict[str, int]:
    """Write every active customer's class by value and by turnover; nothing for scores of an older Treue."""
    scores, customers = desk.scores["early_warning"], desk.customers
    if not set(NEEDED) <= set(scores.columns):
        return {}
    known = {"names": texts_of(customers, "name"), "owners": texts_of(customers, "owner")}
    table = classes_table(scores, **known, contacts_per_year=_contacts(desk))
    words = report_texts(desk.settings.language).worth
    told = table.assign(**{name: table[name].map({"": ""} | words) for name in ("differs", "standing")})
    return _write_machine(folder, CLASSES, table) | _write_people(folder, CLASSES, told, desk)


def _with_signals(desk: Desk, listed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the early-warning list with the signals that fire, in names for machines and in words for people."""
    found = desk.signals
    if found is None:
        return listed, listed
    forms = on_list(listed, found, desk.texts, small=desk.is_small)
    return with_signals(listed, forms["machine"]), with_signals(listed, forms["people"])


def _write_machine(folder: Path, name: str, frame: pd.DataFrame) -> dict[str, int]:
    write_parquet(folder / f"{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False))
    return {f"{name}.parquet": len(frame)}


def _write_people(folder: Path, name: str, frame: pd.DataFrame, desk: Desk) -> dict[str, int]:
    words = desk.lapsed.reasons.titles(desk.settings.language)
    shown = for_people(
        frame, texts=desk.texts, measures=desk.measures, currency=desk.settings.currency, loss_reasons=words
    )
    headings = {column: column for column in shown.columns}
    write_people_csv(folder / f"{name}.csv", shown, headings, language=desk.settings.language)
    return {f"{name}.csv": len(frame)}


def _history(places: Places, cutoff: date) -> pd.DataFrame:
    """Return who stood on the win-back list at earlier cutoffs; the early-warning list has a history of its own."""
    parts = [
        read_parquet(folder, f"{name}.parquet").to_pandas()[["customer_id", "rank"]].assign(cutoff=day, list=name)
        for day, folder in places.finished_before("lists", cutoff)
        for name in _REMEMBERED
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(HISTORY_COLUMNS))
    return found[list(HISTORY_COLUMNS)]


def _earlier_probability(places: Places, cutoff: date, file: str) -> pd.Series[float] | None:
    earlier = list(places.finished_before("scores", cutoff))
    if not earlier:
        return None
    scores: pd.DataFrame = read_parquet(earlier[-1][1], file).to_pandas()
    return scores.set_index("customer_id")["probability"]
