"""``treue serve``: the scheduled jobs in one process, for firms without a Prefect server.

The schedules are those of ``prefect.yaml``; a test holds the two together.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from features.errors import TreueError
from pipelines.prefect_environment import STARTUP_SECONDS, set_defaults

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

TIMEZONE = "Europe/Berlin"
STOP_SECONDS = 20.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A flow that a schedule fires: its deployment's name, ``module:function``, and when (cron, zone ``TIMEZONE``)."""

    name: str
    flow: str
    cron: str


JOBS = (
    Job(name="nightly-scoring", flow="pipelines.flows:nightly_scoring", cron="0 3 * * *"),
    Job(name="weekly-lists", flow="pipelines.flows:weekly_lists", cron="0 5 * * 1"),
    Job(name="monthly-retraining", flow="pipelines.flows:monthly_retraining", cron="0 1 1 * *"),
)


def serve(config: Path, *, jobs: Sequence[Job] = JOBS) -> None:
    """Run ``jobs`` on their schedules until the process is told to end (SIGTERM, SIGINT); one run at a time.

    Where no Prefect server is configured (``PREFECT_API_URL`` or Prefect's profile), one of our own runs on a free
    loopback port while we serve; it stores in ``PREFECT_HOME`` (default: ``.prefect``), its log ``server.log`` too.

    Parameters
    ----------
    config : Path
        The settings handed to every flow.
    jobs : sequence of Job
        Which flows, and when.

    Raises
    ------
    TreueError
        If our own server does not start.
    """
    set_defaults()
    with _ended_by_sigterm(), _server():
        from prefect.runner import Runner

        runner = Runner(pause_on_shutdown=True, limit=1)
        for job in jobs:
            runner.add_deployment(_deployment(job, config))
        _LOG.info("serving %s", ", ".join(f"{job.name} ({job.cron})" for job in jobs))
        with suppress(KeyboardInterrupt):
            asyncio.run(_until_sigterm(runner))


async def _until_sigterm(runner: Runner) -> None:
    """Let the runner work until it is cancelled; its own answer to SIGTERM leaves its stop unawaited."""
    loop, work = asyncio.get_running_loop(), asyncio.ensure_future(runner.start())

    def leave(*_: object) -> None:
        loop.call_soon_threadsafe(work.cancel)

    runner.handle_sigterm = leave  # type: ignore[method-assign]
    with suppress(asyncio.CancelledError):
        await work


def _deployment(job: Job, config: Path) -> RunnerDeployment:
    from prefect import Flow
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    module, _, function = job.flow.partition(":")
    flow: Flow[..., object] = getattr(importlib.import_module(module), function)
    return RunnerDeployment.from_flow(
        flow,
        name=job.name,
        schedule=Cron(job.cron, timezone=TIMEZONE),
        parameters={"config": str(config.resolve())},
        concurrency_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM leave the block like an error does, so that whatever was started is stopped."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _server() -> Iterator[None]:
    """Use the Prefect server that is configured; run our own in the block where none is."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    with _child(port, PREFECT_HOME.value()) as process, temporary_settings({PREFECT_API_URL: url}):
        _wait_until_healthy(url, process)
        yield


@contextmanager
def _child(port: int, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    home.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "prefect",
        "server",
        "start",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-ui",
    ]
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter; in its own session: Ctrl-C is ours, it goes last
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PREFECT_HOME": str(home)},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while not _is_healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TreueError(
                f"the Prefect server of our own did not start at {url} within {STARTUP_SECONDS} s;"
                " see server.log in .prefect (PREFECT_HOME), or set PREFECT_API_URL to a server that runs"
            )
        time.sleep(0.2)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
