"""One customer explained, from what a run has left and the rows of that customer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from features.errors import OutputError
from features.intake import Tables
from features.outputs import MANIFEST, read_manifest, read_parquet, write_bytes
from pipelines.build_features import read_matrix
from pipelines.case import Case, case_of, fired_on, unknown_customer, view_of
from pipelines.changes import known_of, models_in_use
from pipelines.check import open_tables
from pipelines.history import read_history
from pipelines.own_features import catalogue_of_run
from pipelines.past import past_of
from pipelines.places import Places
from pipelines.publish import measures_of
from pipelines.score import RETURNS, SCORES
from pipelines.settings import Settings
from retention.customer.page import customer_page
from retention.customer.view import CustomerView, ListLine, list_line
from retention.own_texts import texts_for
from retention.texts import Purpose

MOST_SCORES = 60
"""Earlier cutoffs whose scores are shown."""
_FILES: Mapping[Purpose, tuple[str, str]] = {"churn": (SCORES, "early_warning"), "return": (RETURNS, "win_back")}
"""File of scores and list, by purpose."""
_COMMANDS = {"matrix": "run", "scores": "score", "lists": "lists"}
_LONGEST = 120


def explain(settings: Settings, cutoff: date, customer_id: str) -> CustomerView:
    """Return everything about one customer at ``cutoff``.

    Raises
    ------
    ContractError
        If the customer is not among those scored; names the nearest ids.
    OutputError
        If matrix, scores or lists of ``cutoff`` are missing; names the command that writes them.
    """
    places = Places(Path(settings.output))
    _require_finished(places, cutoff)
    found = _scored(places, cutoff, customer_id)
    with open_tables(settings, cutoff) as tables:
        case = _case(settings, cutoff, tables, *found)
        remembered = _remembered(case)
        scores, states = _score_history(case, remembered), _states(remembered)
        past = past_of(tables, customer_id, cutoff=cutoff, scores=scores, states=states)
        known = known_of(settings, cutoff, tables, [customer_id], case.features)
    model = models_in_use(settings, cutoff)[case.purpose]
    return view_of(case, model, *known, past=past, listed=_listed(case), signals=_signals(case))


def _case(settings: Settings, cutoff: date, tables: Tables, purpose: Purpose, scored: pd.Series) -> Case:
    places = Places(Path(settings.output))
    features = catalogue_of_run(settings, read_manifest(places.scores(cutoff)))
    matrix = read_matrix(places.matrix(cutoff)).set_index("customer_id").loc[[scored["customer_id"]]]
    return case_of(settings, cutoff, tables, purpose=purpose, scored=scored, matrix=matrix, features=features)


def write_page(settings: Settings, view: CustomerView) -> Path:
    """Write the customer's page and return its path."""
    places = Places(Path(settings.output))
    features = catalogue_of_run(settings, read_manifest(places.scores(view.cutoff)))
    page = customer_page(view, texts=texts_for(features, settings.language))
    return write_bytes(places.explain(view.cutoff) / f"{file_name(view.customer_id)}.html", page.encode())


def file_name(customer_id: str) -> str:
    """Return a name for a file that no customer id can lead out of its folder, another one for every id.

    Examples
    --------
    >>> file_name("K-1001"), file_name("Müller"), file_name("../x")
    ('K-1001', 'Müller', '%2E%2E%2Fx')
    """
    safe = "".join(
        each if each.isalnum() or each in "-_" else "".join(f"%{byte:02X}" for byte in each.encode("utf-8", "replace"))
        for each in customer_id
    )
    if len(safe.encode()) <= _LONGEST:
        return safe or "%"
    return f"{safe[:30]}~{hashlib.sha256(customer_id.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _require_finished(places: Places, cutoff: date) -> None:
    for kind, command in _COMMANDS.items():
        folder: Path = getattr(places, kind)(cutoff)
        if not (folder / MANIFEST).is_file():
            raise OutputError(f"{folder} is not written yet; run `treue {command}` with --cutoff {cutoff} first")


def _scored(places: Places, cutoff: date, customer_id: str) -> tuple[Purpose, pd.Series]:
    """Return whether the customer is active or lapsed, and the row of scores."""
    known: list[str] = []
    for purpose, (file, _) in _FILES.items():
        scores = read_parquet(places.scores(cutoff), file).to_pandas()
        found = scores[scores["customer_id"] == customer_id]
        if len(found):
            return purpose, found.iloc[0]
        known += scores["customer_id"].tolist()
    raise unknown_customer(customer_id, known, f"or neither active nor lapsed on {cutoff}")


def _listed(case: Case) -> ListLine | None:
    listed = read_parquet(_places(case).lists(case.cutoff), f"{_FILES[case.purpose][1]}.parquet").to_pandas()
    found = listed[listed["customer_id"] == case.customer_id]
    if not len(found):
        return None
    return list_line(found.iloc[0], case.texts, measures_of(case.settings, case.features))


def _places(case: Case) -> Places:
    return Places(Path(case.settings.output))


def _remembered(case: Case) -> pd.DataFrame:
    """Return what the history says of the customer before this cutoff, oldest first; nothing without a history."""
    return read_history(case.settings.output, before=case.cutoff, customer_id=case.customer_id)


def _score_history(case: Case, remembered: pd.DataFrame) -> list[tuple[date, float, Purpose]]:
    """Return what was said at every cutoff up to this one, oldest first.

    Chances of loss are those of the history, which later runs never rewrite; where it is silent, and for chances of
    return, those in the folders of scores.
    """
    known = remembered.dropna(subset=["probability"])
    said = {day.date(): float(chance) for day, chance in zip(known["cutoff"], known["probability"], strict=True)}
    places = _places(case)
    folders = dict(places.finished_before("scores", case.cutoff)) | {case.cutoff: places.scores(case.cutoff)}
    found: list[tuple[date, float, Purpose]] = []
    for day in sorted({*said, *folders})[-MOST_SCORES - 1 :]:
        found += [(day, said[day], "churn")] if day in said else []
        found += _scores_in(folders[day], day, case.customer_id, is_said=day in said) if day in folders else []
    return found


def _scores_in(folder: Path, day: date, customer_id: str, *, is_said: bool) -> list[tuple[date, float, Purpose]]:
    """Return what the scores of one cutoff say; not the chance of loss where the history has said it."""
    found: list[tuple[date, float, Purpose]] = []
    for purpose, (file, _) in _FILES.items():
        if purpose == "churn" and is_said:
            continue
        whose = [("customer_id", "=", customer_id)]
        rows = pq.read_table(folder / file, columns=["probability"], filters=whose)
        found += [(day, chance, purpose) for chance in rows["probability"].to_pylist()]
    return found


def _states(remembered: pd.DataFrame) -> list[tuple[date, str]]:
    """Return the days on which the early-warning list saw the customer in another state than before, oldest first."""
    states = list(zip(remembered["cutoff"], remembered["state"], strict=True))
    earlier = ["watched", *(state for _, state in states)]
    return [(day.date(), str(state)) for (day, state), was in zip(states, earlier, strict=False) if state != was]


def _signals(case: Case) -> tuple[str, ...] | None:
    """Return the sentences of the signals that speak of the customer; None where none were written."""
    folder = _places(case).signals(case.cutoff)
    if not (folder / MANIFEST).is_file():
        return None
    return fired_on(read_parquet(folder, "signals.parquet").to_pandas(), case)
