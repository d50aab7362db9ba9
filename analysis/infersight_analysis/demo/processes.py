"""The demo's processes: start one, wait until it answers, stop it in order, and say why when it fails."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

PROFILE_SECONDS: Final = 0.4
"""How long the profile service takes to answer."""

READY_SECONDS: Final = 120
"""How long a program may take to start: importing torch and compiling the decoder on a slow machine."""

STOP_SECONDS: Final = 30
"""How long a program may take to send or store what it holds after SIGTERM."""


class DemoError(Exception):
    """A process of the demo did not do its part; the message says which and where its log is."""


@dataclass(frozen=True)
class Program:
    """`python -m ARGUMENTS` with its environment; its output goes to `log`.

    `ready` is asked until it returns what the program says when it serves, such as where it listens.
    """

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], str | None]


@contextmanager
def running(program: Program) -> Generator[str]:
    """Run a program until the block ends; enter the block when it is ready, end it with SIGTERM and wait for it.

    Yields:
        What `program.ready` returned.

    Raises:
        DemoError: the program ended early or was not ready in time.
    """
    with program.log.open("wb") as output:
        command = [sys.executable, "-m", *program.arguments]
        process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            command, env=dict(program.environment), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield _wait_until_ready(program, process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(program: Program, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while (said := program.ready()) is None:
        if process.poll() is not None:
            raise DemoError(f"the {program.name} stopped with exit code {process.returncode}; see {program.log}")
        if time.monotonic() > deadline:
            raise DemoError(f"the {program.name} was not ready within {READY_SECONDS} s; see {program.log}")
        time.sleep(0.1)
    return said


class _Profile(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that http.server calls
        time.sleep(PROFILE_SECONDS)
        body = b'{"tone": "warm"}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the demo's terminal quiet."""


@contextmanager
def profile_service() -> Generator[str]:
    """A slow HTTP service on loopback, in a thread of this process; yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Profile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/profile"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
