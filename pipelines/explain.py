"""One customer explained, from what a run has left and the rows of that customer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.catalogue import Catalogue
from features.errors import ContractError, OutputError
from features.intake import Tables
from features.outputs import MANIFEST, read_manifest, read_parquet, write_bytes
from features.timeline import horizon_of
from models.churn_model import ChurnModel
from pipelines.build_features import read_matrix
from pipelines.changes import known_of, models_in_use
from pipelines.check import open_tables
from pipelines.history import read_history
from pipelines.own_features import catalogue_of_run
from pipelines.past import past_of
from pipelines.places import Places
from pipelines.publish import measures_of
from pipelines.score import RETURNS, SCORES
from pipelines.settings import Settings
from retention.changes import Known, best_changes, tried
from retention.consent import allowed_channels
from retention.customer.page import customer_page
from retention.customer.view import CustomerView, ListLine, channel_lines, lever_lines, list_line, steps_of
from retention.customer.words import customer_texts
from retention.levers import levers
from retention.own_texts import texts_for
from retention.reasons import MOST
from retention.sentences import sentences
from retention.texts import Purpose, ReasonTexts

MOST_SCORES = 60
"""Earlier cutoffs whose scores are shown."""
_FILES: Mapping[Purpose, tuple[str, str]] = {"churn": (SCORES, "early_warning"), "return": (RETURNS, "win_back")}
"""File of scores and list, by purpose."""
_REASONS = tuple(f"{kind}_{place}" for kind in ("reason", "contribution") for place in range(1, MOST + 1))
_COMMANDS = {"matrix": "run", "scores": "score", "lists": "lists"}
_NEAREST = 5
_LONGEST = 120


@dataclass(frozen=True, kw_only=True)
class Case:
    """One customer of one run: what scored the customer, the row of scores and of the matrix, the words."""

    settings: Settings
    cutoff: date
    customer_id: str
    purpose: Purpose
    scored: pd.Series
    matrix: pd.DataFrame
    features: Catalogue
    texts: ReasonTexts
    master: pd.DataFrame
    channels: pd.DataFrame

    @property
    def places(self) -> Places:
        """Where the run has left its results."""
        return Places(Path(self.settings.output))


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
        case = _case(settings, cutoff, customer_id, tables, *found)
        remembered = _remembered(case)
        past = past_of(
            tables,
            customer_id,
            cutoff=cutoff,
            scores=_score_history(case, remembered),
            states=_states(remembered),
        )
        known = known_of(settings, cutoff, tables, [customer_id], case.features)
    model = models_in_use(settings, cutoff)[case.purpose]
    horizon = horizon_of(cutoff, settings.churn)
    return CustomerView(
        company=settings.name,
        currency=settings.currency,
        cutoff=cutoff,
        horizon_first=horizon.first,
        horizon_last=horizon.last,
        purpose=case.purpose,
        customer_id=customer_id,
        name=_text_of(case.master, "name"),
        owner=_text_of(case.master, "owner"),
        channels=channel_lines(case.channels, case.texts),
        listed=_listed(case),
        past=past,
        signals=_signals(case),
        **_chance(case.scored),
        **_why(case, model),
        **_changes(case, model, *known),
    )


def _case(
    settings: Settings, cutoff: date, customer_id: str, tables: Tables, purpose: Purpose, scored: pd.Series
) -> Case:
    places = Places(Path(settings.output))
    features = catalogue_of_run(settings, read_manifest(places.scores(cutoff)))
    master = _master(tables, customer_id)
    return Case(
        settings=settings,
        cutoff=cutoff,
        customer_id=customer_id,
        purpose=purpose,
        scored=scored,
        matrix=read_matrix(places.matrix(cutoff)).set_index("customer_id").loc[[customer_id]],
        features=features,
        texts=texts_for(features, settings.language),
        master=master,
        channels=allowed_channels(master, cutoff=cutoff, customer_ids=[customer_id]),
    )


def _master(tables: Tables, customer_id: str) -> pd.DataFrame:
    """Return the master data of one customer; no row where there are none."""
    if "customers" not in tables.names:
        return pd.DataFrame({"customer_id": pd.Series(dtype="str")})
    customers = tables.arrow("customers", tables.columns("customers"))
    own: pd.DataFrame = customers.filter(pc.equal(customers["customer_id"], customer_id)).to_pandas()
    return own


def _chance(scored: pd.Series) -> dict[str, Any]:
    """Return what the row of scores says."""
    amounts = {name: float(scored[name]) for name in ("probability", "value", "value_low", "value_high")}
    words = {name: str(scored[name]) for name in ("risk_band", "segment", "model_version", "run_id")}
    return {
        **amounts,
        **words,
        "low": float(scored["probability_low"]),
        "high": float(scored["probability_high"]),
        "stake": amounts["probability"] * amounts["value"],
    }


def _why(case: Case, model: ChurnModel) -> dict[str, Any]:
    """Return the way from the common start to the customer's probability."""
    reasons = pd.DataFrame([case.scored[list(_REASONS)]], index=case.matrix.index).infer_objects()
    told = sentences(
        reasons,
        case.matrix,
        case.texts,
        families=case.features.families,
        purpose=case.purpose,
        currency=case.settings.currency,
    )
    start, steps = steps_of(
        model.contributions(case.matrix).iloc[0],
        reasons.iloc[0],
        told.iloc[0],
        families=case.features.families,
        purpose=case.purpose,
        texts=case.texts,
        rest=customer_texts(case.settings.language).words["rest"],
    )
    return {"start": start, "steps": steps}


