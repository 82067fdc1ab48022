"""The command line as a user runs it: the installed script, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import yaml

from pipelines.demo.company import demo_company, write_demo

TREUE = Path(sys.executable).with_name("treue")
CUTOFF = "2026-01-15"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write_demo(folder, demo_company(customers=150, seed=5))
    return folder / "data"


@pytest.fixture
def config(data: Path, tmp_path: Path) -> Path:
    """A configuration in ``tmp_path``, where the commands are run."""
    sources = {path.stem: {"uri": str(path)} for path in sorted(data.glob("*.csv"))}
    content = {"name": "company", "language": "en", "sources": sources, "training": {"most": 4, "threads": 1}}
    path = tmp_path / "company.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def treue(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in ``folder``, as a shell would that has set nothing for Prefect."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))}
    return subprocess.run(
        [str(TREUE), *arguments],
        cwd=folder,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


def add(config: Path, **keys: object) -> None:
    """Add keys to a configuration."""
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | keys))


def test_without_arguments_it_shows_help(tmp_path: Path) -> None:
    shown = treue(tmp_path)
    for command in ("init", "check", "run", "train", "score", "lists", "report", "export", "serve", "demo"):
        assert command in shown.stdout + shown.stderr


def test_init_then_check_then_the_messages_say_what_to_do(tmp_path: Path) -> None:
    made = treue(tmp_path, "init", "mine")
    assert made.returncode == 0
    assert "treue.yaml" in made.stdout
    checked = treue(tmp_path, "check", "--config", "mine/treue.yaml")
    assert checked.returncode == 1
    assert checked.stderr.count("\n") == 1
    assert "orders" in checked.stderr


def test_check_prints_the_balance_of_every_table(config: Path) -> None:
    checked = treue(config.parent, "check", "--config", config.name)
    assert checked.returncode == 0, checked.stderr
    assert "orders" in checked.stdout
    assert "accepted + " in checked.stdout
    assert (config.parent / "out/company/quarantine/orders.parquet").is_file()


def test_run_does_the_main_job_and_a_second_run_changes_nothing(config: Path, postgres_uri: str) -> None:
    folder = config.parent
    add(
        config,
        export=[
            {"to": "file", "format": "csv", "path": "delivered"},
            {"to": "sql", "uri": "${CRM}", "table": "treue_scores"},
        ],
    )
    first = treue(folder, "run", "--config", config.name, "--cutoff", CUTOFF, CRM=postgres_uri)
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    for path in ("early_warning.csv", "win_back.csv", "plan.csv", "report.html"):
        assert path in first.stdout
    scores = pd.read_parquet(folder / f"out/company/scores/cutoff={CUTOFF}/scores.parquet")
    assert f"{len(scores):,} inserted" in first.stdout
    assert (folder / "delivered/early_warning.csv").is_file()
    with psycopg.connect(postgres_uri) as connection:
        rows = connection.execute("select customer_id, probability from treue_scores").fetchall()
    assert {str(customer): chance for customer, chance in rows} == dict(
        zip(scores["customer_id"], scores["probability"], strict=True)
    )
    second = treue(folder, "run", "--config", config.name, "--cutoff", CUTOFF, CRM=postgres_uri)
    assert f"0 inserted, 0 updated, {len(scores):,} unchanged" in second.stdout


def test_the_default_cutoff_is_the_day_after_the_last_known_row(config: Path, data: Path) -> None:
    done = treue(config.parent, "train", "--config", config.name)
    assert done.returncode == 0, done.stderr
    orders = pd.read_csv(data / "orders.csv", dtype=str)
    last = max(day for day in orders["known_at"].fillna(orders["occurred_on"]) if day.startswith("20"))
    following = (pd.Timestamp(last) + pd.Timedelta(days=1)).date()
    assert [path.name for path in (config.parent / "out/company/backtest").iterdir()] == [f"cutoff={following}"]


def test_flows_run_against_a_server_too(config: Path, prefect_server: str) -> None:
    done = treue(config.parent, "score", "--config", config.name, "--cutoff", CUTOFF, PREFECT_API_URL=prefect_server)
    assert done.returncode == 0, done.stderr
    assert (config.parent / f"out/company/scores/cutoff={CUTOFF}/manifest.json").is_file()


def test_the_registry_may_be_an_mlflow_server(config: Path, mlflow_server_uri: str) -> None:
    done = treue(config.parent, "score", "-c", config.name, "--cutoff", CUTOFF, MLFLOW_TRACKING_URI=mlflow_server_uri)
    assert done.returncode == 0, done.stderr
    assert not (config.parent / "out/company/mlflow.db").exists()
    manifest = json.loads((config.parent / f"out/company/scores/cutoff={CUTOFF}/manifest.json").read_text())
    assert len(manifest["model_version"]) == 12


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "--config", "nowhere.yaml"), 2, "nowhere.yaml"),
        (("run",), 2, "--config"),
        (("run", "--config", "company.yaml", "--cutoff", "2026-13-01"), 2, "YYYY-MM-DD"),
        (("fly",), 2, "fly"),
        (("score", "--config", "company.yaml", "--cutoff", "1999-01-01"), 1, "orders"),
        (("lists", "--config", "company.yaml", "--cutoff", CUTOFF), 1, "manifest.json"),
        (("export", "--config", "company.yaml", "--cutoff", CUTOFF), 1, "manifest.json"),
    ],
)
def test_wrong_calls_end_in_one_plain_message(config: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = treue(config.parent, *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_an_unexpected_error_is_one_line_and_the_traceback_comes_on_request(config: Path) -> None:
    blocked = config.parent / "out"
    blocked.write_text("a file where the output folder should be")
    done = treue(config.parent, "check", "--config", config.name)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "TREUE_DEBUG=1" in done.stderr
    assert "Traceback" in treue(config.parent, "check", "--config", config.name, TREUE_DEBUG="1").stderr


@pytest.mark.slow
def test_losses_writes_page_guide_and_form_and_names_the_faults_of_a_filled_form(config: Path, tmp_path: Path) -> None:
    done = treue(tmp_path, "losses", "--config", str(config), "--cutoff", CUTOFF)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out" / "company" / "losses" / f"cutoff={CUTOFF}"
    for name in ("losses.html", "guide.html", "form.csv"):
        assert (folder / name).is_file()
        assert name in done.stdout
    rows = (folder / "form.csv").read_text(encoding="utf-8-sig").splitlines()
    filled = tmp_path / "filled.csv"
    filled.write_text("\n".join([rows[0], rows[1].replace(",,,,", ",soon,too expensive,,,", 1)]), encoding="utf-8")
    faulty = treue(tmp_path, "losses", "--config", str(config), "--cutoff", CUTOFF, "--read", str(filled))
    assert faulty.returncode == 1
    assert "filled.csv, row 2, column Asked on: expected a date such as" in faulty.stdout
    assert faulty.stderr.startswith("treue: ")
    assert faulty.stderr.count("\n") == 1
    assert "Traceback" not in faulty.stdout + faulty.stderr
