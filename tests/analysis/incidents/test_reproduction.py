"""Reproducing a failure: commands and requests, many times, against a condition."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.analysis.incidents.scenes import Pool, serving

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents.reproduction import play
from infersight_analysis.incidents.scenario import Predicate, Request, Scenario, read_requests
from infersight_analysis.incidents.verification import attempts_needed
from infersight_analysis.stats.proportions import difference, wilson
from infersight_analysis.times import SECOND_NS


@pytest.fixture
def pool() -> Pool:
    return Pool(2)


@pytest.fixture
def url(pool: Pool) -> Iterator[str]:
    with serving(pool) as base:
        yield f"{base}/predict"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_that_fails_each_time_is_counted_with_its_interval() -> None:
    found = play(Scenario(python("print('boom'); raise SystemExit(3)"), attempts=3))
    assert (found.reproduced, found.attempts) == (3, 3)
    assert found.interval == wilson(3, 3)
    assert found.statement.startswith("3 of 3 attempts fail (44% to 100% with 95 % confidence)")
    assert (found.examples[0].exit_code, found.examples[0].output) == (3, "boom\n")


@pytest.mark.parametrize(
    ("predicate", "reproduced"),
    [
        (Predicate(exit_code="0"), 1),
        (Predicate(exit_code="3"), 0),
        (Predicate(matches=r"pool \w+"), 1),
        (Predicate(matches="nothing"), 0),
        (Predicate(slower_than_ns=0), 1),
        (Predicate(slower_than_ns=60 * SECOND_NS), 0),
        (Predicate(exit_code="3", matches="exhausted"), 1),
        (Predicate(), 0),
    ],
)
def test_any_condition_that_holds_shows_the_failure(predicate: Predicate, reproduced: int) -> None:
    scenario = Scenario(python("import sys; print('pool exhausted', file=sys.stderr)"), predicate=predicate, attempts=1)
    assert play(scenario).reproduced == reproduced


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started() -> None:
    begun = time.monotonic()
    child = f"{sys.executable} -c 'import time; time.sleep(60)'"
    found = play(Scenario(["sh", "-c", f"{child} & {child}"], attempts=1, timeout_ns=SECOND_NS // 2))
    assert time.monotonic() - begun < 30
    assert found.reproduced == 1
    assert found.examples[0].exit_code is None


def test_a_pool_that_is_too_small_fails_under_load_and_not_alone(url: str, pool: Pool) -> None:
    alone = play(Scenario(requests=[Request(url)], attempts=3))
    assert alone.reproduced == 0
    loaded = play(Scenario(requests=[Request(url)], attempts=30, concurrency=15))
    assert loaded.reproduced > 10
    assert loaded.examples[0].status == 503
    assert loaded.examples[0].output == "no connection free"
    pool.resize(50)
    assert play(Scenario(requests=[Request(url)], attempts=30, concurrency=15)).reproduced == 0


def test_a_server_that_cannot_be_reached_shows_nothing() -> None:
    with pytest.raises(AnalysisError, match=r"no attempt got anywhere: http://127.0.0.1:9/: .*refused"):
        play(Scenario(requests=[Request("http://127.0.0.1:9/")], attempts=2))
    with pytest.raises(AnalysisError, match="no attempt got anywhere: nowhere-to-be-found"):
        play(Scenario(["nowhere-to-be-found"], attempts=2))


def test_requests_of_a_file_are_sent_in_turn_and_json_is_sent_as_such(url: str, tmp_path: Path) -> None:
    file = tmp_path / "requests.json"
    file.write_text(json.dumps([{"url": url}, {"url": url, "method": "POST", "body": {"text": "good"}}]))
    requests = read_requests(file)
    assert requests[1] == Request(url, "POST", {"content-type": "application/json"}, '{"text": "good"}')
    found = play(Scenario(requests=requests, attempts=2, predicate=Predicate(status="2xx")))
    assert found.reproduced == 2


@pytest.mark.parametrize("text", ["", "{}", '{"url": "file:///etc/passwd"}', '[{"url": "http://a", "verb": "GET"}]'])
def test_a_file_without_requests_is_refused_in_a_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "requests.json"
    file.write_text(text)
    with pytest.raises(AnalysisError, match=r"has no requests|is no URL to ask"):
        read_requests(file)


def test_a_scenario_is_played_again_as_it_was_recorded() -> None:
    scenario = Scenario(("true",), predicate=Predicate(exit_code="0"), attempts=4, concurrency=2)
    assert Scenario.restored(json.loads(json.dumps(scenario.recorded()))) == scenario
    requested = Scenario(requests=(Request("http://a/", headers={"x": "y"}),))
    assert Scenario.restored(json.loads(json.dumps(requested.recorded()))) == requested


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("many", None, None, None), "is no exit code"),
        ((None, "(", None, None), "is no regular expression"),
        ((None, None, "99", None), "is no HTTP status"),
        ((None, None, None, "soon"), "is no duration"),
    ],
)
def test_a_condition_that_is_none_is_refused(given: tuple[str | None, ...], says: str) -> None:
    with pytest.raises(AnalysisError, match=says):
        Predicate.of(*given)


@pytest.mark.parametrize(("reproduced", "attempts"), [(10, 10), (5, 10), (3, 10), (1, 3)])
def test_a_fix_is_tried_as_often_as_a_test_needs_to_tell(reproduced: int, attempts: int) -> None:
    needed = attempts_needed(reproduced, attempts)
    p_value = difference(reproduced, attempts, 0, needed).p_value
    assert p_value is not None
    assert needed >= attempts
    assert p_value < 0.05 or needed == attempts
