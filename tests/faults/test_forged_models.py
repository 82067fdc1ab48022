"""R26: a damaged or forged model is refused before anything parses or imports it; behind that stands a second line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from features.errors import ConfigError, ModelError
from models import boosting, churn_model
from models.blend import Blend
from models.boosting import BoostingSettings, fit_boosted
from models.calibrate import uncalibrated
from models.candidates import RECENCY, SILENT, fit_logistic_regression, fit_rhythm
from models.churn_model import ChurnModel
from models.registry import RegisteredVersion, Registry, registry_in
from models.signature import KEY, KEY_FILE, SIGNATURE, key_from, signature_of

KEYS = {KEY: "0" * 64}
DAYS = (date(2025, 1, 1), date(2025, 2, 1))
CI_ROUNDS, NIGHT_ROUNDS = 200, 2000

Forge = Callable[[Path, np.random.Generator], None]


def trained(seed: int) -> ChurnModel:
    import pandas as pd

    draw = np.random.default_rng(seed)
    rows = pd.DataFrame({RECENCY: draw.exponential(50, 300), SILENT: draw.uniform(size=300)})
    label = (draw.uniform(size=300) < rows[SILENT]).astype(np.int8).to_numpy()
    settings = BoostingSettings(rounds=10, least_rows=10)
    boosted = fit_boosted(rows, label, lost=True, seed=seed, threads=1, settings=settings, members=2, directions={})
    candidate = Blend(parts=(fit_rhythm(rows, label, lost=True), fit_logistic_regression(rows, label), boosted))
    return ChurnModel(
        purpose="churn",
        candidate=candidate,
        calibration=uncalibrated(),
        features=(RECENCY, SILENT),
        cutoff=DAYS[0],
        evidence={"chosen": "blend"},
    )


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forged")


@pytest.fixture(scope="module")
def registry(output: Path) -> Registry:
    return registry_in(output, KEYS)


@pytest.fixture(scope="module")
def versions(registry: Registry) -> tuple[RegisteredVersion, ...]:
    for day, seed in zip(DAYS, (1, 2), strict=True):
        model = trained(seed)
        registry.register(
            model.to_files(),
            name="m",
            digest=model.digest,
            tags={"cutoff": day.isoformat(), "recipe": "r"},
            parameters={},
            metrics={},
            plots={},
            signature_features=model.features,
            data_digest="d",
        )
    return registry.versions("m")


def folder_of(output: Path, version: RegisteredVersion) -> Path:
    from mlflow import MlflowClient

    uri = f"sqlite:///{output.absolute() / 'mlflow.db'}"
    source = MlflowClient(uri, uri).get_model_version(version.name, str(version.version)).source
    return Path(source.removeprefix("file://"))


EVIL = "from pathlib import Path\nPath({canary!r}).write_text('ran')\n"


def some_file(folder: Path, draw: np.random.Generator) -> Path:
    return Path(str(draw.choice(sorted(str(path) for path in folder.rglob("*") if path.is_file()))))


class Forger:
    """What an attacker or a bad disk does to a stored folder; ``canary`` appears when planted code runs."""

    def __init__(self, canary: Path, older: Path) -> None:
        self.code = EVIL.format(canary=str(canary))
        self.older = older

    def kinds(self) -> dict[str, Forge]:
        """Return every kind by name."""
        names = sorted(name for name in vars(Forger) if name != "kinds" and not name.startswith("_"))
        return {name: getattr(self, name) for name in names}

    def flip(self, folder: Path, draw: np.random.Generator) -> None:
        path = some_file(folder, draw)
        content = bytearray(path.read_bytes())
        at = int(draw.integers(len(content)))
        content[at] ^= int(draw.integers(1, 256))
        path.write_bytes(bytes(content))

    def number(self, folder: Path, draw: np.random.Generator) -> None:
        path = folder / "artifacts" / "files" / f"booster_{draw.integers(2)}.txt"
        words = path.read_text().split(" ")
        words[int(draw.integers(len(words)))] = str(int(draw.integers(10**6, 2**40)))
        path.write_text(" ".join(words))

    def cut(self, folder: Path, draw: np.random.Generator) -> None:
        path = some_file(folder, draw)
        path.write_bytes(path.read_bytes()[: int(draw.integers(path.stat().st_size))])

    def gone(self, folder: Path, draw: np.random.Generator) -> None:
        some_file(folder, draw).unlink()

    def added_code(self, folder: Path, draw: np.random.Generator) -> None:
        place = folder / str(draw.choice(["code", "artifacts/files/code", "artifacts"]))
        place.mkdir(exist_ok=True)
        (place / f"evil{draw.integers(1000)}.py").write_text(self.code)

    def loader(self, folder: Path, draw: np.random.Generator) -> None:
        (folder / "code").mkdir()
        (folder / "code" / "evil.py").write_text(self.code)
        meta = folder / "MLmodel"
        meta.write_text(meta.read_text().replace("mlflow.pyfunc.model", "evil"))

    def own_code(self, folder: Path, draw: np.random.Generator) -> None:
        for path in folder.rglob("*.py"):
            path.write_text(self.code + path.read_text())

    def pickled(self, folder: Path, draw: np.random.Generator) -> None:
        content = f"cbuiltins\nexec\n(V{self.code.encode('unicode_escape').decode()}\ntR.".encode()
        place = folder if draw.integers(2) else folder / "artifacts" / "files"
        (place / "python_model.pkl").write_bytes(content)

    def dots(self, folder: Path, draw: np.random.Generator) -> None:
        listing = folder / "artifacts" / "files" / "SHA256SUMS"
        listing.write_text(listing.read_text() + f"{'0' * 64}  ../{draw.integers(1000)}\n")

    def link(self, folder: Path, draw: np.random.Generator) -> None:
        path = folder / "artifacts" / "files" / "model.json"
        path.unlink()
        path.symlink_to(self.older / "artifacts" / "files" / "model.json")

    def older_version(self, folder: Path, draw: np.random.Generator) -> None:
        shutil.rmtree(folder)
        shutil.copytree(self.older, folder)


def refuse_all(
    rounds: int, registry: Registry, output: Path, versions: tuple[RegisteredVersion, ...], patch: pytest.MonkeyPatch
) -> None:
    """Forge the newest version ``rounds`` times; each must be refused in one line, and nothing may read it."""

    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("a forged model was parsed")

    patch.setattr(boosting.lgb, "Booster", parsed)
    patch.setattr(churn_model, "checked_manifest", parsed)
    older, newest = (folder_of(output, version) for version in versions)
    pristine, canary = output / "pristine", output / "canary"
    shutil.copytree(newest, pristine, dirs_exist_ok=True)
    kinds, draw = Forger(canary, older).kinds(), np.random.default_rng(26)
    for number in range(rounds):
        name = sorted(kinds)[number % len(kinds)]
        kinds[name](newest, draw)
        with pytest.raises(ModelError, match="version 2") as refused:
            registry.files(versions[1])
        assert "\n" not in str(refused.value), name
        shutil.rmtree(newest)
        shutil.copytree(pristine, newest)
    assert not canary.exists()
    assert registry.files(versions[1])  # put back, it is whole again: the refusals were not for want of the folder


def test_r26_forged_folders_are_refused_before_any_parser(
    registry: Registry, output: Path, versions: tuple[RegisteredVersion, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_all(CI_ROUNDS, registry, output, versions, monkeypatch)


@pytest.mark.night
def test_r26_two_thousand_forged_folders(
    registry: Registry, output: Path, versions: tuple[RegisteredVersion, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_all(NIGHT_ROUNDS, registry, output, versions, monkeypatch)


def test_r26_the_wrong_signer_and_no_signer_are_refused(
    registry: Registry, output: Path, versions: tuple[RegisteredVersion, ...]
) -> None:
    with pytest.raises(ModelError, match="version 2 was signed with another key or changed since"):
        registry_in(output, {KEY: "1" * 64}).files(versions[1])
    from mlflow import MlflowClient

    uri = f"sqlite:///{output.absolute() / 'mlflow.db'}"
    client, genuine = MlflowClient(uri, uri), versions[1].signature
    for tag in ("recipe", "cutoff", "digest", "package"):
        forged = {**versions[1].signed_facts(), tag: versions[0].signed_facts()[tag] if tag != "recipe" else "q"}
        assert signature_of(forged, KEYS[KEY].encode()) != genuine
    client.delete_model_version_tag("m", "2", SIGNATURE)
    with pytest.raises(ModelError, match="version 2 is not signed, and TREUE_MODEL_KEY asks for it"):
        registry.files(registry.versions("m")[1])
    assert registry_in(output, {}).files(registry.versions("m")[1])  # without a key the digest alone guards
    client.set_model_version_tag("m", "2", SIGNATURE, genuine)
    assert registry.files(registry.versions("m")[1])


def test_a_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("2" * 40 + "\n")
    assert key_from({}) is None
    assert key_from({KEY_FILE: str(path)}) == key_from({KEY: "2" * 40}) == b"2" * 40
    with pytest.raises(ConfigError, match="has 5 characters, at least 32"):
        key_from({KEY: "short"})
    with pytest.raises(ConfigError, match="both TREUE_MODEL_KEY and TREUE_MODEL_KEY_FILE are set"):
        key_from({KEY: "2" * 40, KEY_FILE: str(path)})
    with pytest.raises(ConfigError, match=r"TREUE_MODEL_KEY_FILE: .*gone cannot be read \(FileNotFoundError\)"):
        key_from({KEY_FILE: str(tmp_path / "gone")})


SECOND_LINE = '''
"""Damage a text of trees again and again; what the structure check lets pass must be read and scored without harm."""
import sys
import numpy as np, pandas as pd
from pathlib import Path
from features.errors import ModelError
from models.churn_model import ChurnModel
from models.candidates import RECENCY, SILENT

folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
files = {path.name: path.read_bytes() for path in folder.iterdir()}
draw, refused = np.random.default_rng(seed), 0
rows = pd.DataFrame({RECENCY: [1.0, np.nan, 1e9], SILENT: [0.1, 0.5, np.nan]})
for _ in range(rounds):
    name = sorted(files)[draw.integers(len(files))]
    content = bytearray(files[name])
    kind, at = draw.integers(4), int(draw.integers(len(content)))
    if kind == 0:
        content[at] ^= int(draw.integers(1, 256))
    elif kind == 1:
        words = bytes(content).split(b" ")
        words[draw.integers(len(words))] = b"%d" % draw.integers(-(2**31), 2**31)
        content = b" ".join(words)
    elif kind == 2:
        content = content[:at]
    else:
        lines = bytes(content).split(b"\\n")
        lines[draw.integers(len(lines))] = lines[draw.integers(len(lines))]
        content = b"\\n".join(lines)
    try:
        ChurnModel.from_files({**files, name: bytes(content)}).score(rows)
    except ModelError:
        refused += 1
print(refused)
'''


def second_line(tmp_path: Path, rounds: int) -> int:
    for name, content in trained(1).to_files().items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-c", SECOND_LINE, str(tmp_path), str(rounds), "26"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout.splitlines()[-1])


def test_r26_whatever_passes_the_check_of_structure_harms_nothing(tmp_path: Path) -> None:
    assert second_line(tmp_path, 300) > 200


@pytest.mark.night
def test_r26_five_thousand_damaged_texts_harm_nothing(tmp_path: Path) -> None:
    assert second_line(tmp_path, 5000) > 3300
