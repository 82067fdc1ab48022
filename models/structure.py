"""The files of a model, checked for what they may hold before anything is built from them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from features.errors import ModelError
from models.blend import BLENDED
from models.candidates import LADDER, RECENCY, SILENT
from models.treetext import require_trees

MANIFEST = "model.json"
FORMAT = 1
MOST_BYTES = 256 * 2**20
MOST_COLUMNS = 20_000
MOST_MEMBERS = 100

_KEYS = {"format", "purpose", "candidate", "facts", "calibration", "features", "cutoff", "evidence", "horizons"}
"""All keys; models of before the chance by number of days have no ``horizons``."""
_HORIZON_KEYS = {"whole_days", "silence_days", "days", "concentration", "steps"}
_MOST_DAYS = 100_000
_ONE_COLUMN = {"column", "intercept", "weight", "mean"}


def checked_manifest(files: Mapping[str, bytes]) -> Mapping[str, Any]:
    """Return what ``model.json`` says, after checking it and the texts of trees beside it.

    Raises
    ------
    ModelError
        If a file is missing, added or too large, or anything in it is not what this Treue writes.
    """
    if MANIFEST not in files:
        raise ModelError(f"a model folder needs {MANIFEST}, got {', '.join(sorted(files)) or 'nothing'}; train again")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise ModelError(f"the model is larger than {MOST_BYTES // 2**20} MB; Treue writes none of that size")
    content = _read(files[MANIFEST])
    if content.get("format") != FORMAT:
        raise ModelError(f"{MANIFEST} has format {content.get('format')}, this Treue reads {FORMAT}; train again")
    _require(set(content) | {"horizons"} == _KEYS, "its keys are not those of a model")
    _require(content["purpose"] in ("churn", "return"), "purpose is neither churn nor return")
    _require(isinstance(content["evidence"], dict), "evidence is no mapping")
    _names(content["features"], "features")
    _check_day(content["cutoff"])
    _check_calibration(content["calibration"])
    _check_horizons(content.get("horizons"))
    _check_facts(content["candidate"], content["facts"], files)
    return content


def _read(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelError(f"{MANIFEST} is not JSON that can be read; train again") from None
    _require(isinstance(content, dict), "it is no mapping")
    found: dict[str, Any] = content
    return found


def _check_day(value: Any) -> None:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        _require(False, "cutoff is no date")


def _check_calibration(said: Any) -> None:
    _require(
        isinstance(said, dict) and set(said) == {"intercept", "slope", "covariance", "n_rows"},
        "calibration has other keys",
    )
    covariance = said["covariance"]
    _require(isinstance(covariance, list) and len(covariance) == 2, "covariance is not two by two")
    for row in covariance:
        _numbers(row, 2, "covariance")
    _numbers([said[key] for key in ("intercept", "slope", "n_rows")], 3, "calibration")


def _check_horizons(said: Any) -> None:
    """Check the steps: outwards from the whole horizon, each from where an earlier one ended, shares of 0 to 1."""
    if said is None:
        return
    _require(isinstance(said, dict) and set(said) == _HORIZON_KEYS, "horizons has other keys")
    days, steps, ends = said["days"], said["steps"], [said["whole_days"]]
    _numbers([said["concentration"]], 1, "horizons")
    _require(isinstance(days, list) and isinstance(steps, list) and said["concentration"] > 0, "horizons are odd")
    _whole_days([*ends, *days], least=1)
    _whole_days([said["silence_days"]], least=0)
    for step in steps:
        _require(isinstance(step, list) and len(step) == 3 and step[0] in ends, "a step of horizons leads nowhere")
        _whole_days(step[:2], least=1)
        _require(step[2] is None or (type(step[2]) in (int, float) and 0 <= step[2] <= 1), "a share is none")
        ends.append(step[1])
    needed = {day for day in days if day >= said["silence_days"]} | ({said["silence_days"]} - {0})
    _require(needed <= set(ends), "horizons tell a day that no step leads to")


def _whole_days(values: Sequence[Any], *, least: int) -> None:
    fine = all(type(each) is int and least <= each <= _MOST_DAYS for each in values)
    _require(fine, "horizons: not numbers of days")


def _check_facts(candidate: Any, facts: Any, files: Mapping[str, bytes]) -> None:
    _require(isinstance(facts, dict), "facts are no mapping")
    if candidate in ("rule", "rhythm"):
        _check_one_column(facts)
        _require(set(files) == {MANIFEST}, "a file lies beside it that this model does not have")
    elif candidate == "logistic":
        _check_logistic(facts)
        _require(set(files) == {MANIFEST}, "a file lies beside it that this model does not have")
    elif candidate in ("monotone", "lightgbm"):
        _check_boosted(facts, files)
    elif candidate == "blend":
        _check_blend(facts, files)
    else:
        _require(False, f"candidate is none of {', '.join(LADDER)}")


def _check_one_column(facts: Mapping[str, Any]) -> None:
    _require(set(facts) == _ONE_COLUMN and facts["column"] in (RECENCY, SILENT), "facts of one column are odd")
    _numbers([facts[key] for key in ("intercept", "weight", "mean")], 3, "facts")


def _check_logistic(facts: Mapping[str, Any]) -> None:
    _require(set(facts) == {"columns", "knots", "means", "weights", "intercept"}, "facts of the regression are odd")
    count = len(_names(facts["columns"], "columns"))
    _numbers(facts["means"], count, "means")
    _numbers(facts["weights"], count, "weights")
    _numbers([facts["intercept"]], 1, "intercept")
    _require(isinstance(facts["knots"], list) and len(facts["knots"]) == count, "knots are not one list per column")
    for knots in facts["knots"]:
        _numbers(knots, 100, "knots")
        _require(all(a <= b for a, b in pairwise(knots)), "knots fall")


def _check_boosted(facts: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    _require(set(facts) == {"start", "columns", "members"}, "facts of the trees are odd")
    members, start, columns = facts["members"], facts["start"], _names(facts["columns"], "columns")
    _require(type(members) is int and 1 <= members <= MOST_MEMBERS, "members is out of bounds")
    _require(isinstance(start, dict), "start is no mapping")
    if set(start) != {"intercept"}:
        _check_one_column(start)
        _require(start["column"] in columns, "start stands on a column that is not there")
    else:
        _numbers([start["intercept"]], 1, "start")
    names = [f"booster_{k}.txt" for k in range(members)]
    _require(set(files) == {MANIFEST, *names}, "the files beside it are not one text per member")
    for name in names:
        require_trees(files[name], columns, where=name)


def _check_blend(facts: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """The files are those of the trees; the other parts have none. Blends of before say no weights."""
    parts, weights = facts.get("parts"), facts.get("weights", dict(BLENDED))
    _require(set(facts) | {"weights"} == {"parts", "weights"}, "a blend has other keys")
    for said in (parts, weights):
        _require(isinstance(said, dict) and set(said) == set(BLENDED), "the parts are odd")
    _numbers(list(weights.values()), len(BLENDED), "weights")
    _require(min(weights.values()) >= 0 and math.isclose(sum(weights.values()), 1), "the weights are no shares of 1")
    for name in BLENDED:
        _check_facts(name, facts["parts"][name], files if name == "monotone" else {MANIFEST: files[MANIFEST]})


def _names(value: Any, what: str) -> Sequence[str]:
    fine = isinstance(value, list) and 0 < len(value) <= MOST_COLUMNS and all(isinstance(each, str) for each in value)
    _require(fine and len(set(value)) == len(value), f"{what} is not a list of names, each once")
    names: list[str] = value
    return names


def _numbers(value: Any, count: int, what: str) -> None:
    fine = isinstance(value, list) and len(value) == count
    _require(fine and all(type(each) in (int, float) and math.isfinite(each) for each in value), f"{what}: not numbers")


def _require(holds: bool, wrong: str) -> None:
    if not holds:
        raise ModelError(f"{MANIFEST} is not what Treue writes: {wrong}; train again")
