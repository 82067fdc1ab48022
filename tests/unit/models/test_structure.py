"""What a manifest may not say of a blend, each fault planted and told in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from features.errors import ModelError
from models.blend import Blend
from models.boosting import BoostingSettings, fit_boosted
from models.calibrate import uncalibrated
from models.candidates import fit_logistic_regression, fit_rhythm
from models.churn_model import ChurnModel
from models.directions import directions
from models.structure import MANIFEST
from tests.unit.models.snapshots import CUTOFF, FEATURES, learned, snapshots


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    features, label = learned(snapshots(1, customers=60))
    boosted = partial(fit_boosted, lost=True, seed=7, settings=BoostingSettings(rounds=5, least_rows=20), members=1)
    parts = (
        fit_rhythm(features, label, lost=True),
        fit_logistic_regression(features, label),
        boosted(features, label, directions=directions(lost=True)),
    )
    model = ChurnModel(
        purpose="churn", candidate=Blend(parts=parts), calibration=uncalibrated(), features=FEATURES, cutoff=CUTOFF
    )
    return model.to_files()


Fault = Callable[[dict[str, Any]], object]

FAULTS: dict[str, tuple[Fault, str]] = {
    "a weight below 0": (lambda facts: facts["weights"].update(rhythm=-0.25, monotone=1.0), "no shares of 1"),
    "weights that are too much": (lambda facts: facts["weights"].update(monotone=0.6), "no shares of 1"),
    "a weight that is no number": (lambda facts: facts["weights"].update(monotone="0.5"), "weights: not numbers"),
    "a weight without end": (lambda facts: facts["weights"].update(monotone=float("inf")), "weights: not numbers"),
    "a missing weight": (lambda facts: facts["weights"].pop("rhythm"), "the parts are odd"),
    "a weight of something else": (lambda facts: facts["weights"].update(rule=0.0), "the parts are odd"),
    "a missing part": (lambda facts: facts["parts"].pop("logistic"), "the parts are odd"),
    "another key": (lambda facts: facts.update(code="x"), "a blend has other keys"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_blend_that_is_not_what_treue_writes_is_refused(files: dict[str, bytes], name: str) -> None:
    plant, told = FAULTS[name]
    content = json.loads(files[MANIFEST])
    plant(content["facts"])
    with pytest.raises(ModelError, match=told):
        ChurnModel.from_files({**files, MANIFEST: json.dumps(content).encode()})


def test_a_blend_as_written_and_one_of_before_are_read(files: dict[str, bytes]) -> None:
    assert ChurnModel.from_files(files).to_files() == files
    content = json.loads(files[MANIFEST])
    del content["facts"]["weights"]
    before = ChurnModel.from_files({**files, MANIFEST: json.dumps(content).encode()})
    assert before.candidate.facts()["weights"] == pytest.approx(dict.fromkeys(content["facts"]["parts"], 1 / 3))
