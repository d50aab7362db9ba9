"""Senders and forwarders that others made: where their programs are, and running them."""

import functools
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.collectors import STOP_SECONDS, wait_until

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "otel-config"


def otelcol() -> Path:
    """The upstream OpenTelemetry Collector; skips where it is not installed."""
    return _packaged("otel_collector", "bin/otelcol-contrib_linux_amd64")


def rotel() -> Path:
    """Rotel; skips where it is not installed."""
    return _packaged("rotel", "rotel-agent")


def _packaged(package: str, program: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed: pip install --group foreign")
    path = Path(found.submodule_search_locations[0]) / program
    if subprocess.run([path, "--help"], check=False, capture_output=True).returncode != 0:
        pytest.skip(f"{path} does not run on this machine")
    return path


@functools.cache
def npm_installed(source: Path) -> Path:
    """A copy of a folder with package.json and lock, its packages installed; skips without npm or its registry.

    Kept below build/ under a name that changes with the content of the folder.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(source.iterdir()))).hexdigest()[:16]
    folder = ROOT / "build" / f"{source.name}-{digest}"
    if not (folder / "installed").exists():
        shutil.copytree(source, folder, dirs_exist_ok=True)
        command = [npm, "ci", "--no-audit", "--no-fund", "--fetch-retries=1"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"npm ci: {done.stderr.strip()[-300:]}")
        (folder / "installed").touch()
    return folder


def free_port() -> int:
    """A port that nobody listens on at the moment, for programs that cannot choose one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(address: str) -> bool:
    """Whether somebody listens there."""
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Generator["subprocess.Popen[bytes]"]:
    """A program that runs meanwhile, and is ended by SIGTERM; what it says is in the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | dict(environment or {}), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def wait_for_listener(address: str) -> None:
    """Returns when somebody listens there."""
    wait_until(lambda: is_open(address), 60)
