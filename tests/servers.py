"""Real servers for tests, each a child process on a free loopback port that its context manager ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

START_SECONDS = 180.0
STOP_SECONDS = 20.0
POSTGRES_HBA = "host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
"""Every role may enter from loopback; the role ``guarded`` needs its password."""
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "lc_messages": "C",
    "log_statement": "all",
}


def missing(what: str) -> None:
    """Skip the test because ``what`` is not on this machine; on CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; CI has to run this test")
    pytest.skip(f"{what} is missing on this machine")


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    *,
    ready: Callable[[], bool],
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    folder: Path | None = None,
    stop: signal.Signals = signal.SIGTERM,
    seconds: float = START_SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` until the block ends; enter the block when ``ready()``, and say what ``log`` says if it dies."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # its own session: a terminal's Ctrl-C reaches pytest, which then stops it
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            start_new_session=True,
        )
    try:
        wait_until(ready, process=process, log=log, seconds=seconds)
        yield process
    finally:
        end(process, stop)


def wait_until(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path, seconds: float = START_SECONDS
) -> None:
    """Return once ``ready()``; RuntimeError with the end of ``log`` when the process dies or time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r}: code {process.poll()}; its log ends: {log.read_text()[-3000:]}")
        time.sleep(0.1)


def end(process: subprocess.Popen[bytes], stop: signal.Signals = signal.SIGTERM) -> int:
    """Ask the process to stop and end what it left behind in its session; return its exit code."""
    if process.poll() is None:
        process.send_signal(stop)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):  # MLflow's server, for one, forgets its helpers
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def answers(url: str) -> bool:
    """Return whether ``url`` answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def postgres() -> Iterator[tuple[str, Path]]:
    """Run a fresh PostgreSQL cluster; yield the URI of its own database and the log of every statement it runs.

    The server never runs as root: root starts it as the user ``postgres``, in a folder that user can reach.
    """
    programs, user, port = _postgres_programs(), "postgres" if os.geteuid() == 0 else None, free_port()
    uri = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    with tempfile.TemporaryDirectory(prefix="treue-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        log = folder / "server.log"
        if user:
            shutil.chown(folder, user, user)
        with running(
            [str(programs / "postgres"), "-D", str(_postgres_data(programs, folder, user)), "-p", str(port)]
            + [f"--{setting}={value}" for setting, value in POSTGRES_SETTINGS.items()],
            ready=partial(_accepts, uri),
            log=log,
            user=user,
            folder=folder,
            stop=signal.SIGINT,
        ):
            yield uri, log


def _postgres_data(programs: Path, folder: Path, user: str | None) -> Path:
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        cwd=folder,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    (data / "pg_hba.conf").write_text(POSTGRES_HBA)
    return data


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run an MLflow server with its SQLite store and artefacts in ``folder``; yield its URI."""
    uri = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with running(
        command,
        ready=partial(answers, f"{uri}/health"),
        log=folder / "mlflow.log",
        environment={
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
        folder=folder,
    ):
        yield uri


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """Run a Prefect server with its database in ``folder``; yield the URL of its API."""
    url = f"http://127.0.0.1:{(port := free_port())}/api"
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
    with running(
        command,
        ready=partial(answers, f"{url}/health"),
        log=folder / "prefect.log",
        environment=prefect_environment(folder),
        folder=folder,
    ):
        yield url


def prefect_environment(folder: Path) -> dict[str, str]:
    """Return the variables under which Prefect keeps to ``folder`` and sends nothing home."""
    return {
        "PREFECT_HOME": str(folder / ".prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }


def _postgres_programs() -> Path:
    """Return the folder of PostgreSQL's server programs."""
    found = [Path(program).resolve() for program in [shutil.which("postgres")] if program]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    if not found:
        missing("the PostgreSQL server (Debian: apt-get install postgresql)")
    return found[0].parent


def _accepts(uri: str) -> bool:
    try:
        psycopg.connect(uri, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
