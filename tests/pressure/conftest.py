"""One recording for all scenarios: a server whose pool is exhausted, and four releases of another beside it."""

import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.collectors import Collectors, RunningCollector, wait_until
from tests.support.pools import CROWD, PoolServer
from tests.support.prompts import Prompt, Stretch
from tests.support.reviews import Candidate, load, serving

from infersight_analysis.times import iso_time

GOOD = Candidate("1.0.0", seconds=0.05, requests=1_200, explains=0)
TWO_PERCENT = Candidate("1.1.0", ("mail-address",), seconds=0.05, requests=1_200, explains=0, mails=0.02)
CRITICAL = Candidate("1.2.0", ("mail-address",), seconds=0.05, requests=300, explains=0, mails=0.2)
CAPITALS = Candidate("2.0.0", ("all-caps",), seconds=0.05, requests=400, explains=0, captures=True)
RELEASES = (GOOD, TWO_PERCENT, CRITICAL, CAPITALS)
JUDGED = sum(round(each.requests * (1 - each.mails)) for each in RELEASES)
"""Predictions that came to be: those about mail addresses fail."""

SECONDS = 12.0
USUAL, WAVES = 360, 3
"""Requests of an ordinary time, enough to compare another time with; and how often a hundred come at once."""


@dataclass(frozen=True)
class Recording:
    """What was recorded, and the server with the pool, which is still there.

    Args:
        store: of the collector, which takes more.
        usual: when the pool was large enough for the load.
        crowded: when it was not.
        statuses: how many requests of the crowd were answered how.
        consoles: what the releases printed, by version.
        server: the server.
        restarts: restarts it with a pool of some size; at first it has ten connections.
    """

    store: Path
    usual: Stretch
    crowded: Stretch
    statuses: Counter[int]
    consoles: dict[str, str]
    server: PoolServer
    restarts: "Restarts"


