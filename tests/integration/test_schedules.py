"""A schedule fires the jobs: through a Prefect server and its worker, and in the one process of ``treue serve``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from pipelines.demo.company import demo_company, write_demo
from pipelines.serving import JOBS, TIMEZONE
from tests import servers

PROJECT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect"]
SERVE = """
from dataclasses import replace
from pathlib import Path
from pipelines.serving import JOBS, serve
serve(Path("weekly-lists.yaml"), jobs=[replace(job, cron="* * * * *") for job in JOBS if job.name == "weekly-lists"])
"""
WRITTEN = {
    "nightly-scoring": "scores/cutoff=*/manifest.json",
    "weekly-lists": "report/cutoff=*/manifest.json",
    "monthly-retraining": "backtest/cutoff=*/manifest.json",
}
"""What each job has written when it is done."""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A folder with a small company and one configuration per job, each with its own output."""
    write_demo(tmp_path, demo_company(customers=120, seed=3))
    for job in JOBS:
        sources = {path.stem: {"uri": str(path)} for path in sorted((tmp_path / "data").glob("*.csv"))}
        content = {"name": job.name, "sources": sources, "training": {"most": 4, "threads": 1}}
        (tmp_path / f"{job.name}.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def declared() -> list[dict[str, object]]:
    """Return the deployments of ``prefect.yaml``."""
    deployments: list[dict[str, object]] = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    return deployments


def test_prefect_yaml_and_treue_serve_know_the_same_jobs_and_times() -> None:
    assert declared() == [
        {
            "name": job.name,
            "description": deployment["description"],
            "entrypoint": job.flow.replace(".", "/").replace(":", ".py:"),
            "parameters": {"config": "configs/demo.yaml"},
            "work_pool": {"name": "local-proc", "work_queue_name": "default"},
            "schedules": [{"cron": job.cron, "timezone": TIMEZONE, "active": True}],
            "concurrency_limit": 1,
        }
        for job, deployment in zip(JOBS, declared(), strict=True)
    ]


@pytest.mark.slow
def test_a_schedule_fires_every_job_through_server_and_worker(company: Path, prefect_server: str) -> None:
    (company / "pipelines").symlink_to(PROJECT / "pipelines")
    (company / "prefect.yaml").write_text(every_minute())
    environment = {**servers.prefect_environment(company), "PREFECT_API_URL": prefect_server}
    prefect(["work-pool", "create", "local-proc", "--type", "process"], company, environment)
    prefect(["--no-prompt", "deploy", "--all"], company, environment)
    with servers.running(
        [*PREFECT, "worker", "start", "--pool", "local-proc"],
        ready=partial(all_done, company, tuple(WRITTEN), prefect_server),
        log=company / "worker.log",
        environment=environment,
        folder=company,
        seconds=400,
    ):
        assert scheduled_and_completed(prefect_server) >= set(WRITTEN)
    prefect(["work-pool", "delete", "local-proc"], company, environment)


@pytest.mark.slow
def test_a_schedule_fires_in_the_one_process_of_serve_and_sigterm_ends_it(company: Path) -> None:
    environment = {**servers.prefect_environment(company), "PREFECT_API_URL": ""}
    with servers.running(
        [sys.executable, "-c", SERVE],
        ready=partial(all_written, company, ("weekly-lists",)),
        log=company / "serve.log",
        environment=environment,
        folder=company,
        seconds=400,
    ) as process:
        assert server_processes(company)
        assert servers.end(process) == 0
    assert "Traceback" not in (company / "serve.log").read_text()
    assert not server_processes(company)


def every_minute() -> str:
    """Return ``prefect.yaml`` with every job due each minute, each with its own configuration."""
    content = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    for deployment in content["deployments"]:
        deployment["parameters"] = {"config": f"{deployment['name']}.yaml"}
        deployment["schedules"][0]["cron"] = "* * * * *"
    return yaml.safe_dump(content)


def prefect(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run one ``prefect`` command in ``folder``."""
    done = subprocess.run(
        [*PREFECT, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def all_written(folder: Path, jobs: tuple[str, ...]) -> bool:
    """Return whether every job has written its last file."""
    return all(list((folder / "out" / job).glob(WRITTEN[job])) for job in jobs)


def all_done(folder: Path, jobs: tuple[str, ...], api: str) -> bool:
    """Return whether every job has written its last file and the server knows that it is completed."""
    return all_written(folder, jobs) and scheduled_and_completed(api) >= set(jobs)


def scheduled_and_completed(api: str) -> set[str]:
    """Return the deployments of which a run, created by their schedule and not by hand, is completed."""
    names = {each["id"]: each["name"] for each in _post(f"{api}/deployments/filter")}
    runs = _post(f"{api}/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}})
    return {names[run["deployment_id"]] for run in runs if run["auto_scheduled"] and run["deployment_id"] in names}


def _post(url: str, body: dict[str, object] | None = None) -> list[dict[str, Any]]:
    request = Request(url, json.dumps(body or {}).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def server_processes(folder: Path) -> list[str]:
    """Return the processes whose PREFECT_HOME lies in ``folder``."""
    home = f"PREFECT_HOME={folder}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if home in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found
