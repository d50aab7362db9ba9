"""A service whose connection pool is too small: what it recorded, and a server that fails the same way."""

import random
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.analysis.recording import MS, SECOND, T0, Recording

from infersight_analysis.times import iso_time

MINUTE: Final = 60 * SECOND
INCIDENT: Final = (60 * MINUTE, 80 * MINUTE)
"""When it was, nanoseconds after T0; an hour of baseline before, twenty minutes after it."""

END: Final = 100 * MINUTE
START_TIME, END_TIME = (iso_time(T0 + time_ns) for time_ns in INCIDENT)
WINDOW: Final = ("--start", START_TIME, "--end", END_TIME)
AFTER: Final = ("--start", END_TIME, "--end", iso_time(T0 + END))
FAILS: Final = 0.2


def exhausted_pool(path: Path, *, every_s: int = 2, users: int = 40) -> Path:
    """A store: requests take 200 ms; during the incident 900 ms, and one in five finds no connection.

    Versions change when it begins and when it ends.
    """
    recording, chance = Recording(), random.Random(1)
    for number, start_ns in enumerate(range(0, END, every_s * SECOND), 1):
        is_bad = INCIDENT[0] <= start_ns < INCIDENT[1]
        version = "1.0" if start_ns < INCIDENT[0] else "1.1" if is_bad else "1.2"
        source = ("api", f"api-{version}", version)
        duration_ns = int(chance.gauss(900, 90) if is_bad else chance.gauss(200, 15)) * MS
        has_failed = is_bad and chance.random() < FAILS
        exception = {"exception.type": "PoolTimeout", "exception.message": "no connection free after 1 s"}
        recording.span(
            number, 1, "POST /predict", start_ns, duration_ns, kind="SERVER", source=source,
            attributes={"http.route": "/predict", "enduser.id": f"user-{chance.randrange(users)}"},
            error="no connection" if has_failed else None,
            events=[(start_ns + MS, "exception", exception)] if has_failed else (),
        )  # fmt: skip
        recording.span(number, 2, "SELECT", start_ns + MS, duration_ns * 8 // 10, parent=1, source=source)
    return recording.write(path)


class Pool:
    """A pool of connections; whoever gets none in time fails."""

    def __init__(self, size: int) -> None:
        self.resize(size)

    def resize(self, size: int) -> None:
        """Another pool in its place."""
        self._free = threading.Semaphore(size)

    def query(self) -> bool:
        """Whether there was a connection; it is taken for a while."""
        free = self._free
        if not free.acquire(timeout=0.01):
            return False
        time.sleep(0.05)  # the work of the database
        free.release()
        return True


@contextmanager
def serving(pool: Pool) -> Generator[str]:
    """A server that takes a connection for each request, and answers 503 without one; the context is its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """One request."""
            found = pool.query()
            self.send_response(200 if found else 503)
            self.end_headers()
            self.wfile.write(b"positive" if found else b"no connection free")

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's names
            """Nothing: stderr is what the command line says."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
