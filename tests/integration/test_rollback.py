"""Rolling back by one command: the scores are those of before, to the byte; promotion by rule or by force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from time import monotonic

import pytest
import yaml
from typer.testing import CliRunner

from features.errors import ModelError
from features.outputs import read_manifest, sha256_of
from models import decisive
from models.promotion import Criterion, Judgement
from pipelines import cli, stages
from pipelines import train as training
from pipelines.demo.company import demo_company, write_demo
from pipelines.places import Places
from pipelines.rollback import rollback
from pipelines.settings import Settings, load_settings
from pipelines.train import Forced, champions, model_name, open_registry

EARLY = date(2026, 1, 15)
LATE = EARLY + timedelta(days=28)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company with two trained models in use, the second from a month later."""
    folder = tmp_path_factory.mktemp("rolled")
    write_demo(folder, demo_company(customers=120, seed=11))
    sources = {name: {"uri": str(folder / "data" / f"{name}.csv")} for name in ("customers", "orders", "complaints")}
    content = {"name": "c", "output": str(folder / "out"), "sources": sources, "training": {"most": 4, "threads": 1}}
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    settings = load_settings(path)
    for day in (EARLY, LATE):
        stages.build_features(settings, day)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decisive, "choose", lambda *_: ("logistic", "chosen for the test"))
        stages.train(settings, EARLY)
        before = scores(settings)
        stages.train(settings, LATE, Forced(by="test", why="two in use"))
    (folder / "before.json").write_text(json.dumps(before))
    return path


def scores(settings: Settings) -> Mapping[str, str]:
    folder = stages.score(settings, LATE)
    return {path.name: sha256_of(path) for path in sorted(folder.iterdir())}


def rounds(config: Path, count: int) -> None:
    settings, registry = load_settings(config), open_registry(load_settings(config))
    before, after = json.loads((config.parent / "before.json").read_text()), scores(settings)
    assert after != before
    for _ in range(count):
        start = monotonic()
        done = CliRunner().invoke(cli.app, ["rollback", "-c", str(config), "--cutoff", LATE.isoformat()])
        assert done.exit_code == 0, done.output
        assert monotonic() - start < 60
        assert scores(settings) == before
        for purpose in ("churn", "return"):
            newest = registry.versions(model_name(settings, purpose))[-1]
            registry.put([newest], "in", on=LATE, by="test", why="again")
        assert scores(settings) == after


def test_r12_scores_after_a_roll_back_are_those_of_before_to_the_byte(config: Path) -> None:
    rounds(config, 2)


@pytest.mark.night
def test_r12_twenty_of_twenty_roll_backs(config: Path) -> None:
    rounds(config, 20)


def test_a_day_before_the_roll_back_finds_what_it_found(config: Path) -> None:
    settings = load_settings(config)
    later = LATE + timedelta(days=3)
    stages.build_features(settings, later)
    found = champions(settings, LATE)
    (churn, back) = rollback(settings, later, by="ana", why="odd lists")
    assert (churn.purpose, back.purpose) == ("churn", "return")
    assert champions(settings, LATE) is not None
    assert champions(settings, LATE).churn.digest == found.churn.digest  # type: ignore[union-attr]
    assert champions(settings, later).churn.digest == churn.back.digest  # type: ignore[union-attr]
    assert not stages.training_is_due(settings, later)
    with pytest.raises(
        ModelError, match=r"nothing to go back to at .*: model 'treue-c-churn' version 1 is the only one"
    ):
        rollback(settings, later)
    with pytest.raises(ModelError, match=r"no earlier version in use at .* is called 'abcdef'; there are: none"):
        rollback(settings, later, to="abcdef")


def test_the_card_lies_with_the_version_and_in_the_backtest_and_training_again_writes_the_same(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(config)
    folder, registry = Places(Path(settings.output)).backtest(LATE), open_registry(settings)
    before = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    for purpose in ("churn", "return"):
        version = next(one for one in registry.versions(model_name(settings, purpose)) if one.cutoff == LATE)
        cards = registry.documents(version)
        for language in ("de", "en"):
            name = f"model_card.{purpose}.{language}.md"
            assert name in read_manifest(folder)["files"]
            assert (folder / name).read_bytes() == cards[f"model_card.{language}.md"]
            assert version.digest in cards[f"model_card.{language}.md"].decode()
    monkeypatch.setattr(decisive, "choose", lambda *_: ("logistic", "chosen for the test"))
    stages.train(settings, LATE, Forced(by="test", why="two in use"))
    assert {path.name: sha256_of(path) for path in sorted(folder.iterdir())} == before


def test_a_version_is_named_as_outputs_name_it(config: Path) -> None:
    settings = load_settings(config)
    first = open_registry(settings).versions(model_name(settings, "churn"))[0]
    (step,) = rollback(settings, LATE, to=first.digest[:12], by="ana", why="odd lists")
    assert step.back == first
    open_registry(settings).put(step.out, "in", on=LATE, by="test", why="again")


def test_a_model_that_fails_the_rule_is_kept_out_unless_forced_and_the_force_leaves_a_trace(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines import show

    settings, day = load_settings(config), LATE + timedelta(days=1)
    failing = Judgement(
        promoted=False, reason="fails: odd", criteria=(Criterion(name="odd", passed=False, reason="odd"),)
    )
    monkeypatch.setattr(training, "judge", lambda *_, **__: failing)
    monkeypatch.setattr(decisive, "choose", lambda *_: ("rhythm", "chosen for the test"))
    stages.build_features(settings, day)
    before = champions(settings, day)
    folder = stages.train(settings, day)
    assert champions(settings, day).churn.digest == before.churn.digest  # type: ignore[union-attr]
    assert not stages.training_is_due(settings, day)
    show.training(folder)
    assert "NOT promoted: fails: odd" in capsys.readouterr().out
    stages.train(settings, day, Forced(by="Ana", why="Messe"))
    newest = open_registry(settings).versions(model_name(settings, "churn"))[-1]
    assert champions(settings, day).churn.digest == newest.digest  # type: ignore[union-attr]
    assert [(each.by, each.why) for each in newest.events or ()] == [("Ana", "Messe")]
    show.training(Places(Path(settings.output)).backtest(day))
    assert "in use all the same: Ana, Messe" in capsys.readouterr().out


def test_force_without_a_name_and_a_reason_is_refused(config: Path) -> None:
    done = CliRunner().invoke(cli.app, ["train", "-c", str(config), "--force", "--by", "Ana"])
    assert done.exit_code != 0
    assert "--force needs --by NAME and --why TEXT" in str(done.exception)
