"""R11: a training killed at any point of registering leaves a champion that is one complete, verified model."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from models.registry import Registry, registry_in

FIRST = date(2025, 1, 1)

KILLED = '''
"""Register one version per round in a child that is killed before its n-th call to MLflow; print what each knew."""
import json, os, signal, sys
from datetime import date, timedelta
from pathlib import Path
import mlflow, mlflow.pyfunc  # the children inherit it: an import costs seconds
from mlflow import MlflowClient
from models.digest import digest_of
from models.registry import EVENTS, Event, registry_in, text_of

output, first, points = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), json.loads(sys.argv[3])

def register(day):
    files = {"model.json": day.isoformat().encode(), "booster_0.txt": b"tree"}
    use = text_of([Event(on=day, state="in", by="rule", why="better")])
    registry_in(output, {}).register(files, name="m", digest=digest_of(files),
        tags={"cutoff": day.isoformat(), "recipe": "r", EVENTS: use}, parameters={"a": 1}, metrics={"auc": 0.5},
        plots={"p.png": b"p"}, signature_features=["f"], data_digest="d")

calls = 0
def deadly(name, method, last):
    def call(self, *args, **kwargs):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *args, **kwargs)
    return call

def child(day, last):
    pid = os.fork()
    if pid == 0:
        for name in [n for n in vars(MlflowClient) if not n.startswith("_") and callable(getattr(MlflowClient, n))]:
            setattr(MlflowClient, name, deadly(name, getattr(MlflowClient, name), last))
        register(day)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])

ended = [child(first + timedelta(days=at), last) for at, last in enumerate(points)]
print(json.dumps(ended))
'''


def killed_at(points: list[int], output: Path) -> list[bool]:
    """Register one version per point in turn; return which child was killed."""
    command = [sys.executable, "-c", KILLED, str(output), FIRST.isoformat(), json.dumps(points)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ended: list[bool] = json.loads(done.stdout.splitlines()[-1])
    return ended


def assert_champions_are_whole(registry: Registry, killed: list[bool]) -> None:
    """Every day finds the newest version registered by then, and its files agree with their digest."""
    versions = {version.cutoff: version for version in registry.versions("m")}
    for at, was_killed in enumerate(killed):
        day = FIRST + timedelta(days=at)
        files = registry.champion("m", cutoff=day, recipe="r", not_before=date.min)
        assert files is not None
        newest = max(cutoff for cutoff in versions if cutoff <= day)
        assert files["model.json"] == newest.isoformat().encode()
        assert was_killed or newest == day


@pytest.mark.slow
def test_r11_a_kill_between_calls_leaves_a_whole_champion(tmp_path: Path) -> None:
    points = [999, 7, 13, 999]
    killed = killed_at(points, tmp_path)
    assert killed[0] is False
    assert killed[-1] is False
    assert sum(killed) == 2
    assert_champions_are_whole(registry_in(tmp_path, {}), killed)


@pytest.mark.night
def test_r11_a_hundred_kills(tmp_path: Path) -> None:
    points = [999, *(1 + at % 20 for at in range(100)), 999]
    killed = killed_at(points, tmp_path)
    assert sum(killed) >= 80
    assert_champions_are_whole(registry_in(tmp_path, {}), killed)


def race(rounds: int, output: Path) -> None:
    """Let two trainings of different days register at once, again and again; each time the champions must be whole."""
    for _ in range(rounds):
        both = [
            subprocess.Popen(
                [sys.executable, "-c", KILLED, str(output), day.isoformat(), json.dumps([999])],
                stdout=subprocess.DEVNULL,
            )
            for day in (FIRST, FIRST + timedelta(days=1))
        ]
        assert [each.wait() for each in both] == [0, 0]
        assert_champions_are_whole(registry_in(output, {}), [False, False])


@pytest.mark.slow
def test_r11_two_trainings_at_once_leave_whole_champions(tmp_path: Path) -> None:
    killed_at([999], tmp_path)
    race(1, tmp_path)


@pytest.mark.night
def test_r11_fifty_rounds_of_two_trainings_at_once(tmp_path: Path) -> None:
    killed_at([999], tmp_path)
    race(50, tmp_path)
