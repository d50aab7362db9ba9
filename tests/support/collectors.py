"""Real collector processes, their stores read by DuckDB, and waiting for conditions."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pytest

from infersight_collector.store.schema import COLUMNS
from infersight_collector.store.snapshot import Snapshot

_T = TypeVar("_T")

START_SECONDS = 180
"""How long a collector may take to start: a fresh installation compiles the decoder first."""

STOP_SECONDS = 60


def wait_until(condition: Callable[[], _T], seconds: float = 20) -> _T:
    """What the condition gives as soon as that is true; fails when time is up."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {condition}; the last answer was {result!r}")
        time.sleep(0.02)
    return result


_LEFT_OUT = {
    "spans": "* replace (coalesce(end_time_ns, start_time_ns + duration_ns) as end_time_ns)",
    "logs": "* exclude (observed_delay_ns)"
    " replace (coalesce(observed_time_ns, time_ns + observed_delay_ns) as observed_time_ns)",
}
"""The rows as they came, for tables that leave out what other columns tell."""


@contextmanager
def _opened(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """The stored tables as they are at this moment; one that nothing was written to has the fixed columns, no rows."""
    snapshot = Snapshot.of(store)
    with duckdb.connect() as database:
        for name in COLUMNS:
            if files := snapshot.files(name):
                listed = ", ".join(f"'{file}'" for file in files)
                columns = _LEFT_OUT.get(name, "*")
                source = f"read_parquet([{listed}], union_by_name=true)"
                database.execute(f"create view {name} as select {columns} from {source}")
            else:
                database.register(name, COLUMNS[name].empty_table())
        yield database


def query_store(store: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query over the stored tables: `spans`, `logs`, `metrics`, `exemplars`."""
    with _opened(store) as database:
        return database.execute(sql).fetchall()


def read_rows(store: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of a query as one dict a row; null fields of STRUCTs are left out, at every depth."""
    with _opened(store) as database:
        result = database.execute(sql)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, map(_without_nulls, row), strict=True)) for row in result.fetchall()]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        fields: dict[str, Any] = value
        return {name: _without_nulls(field) for name, field in fields.items() if field is not None}
    if isinstance(value, list):
        items: list[Any] = value
        return [_without_nulls(item) for item in items]
    return value


@dataclass
class RunningCollector:
    """A collector process with endpoints of its own."""

    process: "subprocess.Popen[bytes]"
    grpc: str
    http: str
    health: str
    store: Path
    log: Path

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over its store, see `query_store`."""
        return query_store(self.store, sql)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The same as one dict a row; null fields of attribute STRUCTs are left out at every depth."""
        return read_rows(self.store, sql)

    def wait_for(self, sql: str, count: int) -> None:
        """Returns when a query that counts gives so many; fails at once when it gives more."""

        def reached() -> bool:
            found = self.query(sql)[0][0]
            assert found <= count, f"{found} instead of {count}: {sql}"
            return bool(found == count)

        wait_until(reached)

    def stop(self) -> int:
        """Ends it by SIGTERM and returns the exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


StartCollector = Callable[..., RunningCollector]
"""`start_collector(*arguments, store=None, has_store=True, environment=None)`: a ready collector on free ports."""


class Collectors:
    """Starts collectors and ends those that still run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[RunningCollector] = []

    def start(
        self,
        *arguments: str,
        store: Path | None = None,
        has_store: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> RunningCollector:
        number = len(self._started)
        store = store or self._folder / f"store-{number}"
        ready, log = self._folder / f"ready-{number}.json", self._folder / f"collector-{number}.log"
        command = [sys.executable, "-m", "infersight_collector", "--ready-file", str(ready)]
        if has_store:
            command += ["--store", str(store)]
        for endpoint in ("grpc", "http", "health"):
            command += [f"--{endpoint}-endpoint", "127.0.0.1:0"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, *arguments],
                env={**inherited, "INFERSIGHT_COLLECTOR_METRICS": "none", **(environment or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        collector = RunningCollector(process, "", "", "", store, log)
        self._started.append(collector)
        wait_until(lambda: ready.exists() or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, log.read_text()
        addresses = json.loads(ready.read_text())
        collector.grpc = addresses["OTLP/gRPC"]
        collector.http = addresses["OTLP/HTTP"]
        collector.health = addresses["health"]
        return collector

    def end(self) -> None:
        for collector in self._started:
            if collector.process.poll() is None:
                collector.kill()