class Restarts:
    """Keeps the server running, with one pool after another."""

    def __init__(self, server: PoolServer, stack: ExitStack) -> None:
        self._server, self._stack, self._pool = server, stack, 0

    def __call__(self, pool: int) -> None:
        self._stack.close()
        self._stack.enter_context(self._server.running(pool))
        self._pool = pool

    def unless(self, pool: int) -> None:
        """Restart it, unless it has a pool of this size."""
        if pool != self._pool:
            self(pool)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Generator[Recording]:
    folder = tmp_path_factory.mktemp("pressure")
    collectors = Collectors(folder)
    with ExitStack() as everything, ExitStack() as running, ThreadPoolExecutor(1) as beside:
        everything.callback(collectors.end)
        collector = collectors.start()
        server = PoolServer.of(collector, folder)
        restart = Restarts(server, running)
        releases = beside.submit(_released, collector, folder)
        restart(10)
        began = time.time_ns()
        server.usual(USUAL)
        changed = time.time_ns()
        statuses = server.crowd(WAVES)
        ended = time.time_ns()
        releases.result()
        prompt = Prompt(collector.store)
        wait_until(lambda: requests_of(prompt, Stretch(began, ended)) == USUAL + WAVES * CROWD, 60)
        wait_until(lambda: _events(prompt, "infersight.feedback") == JUDGED, 60)
        # They are sent after their requests: each that failed has waited for seconds in which it was looked at.
        wait_until(lambda: _events(prompt, "infersight.profile") >= max(1, statuses[500] // 2), 60)
        consoles = {each.version: (folder / f"server-{each.version}.log").read_text() for each in RELEASES}
        stretches = Stretch(began, changed), Stretch(changed, ended)
        yield Recording(collector.store, *stretches, statuses, consoles, server, restart)


def _released(collector: RunningCollector, folder: Path) -> None:
    with serving(collector, folder, RELEASES) as ports:
        load(ports, RELEASES, SECONDS)


def _events(prompt: Prompt, name: str) -> int:
    count: int = prompt("sql", f"select count(*) as n from logs where event_name = '{name}'")[0]["n"]
    return count


def requests_of(prompt: Prompt, when: Stretch) -> int:
    """How many requests of the server with the pool began in a stretch of time, as far as they have arrived."""
    where = f"service_name = 'predictor' and start_time_ns between {when.start_ns} and {when.end_ns}"
    sql = f"select count(*) as n from spans where kind = 'SERVER' and name like '%/predict' and {where}"
    count: int = prompt("sql", sql)[0]["n"] if prompt.store.exists() else 0
    return count


@pytest.fixture(scope="module")
def prompt(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    """A prompt on a copy of the recording: what one scenario writes is not in another's store."""
    store = tmp_path_factory.mktemp("scenario") / "store"
    Prompt(recording.store)("store", "snapshot", store)
    return Prompt(store)


SYMPTOM = "requests are answered 500"


@dataclass(frozen=True)
class Mended:
    """An incident that is mended and will be noticed in time, and that nothing was learnt from yet.

    Args:
        prompt: of its store.
        incident: its id.
        symptom: what was said of a cause that repeats a symptom.
        restarted: the checks after a restart.
        enlarged: the checks after the pool was made larger.
    """

    prompt: Prompt
    incident: str
    symptom: str
    restarted: list[dict[str, str]]
    enlarged: list[dict[str, str]]


@pytest.fixture(scope="session")
def mended(recording: Recording) -> Mended:
    """The same incident in the collector's own store, mended twice: by a restart, and by a larger pool."""
    prompt, server = Prompt(recording.store), recording.server
    when = recording.crowded.options
    opened = prompt("incident", "open", "Predictions fail", "--severity", "HIGH", "--symptom", SYMPTOM, *when)
    incident = str(opened["incident"])
    recording.restarts.unless(10)
    crowd = str(CROWD)
    prompt("incident", "reproduce", incident, "--url", server.url, "--attempts", crowd, "--concurrency", crowd)
    symptom = _explained(prompt, incident, when)

    verify = ("incident", "verify", incident, "--service", "predictor")
    prompt("incident", "fix", "record", incident, "a restart")
    recording.restarts(10)
    restarted = prompt(*verify, "--start", iso_time(time.time_ns()), code=1)
    recording.restarts(50)
    prompt("incident", "fix", "record", incident, "a pool of 50 connections")
    began = time.time_ns()
    server.usual(USUAL, at_a_time=15)
    after = Stretch(began, time.time_ns())
    wait_until(lambda: requests_of(prompt, after) == USUAL, 60)
    # On a busy machine requests of one load are not as fast as those of another one.
    enlarged = prompt(*verify, "--tolerance", "300", *after.options)
    prompt("incident", "prevent", "add", incident, "monitor", "an alarm when 80 % of the pool is taken")
    return Mended(prompt, incident, symptom, restarted["said"]["checks"], enlarged["said"]["checks"])


def _explained(prompt: Prompt, incident: str, when: tuple[str, ...]) -> str:
    """Find the cause; what was said where the symptom itself was called one."""
    cause, test = ("incident", "cause", "set", incident), ("incident", "hypothesis", "test", incident)
    suppose = ("incident", "hypothesis", "add", incident, "--explains", "all", "--refuted-by")
    symptom = prompt(*suppose, "no request fails", SYMPTOM)["name"]
    prompt(*test, symptom, "--verb", "errors", "--expect", "len(errors) > 0")
    said: str = prompt(*cause, SYMPTOM, "--hypothesis", symptom, code=1)
    pool = prompt(*suppose, "requests fail for another reason", "ten connections are too few for a hundred requests")
    verb, expected = " ".join(("errors", *when)), "errors[1].message like 'QueuePool limit of size 10%'"
    prompt(*test, pool["name"], "--verb", verb, "--expect", expected)
    prompt(*cause, "a pool of ten, whatever the load", "--hypothesis", pool["name"])
    return said
