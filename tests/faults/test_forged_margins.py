"""A forecast of margins that was damaged, forged or signed by somebody else is refused, before LightGBM reads it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ModelError, OutputError
from features.outputs import MANIFEST as FOLDER_MANIFEST
from features.outputs import read_manifest, write_manifest
from models.digest import digest_of
from models.margin.basis import LOGS, Usual
from models.margin.model import MANIFEST, MarginModel
from models.margin.spread import UNTESTED
from models.margin.steps import fit_step
from models.signature import KEY
from models.staying import Staying
from pipelines import train as training
from pipelines.settings import Settings, settings_from

ROUNDS = 300
OURS, THEIRS = "o" * 32, "t" * 32


@pytest.fixture(scope="module")
def model() -> MarginModel:
    """A forecast whose trees are the chosen step."""
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"sales__turnover_364d": rng.gamma(1, 900, 400), "sales__tenure_days": 700.0})
    usual = Usual(basket=90.0, margin_share=0.3, turnover=800.0)
    brought = np.maximum(rows["sales__turnover_364d"].to_numpy() * rng.lognormal(0, 0.4, 400) - 200, 0)
    columns = ("sales__turnover_364d", "sales__tenure_days")
    step = fit_step("lightgbm", rows, brought, days=365, usual=usual, columns=columns, seed=7, threads=1)
    staying = Staying(return_share=0.2, concentration=4.5)
    return MarginModel(turnover=step, spread=UNTESTED, staying=staying, cutoff=date(2025, 1, 1))


def damaged(files: dict[str, bytes], rng: np.random.Generator) -> dict[str, bytes]:
    """Return the files with one of them changed, cut, emptied or with another number in it."""
    name = str(rng.choice(sorted(files)))
    content = bytearray(files[name])
    kind, at = int(rng.integers(4)), int(rng.integers(len(content)))
    if kind == 0:
        content[at] ^= int(rng.integers(1, 256))
    elif kind == 1:
        content = content[:at]
    elif kind == 2:
        words = bytes(content).split(b" ")
        words[int(rng.integers(len(words)))] = str(int(rng.integers(10**6, 2**40))).encode()
        content = bytearray(b" ".join(words))
    else:
        content[at : at + 1] = rng.choice(np.array([b"null", b"{}", b"[]", b"NaN", b"-1", b"1e999"], dtype=object))
    return {**files, name: bytes(content)}


def test_r26_a_damaged_forecast_is_refused_in_one_line_or_says_finite_numbers(model: MarginModel) -> None:
    files, rng = model.to_files(), np.random.default_rng(11)
    refusals: list[str] = []
    rows = pd.DataFrame({"sales__turnover_364d": [0.0, 500.0], "sales__tenure_days": [30.0, 900.0]})
    for _ in range(ROUNDS):
        try:
            back = MarginModel.from_files(damaged(files, rng), threads=1)
        except ModelError as error:
            refusals.append(str(error))
        else:
            assert np.isfinite(back.expected(rows, days=180).to_numpy()).all()
    assert len(refusals) > ROUNDS / 3
    assert not [said for said in refusals if "\n" in said]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spread", []), ("spread", {"edges": [], "low": [0.0, 1.0], "high": [1.0]}), ("regression", None),
        ("level", float("nan")), ("days", 0), ("evidence", 3), ("step", "months"), ("columns", 7), ("staying", None),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(model: MarginModel, key: str, value: object) -> None:
    files = model.to_files()
    content = json.loads(files[MANIFEST]) | {key: value}
    with pytest.raises(ModelError, match="train again"):
        MarginModel.from_files({**files, MANIFEST: json.dumps(content).encode()})


def test_an_index_out_of_bounds_never_reaches_lightgbm(model: MarginModel) -> None:
    files = model.to_files()
    (tree, *_) = [name for name in files if name.endswith(".txt")]
    forged = files[tree].replace(b"split_feature=", b"split_feature=99999 ", 1)
    assert len(model.turnover.regression.weights) == len(LOGS)  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="can be read safely"):
        MarginModel.from_files({**files, tree: forged})


@pytest.fixture
def settings(tmp_path: Path, model: MarginModel, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An output folder with one forecast, signed with our key."""
    monkeypatch.setenv(KEY, OURS)
    monkeypatch.setattr(training, "fit_margin", lambda *_, **__: model)
    made = settings_from({"name": "c", "output": str(tmp_path), "sources": {"orders": {"uri": "x"}}}, place="test")
    training.train_margin(made, date(2025, 1, 1), pd.DataFrame(), recipe="r")
    return made


def found(settings: Settings, folder: Path) -> MarginModel | None:
    return training._margin_in(folder, settings, "r")


def test_the_signed_forecast_is_read_and_another_key_or_none_at_all_is_refused(
    settings: Settings, tmp_path: Path, model: MarginModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "margin" / "cutoff=2025-01-01"
    back = found(settings, folder)
    assert back is not None
    assert back.digest == model.digest
    monkeypatch.setenv(KEY, THEIRS)
    with pytest.raises(ModelError, match="was signed with another key or changed since; train again"):
        found(settings, folder)
    monkeypatch.delenv(KEY)
    training.train_margin(settings, date(2025, 1, 1), pd.DataFrame(), recipe="r")
    monkeypatch.setenv(KEY, OURS)
    with pytest.raises(ModelError, match="is not signed"):
        found(settings, folder)


def test_another_forecast_put_in_its_place_with_its_own_manifest_is_refused(
    settings: Settings, tmp_path: Path, model: MarginModel
) -> None:
    folder = tmp_path / "margin" / "cutoff=2025-01-01"
    said = read_manifest(folder)
    content = json.loads((folder / MANIFEST).read_bytes()) | {"level": 1e6}
    (folder / MANIFEST).write_text(json.dumps(content))
    files = {name: (folder / name).read_bytes() for name in said["files"]}
    facts = {name: value for name, value in said.items() if name not in ("files", "rows")}
    write_manifest(folder, rows=dict.fromkeys(files, 1), facts={**facts, "digest": digest_of(files)})
    with pytest.raises(ModelError, match="was signed with another key or changed since"):
        found(settings, folder)
    write_manifest(folder, rows=dict.fromkeys(files, 1), facts=facts)
    with pytest.raises(ModelError, match="is not what was written"):
        found(settings, folder)


def test_a_file_changed_under_its_manifest_is_refused(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "margin" / "cutoff=2025-01-01"
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(OutputError, match=r"is not the file its manifest names"):
        found(settings, folder)
    (folder / FOLDER_MANIFEST).write_text("[")
    with pytest.raises(OutputError, match="is damaged"):
        found(settings, folder)
