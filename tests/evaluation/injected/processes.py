"""The processes of an evaluation: model servers forked from one that has imported everything, and the other service."""

import json
import multiprocessing
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

from tests.evaluation.injected.application import HELD_SECONDS, Settings, build
from tests.support.collectors import wait_until

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([build.__module__, "uvicorn"])

BURNING: Final = 16
"""Processes that take a core away."""


class ModelServer:
    """One process of the server, ready."""

    def __init__(self, settings: Settings) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = listener.getsockname()[1]
        self._process = _FORKS.Process(target=_serve, args=(settings, listener), daemon=True)
        self._process.start()
        listener.close()
        wait_until(self._answers, 120)

    def state(self) -> dict[str, Any]:
        """What is under way in it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/state", timeout=30) as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    def stop(self) -> None:
        """End it in order: it sends what it holds."""
        self._process.terminate()
        self._process.join(60)

    @contextmanager
    def starved(self) -> Generator[None]:
        """All of its threads share one core with processes that never rest."""
        rested = _FORKS.Event()
        burning = [_FORKS.Process(target=_burn, args=(rested,), daemon=True) for _ in range(BURNING)]
        for process in burning:
            process.start()
        cores = os.sched_getaffinity(0)
        self._pin({min(cores)})
        try:
            yield
        finally:
            rested.set()
            self._pin(cores)
            for process in burning:
                process.join()

    def _pin(self, cores: set[int]) -> None:
        for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)

    def _answers(self) -> bool:
        assert self._process.is_alive(), "the model server ended"
        try:
            return bool(self.state())
        except (urllib.error.URLError, OSError):
            return False


def _serve(settings: Settings, listener: socket.socket) -> None:
    import uvicorn

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(settings.environment)
    config = uvicorn.Config(build(settings), log_level="warning", loop="asyncio", timeout_keep_alive=120)
    uvicorn.Server(config).run(sockets=[listener])


def _burn(rested: Event) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    while not rested.is_set():
        sum(range(100_000))


class Profiles:
    """The service that the model servers ask; it is not instrumented. Keys may be slow, or fail at first."""

    def __init__(self) -> None:
        self.slow: set[str] = set()
        self.failing: Counter[str] = Counter()
        profiles = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                key = self.path.rpartition("/")[2]
                if key in profiles.slow:
                    time.sleep(HELD_SECONDS)
                fails = profiles.failing[key] > 0
                profiles.failing[key] -= fails
                self.send_response(503 if fails else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Keep the terminal quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
