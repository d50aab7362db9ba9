"""An incident from the alarm to the lesson: a pool that is exhausted under load, by the commands alone."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import RunningCollector, wait_until

from infersight_analysis import cli
from infersight_analysis.times import iso_time

ROOT = Path(__file__).parents[2]
SERVICE = "predictor"
WORK_SECONDS, PATIENCE_SECONDS = 0.2, 1.5
"""How long a request needs its connection, and how long it waits for it: seven rounds, but not ten."""

WAVES = 4
CROWD = 100
"""Requests at a time; the pool has ten connections, and fifty after the fix."""

USUAL = 9
USUAL_SECONDS = 8.0


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(collector: RunningCollector, port: int, pool: int, log: Path) -> Generator[None]:
    """The server with a pool of a size; it sends what it holds when it ends."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
    environment = inherited | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "POOL": str(pool),
        "WORK_SECONDS": str(WORK_SECONDS),
        "PATIENCE_SECONDS": str(PATIENCE_SECONDS),
    }
    command = [sys.executable, "-m", "uvicorn", "tests.support.pooled:app", "--port", str(port), "--no-access-log"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output) as server,
    ):
        try:
            wait_until(lambda: answers(port), 120)
            yield
        finally:
            server.terminate()


def answers(port: int) -> bool:
    try:
        return ask(port, "/health") == 200
    except OSError:
        return False


def ask(port: int, path: str = "/predict") -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def usual(port: int) -> int:
    """The load of every day, for a while; how many requests that was."""

    def one(_: int) -> int:
        until, count = time.monotonic() + USUAL_SECONDS, 0
        while time.monotonic() < until:
            assert ask(port) == 200
            count += 1
        return count

    with ThreadPoolExecutor(USUAL) as pool:
        return sum(pool.map(one, range(USUAL)))


def crowd(port: int) -> Counter[int]:
    """All at once, several times; answers by status."""
    found: Counter[int] = Counter()
    with ThreadPoolExecutor(CROWD) as pool:
        for _ in range(WAVES):
            found.update(pool.map(ask, [port] * CROWD))
    return found


@dataclass
class Terminal:
    """What somebody types, on a store."""

    store: Path

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        """The JSON that a command answers; it must exit as said."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            given = cli.run(list(arguments))
        assert given == code, (arguments, given, out.getvalue(), err.getvalue())
        return json.loads(out.getvalue()) if out.getvalue() else err.getvalue()

    def requests(self) -> int:
        """How many requests arrived in the store."""
        where = f"kind = 'SERVER' and service_name = '{SERVICE}' and name like '%predict'"
        sql = f"select count(*) as n from spans where {where}"
        count: int = self("sql", sql)[0]["n"] if self.store.exists() else 0
        return count

    def arrived(self, count: int) -> None:
        """Waits until so many requests are there."""
        wait_until(lambda: self.requests() >= count, 60)


def between(start_ns: int, end_ns: int) -> tuple[str, ...]:
    return "--start", iso_time(start_ns), "--end", iso_time(end_ns)


def test_a_pool_that_is_exhausted_is_triaged_reproduced_explained_mended_proven_and_learnt_from(
    collector: RunningCollector, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERSIGHT_ACTOR", "ada")
    monkeypatch.setenv("INFERSIGHT_STORE", str(collector.store))
    terminal = Terminal(collector.store)
    with serving(collector, port, 10, tmp_path / "before.log"):
        before = usual(port)
        began_ns = time.time_ns()
        statuses = crowd(port)
        ended_ns = time.time_ns()
        assert statuses[500] > 0
        terminal.arrived(before + WAVES * CROWD)
        window = between(began_ns, ended_ns)

        triage = terminal("incident", "triage", *window)
        incident = triage["id"]
        assert triage["severity"] in {"CRITICAL", "HIGH"}
        share = statuses[500] / (WAVES * CROWD)
        assert triage["symptoms"][0]["incident"] == pytest.approx(share)
        assert SERVICE in triage["hypotheses"][0]["statement"]

        early = terminal("incident", "fix", "record", incident, "a restart", code=1)
        assert "the cause is not known" in early
        url = f"http://127.0.0.1:{port}/predict"
        crowded = ("--attempts", str(CROWD), "--concurrency", str(CROWD))
        reproduced = terminal("incident", "reproduce", incident, "--url", url, *crowded)
        assert reproduced["said"]["reproduced"] > 0

        supposed = terminal(
            "incident", "hypothesis", "add", incident, "the database is slower", "--refuted-by",
            "its part of a request takes as long as before", "--explains", "all",
        )["name"]  # fmt: skip
        slower = (
            f"select median(duration_ns) filter (start_time_ns >= {began_ns}) "
            f"> 2 * median(duration_ns) filter (start_time_ns < {began_ns}) from spans where name = 'features'"
        )
        terminal("incident", "hypothesis", "test", incident, supposed, "--sql", slower, code=1)
        pool = terminal(
            "incident", "hypothesis", "add", incident, "ten connections are too few for a hundred requests at a time",
            "--refuted-by", "requests fail for another reason", "--explains", "all",
        )["name"]  # fmt: skip
        expect = "errors[1].type like '%TimeoutError' and errors[1].message like 'QueuePool limit of size 10%'"
        verb = " ".join(("errors", *window))
        terminal("incident", "hypothesis", "test", incident, pool, "--verb", verb, "--expect", expect)
        terminal("incident", "cause", "set", incident, "a pool of ten for any load", "--hypothesis", pool)

    with serving(collector, port, 50, tmp_path / "after.log"):
        terminal("incident", "fix", "record", incident, "a pool of 50 connections")
        mended_ns = time.time_ns()
        after = usual(port)
        until_ns = time.time_ns()
        terminal.arrived(before + (WAVES + 1) * CROWD + after)
        # On a busy machine requests of one load are not as fast as those of another one.
        verified = terminal("incident", "verify", incident, "--tolerance", "200", *between(mended_ns, until_ns))
    checks = {check["name"]: check["outcome"] for check in verified["said"]["checks"]}
    assert checks == {"reproduction": "passed", "metrics": "passed", "errors": "passed"}

    terminal("incident", "close", incident, code=1)
    terminal("incident", "prevent", "add", incident, "monitor", "an alarm when 80 % of the pool is taken")
    terminal(
        "postmortem", "actions", "add", incident, "load test with a hundred requests at a time", "--owner", "ada",
        "--due", "2100-01-01", "--outcome", "the release job fails when one of them does",
    )  # fmt: skip
    written = terminal("postmortem", "write", incident, "--format", "json")
    impact = written["impact"]
    assert (impact["requests"], impact["failed"]) == (WAVES * CROWD, statuses[500])
    assert impact["baseline_error_share"] == 0
    assert impact["quantiles"][0]["incident_ns"] > 1.5 * impact["quantiles"][0]["baseline_ns"]
    (counted,) = terminal("sql", impact["evidence"]["sql"][0])
    assert (counted["requests"], counted["failed"]) == (impact["requests"], impact["failed"])
    assert len(written["refuted"]) == 1
    assert {entry["actor"] for entry in written["timeline"]} == {None, "ada"}
    assert terminal("postmortem", "check", incident)["remarks"] == []
    assert terminal("incident", "close", incident)["stage"] == "closed"
    status = terminal("incident", "status", incident)
    assert (status["overridden"], status["problems"], status["next"]) == ([], [], None)