def _changes(case: Case, model: ChurnModel, known: Known, goodwill_cents: int) -> dict[str, Any]:
    """Return what would change it: all levers that apply, by allowed channels, and the sentence of the best."""
    whom = case.matrix.index
    possible = levers(goodwill_cents=goodwill_cents)
    found = tried(case.matrix, known, model, levers=possible, channels=case.channels)
    told = best_changes(whom, found, purpose=case.purpose, texts=case.texts)["would_change"].iloc[0]
    return {"levers": lever_lines(found.found, case.texts), "would_change": "" if pd.isna(told) else str(told)}


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
    near = get_close_matches(customer_id, _like(customer_id, known), n=_NEAREST, cutoff=0.0)
    raise ContractError(
        f"customer {customer_id!r} is unknown, or neither active nor lapsed on {cutoff};"
        f" the nearest ids are {', '.join(near) or 'none'}"
    )


def _like(customer_id: str, known: list[str]) -> list[str]:
    """Return the ids worth comparing: all of few; of many, those that begin or end alike."""
    most = 20_000
    if len(known) <= most:
        return known
    begin, end = customer_id[:3], customer_id[-3:]
    alike = [each for each in known if each.startswith(begin) or each.endswith(end)]
    return (alike or known)[:most]


def _text_of(master: pd.DataFrame, column: str) -> str:
    known = master[column].dropna() if column in master.columns else master.index.to_series()
    return str(known.iloc[0]) if len(known) else ""


def _listed(case: Case) -> ListLine | None:
    listed = read_parquet(case.places.lists(case.cutoff), f"{_FILES[case.purpose][1]}.parquet").to_pandas()
    found = listed[listed["customer_id"] == case.customer_id]
    if not len(found):
        return None
    return list_line(found.iloc[0], case.texts, measures_of(case.settings, case.features))


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
    folders = dict(case.places.finished_before("scores", case.cutoff)) | {case.cutoff: case.places.scores(case.cutoff)}
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
    folder = case.places.signals(case.cutoff)
    if not (folder / MANIFEST).is_file():
        return None
    signals = read_parquet(folder, "signals.parquet").to_pandas()
    text = next((name for name in (f"text_{case.settings.language}", "text", "signal") if name in signals), None)
    if text is None or "customer_id" not in signals.columns:
        return None
    return tuple(signals.loc[signals["customer_id"].astype(str) == case.customer_id, text].dropna().astype(str))
