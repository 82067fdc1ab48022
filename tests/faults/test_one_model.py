"""R17: one model and one table of scores, whatever the threads, order of rows, hash seed, zone and language."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TRAINED = '''
"""Train and score a small company whose rows come in another order; print the digests of model and scores."""
import hashlib, sys
from pipelines.demo.company import demo_company
from pipelines.library import Company

threads, seed = int(sys.argv[1]), int(sys.argv[2])
tables = demo_company(customers=100, seed=3).tables
kept = {name: tables[name] for name in ("customers", "orders", "complaints")}
shuffled = {name: rows.sample(frac=1, random_state=seed) if seed else rows for name, rows in kept.items()}
company = Company(shuffled, training={"most": 5, "threads": threads})
from models import decisive
decisive.choose = lambda *_: ("lightgbm", "the trees, which could differ most")
model = company.train("2026-01-01")
scores = company.score("2026-01-01", model)
print(model.digest, hashlib.sha256(scores.to_csv(index=False).encode()).hexdigest())
'''

SETTINGS = (
    (1, 0, "0", "UTC", "C.UTF-8"),
    (2, 1, "1", "Pacific/Auckland", "de_DE.UTF-8"),
    (2, 2, "42", "America/New_York", "en_US.UTF-8"),
    (1, 3, "7", "Europe/Berlin", "de_DE.UTF-8"),
    (2, 0, "99", "Asia/Kolkata", "C"),
    (1, 4, "3", "UTC", "en_US.UTF-8"),
    (2, 5, "4", "Europe/Berlin", "C.UTF-8"),
    (1, 6, "5", "America/Sao_Paulo", "de_DE.UTF-8"),
    (2, 7, "6", "Asia/Tokyo", "en_US.UTF-8"),
    (1, 8, "random", "Australia/Lord_Howe", "C.UTF-8"),
)


def digests(threads: int, shuffle: int, hash_seed: str, zone: str, language: str) -> str:
    """Return the digests of model and scores as one line, from a process of its own."""
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "LC_ALL": language, "LANG": language}
    command = [sys.executable, "-c", TRAINED, str(threads), str(shuffle)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_r17_two_trainings_give_one_model_and_one_table_of_scores() -> None:
    assert digests(*SETTINGS[0]) == digests(*SETTINGS[1])


@pytest.mark.night
def test_r17_ten_trainings_give_one_model_and_one_table_of_scores() -> None:
    assert len({digests(*each) for each in SETTINGS}) == 1
