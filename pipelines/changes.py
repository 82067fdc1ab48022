"""What would change it, from what a run has left: the rows of the customers asked for, the norms, the models in use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from features.catalogue import Catalogue
from features.errors import ModelError
from features.history import load_history
from features.intake import Tables
from features.outputs import read_manifest
from features.timeline import day_number
from features.what_if import usual_goodwill_cents
from models.churn_model import ChurnModel
from pipelines.build_features import read_norms
from pipelines.check import open_tables
from pipelines.places import Places
from pipelines.settings import Settings
from pipelines.train import champions
from retention.changes import Known, Tried, tried
from retention.levers import levers
from retention.texts import Purpose


def tried_on(
    settings: Settings,
    cutoff: date,
    matrix: pd.DataFrame,
    customers: Mapping[Purpose, pd.Index],
    features: Catalogue,
    *,
    channels: pd.DataFrame | None,
) -> dict[Purpose, Tried]:
    """Return what every lever would do to the probability of ``customers``, by the models that scored them.

    Parameters
    ----------
    matrix : DataFrame, index customer_id
        The matrix of ``cutoff``.
    customers : mapping of purpose to ids
    channels : DataFrame, optional
        See :func:`retention.changes.tried`.
    """
    with open_tables(settings, cutoff) as tables:
        everyone = {each for ids in customers.values() for each in ids}
        known, cents = known_of(settings, cutoff, tables, everyone, features)
    models, all_levers = models_in_use(settings, cutoff), levers(goodwill_cents=cents)
    return {
        purpose: tried(matrix.loc[ids], known, models[purpose], levers=all_levers, channels=channels)
        for purpose, ids in customers.items()
    }


def known_of(
    settings: Settings, cutoff: date, tables: Tables, customer_ids: Collection[str], features: Catalogue
) -> tuple[Known, int]:
    """Return what the features of these customers are built from, and the usual goodwill [cents].

    ``tables`` are narrowed to these customers: their number of customers is not asked for before.
    """
    tables.narrow_to(customer_ids)
    history, norms = load_history(tables, features), read_norms(Places(Path(settings.output)).matrix(cutoff))
    known = Known(history=history, norms=norms, churn=settings.churn, cutoff=day_number(cutoff))
    return known, usual_goodwill_cents(tables, cutoff)


def models_in_use(settings: Settings, cutoff: date) -> Mapping[Purpose, ChurnModel]:
    """Return the models that gave the scores of ``cutoff``.

    Raises
    ------
    ModelError
        If other models, or none, are in use by now.
    """
    found, scores = champions(settings, cutoff), read_manifest(Places(Path(settings.output)).scores(cutoff))
    wanted = (scores["model_version"], scores["return_model_version"])
    if found is None or (found.churn.version, found.back.version) != wanted:
        raise ModelError(
            f"the scores of {cutoff} were made by models that are no longer in use; run `treue score` with this cutoff"
        )
    return {"churn": found.churn, "return": found.back}
