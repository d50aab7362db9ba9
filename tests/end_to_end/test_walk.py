"""The guided walk: each command of its page, typed while a real pool is exhausted, mended and learnt from."""

import re
import shlex
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import RunningCollector, wait_until
from tests.support.pages import examples
from tests.support.pools import CROWD, PoolServer
from tests.support.prompts import Prompt, Stretch

from infersight_analysis.times import iso_time

PAGE = Path(__file__).parents[2] / "analysis" / "docs" / "walk.md"
LINES = [line for block in examples(PAGE, "sh") for line in block.splitlines()]
USUAL, WAVES = 360, 4
REFUSED = ('fix record INC-2026-001 "a restart"', "hypothesis test INC-2026-001 H5")
"""Lines that exit with 1; so does closing for the first time."""


@dataclass
class Walk:
    """What was typed so far, and what it answered.

    Args:
        prompt: where it is typed.
        server: the server with the pool.
        folder: where files are written.
        replaced: what the page says, and what it is here.
        answers: by line; of a line that is typed twice the first one.
        statuses: how many requests of the crowd were answered how.
    """

    prompt: Prompt
    server: PoolServer
    folder: Path
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    statuses: Counter[int] = field(default_factory=Counter[int])

    def here(self, line: str) -> str:
        """A line of the page, about this run."""
        for said, meant in self.replaced.items():
            line = line.replace(said, meant)
        return line

    def type(self, line: str, code: int = 0) -> Any:
        """Type a line of the page; it must exit as said."""
        answer = self.prompt(*shlex.split(self.here(line))[1:], code=code)
        self.answers.setdefault(line, answer)
        return answer

    def times(self, said: Stretch, *, start: str, end: str) -> None:
        """What the page calls `start` and `end` was then."""
        self.replaced |= {start: iso_time(said.start_ns), end: iso_time(said.end_ns)}

    def answer(self, part: str) -> Any:
        """What the first line with something in it answered."""
        return next(answer for line, answer in self.answers.items() if part in line)

    def arrived(self, requests: int) -> None:
        """Wait until so many requests are in the store."""
        sql = "select count(*) as n from spans where kind = 'SERVER' and name like '%/predict'"
        wait_until(lambda: self.prompt.store.exists() and self.prompt("sql", sql)[0]["n"] == requests, 60)


@pytest.fixture(scope="module")
def walk(collector: RunningCollector, tmp_path_factory: pytest.TempPathFactory) -> Generator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    server = PoolServer.of(collector, folder)
    walk = Walk(Prompt(collector.store), server, folder, {"http://127.0.0.1:8000/predict": server.url})
    with pytest.MonkeyPatch.context() as patched, ExitStack() as running:
        patched.chdir(folder)
        running.enter_context(server.running(10))
        server.usual(USUAL)
        began = time.time_ns()
        walk.statuses = server.crowd(WAVES)
        crowded = Stretch(began, time.time_ns())
        walk.times(crowded, start="2026-03-01T10:00:00Z", end="2026-03-01T10:00:08Z")
        walk.arrived(USUAL + WAVES * CROWD)
        for line in LINES:
            step(walk, line, running)
        yield walk


def step(walk: Walk, line: str, running: ExitStack) -> None:
    """Do what the page does there, and type the line."""
    if "a pool of 50" in line:
        running.close()
        running.enter_context(walk.server.running(50))
    if "incident verify" in line:
        began = time.time_ns()
        walk.server.usual(USUAL)
        walk.times(Stretch(began, time.time_ns()), start="2026-03-01T10:05:00Z", end="2026-03-01T10:05:10Z")
        walk.arrived(2 * USUAL + (WAVES + 1) * CROWD)
    is_first_close = "incident close" in line and line not in walk.answers
    found = walk.type(line, code=1 if is_first_close or any(part in line for part in REFUSED) else 0)
    if "infersight slow" in line:
        walk.replaced["9d517f7a"] = found["requests"][0]["trace_id"]
    if "incident triage" in line:
        supposed = len(found["hypotheses"])
        walk.replaced |= {"INC-2026-001": found["id"], " H5": f" H{supposed + 1}", " H6": f" H{supposed + 2}"}


def test_the_alarm_and_the_triage_say_what_the_clients_saw(walk: Walk) -> None:
    failed = walk.statuses[500]
    assert failed > 0
    assert walk.answer("infersight errors")["errors"][0]["count"] == failed
    assert walk.answer("infersight slow")["requests"][0]["duration_ns"] > 1e9
    triage = walk.answer("incident triage")
    assert triage["severity"] in {"CRITICAL", "HIGH"}
    assert triage["symptoms"][0]["incident"] == pytest.approx(failed / (WAVES * CROWD))
    assert walk.answer('"a restart"').startswith("the cause is not known")
    assert walk.answer("incident reproduce")["said"]["reproduced"] > 0


def test_the_alternative_is_refuted_by_sql_and_the_pool_supported_twice(walk: Walk) -> None:
    assert walk.answer("test INC-2026-001 H5")["said"]["outcome"] == "refuted"
    before, during = (row["ms"] for row in walk.answer("infersight sql"))
    assert 250 <= before < 500
    assert during < 2 * before
    code = max(walk.answer("infersight investigate")["code"], key=lambda each: each["about_ns"])
    assert (code["part"], code["function"]) == ("connect", "predict")
    tests = [answer for line, answer in walk.answers.items() if "hypothesis test INC-2026-001 H6" in line]
    assert [test["said"]["outcome"] for test in tests] == ["supported", "supported"]


def test_the_fix_is_proven_and_the_incident_closed_as_the_page_shows(walk: Walk) -> None:
    checks = {check["name"]: check["outcome"] for check in walk.answer("incident verify")["said"]["checks"]}
    assert checks == {"reproduction": "passed", "metrics": "passed", "errors": "passed"}
    assert walk.answer("incident close").startswith("nothing prevents it from coming back")
    assert walk.answer("postmortem check")["remarks"] == []
    status = walk.answer("incident status")
    assert (status["stage"], status["overridden"], status["problems"]) == ("closed", [], [])
    said = {step["name"]: step["about"] for step in status["steps"]}
    (shown,) = re.findall(r"^```\n((?:CRITICAL|HIGH) INC.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for name in ("cause", "fix", "verification", "prevention", "postmortem"):
        assert " ".join(f"{name} {said[name]}".split()) in " ".join(shown.split())


def test_every_number_of_the_post_mortem_is_what_its_sql_answers(walk: Walk) -> None:
    found = walk.prompt("postmortem", "write", walk.here("INC-2026-001"), "--format", "json")
    impact = found["impact"]
    assert (impact["requests"], impact["failed"]) == (WAVES * CROWD, walk.statuses[500])
    (during,), (before,), series = (walk.prompt("sql", query) for query in impact["evidence"]["sql"])
    assert [during[name] for name in ("requests", "failed", "slow")] == [
        impact[name] for name in ("requests", "failed", "slow")
    ]
    assert during["quantiles_ns"] == pytest.approx([each["incident_ns"] for each in impact["quantiles"]])
    assert before["quantiles_ns"] == pytest.approx([each["baseline_ns"] for each in impact["quantiles"]])
    assert before["failed"] / before["requests"] == impact["baseline_error_share"] == 0
    assert series
    document = (walk.folder / walk.here("INC-2026-001.md")).read_text("utf-8")
    assert all(query in document for query in impact["evidence"]["sql"])
    assert len(found["refuted"]) == 1
