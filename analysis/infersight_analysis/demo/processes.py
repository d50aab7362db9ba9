"""The demo's processes: start one, wait until it answers, stop it in order, and say why when it fails."""

import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

PROFILE_SECONDS: Final = 0.4
"""How long the profile service takes to answer."""


class DemoError(Exception):
    """A process of the demo did not do its part; the message says which and where its log is."""


def free_ports(count: int) -> list[int]:
    """`count` TCP ports of 127.0.0.1 that are free at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


@contextmanager
def running(
    name: str,
    arguments: list[str],
    environment: Mapping[str, str],
    log: Path,
    ready_url: str,
    patience: float = 120,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m ARGUMENTS` until the block ends; its output goes to `log`.

    Yields when `ready_url` answers 200. Ends the process with SIGTERM and waits for it.

    Raises:
        DemoError: the process ended early or was not ready within `patience` seconds.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [sys.executable, "-m", *arguments], env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_ready(name, process, ready_url, log, time.monotonic() + patience)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(name: str, process: subprocess.Popen[bytes], url: str, log: Path, deadline: float) -> None:
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"the {name} stopped with exit code {process.returncode}; see {log}")
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DemoError(f"the {name} was not ready in time; see {log}")


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
def profile_service() -> Iterator[str]:
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
