"""Where no cache of machine code can be written, each process compiles for itself and says the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOOP = """
import numba
from features.compiled import compiled

def total(count):
    found = 0
    for number in range(count):
        found += number
    return found

ours = compiled(total)
print(ours(5), type(ours._cache).__name__)
try:
    numba.njit(cache=True)(total)
except RuntimeError as refused:
    print(str(refused).split(" '")[0])
"""


def run(script: Path, **environment: str) -> list[str]:
    path = {"PYTHONPATH": os.pathsep.join([str(script.parent), str(ROOT)]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "import loop"]
    done = subprocess.run(
        command, env={**os.environ, **path, **environment}, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def test_without_any_place_for_a_cache_the_loops_are_compiled_by_each_process(tmp_path: Path) -> None:
    nowhere = tmp_path / "a file, no folder"
    nowhere.touch()
    (tmp_path / "__pycache__").touch()  # nothing can be kept beside the source
    (tmp_path / "loop.py").write_text(LOOP, encoding="utf-8")
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "NUMBA_CACHE_DIR"), str(nowhere / "x"))
    assert run(tmp_path / "loop.py", **homes) == ["10 NullCache", "cannot cache function"]


def test_the_folder_named_for_the_cache_is_used(tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text(LOOP, encoding="utf-8")
    assert run(tmp_path / "loop.py", NUMBA_CACHE_DIR=str(tmp_path / "kept")) == ["10 FunctionCache"]
    assert list((tmp_path / "kept").rglob("*.nbi"))
