"""The demo's server with a pool of connections as a real process, and what it is asked."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.collectors import RunningCollector, wait_until

CROWD = 100
"""Requests at a time; a pool of ten serves half of them before the others lose their patience."""


@dataclass(frozen=True)
class PoolServer:
    """A place for the server, whatever its pool: restarted, it has the same address.

    Args:
        collector: where it sends its telemetry.
        folder: where its output goes.
        port: where it listens.
    """

    collector: RunningCollector
    folder: Path
    port: int

    @classmethod
    def of(cls, collector: RunningCollector, folder: Path) -> "PoolServer":
        """One on a free port."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            return cls(collector, folder, listening.getsockname()[1])

    @property
    def url(self) -> str:
        """What its clients ask."""
        return f"http://127.0.0.1:{self.port}/predict"

    @contextmanager
    def running(self, pool: int) -> Generator[None]:
        """The server with a pool of a size; when it ends it sends what it still holds."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
        environment = inherited | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.collector.grpc}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "INFERSIGHT_DEMO_POOL": str(pool),
            "INFERSIGHT_PROFILE_RATE": "50",
            "INFERSIGHT_SLOW_SECONDS": "1",
        }
        application = "infersight_analysis.demo.pooled:app"
        command = [sys.executable, "-m", "uvicorn", application, "--port", str(self.port), "--no-access-log"]
        log = self.folder / f"pool-{pool}-{time.time_ns()}.log"
        with (
            log.open("wb") as output,
            subprocess.Popen(command, env=environment, stdout=output, stderr=output) as server,
        ):
            try:
                wait_until(self._serves, 120)
                yield
            finally:
                server.terminate()

    def _serves(self) -> bool:
        try:
            return self.ask("/health") == 200
        except OSError:
            return False

    def ask(self, path: str = "/predict") -> int:
        """The status of one answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def usual(self, requests: int, at_a_time: int = 9) -> None:
        """The load of every day, which it serves."""
        assert self._answers(requests, at_a_time) == {200: requests}

    def crowd(self, waves: int) -> Counter[int]:
        """A hundred requests at once, several times; how many answers had which status."""
        found: Counter[int] = Counter()
        for _ in range(waves):
            found += self._answers(CROWD, CROWD)
        return found

    def _answers(self, requests: int, at_a_time: int) -> Counter[int]:
        with ThreadPoolExecutor(at_a_time) as pool:
            return Counter(pool.map(self.ask, ["/predict"] * requests))
