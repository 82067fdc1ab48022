"""A schedule fires the jobs: through a Prefect server and its worker, and in the one process of ``treue serve``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

from pipelines.serving import JOBS, TIMEZONE
from tests import servers

PROJECT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect"]
FLOWS = """
from pathlib import Path
from prefect import flow, runtime

def note(config, name):
    Path(config).with_name(name).write_text(f"{runtime.deployment.name} {runtime.flow_run.scheduled_start_time}")

@flow
def nightly_scoring(config: str):
    note(config, "nightly-scoring")

@flow
def weekly_lists(config: str):
    note(config, "weekly-lists")

@flow
def monthly_retraining(config: str):
    note(config, "monthly-retraining")
"""
SERVE = """
from dataclasses import replace
from pathlib import Path
from pipelines.serving import JOBS, serve
serve(Path("config.yaml"), jobs=[
    replace(job, flow=job.flow.replace("pipelines.flows", "stand_in"), cron="* * * * *") for job in JOBS
])
"""


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
def test_a_schedule_fires_every_job_through_server_and_worker(tmp_path: Path, prefect_server: str) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "flows.py").write_text(FLOWS)
    text = (PROJECT / "prefect.yaml").read_text()
    every_minute = re.sub(r'cron: "[^"]+"', 'cron: "* * * * *"', text).replace("configs/demo.yaml", "config.yaml")
    (tmp_path / "prefect.yaml").write_text(every_minute)
    environment = {**servers.prefect_environment(tmp_path), "PREFECT_API_URL": prefect_server}
    prefect(["work-pool", "create", "local-proc", "--type", "process"], tmp_path, environment)
    prefect(["--no-prompt", "deploy", "--all"], tmp_path, environment)
    with servers.running(
        [*PREFECT, "worker", "start", "--pool", "local-proc"],
        ready=partial(all_fired, tmp_path),
        log=tmp_path / "worker.log",
        environment=environment,
        folder=tmp_path,
    ):
        assert_fired_on_the_minute(tmp_path)
    prefect(["work-pool", "delete", "local-proc"], tmp_path, environment)


@pytest.mark.slow
def test_a_schedule_fires_every_job_in_the_one_process_of_serve_and_sigterm_ends_it(tmp_path: Path) -> None:
    (tmp_path / "stand_in.py").write_text(FLOWS)
    environment = {**servers.prefect_environment(tmp_path), "PYTHONPATH": str(tmp_path), "PREFECT_API_URL": ""}
    with servers.running(
        [sys.executable, "-c", SERVE],
        ready=partial(all_fired, tmp_path),
        log=tmp_path / "serve.log",
        environment=environment,
        folder=tmp_path,
    ) as process:
        assert_fired_on_the_minute(tmp_path)
        assert server_processes(tmp_path)
        assert servers.end(process) == 0
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
    assert not server_processes(tmp_path)


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


def all_fired(folder: Path) -> bool:
    """Return whether every job has run."""
    return all((folder / job.name).is_file() for job in JOBS)


def assert_fired_on_the_minute(folder: Path) -> None:
    """Check that a deployment's schedule, not a hand, fired each job."""
    for job in JOBS:
        assert re.fullmatch(rf"{job.name} \S+ \d\d:\d\d:00\+00:00", (folder / job.name).read_text())


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
